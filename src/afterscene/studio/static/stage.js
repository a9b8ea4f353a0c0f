// The picture with its buildings, the field of the hazard over it, and the legend.
import { $, make } from "./api.js";
import { say } from "./words.js";

const LEVELS = ["no-damage", "minor-damage", "major-damage", "destroyed", "un-classified"];
let told = null;

export const levelsNow = () => (told ? told.levels : []);

export function showScene(scene) {
  told = null;
  $("pre").src = `/api/scenes/${scene.id}/picture.jpg`;
  $("pre").alt = say("scene.said", { n: scene.buildings.length, w: scene.width, h: scene.height });
  $("pre").width = scene.width;
  $("pre").height = scene.height;
  $("field").hidden = true;
  const svg = $("shapes");
  svg.setAttribute("viewBox", `0 0 ${scene.width} ${scene.height}`);
  svg.replaceChildren(...scene.buildings.map((building) => {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", building.path);
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = building.uid;
    path.append(title);
    return path;
  }));
  svg.setAttribute("aria-label", $("pre").alt);
  $("picture").hidden = false;
  $("legend").replaceChildren();
}

export function showLevels(found) {
  told = found;
  [...$("shapes").children].forEach((path, k) => { path.dataset.level = found.levels[k] || "un-classified"; });
  $("field").src = found.field;
  redraw();
}

export function redraw() {
  if (!told) return;
  $("field").hidden = !$("show-field").checked;
  $("field-said").textContent = say("stage.most", { n: Number(told.most.toPrecision(3)), u: told.unit });
  $("legend").replaceChildren(legend(told.counts));
  const counts = Object.entries(told.counts).map(([level, n]) => `${say(level)} ${n}`).join(", ");
  $("shapes").setAttribute("aria-label", say("stage.map", { s: counts }));
}

export function legend(counts) {
  return make("ul", { className: "legend" }, ...LEVELS.filter((level) => level in counts).map((level) => {
    const swatch = make("span", { className: "swatch" });
    swatch.dataset.level = level;
    return make("li", {}, swatch, `${say(level)}: ${counts[level]}`);
  }));
}

// Two pictures with a divider; the markup of pages/templates/pair.html.
export function swipe(into, before, after) {
  const range = make("input", { type: "range", min: "0", max: "100", step: "0.5", value: "50", "aria-label": say("divider") });
  const box = make("div", { className: "as-pair" },
    make("img", { src: before, alt: say("before") }), make("img", { src: after, alt: say("synthetic"), className: "as-over" }), range,
    make("span", { className: "as-line" }), make("b", { className: "as-word", textContent: say("before") }), make("b", { className: "as-word", textContent: say("synthetic") }));
  const move = () => box.style.setProperty("--at", range.value + "%");
  range.addEventListener("input", move);
  move();
  into.replaceChildren(box);
}
