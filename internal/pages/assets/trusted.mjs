// Where text becomes a page or a script. Browsers that know Trusted Types let our pages do neither anywhere else (policy.go):
// a sink that slips in breaks there, in a test, and not at a counter.
const worker = "/sw.js";
const policy = globalThis.trustedTypes?.createPolicy("menshen", {
  createHTML: (text) => text,
  createScriptURL: (address) => { if (address !== worker) throw new TypeError("no script of this site's"); return address; },
}) ?? { createHTML: (text) => text, createScriptURL: (address) => address };

/** Reads a page of this site as a document of its own, in which nothing runs, then or where its parts are put. @param {string} text @returns {Document} */
export const parsePage = (text) => new DOMParser().parseFromString(policy.createHTML(text), "text/html");

/** Registers the site's one service worker. @returns {Promise<ServiceWorkerRegistration>} */
export const registerWorker = () => navigator.serviceWorker.register(policy.createScriptURL(worker), { scope: "/", updateViaCache: "none" });

/** Of which release an answer is, "" where it is none of the server's: a network's sign-in page says nothing about a visit. @param {Response} answer */
export const releaseOf = (answer) => answer.headers.get("Menshen-Release") ?? "";

/** Of which release this page's scripts are. */
export const release = new URL(import.meta.url).pathname.split("/")[2];
