// Sets of pairs: look through them, and build new ones.
import { $, ask, follow, make, safely } from "./api.js";
import { downloads, hazardsNow, nameOf, saidOf, sceneNow } from "./draw.js";
import { swipe } from "./stage.js";
import { say } from "./words.js";

const LATER = ["waiting", "running"];
let open = null, shown = 0;

export function beginSets() {
  $("build-go").addEventListener("click", safely(build));
  for (const name of ["hazard", "level", "region"]) $("set-" + name).addEventListener("change", safely(() => pairs(0)));
  $("set-more").addEventListener("click", safely(() => pairs(shown)));
  $("set-stats").addEventListener("click", () => {
    $("set-page").src = `/api/sets/${open.id}/stats.html`;
    $("set-page").hidden = !$("set-page").hidden;
  });
}

export async function showSets() {
  const chosen = new Set(boxes().filter((b) => b.checked).map((b) => b.value));
  $("build-hazards").replaceChildren(...hazardsNow().map((hazard) => make("label", {},
    make("input", { type: "checkbox", value: hazard.name, checked: chosen.has(hazard.name) }), " " + nameOf(hazard))));
  const sets = await ask("/api/sets");
  $("set-list").replaceChildren(...(sets.length ? sets.map(row) : [make("li", { textContent: say("sets.none") })]));
}

const boxes = () => [...$("build-hazards").querySelectorAll("input")];

function row(set) {
  const state = make("span", { className: "note", role: "status" });
  const files = make("span", { className: "downloads" });
  const act = (key, work) => make("button", { type: "button", textContent: say(key), onclick: safely(work), "aria-label": `${say(key)}: ${set.name}` });
  const show = act("sets.show", () => openSet(set));
  const cancel = act("after.cancel", () => ask(`/api/jobs/${set.id}/cancel`, {}));
  const resume = act("after.resume", async () => { await ask(`/api/jobs/${set.id}/resume`, {}); watch(); });
  const draw = (job) => {
    state.textContent = job.kind ? saidOf(job) : "";
    show.hidden = job.state !== "done";
    cancel.hidden = !LATER.includes(job.state);
    resume.hidden = !["interrupted", "failed", "cancelled"].includes(job.state);
    if (job.state === "done" && job.files) downloads(files, job);
  };
  const watch = safely(() => follow(set.id, draw));
  draw(set);
  if (set.built) watch();
  return make("li", {}, make("b", { textContent: set.name }), " ", show, cancel, resume, " ", state, " ", files);
}

async function build() {
  const hazards = boxes().filter((b) => b.checked).map((b) => b.value);
  if (!hazards.length) throw new Error(say("sets.one"));
  const scene = $("build-of").value === "scene" ? sceneNow().id : null;
  await ask("/api/jobs", { kind: "build", name: $("build-name").value, hazards, count: Number($("build-count").value), seed: Number($("build-seed").value), scene });
  await showSets();
}

async function openSet(set) {
  open = set;
  const about = await ask("/api/sets/" + set.id);
  $("set-name").textContent = set.name;
  for (const [name, values] of [["hazard", about.hazards], ["level", about.levels], ["region", about.regions]]) {
    $("set-" + name).replaceChildren(make("option", { value: "", textContent: say("sets.all") }),
      ...values.map((value) => make("option", { value, textContent: name === "level" ? say(value) : value })));
  }
  $("set-large").replaceChildren();
  $("set-page").hidden = true;
  $("set").hidden = false;
  await pairs(0);
}

async function pairs(first) {
  const chosen = new URLSearchParams({ first });
  for (const name of ["hazard", "level", "region"]) chosen.set(name, $("set-" + name).value);
  const found = await ask(`/api/sets/${open.id}/pairs?${chosen}`);
  if (!first) $("set-pairs").replaceChildren();
  $("set-pairs").append(...found.pairs.map(card));
  shown = first + found.pairs.length;
  $("set-count").textContent = say("sets.chosen", { n: found.count });
  $("set-more").hidden = !found.more;
}

function card(pair) {
  const picture = (when, large) => `/api/sets/${open.id}/pairs/${pair.number}/${when}.jpg${large ? "?large=true" : ""}`;
  const levels = Object.entries(pair.levels || {}).map(([level, n]) => `${say(level)} ${n}`).join(", ");
  const button = make("button", { type: "button", className: "card", onclick: () => {
    swipe($("set-large"), picture("pre", true), picture("post", true));
    $("set-large").scrollIntoView({ block: "nearest" });
  } }, make("img", { src: picture("post"), alt: "", loading: "lazy" }), pair.id);
  return make("figure", {}, button, make("figcaption", { textContent: `${pair.hazard}, ${pair.severity}: ${levels}` }));
}
