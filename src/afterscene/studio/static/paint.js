// Levels set by hand: click a building, or paint over an area. What is painted is sent as a picture,
// which is read as `synthesize --sketch` reads one; what nobody painted keeps the level that it had.
import { $, make, safely, send } from "./api.js";
import { levelsNow } from "./stage.js";
import { say } from "./words.js";

const COLOURS = { "no-damage": "#3b82c4", "minor-damage": "#fada5e", "major-damage": "#f38630", destroyed: "#c01c28", water: "#10247d" };
const SIDE = 1024, BRUSH = 0.05;
let scene = null, number = null, changed = () => {}, from = null, moved = false;

export const sketch = () => number;

export function beginPaint(after) {
  changed = after;
  $("brush").addEventListener("change", showTool);
  $("unpaint").addEventListener("click", safely(async () => { forget(); await changed(); }));
  const canvas = $("paint");
  canvas.addEventListener("pointerdown", (event) => {
    from = at(event);
    moved = false;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => { if (from) stroke(at(event)); });
  canvas.addEventListener("pointerup", safely(async () => {
    const point = from;
    from = null;
    if (moved) return sent();
    const hit = scene.buildings.findIndex((b) => canvas.getContext("2d").isPointInPath(new Path2D(b.path), ...point.map((v) => v * scale()), "evenodd"));
    if (hit >= 0) await setLevel(hit);
  }));
  $("shapes").addEventListener("keydown", safely(async (event) => {
    const hit = [...$("shapes").children].indexOf(event.target);
    if (hit < 0 || !$("brush").value || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    await setLevel(hit);
    $("shapes").children[hit].focus();
  }));
}

export function choosePaint() {
  $("brush").replaceChildren(make("option", { value: "", textContent: say("paint.off") }),
    ...Object.keys(COLOURS).map((level) => make("option", { value: level, textContent: say(level) })));
}

export function paintOn(opened) {
  scene = opened;
  const share = Math.min(1, SIDE / Math.max(scene.width, scene.height));
  $("paint").width = Math.round(scene.width * share);
  $("paint").height = Math.round(scene.height * share);
  forget();
  $("brush").value = "";
  showTool();
}

// A job of earlier was drawn from a painted map: its picture is not here, its number is.
export function recall(kept) { number = kept || null; $("unpaint").hidden = !number; }

function forget() {
  number = null;
  $("unpaint").hidden = true;
  pen().clearRect(0, 0, $("paint").width, $("paint").height);
}

const scale = () => $("paint").width / scene.width;

function pen() {
  const context = $("paint").getContext("2d");
  if (scene) context.setTransform(scale(), 0, 0, scale(), 0, 0);
  return context;
}

function showTool() {
  const on = Boolean($("brush").value);
  $("paint").hidden = !on;
  for (const path of $("shapes").children) {
    if (on) { path.setAttribute("tabindex", "0"); path.setAttribute("role", "button"); path.setAttribute("aria-label", path.firstChild.textContent); }
    else for (const name of ["tabindex", "role", "aria-label"]) path.removeAttribute(name);
  }
  $("shapes").setAttribute("role", on ? "group" : "img");
}

// The first stroke begins from the levels that are shown, so that the others stay as they are.
function begun() {
  if (number) return;
  const levels = levelsNow();
  scene.buildings.forEach((building, k) => { if (COLOURS[levels[k]]) fill(building, levels[k]); });
  number = "begun";
}

function fill(building, level) {
  const context = pen();
  context.fillStyle = COLOURS[level];
  context.fill(new Path2D(building.path), "evenodd");
}

async function setLevel(hit) {
  if ($("brush").value === "water") return;
  begun();
  fill(scene.buildings[hit], $("brush").value);
  await sent();
}

function at(event) {
  const box = $("paint").getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * scene.width, (event.clientY - box.top) / box.height * scene.height];
}

function stroke(to) {
  if (!moved && Math.hypot(to[0] - from[0], to[1] - from[1]) < scene.width / 100) return;
  begun();
  moved = true;
  const context = pen();
  context.strokeStyle = COLOURS[$("brush").value];
  context.lineWidth = BRUSH * scene.width;
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  from = to;
}

async function sent() {
  const blob = await new Promise((done) => $("paint").toBlob(done, "image/png"));
  number = (await send(new File([blob], "painted.png"))).id;
  $("unpaint").hidden = false;
  await changed();
}
