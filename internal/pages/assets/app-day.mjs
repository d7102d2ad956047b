// The technician's day on this phone: who it is, the badge of the day, visits with their order packages, and how
// old all of that is. Fetched whenever there is signal; used from the store when there is none.
import { base64, utf8 } from "./bytes.mjs";
import { nextPrevious } from "./chain.mjs";
import { Fault, faultOf } from "./fault.mjs";
import { canPasskey, forget, loadSigner, newPageKey, newPasskey, signerNames, signerPublicKey } from "./keys.mjs";
import { sign, thumbprint, timeForm } from "./statement.mjs";
import { ask, isOnline } from "./app-net.mjs";
import { about, dropVisit, mergeVisit, setAbout, visits } from "./app-store.mjs";

const enrolledName = "technician"; // the key that the employer vouched for; signs the work
const badgeName = "badge-"; // a key a day; signs only answers at doors

const notTechnician = () => new Fault("not_a_technician", "这里是上门人员用的。您登录的是别的身份。", "This is for technicians; you are signed in as somebody else.");
const noShift = () => new Fault("shift_absent", "今天还没有领工作证。请先点「开工」。", "There is no badge for today yet. Start the shift first.");
const overShift = () => new Fault("shift_over", "工作证过期了。别硬答：到有信号的地方，在「今天」点「开工」领新的，再请店主重新点「先核对」。", "The badge has run out. Go where there is signal, start the shift again under “Today”, and have the owner tap “check first” again.");

/** Who the session is, remembered for when there is no signal. @returns {Promise<{person: string, organisation: string, role: string}|undefined>} */
export const me = () => about("me");

/** Asks the server who is signed in. @throws {Fault} not_a_technician, signed_out, offline */
export async function whoAmI() {
  const { person, organisation, role } = await ask("GET", "/v1/me");
  const known = await me();
  if (known && (known.person !== person || known.organisation !== organisation)) await clearDay(); // whoever is in now, technician or not
  if (role !== "technician") throw notTechnician();
  await setAbout("me", { person, organisation, role });
  confirmed();
  return { person, organisation, role };
}

/**
 * Takes from the phone what it knew of a technician's day: badge, day's key, visits with their order packages. What he signed
 * stays in the queue, what he began among the drafts, both for him alone; his enrolled key stays with his name.
 */
export async function clearDay() {
  await endShift();
  for (const v of await visits()) await dropVisit(v.id);
  for (const name of ["me", "day", "courses"]) await setAbout(name, undefined);
}

const somebodyNew = "menshen-signed-in"; // set by signed-in.mjs

/** Whether somebody signed in here and the server has not said yet who: until then nobody's day is shown. */
export const unsure = () => { try { return localStorage.getItem(somebodyNew) !== null; } catch { return false; } };
const confirmed = () => { try { localStorage.removeItem(somebodyNew); } catch { /* nothing was set either */ } };

/** The enrolled key. @throws {Fault} key_absent */
export const signer = async () => loadSigner(await signerNameOf(await me()));
const signerNameOf = async (who) => `${enrolledName}:${who?.organisation ?? ""}:${who?.person ?? ""}`.replaceAll(/[^a-z0-9_:./-]/gi, "_").slice(0, 120);
const enrolledNames = async () => [(await about("enrolled")) ?? []].flat(); // several technicians may share a phone
export async function isEnrolled() {
  const name = await signerNameOf(await me());
  return (await signerNames()).includes(name) && (await enrolledNames()).includes(name);
}

/**
 * Enrols this phone with a one-time code. The key stays when the code was wrong, so that a second try asks for the same.
 * @param {string} code as typed
 * @param {boolean} passkey a passkey, where the phone has one
 */
export async function enrolPhone(code, passkey) {
  const who = await me();
  const name = await signerNameOf(who);
  const has = (await signerNames()).includes(name);
  let key = has ? await loadSigner(name) : undefined;
  if (key && (key.key.kind === "webauthn") !== passkey) { await forget(name); key = undefined; }
  key ??= passkey ? await newPasskey({ name, rpName: "门神 menshen", userName: `${who.person} 签字` }) : await newPageKey(name);
  const { enrol } = await import("./enrol.mjs"); // once in a phone's life
  const { body } = await enrol(key, { organisation: who.organisation, holder: who.person, role: who.role, code });
  await setAbout(`trust_key:${name}`, body.trust_list_key); // whose trust lists this phone believes for him; later words, and other people's, do not change it
  await setAbout("enrolled", [...new Set([...await enrolledNames(), name])]);
}
export { canPasskey };

