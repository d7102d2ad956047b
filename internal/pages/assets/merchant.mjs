// The merchant's order page and its acts: forms that the phone's key signs, and pages that renew themselves.
import { Fault } from "./fault.mjs";
import { put } from "./hands.mjs";
import { keepForDoor } from "./merchant-keep.mjs";
import { actor, all, busy, filing, one, sayWhatLacks, signerHere } from "./shop.mjs";
import { parsePage, release, releaseOf } from "./trusted.mjs";

const noKey = () => new Fault("phone_not_set_up", "这部手机还没开通，签不了字。请先在「我的店」里开通，要有开通码。",
  "This phone is not set up and cannot sign. Set it up under “My shop” first; you need your code.");

for (const form of all("form[data-sign]")) arm(form);
for (const place of all("[data-live]")) renew(place);
if (one("[data-next]")) renewOrder();
sayWhatLacks().then(sayWhatIsUnset);
network();
if (one("#keep")) keepFor(300);

/** A phone without a key can do nothing of what the start page asks for: setting it up comes first. */
async function sayWhatIsUnset(lacks) {
  const card = one("#unset");
  if (card && lacks.length === 0) card.hidden = Boolean(await signerHere());
}

/** A form whose answers go into the body that its data holds; everything else of the body stands there already. */
function arm(form) {
  let file;
  form.addEventListener("change", () => { file = undefined; react(form); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(event.submitter ?? one("button[type=submit]", form), form, async () => {
      if (form.dataset.unsure === "yes") return;
      if (!await signerHere()) throw noKey();
      file ??= filing({ stream: form.dataset.stream, verb: form.dataset.verb, type: form.dataset.type, body: bodyOf(form), answers: form.dataset.answers ?? "",
        previous: (key) => key === form.dataset.previousKey ? form.dataset.previous : "" });
      done(form, await file());
    });
  });
  one("button[type=submit]", form).disabled = false; // a tap before this script would send the answers to the address line
  const kind = new URLSearchParams(location.search).get("kind");
  for (const input of all("input[name=kind]", form)) if (input.value === kind) input.checked = true;
}

/** What is signed: the page's body with the merchant's own answers in place. */
function bodyOf(form) {
  const body = JSON.parse(form.dataset.body);
  for (const input of all("input:checked", form)) {
    if (Array.isArray(body[input.name])) body[input.name].push(input.value);
    else if (typeof body[input.name] === "boolean") body[input.name] = input.value === "true";
    else if (typeof body[input.name] === "number") body[input.name] = Number(input.value);
    else if (typeof body[input.name] === "string") body[input.name] = input.value;
  }
  return body;
}

function done(form, answer) {
  if (form.dataset.stay === undefined) { location.replace(actor.home); return; }
  const end = one("[data-done]");
  one("[data-number]", end).textContent = answer.statement.slice(0, 12);
  form.hidden = true;
  end.hidden = false;
  one("[data-focus]", end).focus();
}

/** What one answer changes on the page. */
function react(form) {
  const no = all("input[value=false]:checked", form).length > 0;
  for (const say of all("[data-some-no]", form)) say.hidden = !no;
  if (form.dataset.price === undefined) return;
  const today = one("input[name=pays_today]:checked", form)?.value;
  const after = one("input[name=pays_after]:checked", form);
  const changes = Boolean(today) && Boolean(after?.value) && today !== "none" && after.value !== "none" && today !== after.value;
  const flag = one('[data-flag="company_changes"]', form);
  flag.hidden = !changes;
  const tick = one("input", flag);
  tick.required = changes;
  if (!changes) tick.checked = false;
  const unsure = after?.dataset.unsure !== undefined;
  one("[data-unsure-say]", form).hidden = !unsure;
  form.dataset.unsure = unsure ? "yes" : "no";
  one("button[type=submit]", form).disabled = unsure;
}

/** Whether the server went on to another release: each once, since a fleet that is being renewed answers with both. */
function newer(from) {
  const shelf = "menshen-releases";
  try {
    const known = [sessionStorage.getItem(shelf) ?? "", release].join(" ");
    if (known.split(" ").includes(from)) return false;
    sessionStorage.setItem(shelf, `${known} ${from}`);
    return true;
  } catch { return false; } // a browser that keeps nothing would begin again and again
}

function pause(seconds) { return new Promise((resolve) => { setTimeout(resolve, seconds * 1000); }); } // the calls above come before any const

/** A badge is new every day: what is kept for the door is fetched again while the order is open. */
async function keepFor(seconds) {
  for (;;) { await keepForDoor(); await pause(seconds); }
}

/**
 * Looks again with growing pauses when nothing answers, and only while somebody looks at the page. A server that names what it
 * said is told that name, and says only that nothing changed.
 * @param {(fresh: Document) => boolean} look false when it could not take what came, and wants it again
 */
async function watch(path, look) {
  for (let wait = 1, known = ""; ;) {
    await pause(wait);
    if (document.hidden) continue;
    let text, tag;
    try {
      const answer = await fetch(path, { cache: "no-store", redirect: "error", headers: known ? { "If-None-Match": known } : {} });
      const from = releaseOf(answer);
      if (from && (answer.status === 401 || [403, 404].includes(answer.status) && path === location.pathname || newer(from))) { location.reload(); return; } // signed out, or not ours to see, or new scripts
      text = from === "" ? undefined : answer.ok ? await answer.text() : answer.status === 304 ? "" : undefined;
      tag = answer.headers.get("ETag") ?? "";
    } catch { text = undefined; }
    wait = text === undefined ? Math.min(wait * 2, 30) : 1;
    offline(text === undefined);
    if (text) known = look(parsePage(text)) ? tag : "";
  }
}

/** A part of a page that renews itself: what is charged shows within a second. */
function renew(place) {
  let served = place.innerHTML; // as the server wrote it: a fold that somebody opened is no change
  watch(place.dataset.live, (fresh) => {
    const next = one("[data-live]", fresh);
    if (!next || next.innerHTML === served) return true;
    if (!swap(place, next)) return false;
    served = next.innerHTML;
    return true;
  });
}

/** The order page follows the visit: a new state is taken whole, since the button changed. What was unfolded stays so. */
function renewOrder() {
  const state = (page) => `${one("[data-next]", page).dataset.next} ${all('[role="alert"].sign', page).length}`;
  let now = state(document);
  watch(location.pathname, (fresh) => {
    if (!one("[data-next]", fresh) || state(fresh) === now) return true;
    const kept = Boolean(one("#keep"));
    if (!swap(document.getElementById("main"), fresh.getElementById("main"))) return false;
    now = state(document);
    document.title = fresh.title;
    sayWhatLacks();
    if (one("#keep") && !kept) keepFor(300);
    return true;
  });
}

/** Puts what came in the place of what is there, unless somebody is just pressing something; the next turn tries again. */
const swap = (place, next) => !one("[aria-busy=true]", place) && put(place, document.importNode(next, true), "");

function offline(yes) { const bar = document.getElementById("offline"); if (bar) bar.hidden = !yes; }

function network() {
  const now = () => offline(!navigator.onLine);
  addEventListener("online", now);
  addEventListener("offline", now);
  now();
}

