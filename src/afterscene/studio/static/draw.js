// Scene -> hazard -> aftermath: what is chosen, what it would do, and the job that draws it.
import { $, ask, follow, keep, kept, make, problem, safely, send, table } from "./api.js";
import { beginPaint, choosePaint, paintOn, recall, sketch } from "./paint.js";
import { redraw, showLevels, showScene, swipe } from "./stage.js";
import { language, say } from "./words.js";

const KEPT = "afterscene.job";
export const sceneNow = () => scene;
export const hazardsNow = () => hazards;
export const nameOf = (hazard) => (language() === "zh" && hazard.name_zh) || hazard.name;
let scene = null, hazards = [], asking = 0, current = null;

export async function begin() {
  $("hazard").addEventListener("change", safely(async () => { showFields(); await levels(); }));
  for (const id of ["severity", "seed", "say"]) $(id).addEventListener("input", soon);
  $("show-field").addEventListener("change", redraw);
  beginPaint(levels);
  $("own-open").addEventListener("click", safely(openOwn));
  $("generate").addEventListener("click", safely(generate));
  $("cancel").addEventListener("click", safely(() => ask(`/api/jobs/${current.id}/cancel`, {})));
  $("resume").addEventListener("click", safely(async () => watch((await ask(`/api/jobs/${current.id}/resume`, {})).id)));
  const names = await ask("/api/samples");
  $("samples").replaceChildren(...names.map((name) => make("button", {
    type: "button", "aria-pressed": "false", onclick: safely((event) => openScene({ sample: name }, event.currentTarget)) },
    make("img", { src: `/api/samples/${name}/picture.jpg`, alt: "", loading: "lazy" }), name)));
  hazards = await ask("/api/hazards");
  translateDraw();
  document.body.dataset.ready = "true";
  const last = kept(KEPT);
  if (last) await again(last); else await openScene({ sample: names[0] }, $("samples").firstChild);
}

// A reload goes on with the job that was started.
async function again(id) {
  try {
    const job = await ask("/api/jobs/" + id);
    const asked = job.asked;
    await openScene({ again: asked.scene });
    $("hazard").value = asked.hazard || $("hazard").value;
    $("severity").value = asked.severity;
    $("seed").value = asked.seed;
    $("say").value = asked.say;
    recall(asked.sketch);
    showFields(asked.parameters);
    await levels();
    await watch(id);
  } catch {
    keep(KEPT, null);
    await openScene({ sample: (await ask("/api/samples"))[0] }, $("samples").firstChild);
  }
}

export function translateDraw() {
  if (!hazards.length) return;
  const now = $("hazard").value || hazards[0].name;
  $("hazard").replaceChildren(...hazards.map((h) => make("option", { value: h.name, textContent: nameOf(h) })));
  $("hazard").value = now;
  showFields(parameters());
  choosePaint();
  redraw();
  if (current) showJob(current);
}

function showFields(values = {}) {
  const hazard = hazards.find((h) => h.name === $("hazard").value);
  $("summary").textContent = hazard.summary;
  $("fields").replaceChildren(...hazard.fields.map((field) => {
    const id = "field-" + field.name;
    const unit = field.unit === "1" ? "" : ` (${field.unit})`;
    const input = make("input", { type: "number", step: "any", id, oninput: soon });
    input.dataset.field = field.name;
    if (field.low !== null) input.min = field.low;
    if (field.high !== null) input.max = field.high;
    if (field.default !== null) input.value = field.default; else input.placeholder = say("hazard.drawn");
    if (field.name in values) input.value = values[field.name];
    input.dataset.default = field.default ?? "";
    return make("p", {}, make("label", { htmlFor: id, textContent: `${field.name}${unit}: ${field.doc}` }), input);
  }));
}

// Only what differs from the defaults is sent, as with --set.
function parameters() {
  const given = [...$("fields").querySelectorAll("input")].filter((i) => i.value !== "" && i.value !== i.dataset.default);
  return Object.fromEntries(given.map((i) => [i.dataset.field, Number(i.value)]));
}

function wish() {
  const words = sketch() ? "" : $("say").value.trim();
  return { sketch: sketch(), hazard: words ? null : $("hazard").value, severity: Number($("severity").value), seed: Number($("seed").value), say: words, parameters: words ? {} : parameters() };
}