/** The key that signs trust lists, as whoever is signed in was told when his key was enrolled here. */
export const trustKey = async () => about(`trust_key:${await signerNameOf(await me())}`);

/** The shift: {badge, from, until, key_name, got_at}, undefined before the first. */
export const shift = () => about("shift");

/** What a badge token says of its own time, for showing only: whoever checks it verifies it. @param {string} token */
function badgeTimes(token) {
  try {
    const payload = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0))));
    return { from: new Date(payload.iat * 1000).toISOString(), until: new Date(payload.exp * 1000).toISOString() };
  } catch (e) { throw new Fault("badge_unreadable", "领到的工作证读不出来，请再开工一次。", "The badge that came back cannot be read; start the shift again.", e); }
}

/** Starts the shift: a new key for the day, a badge bound to it, the day's visits. With a passkey, the person is verified here. */
export async function startShift(now = new Date()) {
  const who = await whoAmI();
  const enrolled = await signer();
  const name = badgeName + now.toISOString().replaceAll(/[^0-9]/g, "");
  const dayKey = await newPageKey(name);
  let badge;
  try {
    const { envelope } = await sign(enrolled, { type: "badge_request", subject: `person/${who.person}`, signer: who.person, organisation: who.organisation, role: who.role,
      at: timeForm(now), previous: "", answers: "", body: { key: signerPublicKey(dayKey) } });
    ({ badge } = await ask("POST", "/v1/badges", { key: signerPublicKey(dayKey), request: base64(utf8(envelope)) }, { timeoutSeconds: 60 }));
    await setAbout("shift", { badge, ...badgeTimes(badge), key_name: name, got_at: new Date().toISOString() });
  } catch (e) {
    await forget(name);
    throw e;
  }
  for (const old of await signerNames()) if (old.startsWith(badgeName) && old !== name) await forget(old);
  return shift();
}

/**
 * Ends the shift: the day's key and badge leave the phone, and with them what opens personal values (shop, address, photo,
 * order secret). What is signed and unsent stays, and is still sent.
 */
export async function endShift() {
  await setAbout("shift", undefined);
  for (const v of await visits()) if (v.package) await mergeVisit(v.id, { package: undefined, package_at: undefined });
  await setAbout("gone", undefined);
  for (const name of await signerNames()) if (name.startsWith(badgeName)) await forget(name);
}

/** The badge and its key, to answer at a door now. @throws {Fault} shift_absent, shift_over */
export async function badgeInHand(now = new Date()) {
  const s = await shift();
  if (!s) throw noShift();
  if (new Date(s.until) <= now) throw overShift();
  return { badge: s.badge, key: await loadSigner(s.key_name) };
}

/** Verifies the person before something is done in his name, where the phone can. @returns {Promise<boolean>} whether it could */
export async function verifyPerson() {
  const key = await signer();
  if (key.key.kind !== "webauthn") return false;
  await key.sign(crypto.getRandomValues(new Uint8Array(32))); // signs nothing that means anything
  return true;
}

const over = ["closed", "refused", "aborted", "rolled_back"];

/**
 * Fetches the day: visits, what each has to do, order packages, and each chain's last statement.
 * @param {{papers?: boolean}} [what] papers: order packages anew, even those that are a few minutes old
 * @returns {Promise<{at: string, failed: Fault[]}>}
 * @throws {Fault} offline, signed_out
 */
