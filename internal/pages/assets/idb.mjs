// The browser's own store, as promises. Nothing stays open between two calls: another tab may always upgrade.
import { Fault } from "./fault.mjs";

const unavailable = (cause) => new Fault("storage_unavailable", "这个浏览器不让本页保存数据。请关掉无痕模式，或换一个浏览器。",
  "This browser does not let the page keep data. Leave private browsing, or use another browser.", cause);
const full = (cause) => new Fault("storage_full", "手机存储空间不够了。请先清理一些，再试一次。", "The phone's storage is full. Free some, then try again.", cause);

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
export const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

const held = (cause) => new Fault("storage_busy", "另一个页面占着这个浏览器的存储。请关掉本站的其他页面，再试一次。",
  "Another page holds this browser's store. Close this site's other pages, then try again.", cause);
const patience = 250, longest = 15_000; // ms without a sign of life: until frozen pages are sent away; until a person is told

// A page that is left while it opens a database for the first time may be frozen for the back button, with the opening in its
// hands, and whoever opens the same one waits for ever. A browser lets go of a frozen page that is sent a message; one that is
// looked at hears it and does nothing.
let channel;
const sendFrozenAway = () => channel?.postMessage("");

/**
 * Opens a database, which its caller closes. It has no version of ours: whatever release made it, what it lacks is made, and what it
 * has besides stays. So a store that was lost is there again, empty, and an older release reads what a newer one left.
 * @param {string} name @param {Record<string, IDBObjectStoreParameters>} [stores]
 * @returns {Promise<IDBDatabase>} @throws what the browser says, or storage_busy
 */
export async function open(name, stores = {}) {
  for (let version; ;) {
    const db = await openAt(name, stores, version);
    if (Object.keys(stores).every((store) => db.objectStoreNames.contains(store))) return db;
    version = db.version + 1;
    db.close();
  }
}

function openAt(name, stores, version) {
  channel ??= globalThis.BroadcastChannel && Object.assign(new BroadcastChannel("menshen-store"), { onmessage() {} });
  let waits, end, over = false;
  return new Promise((resolve, reject) => {
    waits = setInterval(sendFrozenAway, patience);
    end = setTimeout(() => reject(held()), longest);
    const request = indexedDB.open(name, version);
    request.onupgradeneeded = () => {
      for (const [store, options] of Object.entries(stores)) if (!request.result.objectStoreNames.contains(store)) request.result.createObjectStore(store, options);
    };
    request.onsuccess = () => {
      const db = request.result;
      db.onversionchange = () => db.close(); // another tab mends it; what runs here ends first
      if (over) db.close(); else resolve(db);
    };
    request.onerror = () => reject(request.error);
    // Blocked by another tab, it waits for that one's transaction to end; storage_busy where that takes too long.
  }).finally(() => { clearInterval(waits); clearTimeout(end); over = true; });
}

/**
 * Runs work in one transaction over all stores of a database and waits until it is on disk.
 * @template T
 * @param {string} name the database
 * @param {Record<string, IDBObjectStoreParameters>} stores made at the first opening
 * @param {"readonly"|"readwrite"} mode
 * @param {(stores: Record<string, IDBObjectStore>) => T|Promise<T>} work awaits nothing but requests of these stores
 * @returns {Promise<T>}
 * @throws {Fault} storage_unavailable, storage_full, or what work threw (then nothing was written)
 */
export async function transact(name, stores, mode, work) {
  let db;
  try { db = await open(name, stores); } catch (e) { throw e instanceof Fault ? e : unavailable(e); }
  try {
    const tx = db.transaction(Object.keys(stores), mode, { durability: "strict" });
    const ended = new Promise((resolve, reject) => { tx.oncomplete = resolve; tx.onabort = () => reject(tx.error); });
    ended.catch(() => {}); // awaited below, unless work threw first
    let result;
    try {
      result = await work(Object.fromEntries(Object.keys(stores).map((s) => [s, tx.objectStore(s)])));
    } catch (e) {
      try { tx.abort(); } catch { /* aborted itself */ }
      throw e;
    }
    await ended;
    return result;
  } catch (e) {
    if (e instanceof Fault) throw e;
    throw e?.name === "QuotaExceededError" ? full(e) : unavailable(e);
  } finally { db.close(); }
}
