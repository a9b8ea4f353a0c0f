// Asks the studio. An error is a sentence that the page shows; text never becomes HTML.
export const $ = (id) => document.getElementById(id);

export class Refused extends Error {}

export async function ask(path, body, method) {
  const given = body === undefined ? {} : { method: method || "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return answer(await fetch(path, given));
}

export async function send(file) {
  const path = "/api/uploads?name=" + encodeURIComponent(file.name);
  return answer(await fetch(path, { method: "POST", body: file }));
}

async function answer(response) {
  const text = await response.text();
  let value = null;
  try { value = JSON.parse(text); } catch { /* a plain sentence */ }
  if (response.ok) return value;
  const wrong = value && Array.isArray(value.detail) ? value.detail.map((d) => d.loc.slice(1).join(".") + ": " + d.msg).join("; ") : "";
  throw new Refused((value && value.error) || wrong || text || response.statusText);
}

// A reload finds this tab's own job; a new tab the one that was begun last in this browser.
export const kept = (key) => sessionStorage.getItem(key) || localStorage.getItem(key);
export function keep(key, id) {
  for (const store of [sessionStorage, localStorage]) if (id) store.setItem(key, id); else store.removeItem(key);
}

export function problem(error) {
  $("problem").textContent = error ? error.message : "";
  $("problem").hidden = !error;
  if (error) $("problem").scrollIntoView({ block: "nearest" });
}

// Runs a handler; what goes wrong is shown.
export const safely = (work) => async (...given) => {
  problem(null);
  try { return await work(...given); } catch (error) { problem(error); }
};

export function make(tag, traits = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(traits)) {
    if (name in node && name !== "list") node[name] = value; else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export function table(into, head, rows) {
  into.replaceChildren(
    make("thead", {}, make("tr", {}, ...head.map((h) => make("th", { scope: "col", textContent: h })))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", { textContent: cell ?? "–" }))))),
  );
}

const LATER = new Set(["waiting", "running"]);
// Follows a job until it ends; `seen` gets it each time.
export async function follow(id, seen) {
  for (;;) {
    const job = await ask("/api/jobs/" + id);
    if (seen(job) === false || !LATER.has(job.state)) return job;
    await new Promise((go) => setTimeout(go, 400));
  }
}
