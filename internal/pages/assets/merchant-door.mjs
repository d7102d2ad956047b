// The door on the merchant's phone: shows a code, waits for the verdict or works it out itself without signal, asks about
// the face, and has the phone's key sign all of it. Green comes last and only over a face that somebody answered for.
import { call } from "./api.mjs";
import { base64, fromBase64 } from "./bytes.mjs";
import { nextPrevious } from "./chain.mjs";
import { isLink } from "./scanned.mjs";
import { judgeOffline, makeChallenge, sixDigits, unpackAnswer } from "./door.mjs";
import { wordsOf } from "./door-words.mjs";
import { Fault, faultOf } from "./fault.mjs";
import { checkTrust, keepForDoor, keptPackage } from "./merchant-keep.mjs";
import { svg } from "./qr.mjs";
import { enqueueStatement, importance, list, startSender } from "./queue.mjs";
import { actor, all, busy, filing, inTongue, one, sayWhatLacks, signerHere, tell } from "./shop.mjs";
import { commit, sign, thumbprint, timeForm } from "./statement.mjs";

const root = document.getElementById("door");
const holdsSeconds = 90;
const nobodyComes = ["booked", "closed", "refused", "aborted", "rolled_back"]; // stages in which nobody is sent
const leastClockError = 60; // seconds between this phone and the server that are still no fault of the clock
const visitPath = `/v1/visits/${encodeURIComponent(actor.visit)}`;
let judging = false;
let check; // the one that is under way; what comes for an earlier one is dropped

for (const button of all("[data-act]", root)) {
  button.addEventListener("click", () => busy(button, screen(), () => acts[button.dataset.act]()));
  button.disabled = false; // until here a tap would have been lost
}
for (const link of all("[data-home]", root)) link.href = actor.home;
const sender = startSender(actor.person, told);
keepForDoor();
sayWhatLacks().then((lacking) => { if (lacking.some((what) => ["insecure", "crypto", "old"].includes(what))) verdict("cannot"); }); // before anybody taps in vain

const acts = { begin, scan, goOn, same: () => face(true), other: () => face(false), report, unwilling };
const screen = () => one(".screen:not([hidden])", root);

/** Shows one state; a reader of the screen is led to its first words. */
function show(state) {
  for (const section of all(".screen", root)) section.hidden = section.dataset.state !== state;
  const shown = screen();
  one("[data-focus]", shown)?.focus();
  shown.scrollIntoView({ block: "start" });
}

/** A verdict with its reason. @param {string} state @param {{zh: string, en: string}} [why] */
function verdict(state, why) {
  const section = one(`[data-state="${state}"]`, root);
  one("[data-why]", section).hidden = !why;
  one("[data-why-text]", section).textContent = why ? inTongue(why) : "";
  show(state);
}

const mode = (name) => { for (const place of all("[data-mode]", root)) place.hidden = place.dataset.mode !== name; };

async function begin() {
  check?.stop();
  if (!await signerHere()) { verdict("nophone"); return; }
  const mine = { stopped: false, stop() { mine.stopped = true; clearInterval(mine.timer); mine.camera?.stop(); } };
  check = mine;
  mine.place = whereAmI();
  const [asked, stands] = await Promise.all([call("POST", `${visitPath}/challenge`, { purpose: "door" }, { timeoutSeconds: 8 }), call("GET", visitPath, undefined, { timeoutSeconds: 8, tries: 1 })]);
  if (stands.ok && nobodyComes.includes(stands.body.state)) { mine.stop(); verdict("unscheduled"); return undefined; }
  if (asked.ok) return online(mine, asked.body);
  if ([0, 502, 503, 504].includes(asked.status)) return offline(mine); // nobody, somebody in between, or a server that cannot
  one("p.kept")?.remove(); // a page from the store says "no signal": there is some
  if (asked.body.code === "visit_not_found") { verdict("unscheduled"); return undefined; }
  throw faultOf(asked.body);
}

// --- With signal ---

async function online(mine, challenge) {
  const left = (Date.parse(challenge.until) - Date.now()) / 1000;
  if (Math.abs(left - holdsSeconds) > leastClockError) { mine.stop(); verdict("clock"); return; }
  mine.mode = "online";
  mine.challenge = challenge;
  mode("online");
  code(challenge.qr);
  one("[data-six]", root).textContent = challenge.six_digits ?? await sixDigits(actor.visit, challenge.nonce);
  show("waiting");
  count(mine, Math.min(holdsSeconds, left));
  await answerOf(mine);
}