export async function refresh({ papers = false } = {}) {
  await whoAmI();
  const rows = [];
  for (let cursor = "", page = 0; page < 5; page++) {
    const list = await ask("GET", `/v1/visits?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    rows.push(...list.items.filter((v) => !over.includes(v.state)));
    if (!(cursor = list.next)) break;
  }
  const failed = [];
  const keyName = await isEnrolled() ? await thumbprint((await signer()).key) : "";
  for (const row of rows) {
    try { await fetchVisit(row.id, keyName, papers); } catch (e) { failed.push(faultOf(e)); }
  }
  await letGo(rows.map((r) => r.id));
  for (const { id } of await gone()) if (rows.some((r) => r.id === id)) await forgetGone(id); // he is sent after all
  const day = { at: new Date().toISOString(), ids: rows.map((r) => r.id) };
  await setAbout("day", day);
  return { at: day.at, failed };
}

export const news = new EventTarget(); // "work": detail is {id, work}, as the server just said it

const workPath = (id) => `/v1/visits/${encodeURIComponent(id)}/work`;

async function keepWork(id, work) {
  await mergeVisit(id, { work, work_at: new Date().toISOString() });
  news.dispatchEvent(new CustomEvent("work", { detail: { id, work } }));
  return work;
}

/** Visits that somebody else was sent on, until the one who was to go has read it, as visits() has them; they end with the shift. @returns {Promise<object[]>} */
export const gone = async () => await about("gone") ?? [];
export const forgetGone = async (id) => setAbout("gone", (await gone()).filter((g) => g.id !== id));

const notHis = (e) => [403, 404].includes(e.status);

// What is somebody else's now leaves the phone, and is not just missing there: he may be on his way.
async function another(v) {
  const { kind, from, until } = v.work;
  await setAbout("gone", [...(await gone()).filter((g) => g.id !== v.id), { id: v.id, work: { kind, from, until }, package: { openings: v.package?.openings } }]);
  await dropVisit(v.id);
}

// Work out of what asks for it; a visit that is not his any more is let go.
async function workOr(id, asking) {
  try { return await keepWork(id, await asking); } catch (e) {
    const kept = notHis(e) && (await visits()).find((v) => v.id === id);
    if (kept?.work && !over.includes(kept.work.stage)) {
      await another(kept);
      news.dispatchEvent(new CustomEvent("work", { detail: { id } }));
    }
    throw e;
  }
}

/** Fetches what one visit has to do and what was done: light enough to ask again and again. @param {string} id */
export const fetchWork = async (id) => workOr(id, ask("GET", workPath(id)));

const waitSeconds = 25;

/** Waits at the server until a visit's work is other than it stands here. @param {string} id @param {AbortSignal} signal @throws {Fault} */
export async function awaitWork(id, signal) {
  const tag = (await visits()).find((v) => v.id === id)?.work?.tag ?? "";
  return workOr(id, ask("GET", `${workPath(id)}?wait=${waitSeconds}&tag=${encodeURIComponent(tag)}`, undefined, { timeoutSeconds: waitSeconds + 10, signal, headers: { "Menshen-Unattended": "1" } })); // an open page is no use of the session
}

const papersKeepMs = 300_000;

/**
 * Fetches one visit with its order package, which opens personal values: every look at those is recorded, so one that
 * is minutes old will do.
 * @param {string} id @param {string} [key] thumbprint @param {boolean} [papers] the package in any case
 */
export async function fetchVisit(id, key, papers = false) {
  const path = `/v1/visits/${encodeURIComponent(id)}`;
  const work = await fetchWork(id);
  const at = new Date().toISOString();
  if (key) await nextPrevious(id, key); // kept for when there is no signal
  if (!await shift()) return work; // personal values are for the hours in which somebody works with them
  const kept = (await visits()).find((v) => v.id === id);
  if (!papers && kept?.package && Date.now() - new Date(kept.package_at) < papersKeepMs) return work;
  try {
    await mergeVisit(id, { package: await ask("GET", `${path}/package`), package_at: at });
  } catch (e) {
    if (e.status !== 404 && e.status !== 403) throw e; // there is none before dispatch
  }
  return work;
}

/** Fetches the visit anew where there is signal; quiet where there is none. @param {string} id */
export async function freshen(id) {
  if (!isOnline()) return;
  let key = "";
  try { key = await thumbprint((await signer()).key); } catch { /* not enrolled: it may look all the same */ }
  await fetchVisit(id, key);
}

// Visits that are over, or somebody else's now, leave the phone; unsent statements stay in the queue.
async function letGo(ids) {
  for (const v of await visits()) {
    if (ids.includes(v.id)) continue;
    const lately = v.work && Date.now() - new Date(v.work_at) < 36e5 * 24;
    if (v.work && over.includes(v.work.stage) && lately) continue; // today's, shown as done
    try {
      const work = await ask("GET", `/v1/visits/${encodeURIComponent(v.id)}/work`);
      if (over.includes(work.stage)) { await mergeVisit(v.id, { work, work_at: new Date().toISOString(), package: undefined }); continue; }
    } catch (e) { if (!notHis(e)) throw e; }
    if (v.work && !over.includes(v.work.stage)) await another(v); else await dropVisit(v.id);
  }
}

/** How the phone's clock stands to the server's, in seconds; null when unknown. A wrong clock is said, never guessed. */
export async function clockOff() {
  const list = await visits();
  const newest = list.filter((v) => v.work).sort((a, b) => (a.work_at < b.work_at ? 1 : -1))[0];
  return newest ? Math.round((new Date(newest.work_at) - new Date(newest.work.updated_at)) / 1000) : null;
}
