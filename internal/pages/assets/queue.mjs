// What was made on this phone and is not yet at the server: statements and photos. It outlives a restart and a
// sign-out; nothing leaves it but by arriving, and what the server contradicts stays for a person to look at.
import { call, newIdempotencyKey } from "./api.mjs";
import { base64, fromBase64, utf8 } from "./bytes.mjs";
import { outbox, place } from "./chain.mjs";
import { Fault } from "./fault.mjs";
import { done, transact } from "./idb.mjs";
import { digestHex } from "./statement.mjs";

/** What goes first: lower before higher. */
export const importance = Object.freeze({ brake: 0, status: 1, signature: 2, photo: 3 });

const fault = {
  item: () => new Fault("queue_item_malformed", "要保存的内容不完整。", "What was to be kept is incomplete."),
  forked: () => new Fault("previous_taken", "另一个页面刚刚签过字，请再点一次。", "Another page has just signed. Tap again."),
  file: (e) => new Fault("queue_file_malformed", "这个文件不是从门神导出的，或者不完整。", "This file was not exported by menshen, or is incomplete.", e),
  another: () => new Fault("queue_file_of_another", "这个文件里是别人签的。请交给调度，由他代交。", "Somebody else signed what is in this file. Give it to the dispatcher, who hands it in."),
  large: () => new Fault("queue_file_too_large", "这个文件太大了。", "This file is too large."),
};

const format = "menshen-outbox-v1";
const maxFileBytes = 256 << 20;
const maxPhotoBytes = 8 << 20;
const lockName = "menshen-outbox";
const firstWaitSeconds = 2, longestWaitSeconds = 300;

const within = (mode, work) => transact(outbox.name, outbox.stores, mode, work);

/**
 * Keeps a signed statement until it has arrived, and the end of its signer's chain with it.
 * @param {{owner: string, visit: string, key: string, previous: string, path: string, signed: {envelope: string, digest: string},
 *   openings?: object[], importance?: number, label: string}} s owner: the person's opaque id, whose session will send it; key: thumbprint;
 *   previous: what the statement names; path: /v1/visits/{id}/{verb}; label: a code for the page to show
 * @returns {Promise<number>} its number
 * @throws {Fault} previous_taken: signed in another tab meanwhile, sign again; storage_full, storage_unavailable
 */
export const enqueueStatement = (s) => enqueueWork(s, []);

/**
 * Keeps a signed statement with the photos that it names, all or nothing: on a phone that is full, a statement without its photos
 * would be signed for nothing, and once more at the next tap.
 * @param {object} s as enqueueStatement @param {Blob[]} photos @param {string} [photosPath] where they go
 * @returns {Promise<number>} the statement's number
 * @throws {Fault} as enqueueStatement
 */
export async function enqueueWork({ owner, visit, key, previous, path, signed, openings = [], importance: rank = importance.signature, label }, photos, photosPath = "") {
  if (await digestHex(utf8(signed.envelope)) !== signed.digest) throw fault.item();
  const body = { statement: base64(utf8(signed.envelope)), ...(openings.length > 0 ? { openings } : {}) };
  const item = newItem({ owner, visit, path, label, importance: rank, key, digest: signed.digest, previous, body });
  const shots = [];
  for (const photo of photos) shots.push(await photoItem({ owner, visit, path: photosPath, photo, label, names: signed.digest }));
  return within("readwrite", async ({ items, last }) => {
    const kept = await done(last.get(place(visit, key)));
    if (kept?.unsent && kept.previous !== previous) throw fault.forked();
    last.put({ previous: signed.digest, unsent: true }, place(visit, key));
    const number = await done(items.add(item));
    for (const shot of shots) items.add(shot);
    return number;
  });
}

/**
 * Keeps a photo until it has arrived.
 * @param {{owner: string, visit: string, path: string, photo: Blob, label: string, names?: string}} p names: digest of the
 *   statement that names it
 * @returns {Promise<number>} its number
 */
export async function enqueuePhoto(p) {
  const item = await photoItem(p);
  return within("readwrite", ({ items }) => done(items.add(item)));
}

async function photoItem({ owner, visit, path, photo, label, names = "" }) {
  if (!/^image\/(jpeg|png|webp)$/.test(photo?.type) || photo.size === 0 || photo.size > maxPhotoBytes) throw fault.item();
  const bytes = await photo.arrayBuffer(); // not the Blob: some phones lose those out of the store
  return newItem({ owner, visit, path, label, importance: importance.photo, digest: await digestHex(new Uint8Array(bytes)), names, photo: { bytes, type: photo.type } });
}