/** Waits for the answer; a connection that breaks is asked again, the challenge stays the same. */
async function answerOf(mine) {
  const path = `${visitPath}/door/${encodeURIComponent(mine.challenge.statement)}?wait=25&seen=`;
  mine.scans = 0;
  for (let pause = 300; !mine.stopped;) {
    const { ok, status, body } = await call("GET", path + mine.scans, undefined, { headers: { "Menshen-Result-Secret": mine.challenge.result_secret }, timeoutSeconds: 35, tries: 1 });
    if (mine.stopped) return;
    if (ok && body.verdict && !["waiting", "pending", "none"].includes(body.verdict)) { mine.stop(); await answered(mine, body); return; }
    if (ok && body.scans > mine.scans) { mine.scans = body.scans; another(body); }
    if (!ok && status !== 0 && status < 500) { mine.stop(); failed(body); return; }
    if (!ok) { await new Promise((resolve) => { setTimeout(resolve, pause); }); pause = Math.min(pause * 2, 5000); }
  }
}

/** Somebody scanned who was not sent: red at once, while the one who was sent may still answer the same code. */
function another({ reason, company }) {
  verdict("another", { zh: `${reason.zh}（${company}）`, en: `${reason.en} (${company})` });
}

/** Back to the code for whoever was sent; a new one where it is over. */
async function goOn() {
  if (check.stopped) await begin(); else show("waiting");
}

function failed(body) {
  if (body.code === "door_challenge_expired") verdict("expired"); else verdict("failed", body);
}

async function answered(mine, body) {
  mine.body = { challenge: mine.challenge.statement, answer: body.answer, presentation: body.presentation };
  mine.answers = mine.challenge.statement;
  if (body.verdict === "refused" || body.code || !body.presentation) {
    await refused(mine, body.reason?.zh ? body.reason : wordsOf(body.code));
    return;
  }
  ask({ name: body.name, company: body.company, job: root.dataset.job, digits: body.digits, photo: body.photo, listAge: body.list_age_seconds,
    distance: Number.isFinite(body.distance_metres) ? `${Math.round(body.distance_metres)} m` : "" });
}

// --- Without signal ---

async function offline(mine) {
  const pack = await keptPackage();
  if (!pack) { verdict("failed", { zh: "没有信号，这部手机也没存过这一单，没法核对。", en: "There is no signal and this phone has not kept the order." }); return; }
  const now = Math.floor(Date.now() / 1000);
  if (now < Date.parse(pack.fetched_at) / 1000 - leastClockError) { verdict("clock"); return; }
  const untrusted = await checkTrust(pack, now);
  if (untrusted !== "") { verdict("failed", wordsOf(untrusted)); return; }
  mine.mode = "offline";
  mine.pack = pack;
  mine.made = await makeChallenge({ visit: actor.visit, secret: pack.order_secret, now });
  mode("offline");
  code(mine.made.text);
  show("waiting");
  count(mine, holdsSeconds);
}

async function scan() {
  const mine = check;
  const { startScanner } = await import("./scan.mjs"); // large: only when somebody scans
  show("scan");
  mine.camera = startScanner(one("[data-video]", root), (text) => { whole(text); read(mine, text).catch((e) => tell(screen(), e)); }, (e) => cameraSays(mine, e));
}

/** Not theirs, or not all of it: the camera looks on. @throws {Fault} */
function whole(text) {
  if (isLink(text)) throw new Fault("answer_text_url", "这是一个网址，不是工作证。别打开它，也别用别的软件扫。", "This is a web address, not a badge. Do not open it, and scan it with no other app.");
  const { code } = unpackAnswer(text);
  if (/_(foreign|cut|malformed)$/.test(code)) throw faultOf(wordsOf(code));
}

/** What the camera says. Without one nothing can be checked here: that is told as such, with whom to call. */
function cameraSays(mine, fault) {
  if (!/^(camera|scanner)_/.test(fault.code)) { tell(screen(), fault); return; }
  mine.stop();
  verdict("failed", fault.code === "camera_none" ? { zh: "没信号要靠相机扫对方的码，这部手机没有找到相机。", en: "Without signal this phone must scan their code, and it found no camera." } : fault);
}

