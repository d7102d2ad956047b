// The technician's app: what is on the phone is shown at once, then brought up to date where there is signal.
import { button, h } from "./app-dom.mjs";
import { inHand, oneAtATime, put } from "./hands.mjs";
import { lookAtCourses } from "./app-courses.mjs";
import { say } from "./app-lang.mjs";
import { awaitWork, freshen, me, news, refresh, unsure, whoAmI } from "./app-day.mjs";
import { isOnline, net, watch } from "./app-net.mjs";
import { outbox, queued, sendFor, sendOpenings } from "./app-sign.mjs";
import { Fault } from "./fault.mjs";
import { problem, today, whoIsIt } from "./app-screens.mjs";
import { endSession, leaving } from "./leave.mjs";
import { forgetSent } from "./queue.mjs";
import { tellUnsent } from "./app-unsent.mjs";
import { registerWorker } from "./trusted.mjs";

const main = document.getElementById("main"), bar = document.getElementById("bar");
const go = (hash) => { location.hash = hash; };
let worker = null, waiting = false, letIn = false, shown = null, orders = null;

// What the first screen does not need comes after it; the service worker keeps it with the rest.
const parts = { more: () => import("./app-more.mjs"), visit: () => import("./app-visit.mjs"), genuine: () => import("./app-genuine.mjs") };
async function part(name) {
  try { return await parts[name](); } catch (e) {
    throw new Fault("app_part_absent", "这一部分还没存到手机里。请在有信号的地方打开一次。", "This part is not in the phone yet. Open it once where there is signal.", e);
  }
}

