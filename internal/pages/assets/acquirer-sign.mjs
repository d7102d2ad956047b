// Signing in the acquirer's console: what will be signed is shown, signed with the staff's own enrolled key, and filed.
import { call, newIdempotencyKey } from "./api.mjs";
import { base64, utf8 } from "./bytes.mjs";
import { nextPrevious, rememberSent, rememberSigned, forgetSigned } from "./chain.mjs";
import { Fault } from "./fault.mjs";
import { loadSigner } from "./keys.mjs";
import { sign, thumbprint, timeForm } from "./statement.mjs";

/** Who is signed in, as the page says. */
export const me = { ...document.querySelector("[data-me]")?.dataset };
const noKey = () => new Fault("signing_key_absent", "这台设备上还没有您的签字密钥。请先到“签字密钥”建一把，由本单位登记。",
  "This device has no signing key of yours. Make one under Signing key and have your organisation enrol it.");
const paths = { visit: "visits", order: "orders" };

/** The key of this device. @throws {Fault} signing_key_absent */
export async function mySigner() {
  try { return await loadSigner(`staff:${me.organisation}:${me.person}:${me.role}`); } catch (e) {
    throw e?.code === "key_absent" ? noKey() : e;
  }
}

/**
 * Shows what will be signed and waits for yes or no.
 * @param {string} title @param {[string, string][]} lines label and value
 * @returns {Promise<boolean>}
 */
export function confirmed(title, lines) {
  const dialog = document.getElementById("signing");
  dialog.querySelector("[data-title]").textContent = title;
  dialog.querySelector("[data-warning]").textContent = "";
  dialog.querySelector("dl").replaceChildren(...lines.flatMap(([label, value]) => [["dt", label], ["dd", value]].map(([tag, text]) => Object.assign(document.createElement(tag), { textContent: text }))));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => { dialog.addEventListener("close", () => resolve(dialog.returnValue === "sign"), { once: true }); });
}

// Each signer names his previous statement in the same stream (decisions/0004).
async function previousOf(stream, id, key, given) {
  if (given !== undefined) return given;
  if (stream === "visit") return nextPrevious(id, key);
  const { ok, body } = await call("GET", `/v1/orders/${encodeURIComponent(id)}/previous/${encodeURIComponent(key)}`);
  if (!ok) throw new Fault(body.code, body.zh, body.en);
  return body.previous;
}

/**
 * Signs a statement and files it.
 * @param {{key: object}} signer
 * @param {{stream: "visit"|"order", id: string, verb: string, type: string, body: object, openings?: object[], previous?: string}} s
 *   previous: asked of the server when absent
 * @returns {Promise<string>} the statement's digest
 * @throws {Fault} the server's own words
 */
export async function file(signer, { stream, id, verb, type, body, openings = [], previous }) {
  const key = await thumbprint(signer.key), chained = stream === "visit" && previous === undefined;
  const { envelope, digest } = await sign(signer, { type, subject: `${stream}/${id}`, signer: me.person, organisation: me.organisation, role: me.role,
    at: timeForm(new Date()), previous: await previousOf(stream, id, key, previous), answers: "", body });
  if (chained) await rememberSigned(id, key, digest);
  const sent = await call("POST", `/v1/${paths[stream]}/${encodeURIComponent(id)}/${verb}`, { statement: base64(utf8(envelope)), ...(openings.length ? { openings } : {}) },
    { idempotencyKey: newIdempotencyKey(), timeoutSeconds: 60 });
  if (chained && sent.ok) await rememberSent(id, key, digest);
  if (chained && !sent.ok && sent.status >= 400 && sent.status < 500) await forgetSigned(id, key); // refused: it is in no chain
  if (!sent.ok) throw new Fault(sent.body.code, sent.body.zh, sent.body.en);
  return digest;
}
