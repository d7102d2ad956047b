// Signed statements, byte for byte as Go's package statement makes them (docs/formats.md, decisions/0001).
import { base64, base64url, concat, fromBase64, fromBase64url, hex, random, sha256, utf8 } from "./bytes.mjs";
import { Fault } from "./fault.mjs";

/** What in-toto Statement v1 fixes. */
export const payloadType = "application/vnd.in-toto+json";
const statementType = "https://in-toto.io/Statement/v1";
const maxBytes = 1 << 20; // one envelope or statement
const maxDepth = 24;

const fault = {
  time: () => new Fault("time_malformed", "时间要写成 2026-11-22T12:00:00Z 这样。", "Times are written like 2026-11-22T12:00:00Z, UTC, whole seconds."),
  opening: () => new Fault("opening_malformed", "承诺的原文格式不对。", "The opening of a commitment is malformed."),
  payload: () => new Fault("statement_malformed", "签名文件的内容格式不对。", "The statement inside the envelope is malformed."),
  previous: () => new Fault("chain_reference_malformed", "前一份文件的编号格式不对。", "A reference to another statement is not a digest."),
  type: () => new Fault("json_wrong_type", "字段的类型不对。", "A value has the wrong type."),
  integer: () => new Fault("json_not_integer", "数字只能是整数。", "Numbers must be plain integers."),
  encoding: () => new Fault("json_encoding", "文字编码不是 UTF-8。", "The text is not valid UTF-8."),
  deep: () => new Fault("json_too_deep", "数据嵌套太深。", "The data is nested too deeply."),
  large: () => new Fault("json_too_large", "数据太大了。", "The data is over the size bound."),
  key: () => new Fault("key_malformed", "公钥格式不对。", "The public key is malformed."),
  kind: () => new Fault("key_kind_unknown", "不认识的密钥种类。", "This kind of key is not known."),
};

/** The hex SHA-256 that statements name bytes by. @param {Uint8Array} bytes @returns {Promise<string>} */
export const digestHex = async (bytes) => hex(await sha256(bytes));

// isWellFormed of ES2024 is younger than some of the phones.
const wellFormed = (text) => !/\p{Surrogate}/u.test(text);
const isDigest = (text) => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
const isKind = (text) => typeof text === "string" && /^[a-z_]{1,40}$/.test(text);

/** A moment as signed bytes write it: UTC, cut to whole seconds. @param {Date} moment */
export function timeForm(moment) {
  if (!(moment instanceof Date) || Number.isNaN(moment.getTime())) throw fault.time();
  const text = moment.toISOString().replace(/\.\d{3}Z$/, "Z");
  if (text.length !== 20) throw fault.time(); // a year that does not have four digits
  return text;
}

/** Whether a text is a moment in that one form. @param {string} text */
export function isTime(text) {
  const moment = new Date(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? text : NaN);
  return !Number.isNaN(moment.getTime()) && timeForm(moment) === text; // the 30th of February is no time
}

/**
 * Hides a personal value in signed bytes: hex SHA-256(kind ‖ 0x00 ‖ salt ‖ value), with a fresh 128-bit salt.
 * @param {string} kind a-z and _, at most 40
 * @param {string} value
 * @returns {Promise<{commitment: string, opening: {kind: string, salt: string, value: string}}>}
 */
export async function commit(kind, value) {
  const opening = { kind, salt: base64(random(16)), value };
  return { commitment: await commitmentOf(opening), opening };
}

/** The commitment that an opening opens. @param {{kind: string, salt: string, value: string}} opening @returns {Promise<string>} hex */
export async function commitmentOf({ kind, salt, value }) {
  if (!isKind(kind) || typeof value !== "string" || !wellFormed(value)) throw fault.opening();
  return hex(await sha256(concat(utf8(kind), new Uint8Array(1), fromBase64(salt), utf8(value))));
}

/**
 * RFC 7638 over the P-256 point; kind and origins are not part of it.
 * @param {{x: string, y: string}} key base64url, 32 bytes each
 * @returns {Promise<string>} base64url
 */
export const thumbprint = async (key) => base64url(await sha256(utf8(`{"crv":"P-256","kty":"EC","x":"${key.x}","y":"${key.y}"}`)));

/**
 * The key that verifies ES256 signatures; it rejects for what is no point of the curve.
 * @param {{x: string, y: string}} key base64url, 32 bytes each
 * @returns {Promise<CryptoKey>}
 */