async function read(mine, text) {
  if (mine.stopped) return;
  const now = Math.floor(Date.now() / 1000);
  const found = await judgeOffline(mine.pack, mine.made.text, text, now);
  mine.stop();
  mine.readAt = now;
  mine.found = found;
  const untold = { offline_clock_back: "clock", offline_answer_late: "expired" }[found.code];
  if (untold) { verdict(untold, wordsOf(found.code)); return; } // says nothing of who stands there: nothing is signed
  if (found.grade === "weak") { verdict("weak", wordsOf(found.code)); return; }
  if (found.grade !== "confirmed") { await refused(mine, wordsOf(found.code)); return; }
  mine.body = { challenge: "", answer: found.digest, presentation: found.presentation };
  mine.answers = mine.pack.dispatch.digest;
  ask({ name: mine.pack.openings.name?.value ?? "", company: mine.pack.issuer.name, job: root.dataset.job, digits: found.digits, photo: mine.pack.photo?.value, listAge: found.list_age_seconds, distance: "" });
}

const transcript = ({ pack, made, readAt, found }) => ({ nonce: made.nonce, made_at: timeForm(new Date(made.asked * 1000)), answered_at: timeForm(new Date(readAt * 1000)),
  dispatch: pack.dispatch.digest, trust_list: pack.trust_list.number, trust_list_at: pack.trust_list.fetched_at, status_list_at: timeForm(new Date(found.status_list_at * 1000)) });

// --- The face, and what is signed ---

function ask(person) {
  for (const name of ["name", "company", "job", "distance", "digits"]) {
    one(`[data-fill="${name}"]`, root).textContent = person[name] || "—";
    const row = one(`[data-row="${name}"]`, root);
    if (row) row.hidden = !person[name];
  }
  const seen = picture(person.photo);
  one("[data-photo]", root).hidden = !seen;
  one("[data-nophoto]", root).hidden = seen;
  one('[data-act="same"]', root).disabled = !seen; // without a picture nobody can say that it is the same person
  one("[data-others]", root).hidden = !check.scans;
  const age = one("[data-age]", root);
  age.hidden = !(person.listAge >= 0);
  age.textContent = age.hidden ? "" : inTongue(ageOf(person.listAge));
  show("face");
}

/** How old the list is that says who was stopped: whoever was stopped since is not in it. */
function ageOf(seconds) {
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  if (minutes < 1) return { zh: "停用名单是刚刚更新的。", en: "The list of stopped badges is of this minute." };
  const [zh, en] = hours < 1 ? [`${minutes} 分钟`, `${minutes} min`] : [`${hours} 小时`, `${hours} h`];
  return { zh: `停用名单是 ${zh}前更新的，之后停用的，它还不知道。`, en: `The list of stopped badges is ${en} old; what was stopped since is not in it.` };
}

/** The picture out of base64, by its own first bytes and nothing that somebody says of it. */
function picture(text) {
  let bytes;
  try { bytes = fromBase64(text ?? ""); } catch { return false; }
  const type = bytes[0] === 0xff && bytes[1] === 0xd8 ? "image/jpeg" : bytes[0] === 0x52 && bytes[8] === 0x57 ? "image/webp" : "";
  if (type === "") return false;
  const image = one("[data-photo]", root);
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(new Blob([bytes], { type }));
  return true;
}


async function face(same) {
  const mine = check;
  await admit(mine, { genuine: true, same_face: same });
  if (!same) { verdict("refused", { zh: "您说不是照片上的人。", en: "You said that it is not the person in the photo." }); return; }
  if (mine.mode === "offline") { later("queued"); verdict("offline"); return; }
  // The gate has the last word: only its yes is green.
  const asked = await call("POST", `${visitPath}/asks`, { ask: "admit" }, { timeoutSeconds: 60 });
  if (asked.ok && asked.body.granted) { verdict("admitted"); return; }
  if (!asked.ok) throw faultOf(asked.body);
  const first = asked.body.refusal ?? asked.body.conditions.find((c) => c.verdict !== "holds" && c.blocks)?.reason;
  verdict("refused", first);
}

async function refused(mine, why) {
  verdict("refused", why);
  if (mine.body) await admit(mine, { genuine: false, same_face: false }).catch((e) => tell(screen(), e)); // red stays red, sent or not
}

/** Signs the admission, and keeps it until it has arrived. */
async function admit(mine, answers) {
  mine.signed ??= await signed(mine, answers);
  await mine.signed.kept;
}