function newItem(item) {
  return checkItem({ ...item, idempotencyKey: newIdempotencyKey(), madeAt: Date.now(), state: "waiting", tries: 0, nextAt: 0 });
}

// One shape for what pages hand in and what files bring: a file must not make this session send anything but
// signed statements and photos.
function checkItem(item) {
  const { owner, visit, path, label, importance: rank, key, digest, names, previous, body, photo, idempotencyKey } = item;
  const id = /^[A-Za-z0-9._-]{1,64}$/;
  const hash = /^[0-9a-f]{64}$/;
  const statement = typeof body?.statement === "string" && Object.keys(body).every((k) => k === "statement" || k === "openings")
    && /^[A-Za-z0-9_-]{43}$/.test(key) && (previous === "" || hash.test(previous));
  if (![owner, visit, idempotencyKey].every((t) => typeof t === "string" && id.test(t)) || typeof path !== "string"
    || !/^\/v1\/(visits|orders|devices)\/[A-Za-z0-9._-]{1,64}\/[a-z_]{1,40}$/.test(path) || typeof label !== "string" || !/^[a-z0-9_./-]{1,60}$/.test(label)
    || !Object.values(importance).includes(rank) || !hash.test(digest) || statement === Boolean(photo) || (photo && names && !hash.test(names))) throw fault.item();
  return item;
}

/**
 * What is kept, the order in which it goes, without the photos' bytes.
 * @param {string} [owner]
 * @returns {Promise<object[]>} {number, visit, label, importance, state: "waiting"|"sent"|"conflict", problem, tries, nextAt, madeAt, …}
 */
export async function list(owner) {
  const all = await within("readonly", ({ items }) => done(items.getAll()));
  return all.filter((i) => owner === undefined || i.owner === owner).sort(byOrder)
    .map(({ body, photo, ...shown }) => ({ ...shown, bytes: photo?.bytes?.byteLength ?? body?.statement?.length ?? 0 }));
}

const byOrder = (a, b) => a.importance - b.importance || a.number - b.number;

/** How many are in each state. @param {string} [owner] @returns {Promise<{waiting: number, sent: number, conflict: number}>} */
export async function counts(owner) {
  const out = { waiting: 0, sent: 0, conflict: 0 };
  for (const item of await list(owner)) out[item.state]++;
  return out;
}

// The next to go: the most important whose time has come and whose predecessor has arrived. Brakes wait for nobody
// (decisions/0004). What follows a conflict waits with it.
function nextOf(all, owner, now) {
  const signed = all.filter((i) => i.state !== "sent" && i.body);
  const unsent = new Set(signed.map((i) => i.digest));
  // A photo is nothing to the server before the statement that names it; one that says not which waits for all of its visit's.
  const ready = (i) => i.importance === importance.brake || (i.photo ? !(i.names ? unsent.has(i.names) : signed.some((s) => s.visit === i.visit)) : !unsent.has(i.previous));
  return all.filter((i) => i.owner === owner && i.state === "waiting" && i.nextAt <= now && ready(i))
    .sort(byOrder)[0];
}

/**
 * Sends what can go now. One sender at a time over all tabs; a second one returns at once.
 * @param {string} owner whose session this is: nobody else's things are sent under it
 * @param {() => void} [onChange] after each step
 * @returns {Promise<{busy: boolean, stopped: string, nextAt: number}>} stopped: the code that ended it ("" when all was tried: offline, signed_out);
 *   nextAt: when to come again, milliseconds since 1970, 0 for never
 */
export async function sendAll(owner, onChange = () => {}) {
  const work = async (lock) => {
    if (lock === null) return { busy: true, stopped: "", nextAt: Date.now() + 5000 };
    let stopped = "";
    while (stopped === "") {
      const item = nextOf(await within("readonly", ({ items }) => done(items.getAll())), owner, Date.now());
      if (item === undefined) break;
      stopped = await sendOne(item);
      onChange();
    }
    const waiting = (await list(owner)).filter((i) => i.state === "waiting");
    return { busy: false, stopped, nextAt: waiting.length === 0 ? 0 : Math.max(Date.now() + 1000, Math.min(...waiting.map((i) => i.nextAt))) };
  };
  // Where there are no locks two tabs may both send; the keys keep that from doing a thing twice.
  return navigator.locks ? navigator.locks.request(lockName, { ifAvailable: true }, work) : work();
}

