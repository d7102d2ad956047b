// A phone's key gets enrolled with a one-time code that menshen never sees (docs/formats.md, one-time codes).
import { call } from "./api.mjs";
import { base64, concat, random, sha256, utf8 } from "./bytes.mjs";
import { Fault } from "./fault.mjs";
import { signerPublicKey } from "./keys.mjs";
import { canonical, sign, timeForm } from "./statement.mjs";

const alphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
const rounds = 100_000;
const mistyped = () => new Fault("code_mistyped", "开通码输错了，请照着纸上再输一遍。", "The code is mistyped; type it again as it is printed.");

/**
 * Reads a code as people type it.
 * @param {string} typed
 * @returns {string} twelve characters
 * @throws {Fault} code_mistyped
 */
export function parseCode(typed) {
  if (typeof typed !== "string" || utf8(typed).length > 200) throw mistyped();
  const text = typed.replace(/[！-～]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)) // as Chinese keyboards give them
    .replace(/[ \-　–—\t]/g, "").replace(/[a-z]/g, (c) => c.toUpperCase()); // of the whole text it would make S of ſ, and two letters of ß
  const places = Array.from(text, (c) => alphabet.indexOf(c));
  if (text.length !== 12 || places.includes(-1)) throw mistyped();
  if (places[11] !== checkOf(places.slice(0, 11))) throw mistyped();
  return text;
}

const checkOf = (places) => places.reduce((n, v, i) => n + (i + 1) * v, 0) % 31;

/** A fresh code of 54 random bits. @returns {string} twelve characters */
export function newCode() {
  const places = [];
  while (places.length < 11) for (const b of random(32)) if (b < 248 && places.length < 11) places.push(b % 31); // 248 = 8 · 31: none is likelier
  return [...places, checkOf(places)].map((v) => alphabet[v]).join("");
}

/** As people read it. @param {string} code */
export const printed = (code) => code.match(/.{4}/g).join("-");

/**
 * The proof that the code's holder asks for exactly this enrolment.
 * @param {string} code from parseCode
 * @param {{organisation: string, holder: string, role: string, key: object, held_by: string}} enrolling in this order of members
 * @returns {Promise<Uint8Array>} 32 bytes
 */
export async function proofOf(code, { organisation, holder, role, key, held_by }) {
  const secret = await crypto.subtle.importKey("raw", utf8(code), "PBKDF2", false, ["deriveKey"]);
  const salt = utf8(`menshen-code-v1\0${organisation}\0${holder}\0${role}`);
  const codeKey = await crypto.subtle.deriveKey({ name: "PBKDF2", hash: "SHA-256", salt, iterations: rounds }, secret, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"]);
  const message = concat(utf8("menshen-enrol-v1\n"), utf8(canonical({ organisation, holder, role, key, held_by })));
  return new Uint8Array(await crypto.subtle.sign("HMAC", codeKey, message));
}

/** The four digits that two phones compare. @param {Uint8Array} proof */
export async function proofDigits(proof) {
  const sum = await sha256(concat(utf8("menshen-digits-v1\n"), proof));
  return String(new DataView(sum.buffer).getUint32(0) % 10000).padStart(4, "0");
}

/**
 * Asks an organisation, through menshen, to vouch for a signer's key.
 * @param {object} signer from keys.mjs
 * @param {{organisation: string, holder: string, role: string, code: string, idempotencyKey?: string}} whom code as typed
 * @returns {Promise<{digits: string, body: object}>} body: the server's answer
 * @throws {Fault} code_mistyped, or the organisation's refusal
 */
export async function enrol(signer, { organisation, holder, role, code, idempotencyKey }) {
  const text = parseCode(code);
  const enrolling = { organisation, holder, role, key: signerPublicKey(signer), held_by: "holder" };
  const proof = await proofOf(text, enrolling);
  const { envelope } = await sign(signer, { type: "enrolment_request", subject: `organisation/${organisation}`, signer: holder, organisation, role,
    at: timeForm(new Date()), previous: "", answers: "", body: { proof: base64(proof) } });
  const { ok, body } = await call("POST", "/v1/enrolments", { ...enrolling, proof: base64(proof), possession: base64(utf8(envelope)) }, { idempotencyKey, timeoutSeconds: 60 });
  if (!ok) throw new Fault(body.code, body.zh, body.en);
  return { digits: await proofDigits(proof), body };
}
