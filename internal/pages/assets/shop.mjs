// What every page of a merchant's does: say what this browser lacks, sign with the phone's key, tell what went wrong.
import { call, newIdempotencyKey } from "./api.mjs";
import { base64, utf8 } from "./bytes.mjs";
import { nextPrevious } from "./chain.mjs";
import { Fault, faultOf } from "./fault.mjs";
import { open } from "./idb.mjs";
import { loadSigner } from "./keys.mjs";
import { sign, thumbprint, timeForm } from "./statement.mjs";

const english = document.documentElement.lang === "en";
/** The page's language out of a text in both. @param {{zh: string, en: string}} text */
export const inTongue = (text) => english ? text.en : text.zh;

/** Who signs here: ids that the page carries. */
export const actor = document.getElementById("actor")?.dataset ?? {};

/** @template {Element} E @param {string} selector @returns {E[]} */
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];
export const one = (selector, within = document) => within.querySelector(selector);

/** What this browser lacks for signing, by the names of the page's own sentences. @returns {Promise<string[]>} */
export async function lacks() {
  const out = [];
  if (globalThis.isSecureContext === false) out.push("insecure"); else if (!globalThis.crypto?.subtle) out.push("crypto");
  if (document.documentElement.classList.contains("too-old")) out.push("old"); // old.js has looked
  if (!await canStore()) out.push("storage");
  if (/MicroMessenger/i.test(navigator.userAgent)) out.push("wechat");
  return out;
}

// The probe's database stays, empty: cleared away, it would be in the way of the next page's.
async function canStore() {
  try { (await open("menshen-probe")).close(); } catch { return false; }
  return true;
}

/** Shows what is lacking, and says whether this browser can sign for good. */
export async function sayWhatLacks() {
  const list = await lacks();
  const box = document.getElementById("lacking");
  if (box && list.length > 0) {
    box.hidden = false;
    for (const name of list) one(`[data-lack="${name}"]`, box).hidden = false;
    one("[data-elsewhere]", box).hidden = list.includes("insecure"); // no browser makes an address safe
  }
  return list;
}

/** Tells in a page's own place why something did not work; nothing moves away by itself. */
export function tell(within, thrown) {
  const box = one("[data-problem]", within);
  if (!box) throw thrown;
  one("[data-problem-text]", box).textContent = inTongue(faultOf(thrown));
  box.hidden = false;
  box.scrollIntoView({ block: "nearest" });
}

export const quiet = (within) => { for (const box of all("[data-problem]", within)) box.hidden = true; };

const paths = { visit: "visits", order: "orders", person: "people", device: "devices" };
const ids = { visit: () => actor.visit, order: () => actor.order, person: () => actor.person, device: () => actor.device };

/**
 * Signs a statement with this phone's key. It is not remembered in the chain: a page that is left before it was sent
 * would leave a gap there that nothing fills, and this phone could sign nothing more in this visit.
 * @param {{stream: "visit"|"order"|"person"|"device", type: string, body: object, answers?: string, previous?: (key: string) => string}} s
 * @returns {Promise<{envelope: string, digest: string, key: string}>}
 */
export async function signHere({ stream, type, body, answers = "", previous }) {
  const id = ids[stream]();
  const signer = await loadSigner(actor.key);
  const key = await thumbprint(signer.key);
  const before = stream === "visit" ? await nextPrevious(id, key) : previous?.(key) ?? "";
  const signed = await sign(signer, { type, subject: `${stream}/${id}`, signer: actor.person, organisation: actor.organisation, role: actor.role,
    at: timeForm(new Date()), previous: before, answers, body });
  return { ...signed, key };
}

/** Sends what was signed. @throws {Fault} the server's own words */
export async function send({ stream, verb }, signed, openings, idempotencyKey) {
  const id = ids[stream]();
  const answer = await call("POST", `/v1/${paths[stream]}/${encodeURIComponent(id)}/${verb}`,
    { statement: base64(utf8(signed.envelope)), ...(openings?.length ? { openings } : {}) }, { idempotencyKey });
  if (!answer.ok) throw Object.assign(new Fault(answer.body.code, answer.body.zh, answer.body.en), { refused: answer.status >= 400 && answer.status < 500 });
  return answer.body;
}

/**
 * A filing that is signed once and may be sent again: a second tap asks the same thing. What was refused is signed
 * anew: something else may have been recorded meanwhile.
 * @returns {(openings?: object[]) => Promise<object>}
 */
export function filing(what) {
  let signed, idempotencyKey;
  return async (openings) => {
    if (!signed) [signed, idempotencyKey] = [await signHere(what), newIdempotencyKey()];
    try { return { ...await send(what, signed, openings, idempotencyKey), digest: signed.digest }; } catch (e) {
      if (e.refused) signed = undefined;
      throw e;
    }
  };
}

/** Runs work once at a time behind a button. */
export async function busy(button, within, work) {
  if (button.disabled) return;
  button.disabled = true;
  button.setAttribute("aria-busy", "true"); // what renews itself leaves it alone
  quiet(within);
  try { await work(); } catch (e) { tell(within, e); } finally { button.disabled = false; button.removeAttribute("aria-busy"); }
}

/** Whether this phone has a key for the merchant. @returns {Promise<object|null>} */
export async function signerHere() {
  try { return await loadSigner(actor.key); } catch { return null; }
}