async function sendOne(item) {
  const body = item.photo ? new Blob([item.photo.bytes], { type: item.photo.type }) : item.body;
  const sent = await call("POST", item.path, body, { idempotencyKey: item.idempotencyKey, timeoutSeconds: 60,
    headers: { "Menshen-Person": item.owner } }); // somebody else may have signed in meanwhile
  const { ok, status, body: answer } = receipt(item, sent);
  const again = status === 0 || status >= 500 || [401, 408, 425, 429].includes(status);
  await within("readwrite", async ({ items, last }) => {
    const kept = await done(items.get(item.number));
    if (!kept) return;
    kept.tries++;
    kept.problem = ok ? undefined : { code: answer.code, zh: answer.zh, en: answer.en };
    if (ok) {
      Object.assign(kept, { state: "sent", sentAt: Date.now() });
      await settle(last, kept);
      delete kept.photo; // it is at the server: the room is for the next, and nobody finds it here
      delete kept.body;
    } else if (again) kept.nextAt = Date.now() + waitSeconds(kept.tries, answer.retry_after_seconds) * 1000;
    else kept.state = "conflict";
    items.put(kept);
  });
  return status === 0 ? answer.code : status === 401 ? "signed_out" : "";
}

// What the server has it names by its digest. A yes that does not is no yes: a portal's, a cache's or another thing's answer, and
// what was signed here would be gone from the phone without being anywhere else.
function receipt({ digest, photo }, sent) {
  if (!sent.ok || sent.body[photo ? "digest" : "statement"] === digest) return sent;
  return { ok: false, status: 0, body: { code: "receipt_differs", zh: "回答里没有这一份的编号，不知道送到没有。会再送。", en: "The answer does not name this one, so it may not have arrived. It will be sent again." } };
}

async function settle(last, { visit, key, digest, body }) {
  if (!body) return;
  const end = await done(last.get(place(visit, key)));
  if (end?.previous === digest) last.put({ previous: digest, unsent: false }, place(visit, key));
}

/** How long to wait after the nth failure: doubling, at most five minutes, a little random so that phones do not come together. */
export function waitSeconds(tries, asked = 0) {
  const doubled = Math.min(firstWaitSeconds * 2 ** (tries - 1), longestWaitSeconds);
  return Math.max(doubled * (0.75 + Math.random() / 2), Math.min(asked, longestWaitSeconds));
}

/**
 * Sends whenever something can go, until stopped: now, at each return of signal, and when a wait is over.
 * @param {string} owner
 * @param {() => void} [onChange]
 * @returns {{stop: () => void, wake: () => void}} wake: something new is there, or the person tapped "send now"
 */
export function startSender(owner, onChange) {
  let timer, stopped = false, running = false, asked = false;
  const go = async () => {
    clearTimeout(timer);
    if (stopped) return;
    if (running) { asked = true; return; }
    running = true;
    let nextAt = 0;
    try { ({ nextAt } = await sendAll(owner, onChange)); } catch { nextAt = Date.now() + longestWaitSeconds * 1000; } // the store is away; list() tells the page
    running = false;
    if (asked) { asked = false; go(); } else if (!stopped && nextAt > 0) timer = setTimeout(go, Math.max(0, nextAt - Date.now()));
  };
  const wake = () => { hurry(owner).then(go, go); };
  addEventListener("online", wake);
  go();
  return { wake, stop: () => { stopped = true; clearTimeout(timer); removeEventListener("online", wake); } };
}

/** Forgets the waits: signal is back, or somebody wants it sent now. @param {string} owner */
export const hurry = (owner) => change((i) => i.owner === owner && i.state === "waiting" && i.nextAt > 0, (i) => { i.nextAt = 0; });

/** Puts a conflict back in the queue, after a person looked at it. @param {number} number */
export const retry = (number) => change((i) => i.number === number && i.state === "conflict", (i) => { Object.assign(i, { state: "waiting", nextAt: 0 }); });

function change(which, how) {
  return within("readwrite", async ({ items }) => {
    for (const item of (await done(items.getAll())).filter(which)) { how(item); items.put(item); }
  });
}

/** Clears away what has arrived; nothing else can be cleared. @param {number} before milliseconds since 1970 */
export const forgetSent = (before) => within("readwrite", async ({ items }) => {
  for (const item of await done(items.getAll())) if (item.state === "sent" && item.sentAt < before) items.delete(item.number);
});