const screens = [
  [/^#?\/?$/, (root) => today(root, { go, orders })],
  [/^#\/unsent$/, async (root) => (await part("more")).unsent(root)],
  [/^#\/phone$/, async (root) => (await part("more")).phone(root)],
  [/^#\/leave$/, async (root) => (await part("more")).leaving(root)],
  [/^#\/visit\/([A-Za-z0-9._-]{1,64})$/, async (root, [, id]) => (await part("visit")).visit(root, { id })],
];

const draw = oneAtATime(paint);

async function paint({ done }) {
  const hash = location.hash, moved = hash !== shown;
  const lined = put(bar, await line());
  if (!done && !moved && inHand(main)) return false;
  const [match, screen] = screens.map(([pattern, s]) => [pattern.exec(hash), s]).find(([m]) => m) ?? [[""], screens[0][1]];
  const root = h("div"); // built aside: nothing is taken from under a finger
  let from;
  try { from = await (unsure() ? whoIsIt(root) : screen(root, match)); } catch (e) { root.replaceChildren(h("h1", {}, say("上门", "Visits")), problem(e)); }
  if (location.hash !== hash) return true; // somebody went on meanwhile: that is drawn next
  if (!done && !moved && inHand(main)) return false;
  if (!put(main, root, from, { anew: moved, done })) return false;
  document.title = `${main.querySelector("h1")?.textContent ?? say("上门", "Visits")} · ${say("门神", "menshen")}`;
  if (moved && shown !== null) { main.focus({ preventScroll: true }); scrollTo(0, 0); }
  shown = hash;
  return lined;
}

// One large line: is there signal, what waits, what a person must look at.
async function line() {
  const items = unsure() ? [] : await queued().catch(() => []); // the store is away: the screen says so
  const conflicts = items.filter((i) => i.state === "conflict").length, unsentCount = items.length - conflicts;
  const parts = [isOnline() ? say("在线", "Online") : say("离线", "Offline")];
  if (unsentCount > 0) parts.push(say(`${unsentCount} 项待发送`, `${unsentCount} to send`));
  if (conflicts > 0) parts.push(say(`${conflicts} 项要人看`, `${conflicts} to look at`));
  const here = (hash) => ({ href: hash, ...(location.hash === hash || (hash === "#/" && !/^#\/(unsent|phone|leave)/.test(location.hash)) ? { "aria-current": "page" } : {}) });
  bar.className = `bar ${conflicts > 0 ? "conflict" : isOnline() ? "online" : "offline"}`;
  return h("div", {}, h("p.state", { role: "status" }, parts.join(say("，", ", "))),
    h("nav", { "aria-label": say("页面", "Pages") }, h("a", here("#/"), say("今天", "Today")), h("a", here("#/unsent"), say("待发送", "To send")), h("a", here("#/phone"), say("手机", "Phone"))),
    waiting && h("p.update", {}, items.length === 0 ? say("有新版本。", "A new version is ready.") : say(`有新版本。没发的 ${items.length} 项都留着。`, `A new version is ready. The ${items.length} unsent are kept.`), button(say("现在换", "Update"), () => { letIn = true; worker?.waiting?.postMessage({ update: true }); }, "plain")));
}

const visitShown = () => /^#\/visit\/([A-Za-z0-9._-]{1,64})$/.exec(location.hash)?.[1];

let later;
function happened() {
  clearTimeout(later);
  later = setTimeout(() => { draw(); tell(); }, 60);
}

const tell = () => { if (!unsure()) me().then(tellUnsent).catch(() => {}); }; // nobody waits for it

// Tries on while anything waits: the shop's phone may find its signal later than this one.
let soon;
async function openDoors() {
  clearTimeout(soon);
  if (await sendOpenings() > 0) soon = setTimeout(openDoors, 3000);
}

const sendMine = async () => { if (!unsure()) sendFor(await me()); };

async function update() {
  if (!isOnline()) return;
  const gone = await leaving();
  if (gone) { await endSession(gone); return happened(); } // nobody is signed in here: the server hears it first
  if (unsure()) try { await whoAmI(); } catch { return happened(); }
  openDoors().catch(() => {}); // kept; the next turn asks again
  try {
    const id = visitShown();
    if (id) await freshen(id); else { await refresh(); await lookAtCourses(); }
    await sendMine();
  } catch { /* the line says that there is no signal, the screen that nobody is signed in */ }
  happened();
}

// What the merchant, the supervisor and the host sign shows by itself while somebody looks at the visit: the question
// waits at the server. What fails is asked again after growing pauses, and at once when something changes here.
let followed = new AbortController(), turned = () => {};
const turn = () => { followed.abort(); turned(); };
const turnOr = (ms) => new Promise((resolve) => { turned = resolve; setTimeout(resolve, ms); });

async function follow() {
  for (let pause = 2000; ;) {
    const id = visitShown();
    followed = new AbortController();
    if (!id || !isOnline() || document.hidden) { await turnOr(60000); continue; }
    try {
      const { tag } = await awaitWork(id, followed.signal);
      pause = 2000;
      await turnOr(tag ? 250 : 5000); // a server of an older release does not wait
    } catch {
      if (followed.signal.aborted) continue;
      await turnOr(pause);
      pause = Math.min(pause * 2, 60000);
    }
  }
}

async function install() {
  if (!navigator.serviceWorker) return;
  const controlled = navigator.serviceWorker.controller !== null;
  // Only a release that somebody let in reloads the page; the first one takes over quietly.
  navigator.serviceWorker.addEventListener("controllerchange", () => { if (controlled || letIn) location.reload(); });
  worker = await registerWorker();
  const see = () => { waiting = worker.waiting !== null && navigator.serviceWorker.controller !== null; draw(); };
  worker.addEventListener("updatefound", () => worker.installing?.addEventListener("statechange", see));
  see();
  const active = (await navigator.serviceWorker.ready).active;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => { document.body.dataset.kept = data.failed ? "part" : "whole"; };
  active.postMessage({ keep: JSON.parse(document.body.dataset.keep) }, [port2]);
  setInterval(() => { if (isOnline()) worker.update().catch(() => {}); }, 1800000);
}

addEventListener("hashchange", () => { draw(); update(); turn(); });
net.addEventListener("change", () => { happened(); if (isOnline()) update(); turn(); });
news.addEventListener("work", () => { happened(); openDoors().catch(() => {}); }); // the shop's phone may have found its signal
outbox.addEventListener("change", happened);
outbox.addEventListener("shown", openDoors); // an answer without signal
outbox.addEventListener("done", () => { draw({ done: true }); }); // the person finished something: show what comes next
addEventListener("visibilitychange", () => { if (!document.hidden) update(); turn(); });
setInterval(draw, 60000); // how old things are
setInterval(tell, 15000);
forgetSent(Date.now() - 86400000).catch(() => {}); // the store is away: the screens say so

await sendMine().catch(() => {}); // the same
await draw();
for (const name of Object.keys(parts)) part(name).catch(() => {}); // asked again when it is wanted
part("genuine").then((p) => { orders = p; draw(); }).catch(() => {}); // the visit's own page asks again
watch();
follow();
update();
install().catch(() => { document.body.dataset.kept = "none"; });