async function signed(mine, answers) {
  const place = await mine.place;
  const where = place ? await commit("position", place) : undefined;
  const body = { ...mine.body, ...answers, mode: mine.mode, ...(where ? { position: where.commitment } : {}), ...(mine.mode === "offline" ? { offline: transcript(mine) } : {}) };
  const signer = await signerHere();
  const key = await thumbprint(signer.key);
  const previous = await nextPrevious(actor.visit, key);
  const envelope = await sign(signer, { type: "admission", subject: `visit/${actor.visit}`, signer: actor.person, organisation: actor.organisation, role: actor.role,
    at: timeForm(new Date()), previous, answers: mine.answers, body });
  const openings = where ? [where.opening] : [];
  if (mine.mode === "online") {
    const sent = await call("POST", `${visitPath}/admit`, { statement: base64(new TextEncoder().encode(envelope.envelope)), ...(openings.length ? { openings } : {}) });
    if (sent.ok) return { kept: Promise.resolve() };
    if (sent.status !== 0) throw faultOf(sent.body);
  }
  await enqueueStatement({ owner: actor.person, visit: actor.visit, key, previous, path: `${visitPath}/admit`, signed: envelope, openings, importance: importance.status, label: "admit" });
  sender.wake();
  return { kept: Promise.resolve() };
}

// --- What happens beside ---

/** What was kept has gone out: the server's second judgement is told on the verdict that stands. */
async function told() {
  const mine = await list(actor.person);
  const admission = mine.filter((i) => i.visit === actor.visit && i.label === "admit").at(-1);
  if (!admission) return;
  if (admission.state === "conflict") { later("judged-bad"); return; }
  if (admission.state !== "sent") { later("queued"); return; }
  await judgedAgain();
}

/** Asks the gate once more. Their phone's position may still be on its way: that alone is no refusal, and is asked again. */
async function judgedAgain() {
  if (judging) return;
  judging = true;
  for (let wait = 1000; ; wait = Math.min(wait * 1.5, 10_000)) {
    const asked = await call("POST", `${visitPath}/asks`, { ask: "admit" }, { timeoutSeconds: 60 });
    if (asked.ok && asked.body.granted) { later("judged-good"); break; }
    const failing = asked.ok ? asked.body.conditions.filter((c) => c.verdict !== "holds" && c.blocks) : [];
    if (asked.status !== 0 && asked.status < 500 && (!asked.ok || failing.some((c) => c.verdict !== "not_opened"))) { later("judged-bad", asked.ok ? failing.find((c) => c.verdict !== "not_opened").reason : asked.body); break; }
    later("waits");
    await new Promise((resolve) => { setTimeout(resolve, wait); });
  }
  judging = false;
}

function later(word, why) {
  if (word !== "queued") one("p.kept")?.remove();
  const section = one('[data-state="offline"]', root);
  const place = one("[data-later]", section);
  place.textContent = one(`[data-say="${word}"]`, section).textContent;
  place.hidden = false;
  if (word === "judged-bad" && !section.hidden) verdict("refused", { zh: `${place.textContent}${why?.zh ?? ""}`, en: `${place.textContent} ${why?.en ?? ""}` });
}

/** Red at once, whatever becomes of the report; nothing that is scanned afterwards turns it. */
async function unwilling() {
  check.stop();
  verdict("unwilling");
  await report().catch((e) => tell(screen(), e));
}

let reporting;
async function report() {
  const shown = screen();
  reporting ??= filing({ stream: "visit", verb: "report_incident", type: "incident", body: { visit: actor.visit, kind: "wrong_person", note: "" } });
  const done = await reporting();
  const place = one("[data-reported]", shown);
  one("[data-report-number]", place).textContent = done.statement.slice(0, 12);
  place.hidden = false;
}

function code(text) { one("[data-qr]", root).replaceChildren(svg(text)); }

function count(mine, seconds) {
  const until = Date.now() + seconds * 1000;
  const left = one("[data-left]", root);
  const tick = () => {
    const rest = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    left.textContent = String(rest);
    if (rest > 0 || mine.stopped || screen().matches('[data-state="scan"]')) return;
    mine.stop();
    if (!screen().matches('[data-state="another"]')) verdict("expired"); // red stays until somebody acts
  };
  mine.timer = setInterval(tick, 1000);
  tick();
}

/** Where this phone is, as ISO 6709 writes it, "" where nobody says. It is asked once and never waited for long. */
function whereAmI() {
  return new Promise((resolve) => {
    if (!navigator.geolocation) { resolve(""); return; }
    setTimeout(() => resolve(""), 8000);
    navigator.geolocation.getCurrentPosition(({ coords }) => resolve(iso6709(coords)), () => resolve(""), { enableHighAccuracy: true, timeout: 7000, maximumAge: 60_000 });
  });
}

const part = (value, width) => (value < 0 ? "-" : "+") + Math.abs(value).toFixed(5).padStart(width, "0");
const iso6709 = ({ latitude, longitude }) => `${part(latitude, 8)}/${part(longitude, 9)}`;
