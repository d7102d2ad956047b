// What the merchant's phone keeps for a door without signal: the pages, the files that they are made of, and the order
// package. The site's one service worker keeps pages and files; the package is kept here, fetched anew while there is signal.
import { call } from "./api.mjs";
import { nextPrevious } from "./chain.mjs";
import { actor, signerHere } from "./shop.mjs";
import { thumbprint } from "./statement.mjs";
import { checkIssuer } from "./trust.mjs";
import { registerWorker } from "./trusted.mjs";

const shelf = "shop-packages"; // not menshen-…: those are the service worker's, and go with their release
const pinned = `menshen-trust-list-key:${actor.person ?? ""}`; // of each person who was enrolled here: what one is told is not the other's
const packageName = () => new Request(`${location.origin}/shop/packages/${encodeURIComponent(actor.visit)}`);

/** Keeps whatever the door needs. The page's body says how far it came. */
export async function keepForDoor() {
  await Promise.allSettled([keepPackage(), keepChain()]); // no signal, or nobody is sent yet: what was kept before is used
  if (!navigator.serviceWorker) return;
  try {
    await letIn((await registerWorker()).waiting);
    const { active } = await navigator.serviceWorker.ready;
    const files = JSON.parse(document.getElementById("keep").dataset.keep);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => { document.body.dataset.kept = data.failed ? "part" : "whole"; };
    active.postMessage({ keep: [...files, "/shop", actor.home, `${actor.home}/door`] }, [port2]);
  } catch { document.body.dataset.kept = "none"; } // without it, only offline use is lost
}

// No page is held to an old release; files of one that is open are still there. The old worker goes when it is idle.
const letIn = (waiting) => waiting && new Promise((resolve) => {
  waiting.addEventListener("statechange", () => { if (waiting.state === "activated" || waiting.state === "redundant") resolve(); });
  setTimeout(resolve, 10_000);
  waiting.postMessage({ update: true });
});

/** Fetches the order package and keeps it in the place of an older one. */
export async function keepPackage() {
  const { ok, body } = await call("GET", `/v1/visits/${encodeURIComponent(actor.visit)}/package`, undefined, { tries: 1 });
  if (ok) await (await caches.open(shelf)).put(packageName(), new Response(JSON.stringify(body)));
}

// What is signed without signal must name the signer's statement before it.
async function keepChain() {
  const signer = await signerHere();
  if (signer) await nextPrevious(actor.visit, await thumbprint(signer.key));
}

/** @returns {Promise<object|null>} */
export async function keptPackage() {
  try { return await (await (await caches.open(shelf)).match(packageName()))?.json() ?? null; } catch { return null; }
}

/** Remembers the key that signs trust lists, as it was told when this phone was enrolled; later words do not change it. */
export const pinTrust = (key) => localStorage.setItem(pinned, JSON.stringify(key));

/** The key that was remembered, undefined where none was. @returns {object|undefined} */
export function pinnedTrust() {
  let key;
  try { key = JSON.parse(localStorage.getItem(pinned)); } catch { return undefined; }
  return key?.kind ? key : undefined;
}

/**
 * Whether a package's issuer stands on a trust list that the pinned key signed: the server's word is not enough.
 * @param {object} pack @param {number} now Unix seconds
 * @returns {Promise<string>} "" or the code why not
 */
export async function checkTrust(pack, now) {
  return checkIssuer(pack, pinnedTrust(), now);
}

/** Clears away what this phone kept of the shop. */
export async function forgetKept() {
  localStorage.removeItem(pinned);
  await caches.delete(shelf);
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) if (/^\/shop(\/|$)/.test(new URL(request.url).pathname)) await cache.delete(request);
  }
}
