// The owner lets a clerk's phone in. The code is made here and goes from screen to screen, so that nobody on the
// way, menshen included, can put another key in its place: this page checks the proof, and the owner the digits.
import { call } from "./api.mjs";
import { base64 } from "./bytes.mjs";
import { newCode, printed, proofDigits, proofOf } from "./enrol.mjs";
import { Fault } from "./fault.mjs";
import { pinnedTrust } from "./merchant-keep.mjs";
import { svg } from "./qr.mjs";
import { actor, all, busy, filing, one, quiet, sayWhatLacks, signerHere, tell } from "./shop.mjs";
import { thumbprint, timeForm } from "./statement.mjs";

const page = document.getElementById("clerks");
const year = 365 * 24 * 3600 * 1000;
let round = 0, found; // found: what the owner decides about

const noKey = () => new Fault("phone_not_set_up", "这部手机还没开通，签不了字。请先开通。", "This phone is not set up and cannot sign. Set it up first.");
const over = () => new Fault("clerk_code_over", "10 分钟到了，这个码不能用了。再点一次就有新的。", "Ten minutes are over; this code no longer works. Tap again for a new one.");

sayWhatLacks();
for (const button of all("[data-act]", page)) button.addEventListener("click", () => busy(button, button.closest("[data-state]"), acts[button.dataset.act]));
for (const button of all("[data-end]")) button.addEventListener("click", () => busy(button, button.closest("details"), () => end(button.dataset.end)));

const acts = { begin, same, other: () => { round++; show("stopped"); }, again: begin };

function show(state) {
  for (const section of all("[data-state]", page)) section.hidden = section.dataset.state !== state;
  one("[data-focus]", one(`[data-state="${state}"]`, page))?.focus();
}

async function begin() {
  if (!await signerHere()) throw noKey();
  const { ok, body } = await call("POST", "/v1/clerks", {});
  if (!ok) throw new Fault(body.code, body.zh, body.en);
  const code = newCode(), mine = ++round;
  const query = new URLSearchParams({ holder: body.clerk, organisation: body.organisation });
  const trust = pinnedTrust(); // the clerk's phone is to believe the same lists, whatever it is told on the way
  const address = `${location.origin}/shop/clerk?${query}#${code}${trust ? `.${await thumbprint(trust)}` : ""}`; // what follows # is sent to nobody
  const place = one("[data-qr]", page);
  place.replaceChildren(svg(address, { label: place.dataset.label }));
  place.dataset.address = address;
  one("[data-code]", page).textContent = printed(code);
  quiet(page);
  show("code");
  wait(mine, code, body).catch((e) => { show("start"); tell(one('[data-state="start"]', page), e); });
}

async function wait(mine, code, { clerk, organisation, until }) {
  for (;;) {
    await new Promise((resolve) => { setTimeout(resolve, 1500); });
    if (mine !== round) return;
    if (Date.now() > Date.parse(until)) throw over();
    const { ok, status, body } = await call("GET", `/v1/clerks/${encodeURIComponent(clerk)}`);
    if (!ok && status !== 0) throw new Fault(body.code, body.zh, body.en);
    if (!ok || !body.asked || mine !== round) continue;
    const enrolling = { organisation, holder: clerk, role: "clerk", key: body.ask.key, held_by: "holder" };
    const proof = await proofOf(code, enrolling);
    if (base64(proof) !== body.ask.proof) { show("stopped"); return; }
    found = enrolling;
    one("[data-digits]", page).textContent = await proofDigits(proof);
    show("compare");
    return;
  }
}

/** The owner has compared: his own key says that this one may. */
async function same() {
  const now = Date.now();
  await filing({ stream: "person", verb: "enrol", type: "enrolment",
    body: { ...found, from: timeForm(new Date(now)), until: timeForm(new Date(now + year)) } })();
  show("done");
}

async function end(key) {
  if (!await signerHere()) throw noKey();
  await filing({ stream: "person", verb: "end_enrolment", type: "enrolment_end", body: { key, from: timeForm(new Date()), reason: "left" } })();
  location.reload();
}