/**
 * All that has not arrived, as a file: for a phone whose store is in danger. It holds photos and openings of personal
 * values: it goes to the person's own keeping, nowhere else.
 * @param {string} [owner]
 * @returns {Promise<Blob>} JSON
 */
export async function exportAll(owner) {
  const all = await within("readonly", ({ items }) => done(items.getAll()));
  const items = all.filter((i) => i.state !== "sent" && (owner === undefined || i.owner === owner)).map(({ number, photo, ...item }) => (
    photo ? { ...item, photo: { type: photo.type, base64: base64(new Uint8Array(photo.bytes)) } } : item));
  return new Blob([JSON.stringify({ format, exported_at: new Date().toISOString(), items })], { type: "application/json" });
}

/**
 * Takes back what exportAll wrote; what is here already is not doubled. All or nothing.
 * @param {Blob} file
 * @param {string} [owner] whose it must be
 * @returns {Promise<{added: number, known: number}>}
 * @throws {Fault} queue_file_malformed, queue_file_too_large, queue_file_of_another, previous_taken, storage_full
 */
export async function importAll(file, owner) {
  if (file.size > maxFileBytes) throw fault.large();
  let read;
  try { read = await Promise.all(readFile(await file.text()).map(readItem)); } catch (e) { throw fault.file(e); }
  if (owner !== undefined && read.some((i) => i.owner !== owner)) throw fault.another();
  return within("readwrite", async ({ items, last }) => {
    const here = new Set((await done(items.getAll())).map((i) => i.idempotencyKey));
    let added = 0;
    for (const item of read) {
      if (here.has(item.idempotencyKey)) continue;
      here.add(item.idempotencyKey);
      items.add(item);
      added++;
      if (item.body) await continueChain(last, item);
    }
    return { added, known: read.length - added };
  });
}

async function continueChain(last, { visit, key, previous, digest }) {
  const end = await done(last.get(place(visit, key)));
  if (end?.unsent && end.previous !== previous) return; // this phone signed on meanwhile: the server and a person will see it
  last.put({ previous: digest, unsent: true }, place(visit, key));
}

function readFile(text) {
  const file = JSON.parse(text);
  if (file?.format !== format || !Array.isArray(file.items)) throw fault.item();
  return file.items;
}

async function readItem({ owner, visit, path, label, importance: rank, key, digest, names, previous, body, photo, idempotencyKey, madeAt, state, problem }) {
  if (!["waiting", "conflict"].includes(state) || !Number.isSafeInteger(madeAt)) throw fault.item();
  const item = { owner, visit, path, label, importance: rank, digest, idempotencyKey, madeAt, state, tries: 0, nextAt: 0 };
  if (problem) item.problem = { code: String(problem.code), zh: String(problem.zh), en: String(problem.en) };
  const bytes = fromBase64(photo ? photo.base64 : body.statement);
  if (await digestHex(bytes) !== digest) throw fault.item();
  if (photo) {
    if (!/^image\/(jpeg|png|webp)$/.test(photo.type) || bytes.length > maxPhotoBytes) throw fault.item();
    Object.assign(item, { names: names ?? "", photo: { bytes: bytes.buffer, type: photo.type } });
  } else Object.assign(item, { key, previous, body });
  return checkItem(item);
}

/** Asks the browser not to throw the store away by itself. @returns {Promise<boolean>} whether it promised */
export async function askToKeep() {
  try { return await navigator.storage.persist(); } catch { return false; }
}

/**
 * Whether what waits here is in danger of being lost.
 * @param {string} [owner]
 * @returns {Promise<{kept: boolean, usedBytes: number, freeBytes: number, unsent: number, danger: ""|"full"|"evictable"|"stale"}>} kept: the browser
 *   promised. danger: full, too little room for more photos; evictable, it may throw unsent things away; stale, some wait for over a day
 */
export async function storageState(owner) {
  const { usage = 0, quota = 0 } = await navigator.storage?.estimate?.() ?? {};
  const kept = await navigator.storage?.persisted?.() ?? false;
  const waiting = (await list(owner)).filter((i) => i.state !== "sent");
  const freeBytes = Math.max(0, quota - usage);
  let danger = "";
  if (waiting.some((i) => Date.now() - i.madeAt > 86_400_000)) danger = "stale";
  else if (quota > 0 && freeBytes < 50 << 20) danger = "full";
  else if (!kept && waiting.length > 0) danger = "evictable";
  return { kept, usedBytes: usage, freeBytes, unsent: waiting.length, danger };
}