async function openScene(what, button) {
  const opened = what.again ? await ask("/api/scenes/" + what.again) : await ask("/api/scenes", what);
  scene = opened;
  for (const other of $("samples").children) other.setAttribute("aria-pressed", String(other === button));
  $("result").hidden = true;
  showScene(scene);
  paintOn(scene);
  $("generate").disabled = false;
  if (!what.again) await levels();
}

async function openOwn() {
  const image = $("own-image").files[0], footprints = $("own-footprints").files[0];
  if (!image || !footprints) throw new Error(say("scene.both"));
  const [a, b] = [await send(image), await send(footprints)];
  await openScene({ image: a.id, footprints: b.id });
}

let timer = 0;
function soon() {
  $("severity-said").textContent = $("severity").value;
  clearTimeout(timer);
  timer = setTimeout(safely(levels), 250);
}

async function levels() {
  if (!scene) return;
  const mine = ++asking;
  try {
    const found = await ask(`/api/scenes/${scene.id}/levels`, wish());
    if (mine !== asking) return;
    $("understood").textContent = found.understood ? say("hazard.means", { s: found.understood }) : "";
    if (found.understood && $("hazard").value !== found.hazard) { $("hazard").value = found.hazard; showFields(); }
    $("hazard").disabled = Boolean(found.understood);
    $("say").disabled = Boolean(sketch());
    showLevels(found);
  } catch (error) {
    if (mine === asking) { $("understood").textContent = ""; $("hazard").disabled = false; throw error; }
  }
}

async function generate() {
  const mode = document.querySelector("input[name=mode]:checked").value;
  const job = await ask("/api/jobs", { kind: "aftermath", scene: scene.id, mode, ...wish() });
  keep(KEPT, job.id);
  await watch(job.id);
}

async function watch(id) {
  current = { id };
  await follow(id, (job) => {
    if (!current || current.id !== id) return false;
    current = job;
    showJob(job);
  });
}

export function saidOf(job) {
  if (job.state === "waiting") return say("state.waiting", { n: job.place });
  if (job.state === "failed") return say("state.failed", { s: job.error });
  if (job.state !== "running") return say("state." + job.state);
  const many = job.progress && job.progress.total > 1 ? " " + say("state.of", { n: job.progress.done, m: job.progress.total }) : "";
  return (job.kind === "assess" ? say("state.assess") : job.step === null ? say("state.running") : say("state.step", { n: job.step + 1 })) + many;
}

function showJob(job) {
  const busy = ["waiting", "running"].includes(job.state);
  if ($("state").textContent !== saidOf(job)) $("state").textContent = saidOf(job);
  $("cancel").hidden = !busy;
  $("generate").disabled = busy;
  $("resume").hidden = !["interrupted", "failed", "cancelled"].includes(job.state);
  $("progress").hidden = !busy;
  $("progress").removeAttribute("value");
  if (job.state === "running" && job.step !== null) {
    swipe($("swipe"), `/api/scenes/${job.asked.scene}/picture.jpg`, `/api/jobs/${job.id}/preview.jpg?step=${job.step}`);
    $("result").hidden = false;
    $("downloads").replaceChildren();
    $("table").replaceChildren();
  }
  if (job.state === "done") showResult(job); else if (!busy) $("result").hidden = true;
}

function showResult(job) {
  const file = (name) => `/api/jobs/${job.id}/files/${name}`;
  swipe($("swipe"), file("pre.jpg"), file("post.jpg"));
  downloads($("downloads"), job);
  table($("table"), ["building", "asked", "found", "chance"].map((key) => say(key)),
    job.made.buildings.map((b) => [b.uid, say(b.asked || "un-classified"), say(b.found), b.chance]));
  $("result").hidden = false;
  $("result").scrollIntoView({ block: "start" });
}

// Files are fetched, so that a refusal is a sentence on the page and not a page of its own.
export function downloads(into, job) {
  const names = job.files.filter((name) => !/\.jpg$/.test(name));
  into.replaceChildren(...names.map((name) => make("a", {
    href: `/api/jobs/${job.id}/files/${name}`, download: name, textContent: say("file." + name),
    onclick: safely(async (event) => { event.preventDefault(); await save(event.currentTarget.href, name); }) })));
}

async function save(href, name) {
  const response = await fetch(href);
  if (!response.ok) throw new Error((await response.json()).error);
  const link = make("a", { href: URL.createObjectURL(await response.blob()), download: "afterscene-" + name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  problem(null);
}
