// Puts the rooms together: tabs with arrow keys, the language, and the first scene.
import { $, safely } from "./api.js";
import { beginAssess, translateAssess } from "./assess.js";
import { begin, translateDraw } from "./draw.js";
import { beginLearn, showLearn } from "./learn.js";
import { beginSets, showSets } from "./sets.js";
import { languageButton } from "./words.js";

const tabs = [...document.querySelectorAll("[role=tab]")];

function choose(tab) {
  for (const one of tabs) {
    const mine = one === tab;
    one.setAttribute("aria-selected", String(mine));
    one.tabIndex = mine ? 0 : -1;
    $(one.getAttribute("aria-controls")).hidden = !mine;
  }
}

for (const [k, tab] of tabs.entries()) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(k + step + tabs.length) % tabs.length];
    choose(next);
    next.focus();
  });
}

tabs.find((tab) => tab.id === "tab-sets").addEventListener("focus", safely(showSets));
beginAssess();
beginSets();
beginLearn();
for (const id of ["tab-learn", "tab-compare"]) $(id).addEventListener("focus", safely(showLearn));
languageButton($("language"), () => { translateDraw(); translateAssess(); safely(showSets)(); safely(showLearn)(); });
safely(begin)();
