// A real pair -> levels, counts, map and files.
import { $, ask, follow, keep, kept, problem, safely, send } from "./api.js";
import { downloads, saidOf } from "./draw.js";
import { legend } from "./stage.js";
import { say } from "./words.js";

const KEPT = "afterscene.assess";
let current = null;

export function beginAssess() {
  $("assess-go").addEventListener("click", safely(go));
  $("assess-cancel").addEventListener("click", safely(() => ask(`/api/jobs/${current.id}/cancel`, {})));
  const last = kept(KEPT);
  if (last) watch(last).catch(() => keep(KEPT, null));
}

export function translateAssess() {
  if (current && current.state) showJob(current);
}

async function go() {
  const files = ["pre", "post", "footprints"].map((name) => [name, $("assess-" + name).files[0]]);
  if (files.some(([, file]) => !file)) throw new Error(say("assess.three"));
  const sent = {};
  $("assess-go").disabled = true;
  try {
    for (const [name, file] of files) sent[name] = (await send(file)).id;
    const job = await ask("/api/jobs", { kind: "assess", ...sent });
    keep(KEPT, job.id);
    await watch(job.id);
  } finally { $("assess-go").disabled = false; }
}

async function watch(id) {
  await follow(id, (job) => { current = job; showJob(job); });
}

function showJob(job) {
  $("assess-state").textContent = saidOf(job);
  $("assess-cancel").hidden = !["waiting", "running"].includes(job.state);
  $("assess-result").hidden = job.state !== "done";
  if (job.state === "failed") problem(new Error(job.error));
  if (job.state !== "done") return;
  $("assess-legend").replaceChildren(legend(job.made.counts));
  downloads($("assess-files"), job);
  const page = `/api/jobs/${job.id}/files/damage.html`;
  if ($("assess-map").getAttribute("src") !== page) $("assess-map").src = page;
}
