// A small model that answers while a slider moves, and pages that were made before.
import { $, ask, make, safely } from "./api.js";
import { say } from "./words.js";

const CONTROLS = ["noise", "steps", "guidance"];
let asking = 0, walked = null, playing = 0;

export function beginLearn() {
  for (const name of CONTROLS) $("walk-" + name).addEventListener("input", safely(walk));
  $("walk-sampler").addEventListener("change", safely(walk));
  $("walk-play").addEventListener("click", play);
}

export async function showLearn() {
  if (!$("walk-sampler").options.length) {
    const names = await ask("/api/samplers");
    $("walk-sampler").replaceChildren(...names.map((name) => make("option", { value: name, textContent: name })));
    $("walk-sampler").value = "ddim";
  }
  const pages = await ask("/api/pages");
  listPages("lessons", "lesson", pages.filter((page) => page.lessons), "learn.none");
  listPages("reports", "report", pages.filter((page) => !page.lessons), "compare.none");
  await walk();
}

function listPages(list, frame, pages, none) {
  const show = (page) => () => { $(frame).src = page.page; $(frame).hidden = false; };
  $(list).replaceChildren(...(pages.length ? pages.map((page) => make("li", {}, make("button", { type: "button", textContent: page.name, onclick: show(page) })))
    : [make("li", { textContent: say(none) })]));
}

async function walk() {
  const mine = ++asking;
  const asked = new URLSearchParams({ sampler: $("walk-sampler").value });
  for (const name of CONTROLS) {
    asked.set(name, $("walk-" + name).value);
    $("walk-" + name).nextElementSibling.value = $("walk-" + name).value;
  }
  const found = await ask("/api/walk?" + asked);
  if (mine !== asking) return;
  walked = found;
  clearInterval(playing);
  draw(found.paths[0].length);
}

function draw(upTo) {
  const svg = (tag, traits) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(traits)) node.setAttribute(name, value);
    return node;
  };
  const dot = ([x, y], r, kind) => svg("circle", { cx: x, cy: -y, r, class: kind });
  const half = walked.data.length / 2;
  $("walk").replaceChildren(
    ...walked.noised.map((p, k) => dot(p, 0.025, "noised" + (k < half ? " one" : ""))),
    ...walked.paths.map((path) => svg("polyline", { points: path.slice(0, upTo).map(([x, y]) => `${x},${-y}`).join(" ") })),
    ...walked.data.map((p, k) => dot(p, 0.03, k < half ? "one" : "two")),
    ...walked.paths.map((path) => dot(path[Math.min(upTo, path.length) - 1], 0.03, "end")));
  $("walk").setAttribute("aria-label", say("learn.seen", { n: walked.paths.length, m: Math.min(upTo, walked.paths[0].length) - 1 }));
}

function play() {
  if (!walked) return;
  let upTo = 1;
  clearInterval(playing);
  playing = setInterval(() => {
    draw(upTo);
    if (++upTo > walked.paths[0].length) clearInterval(playing);
  }, 150);
}
