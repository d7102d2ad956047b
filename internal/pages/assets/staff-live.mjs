// A visit beside the list follows what happens to it, without a reload. It says in one sentence what changed,
// moves nothing that its reader is filling in, and can be switched off.
import { call } from "./api.mjs";
import { put, unpressed } from "./hands.mjs";
import { say } from "./staff-sign.mjs";
import { parsePage, releaseOf } from "./trusted.mjs";

const waitSeconds = 25;
const headers = { "Menshen-Unattended": "1" }; // a page left open keeps nobody signed in
const parts = ["standing", "acts", "conditions", "facts"];
const offKey = "menshen-live-off";
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// As the server wrote them: scripts change what is on the page.
const served = new Map(parts.map((name) => [name, document.querySelector(`[data-live] [data-part=${name}]`)?.innerHTML]));

const seen = () => (document.hidden ? new Promise((resolve) => { document.addEventListener("visibilitychange", resolve, { once: true }); }) : undefined);

/** Whether somebody is filling in or about to sign something in a part of the page, or reads there why it did not go. */
const inUse = (part) => document.getElementById("signing")?.open || part.querySelector("[aria-busy=true], [data-problem]:not([hidden], [data-code=page_outdated])")
  || [...part.querySelectorAll("input, select, textarea")].some((f) => f === document.activeElement || f.dataset.touched !== undefined);

/**
 * Follows the visit that is open, if one is.
 * @param {(part: Element) => void} wire makes the forms of what came in work
 */
export function follow(wire) {
  const live = document.querySelector("[data-live]");
  if (!live) return;
  const on = live.querySelector("[data-live-on]");
  try { on.checked = sessionStorage.getItem(offKey) === null; } catch { on.checked = true; }
  live.addEventListener("input", (event) => { if (event.target !== on) event.target.dataset.touched = ""; });
  document.addEventListener("menshen-moved", () => show(live, wire)); // somebody was about to sign on an old page
  let running = false;
  const run = async () => {
    if (running) return;
    running = true;
    while (on.checked && await once(live, wire));
    running = false;
  };
  on.addEventListener("change", () => {
    try { if (on.checked) sessionStorage.removeItem(offKey); else sessionStorage.setItem(offKey, "1"); } catch { /* it holds until the page is left */ }
    run();
  });
  run();
}

/** One question for news. @returns {Promise<boolean>} whether to ask on */
async function once(live, wire) {
  await seen();
  const { live: visit } = live.dataset, number = live.dataset.seen ?? live.dataset.number;
  const { ok, status, body } = await call("GET", `/staff/visits/${encodeURIComponent(visit)}/news?after=${number}&wait=${waitSeconds}`, undefined,
    { headers, tries: 1, timeoutSeconds: waitSeconds + 10 });
  if (ok && body.number > Number(number)) await show(live, wire);
  else if (!ok && status >= 400 && status < 500 && status !== 429) {
    tell(live, body.zh && say(body.zh, body.en));
    return false; // signed out, or not his to see any more
  } else if (!ok) await pause(5000);
  return true;
}

function tell(live, sentence) {
  live.querySelector("[data-live-says]").textContent = sentence;
}

/** Fetches the page again and takes over what changed. */
async function show(live, wire) {
  let text;
  try {
    const answer = await fetch(location.href, { headers, credentials: "same-origin", cache: "no-store", redirect: "error" });
    if (!answer.ok || releaseOf(answer) === "") { await pause(2000); return; }
    text = await answer.text();
  } catch { return; } // no signal: the next question says so
  const page = parsePage(text);
  const fresh = page.querySelector("[data-live]");
  if (fresh?.dataset.live !== live.dataset.live) return;
  await unpressed(); // a tap goes where it was aimed
  const held = parts.filter((name) => !take(live, fresh, name, wire));
  live.querySelector("[data-live-held]").hidden = held.length === 0;
  live.dataset.seen = fresh.dataset.number;
  if (held.length === 0) live.dataset.number = fresh.dataset.number; // a form that was left alone is held to the number it was made for
  const [row, newer] = [document, page].map((d) => d.querySelector("tr.is-open"));
  if (row && newer) row.replaceWith(document.importNode(newer, true));
  tell(live, fresh.querySelector("#verdict")?.parentElement.textContent.replace(/\s+/g, " ").trim() ?? "");
}

function take(live, fresh, name, wire) {
  const [old, part] = [live, fresh].map((d) => d.querySelector(`[data-part=${name}]`));
  if (!old || !part || served.get(name) === part.innerHTML) return true;
  if (inUse(old)) return false;
  served.set(name, part.innerHTML);
  put(old, document.importNode(part, true), "", { wire });
  return true;
}