export async function verifierOf({ x, y }) {
  const point = [x, y].map(fromBase64url);
  if (point.some((part) => part.length !== 32)) throw fault.key(); // 31 and 33 bytes are a point too, when they are laid together
  return crypto.subtle.importKey("raw", concat(Uint8Array.of(4), ...point), { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
}

/** Refuses what Go's Key.Public refuses by form; the curve's equation is checked by whoever imports the point. */
export function checkKey(key) {
  if (key?.kind !== "es256" && key?.kind !== "webauthn") throw fault.kind();
  if (fromBase64url(key.x).length !== 32 || fromBase64url(key.y).length !== 32) throw fault.key();
  const bound = key.rp_id !== undefined || key.origins !== undefined;
  if (key.kind === "es256" ? bound : !key.rp_id || !Array.isArray(key.origins) || key.origins.length < 1 || key.origins.length > 8) throw fault.key();
}

/**
 * The one form of a value: compact JSON, members in the order given, nothing escaped that Go's encoder leaves.
 * @param {unknown} value objects, arrays, strings, integers, booleans
 * @returns {string}
 * @throws {Fault} for null, undefined, fractions, unsafe integers, broken surrogates, U+FFFD, too deep
 */
export function canonical(value) {
  check(value, 0);
  // Go escapes these two for JavaScript's sake; JavaScript itself does not.
  return JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

function check(value, depth) {
  if (depth > maxDepth) throw fault.deep();
  switch (typeof value) {
    case "boolean": return;
    case "string": if (!wellFormed(value) || value.includes("\ufffd")) throw fault.encoding(); return;
    case "number": if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw fault.integer(); return;
    case "object": break;
    default: throw fault.type();
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) check(value[i], depth + 1); // a hole reads as undefined
  } else if (value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value)) && typeof value.toJSON !== "function") {
    for (const [name, member] of Object.entries(value)) { check(name, depth); check(member, depth + 1); }
  } else throw fault.type();
}

/**
 * The bytes that are signed.
 * @param {{type: string, subject: string, signer: string, organisation: string, role: string, key: string, at: string,
 *   previous: string, answers: string, body: object}} s key is the thumbprint; previous and answers may be ""
 * @returns {Promise<Uint8Array>}
 */
export async function canonicalPayload({ type, subject, signer, organisation, role, key, at, previous, answers, body }) {
  if (!isKind(type)) throw fault.payload();
  if (!isTime(at)) throw fault.time();
  for (const reference of [previous, answers]) if (reference !== "" && !isDigest(reference)) throw fault.previous();
  for (const text of [subject, signer, organisation, role, key]) if (typeof text !== "string") throw fault.type();
  const bytes = utf8(canonical({
    _type: statementType,
    subject: [{ name: subject, digest: { sha256: await digestHex(utf8(subject)) } }],
    predicateType: `urn:menshen:${type}:v1`,
    predicate: { signer, organisation, role, key, at, previous, answers, body },
  }));
  if (bytes.length > maxBytes) throw fault.large();
  return bytes;
}

/** DSSE's pre-authentication encoding: what a signature is made over. @param {string} type @param {Uint8Array} bytes */
export const pae = (type, bytes) => concat(utf8(`DSSEv1 ${utf8(type).length} ${type} ${bytes.length} `), bytes);

/** What a passkey signs for a statement: SHA-256("menshen-sign-v1" ‖ PAE). @param {Uint8Array} message the PAE */
export const assertionChallenge = (message) => sha256(concat(utf8("menshen-sign-v1"), message));

/** A passkey's answer as a DSSE sig holds it. @param {ArrayBuffer} authenticatorData @param {ArrayBuffer} clientDataJSON @param {ArrayBuffer} signature DER */
export const assertionBytes = (authenticatorData, clientDataJSON, signature) => utf8(canonical({
  authenticatorData: base64(new Uint8Array(authenticatorData)),
  clientDataJSON: base64(new Uint8Array(clientDataJSON)),
  signature: base64(new Uint8Array(signature)),
}));

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n; // of P-256

/**
 * Signs with a plain key: 64 bytes r‖s with low s, so that its signer never offers two forms.
 * @param {CryptoKey} key ECDSA, P-256
 * @param {Uint8Array} message
 * @returns {Promise<Uint8Array>}
 */
export async function signES256(key, message) {
  const sig = new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, message));
  const s = BigInt("0x" + hex(sig.subarray(32)));
  if (s > order / 2n) {
    const low = (order - s).toString(16).padStart(64, "0");
    for (let i = 0; i < 32; i++) sig[32 + i] = parseInt(low.slice(2 * i, 2 * i + 2), 16);
  }
  return sig;
}

/**
 * Signs a statement.
 * @param {{key: object, sign: (pae: Uint8Array) => Promise<Uint8Array>}} signer from keys.mjs
 * @param {{type: string, subject: string, signer: string, organisation: string, role: string, at: string, previous: string,
 *   answers: string, body: object}} unsigned as canonicalPayload takes it, without key
 * @returns {Promise<{envelope: string, digest: string}>} the DSSE envelope's text (all ASCII) and its hex SHA-256
 */
export async function sign(signer, unsigned) {
  checkKey(signer.key);
  const keyid = await thumbprint(signer.key);
  const payload = await canonicalPayload({ ...unsigned, key: keyid });
  const sig = await signer.sign(pae(payloadType, payload));
  const envelope = canonical({ payloadType, payload: base64(payload), signatures: [{ keyid, sig: base64(sig) }] });
  if (envelope.length > maxBytes) throw fault.large();
  return { envelope, digest: await digestHex(utf8(envelope)) };
}
