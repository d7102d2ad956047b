// The door, checked on the phone itself: docs/door.md byte for byte, with WebCrypto and nothing else. Each refusal has
// the code that Go gives; docs/examples/door holds both to the same files. Times are Unix seconds.
import { base64, base64url, concat, equal, fromBase64, fromBase64url, hex, random, sha256, utf8 } from "./bytes.mjs";
import { thumbprint, verifierOf } from "./statement.mjs";
import { parse } from "./strict.mjs";

const leewaySeconds = 5;
const answerSeconds = 90;
const readSeconds = 180;
const daySeconds = 86400;
const lastSecond = 253402300799; // 9999-12-31T23:59:59Z

// Why a check ends; caught by every function that answers with a code.
class Refusal extends Error {
  constructor(code) { super(code); this.code = code; }
}
const refuse = (code) => { throw new Refusal(code); };

// What thrown makes into a code, given where it happened.
function attempt(code, work) {
  try { return work(); } catch { return refuse(code); }
}

async function answered(work) {
  try { return { ok: true, code: "", ...await work() }; } catch (e) {
    if (e instanceof Refusal) return { ok: false, code: e.code };
    throw e;
  }
}

const visitID = /^[A-Za-z0-9._-]{1,64}$/;
const opaqueID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const isTime = (n) => n > 0 && n <= lastSecond;
const same = (a, b) => equal(utf8(a), utf8(b));
const bytesOf = (text, count) => { const raw = fromBase64url(text); if (raw.length !== count) throw new RangeError("length"); return raw; };

// --- Challenge ---

const maxChallengeBytes = 160;

/**
 * A challenge that this page makes without signal.
 * @param {{visit: string, secret: string, now: number}} c secret: base64, 32 bytes, the order's
 * @returns {Promise<{text: string, visit: string, nonce: string, asked: number, mac: string}>}
 */
export async function makeChallenge({ visit, secret, now }) {
  if (!visitID.test(visit) || !isTime(now)) throw new TypeError("visit or time");
  const nonce = base64(random(16));
  const asked = Math.floor(now);
  const mac = await macOf({ visit, nonce, asked: String(asked) }, secret);
  return { text: `MSD1~F~${visit}~${nonce}~${asked}~${mac}`, visit, nonce, asked, mac };
}

async function macOf({ visit, nonce, asked }, secret) {
  const raw = fromBase64(secret);
  if (raw.length !== 32) throw new TypeError("secret");
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(`MSD1~F~${visit}~${nonce}~${asked}`)));
  return base64url(mac.subarray(0, 16));
}

/**
 * Reads a challenge's text.
 * @param {string} text
 * @returns {{ok: boolean, code: string, visit?: string, nonce?: string, asked?: number, mac?: string}} mac: "" for one with signal.
 *   Codes: challenge_text_foreign, _cut, _malformed, _too_large
 */
export function readChallenge(text) {
  const no = (code) => ({ ok: false, code: `challenge_text_${code}` });
  if (utf8(text).length > maxChallengeBytes) return no("too_large");
  const parts = text.split("~");
  if (parts[0] !== "MSD1") return no("foreign");
  const [, kind, visit, nonce, asked, mac = ""] = parts;
  const wanted = { N: 5, F: 6 }[kind] ?? 0;
  if (parts.length < 5 || parts.length < wanted) return no("cut");
  if (parts.length !== wanted || !visitID.test(visit) || !/^(0|-?[1-9][0-9]{0,18})$/.test(asked)) return no("malformed");
  try {
    if (BigInt.asIntN(64, BigInt(asked)) !== BigInt(asked) || fromBase64(nonce).length !== 16) return no("malformed");
    if (kind === "F") bytesOf(mac, 16);
  } catch { return no("malformed"); }
  return { ok: true, code: "", visit, nonce, asked: Number(asked), mac };
}

/**
 * Whether a challenge without signal was made with this order's secret.
 * @param {{visit: string, nonce: string, asked: number, mac: string}} challenge
 * @param {string} secret base64, 32 bytes
 * @returns {Promise<string>} "", challenge_mac or challenge_mac_absent
 */
export async function checkSeal(challenge, secret) {
  if (challenge.mac === "") return "challenge_mac_absent";
  return same(await macOf({ ...challenge, asked: String(challenge.asked) }, secret), challenge.mac) ? "" : "challenge_mac";
}

// --- Digits ---

async function numberOf(text) {
  const sum = await sha256(utf8(text));
  return new DataView(sum.buffer).getUint32(0);
}

/** What both screens show after an answer. @param {string} nonce @param {string} answer hex digest of the presentation @returns {Promise<string>} */
export const twoDigits = async (nonce, answer) => String(await numberOf(`menshen-two-v1\n${nonce}\n${answer}`) % 100).padStart(2, "0");

/** What a merchant reads out where no camera works. @param {string} visit @param {string} nonce @returns {Promise<string>} */
export const sixDigits = async (visit, nonce) => String(await numberOf(`menshen-six-v1\n${visit}\n${nonce}`) % 1000000).padStart(6, "0");

// --- The answer in a QR code ---

const answerPrefix = "MSA1*";
const maxAnswerText = 1853;
const badgeHead = base64url(utf8("{\"alg\":\"ES256\",\"typ\":\"dc+sd-jwt\"}"));
const bindingHead = base64url(utf8("{\"alg\":\"ES256\",\"typ\":\"kb+jwt\"}"));
const alphabet45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const maxDisclosures = 16;

/**
 * A presentation as the text of a QR code.
 * @param {string} presentation
 * @returns {{ok: boolean, code: string, text?: string}} answer_not_packable, badge_too_large, badge_malformed
 */
export function packAnswer(presentation) {
  try {
    const { jwt, disclosures, binding } = split(presentation);
    return attempt("answer_not_packable", () => {
      const part = (text) => { const raw = fromBase64url(text); return concat(Uint8Array.of(raw.length >> 8, raw.length & 255), raw); };
      const token = (t, head) => {
        const parts = t.split(".");
        if (parts.length !== 3 || parts[0] !== head) throw new RangeError("token");
        return concat(part(parts[1]), bytesOf(parts[2], 64));
      };
      const raw = concat(token(jwt, badgeHead), Uint8Array.of(disclosures.length), ...disclosures.map(part), token(binding, bindingHead));
      const text = answerPrefix + base45(raw);
      if (disclosures.length > maxDisclosures || text.length > maxAnswerText) throw new RangeError("size");
      return { ok: true, code: "", text };
    });
  } catch (e) {
    if (e instanceof Refusal) return { ok: false, code: e.code };
    throw e;
  }
}

/**
 * The presentation behind a QR code's text, byte for byte; nothing in it is checked.
 * @param {string} text
 * @returns {{ok: boolean, code: string, presentation?: string}} answer_text_foreign, _too_large, _cut, _malformed
 */
export function unpackAnswer(text) {
  try { return { ok: true, code: "", presentation: unpack(text) }; } catch (e) {
    if (e instanceof Refusal) return { ok: false, code: e.code };
    throw e;
  }
}

function unpack(text) {
  if (!text.startsWith(answerPrefix)) refuse("answer_text_foreign");
  const chars = utf8(text);
  if (chars.length > maxAnswerText) refuse("answer_text_too_large");
  let rest = unbase45(chars.subarray(answerPrefix.length));
  const take = (n) => {
    if (rest.length < n) refuse("answer_text_cut");
    const out = rest.subarray(0, n);
    rest = rest.subarray(n);
    return out;
  };
  const part = () => { const [high, low] = take(2); return base64url(take(high * 256 + low)); };
  const token = (head) => `${head}.${part()}.${base64url(take(64))}`;
  let out = `${token(badgeHead)}~`;
  const [count] = take(1);
  if (count > maxDisclosures) refuse("answer_text_malformed");
  for (let i = 0; i < count; i++) out += `${part()}~`;
  out += token(bindingHead);
  if (rest.length !== 0) refuse("answer_text_malformed");
  return out;
}

function base45(raw) {
  let out = "";
  for (let i = 0; i < raw.length; i += 2) {
    const n = i + 1 < raw.length ? raw[i] * 256 + raw[i + 1] : raw[i];
    out += alphabet45[n % 45] + alphabet45[Math.floor(n / 45) % 45];
    if (i + 1 < raw.length) out += alphabet45[Math.floor(n / 2025)];
  }
  return out;
}

function unbase45(chars) {
  const out = [];
  for (let i = 0; i < chars.length; i += 3) {
    const group = chars.subarray(i, i + 3);
    if (group.length === 1) refuse("answer_text_cut");
    let n = 0;
    for (let j = group.length - 1; j >= 0; j--) {
      const digit = alphabet45.indexOf(String.fromCharCode(group[j]));
      if (digit < 0) refuse("answer_text_malformed");
      n = n * 45 + digit;
    }
    if (n > (group.length === 3 ? 0xffff : 0xff)) refuse("answer_text_malformed");
    if (group.length === 3) out.push(n >> 8);
    out.push(n & 255);
  }
  return Uint8Array.from(out);
}

// --- Tokens ---

const headerShape = { alg: "string", typ: "string", "kid?": "string", "jwk?": "any", "jku?": "any", "x5c?": "any", "x5u?": "any", "x5t?": "any", "x5t#S256?": "any" };
const keyNames = ["jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256", "jwks", "jwks_uri"];
const bringsKey = (claims) => keyNames.some((name) => name in claims);

async function issuerKey(key) {
  if (key?.kind !== "es256" || key.rp_id !== undefined || key.origins !== undefined) refuse("credential_issuer_key");
  try { return { key: await verifierOf(key), thumb: await thumbprint(key) }; } catch { return refuse("credential_issuer_key"); }
}

// Checks a compact JWS and gives the payload's bytes, which are not looked at before the signature holds.
async function open(token, { key, thumb }, typ, codes) {
  const parts = token.split(".");
  const [head, payload, sig] = attempt(`${codes}_malformed`, () => { if (parts.length !== 3) throw new RangeError("parts"); return parts.map(fromBase64url); });
  const h = attempt(`${codes}_malformed`, () => parse(head, headerShape));
  if (bringsKey(h)) refuse(`${codes}_self_vouched`);
  if (h.alg !== "ES256") refuse(`${codes}_algorithm`);
  if (h.typ !== typ) refuse(`${codes}_type`);
  if (h.kid !== undefined && h.kid !== thumb) refuse(`${codes}_key_other`);
  const holds = sig.length === 64 && await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, sig, utf8(`${parts[0]}.${parts[1]}`));
  if (!holds) refuse(`${codes}_signature`);
  return payload;
}

// --- Badge ---

const maxPresentationBytes = 1800;
const maxStatusIndex = (1 << 23) - 1;
const badgeType = "urn:menshen:badge:v1";
const badgeShape = { iss: "string", vct: "string", iat: "integer", "nbf?": "integer", exp: "integer",
  "cnf?": { "jwk?": { kty: "string", crv: "string", x: "string", y: "string" } },
  "status?": { "status_list?": { idx: "integer", uri: "string" } },
  "_sd_alg?": "string", _sd: ["string"], "jwk?": "any", "jwks?": "any", "jwks_uri?": "any", "x5c?": "any" };
const plainClaims = ["_sd", "...", "_sd_alg", "iss", "sub", "aud", "vct", "vct#integrity", "iat", "nbf", "exp", "jti", "cnf", "status"];

// Takes a presentation apart; whole is everything up to and with the last tilde.
function split(presentation) {
  if (utf8(presentation).length > maxPresentationBytes) refuse("badge_too_large");
  const parts = presentation.split("~");
  if (parts.length < 2) refuse("badge_malformed");
  const binding = parts.at(-1);
  return { whole: presentation.slice(0, presentation.length - binding.length), jwt: parts[0], disclosures: parts.slice(1, -1), binding };
}

async function readBadge({ whole, jwt, disclosures }, issuer, issuerID, at) {
  const vouched = await issuerKey(issuer);
  const raw = await open(jwt, vouched, "dc+sd-jwt", "badge");
  const p = attempt("badge_malformed", () => parse(raw, badgeShape));
  if (bringsKey(p)) refuse("badge_self_vouched");
  if (p.iss !== issuerID || !opaqueID.test(p.iss)) refuse("badge_issuer_other");
  if (p.vct !== badgeType) refuse("badge_credential_type");
  if (p._sd_alg !== undefined && p._sd_alg !== "sha-256") refuse("badge_digest_algorithm");
  const holder = await readHolder(p.cnf?.jwk);
  readPeriod(p, at);
  const ref = p.status?.status_list ?? refuse("badge_status_missing");
  if (ref.idx < 0 || ref.idx > maxStatusIndex || !plainURI(ref.uri)) refuse("badge_status_malformed");
  if (p._sd.length !== 1) refuse("badge_digests");
  attempt("badge_digests", () => bytesOf(p._sd[0], 32));
  const person = await readDisclosures(p._sd[0], disclosures);
  return { issuer: p.iss, issuer_key: vouched.thumb, ...person, holder: holder.key, holder_key: holder.thumb, issued_at: p.iat, expires_at: p.exp,
    status_uri: ref.uri, status_index: ref.idx, digest: hex(await sha256(utf8(whole))), verifier: holder.verifier };
}

const plainURI = (uri) => /^[!#-[\]-~]{1,100}$/.test(uri) && uri.indexOf(":") > 0;

async function readHolder(jwk) {
  if (jwk === undefined) refuse("badge_key_missing");
  if (jwk.kty !== "EC" || jwk.crv !== "P-256") refuse("badge_key_malformed");
  const key = { kind: "es256", x: jwk.x, y: jwk.y };
  try { return { key, thumb: await thumbprint(key), verifier: await verifierOf(key) }; } catch { return refuse("badge_key_malformed"); }
}

function readPeriod({ iat, exp, nbf = iat }, at) {
  if (!isTime(iat) || !isTime(exp) || !isTime(nbf) || nbf < iat || nbf >= exp) refuse("badge_window");
  if (exp - iat > daySeconds) refuse("badge_too_long");
  if (at < nbf) refuse("badge_not_yet");
  if (at >= exp) refuse("badge_expired");
}

async function readDisclosures(digest, disclosures) {
  if (disclosures.length > maxDisclosures) refuse("badge_too_large");
  let person;
  for (const [i, d] of disclosures.entries()) {
    if (disclosures.indexOf(d) < i) refuse("badge_disclosure_duplicate");
    if (base64url(await sha256(utf8(d))) !== digest) refuse("badge_disclosure_unreferenced");
    person = readDisclosure(d);
  }
  return person ?? refuse("badge_disclosure_missing");
}

function readDisclosure(encoded) {
  const [salt, name, value, ...more] = attempt("badge_disclosure_malformed", () => parse(fromBase64url(encoded), ["any"]));
  if (more.length > 0 || value === undefined || typeof salt !== "string" || typeof name !== "string") refuse("badge_disclosure_malformed");
  attempt("badge_disclosure_malformed", () => bytesOf(salt, 16));
  if (plainClaims.includes(name)) refuse("badge_claim_clash");
  if (name !== "person") refuse("badge_claim_unknown");
  if (!Array.isArray(value) || value.length !== 3 || value.some((v) => typeof v !== "string")) refuse("badge_disclosure_malformed");
  if (!opaqueID.test(value[0])) refuse("badge_claim_malformed");
  return attempt("badge_claim_malformed", () => ({ staff_number: value[0], name: hex(bytesOf(value[1], 32)), photo: hex(bytesOf(value[2], 32)) }));
}

/**
 * Checks a badge without an answer, as its holder's app does when it gets one.
 * @param {string} badge
 * @param {{issuer: object, issuer_id: string, at: number}} want issuer: the badge key that the trust list holds
 * @returns {Promise<{ok: boolean, code: string, badge?: object}>} badge_*
 */
export function verifyBadge(badge, { issuer, issuer_id: issuerID, at }) {
  return answered(async () => {
    const parts = split(badge);
    if (parts.binding !== "") refuse("badge_malformed");
    return { badge: shown(await readBadge(parts, issuer, issuerID, at)) };
  });
}

const shown = ({ verifier, ...badge }) => badge;

// --- Key binding ---

const bindingShape = { iat: "integer", aud: "string", nonce: "string", sd_hash: "string", position: "string", order: "string" };

/** Whom an answer to a visit's challenge names. @param {string} visit */
export const audienceOf = (visit) => `menshen-door/${visit}`;

/**
 * Answers a challenge with a badge. The caller has shown shop and order to the holder, and asked.
 * @param {string} badge with its last tilde
 * @param {{key: object, sign: (message: Uint8Array) => Promise<Uint8Array>}} signer the badge's page key
 * @param {{visit: string, nonce: string}} challenge
 * @param {{order: string, position: string, now: number}} answer position: hex commitment
 * @returns {Promise<{presentation: string, digest: string, digits: string}>} digest: hex; digits: the two for this screen
 */
export async function present(badge, signer, { visit, nonce }, { order, position, now }) {
  if (signer.key.kind !== "es256" || !badge.endsWith("~") || !/^[0-9a-f]{64}$/.test(position)) throw new TypeError("badge, signer or position");
  const claims = { iat: Math.floor(now), aud: audienceOf(visit), nonce, sd_hash: base64url(await sha256(utf8(badge))),
    position: base64url(Uint8Array.from(position.match(/../g), (pair) => parseInt(pair, 16))), order };
  const signed = `${bindingHead}.${base64url(utf8(JSON.stringify(claims)))}`;
  const presentation = `${badge}${signed}.${base64url(await signer.sign(utf8(signed)))}`;
  const digest = hex(await sha256(utf8(presentation)));
  return { presentation, digest, digits: await twoDigits(nonce, digest) };
}

/**
 * Checks badge and answer against what was asked. What it does not say: that the holder is the person on the photo,
 * that the badge still stands (statusOf), that the position is true.
 * @param {string} presentation
 * @param {{issuer: object, issuer_id: string, audience: string, nonce: string, order: string, asked_at: number, answered_at: number}} want
 *   nothing of it from the answer
 * @returns {Promise<{ok: boolean, code: string, badge?: object, position?: string, order?: string, nonce?: string, signed_at?: number, digest?: string}>}
 *   codes badge_* and kb_*
 */
export function verifyPresentation(presentation, want) {
  return answered(async () => {
    if (!want.issuer_id || !want.audience || !want.order || !(want.nonce?.length >= 22) || !(want.asked_at > 0)
      || !(want.answered_at >= want.asked_at - leewaySeconds)) refuse("presentation_expectation");
    const parts = split(presentation);
    if (parts.binding === "") refuse("kb_missing");
    const badge = await readBadge(parts, want.issuer, want.issuer_id, want.answered_at);
    const raw = await open(parts.binding, { key: badge.verifier, thumb: badge.holder_key }, "kb+jwt", "kb");
    const b = attempt("kb_malformed", () => parse(raw, bindingShape));
    if (b.nonce !== want.nonce) refuse("kb_nonce");
    if (b.aud !== want.audience) refuse("kb_audience");
    if (b.sd_hash !== base64url(await sha256(utf8(parts.whole)))) refuse("kb_hash");
    if (b.order !== want.order) refuse("kb_order_other");
    const position = hex(attempt("kb_position", () => bytesOf(b.position, 32)));
    checkAnswerTime(b.iat, want);
    return { badge: shown(badge), position, order: b.order, nonce: b.nonce, signed_at: b.iat, digest: hex(await sha256(utf8(presentation))) };
  });
}

function checkAnswerTime(iat, want) {
  if (!isTime(iat)) refuse("kb_malformed");
  if (iat < want.asked_at - leewaySeconds) refuse("kb_too_old");
  if (iat > want.answered_at + leewaySeconds) refuse("kb_from_future");
  if (iat > want.asked_at + answerSeconds) refuse("kb_too_late");
}

// --- Status list ---

const maxStatusTokenBytes = 512 << 10;
const maxInflatedBytes = 1 << 20;
const statusShape = { sub: "string", iat: "integer", exp: "integer", ttl: "integer", status_list: { bits: "integer", lst: "string" } };

/**
 * Checks a status list token.
 * @param {string} token
 * @param {{issuer: object, issuer_id: string, uri: string, now: number}} want
 * @returns {Promise<{ok: boolean, code: string, issuer?: string, uri?: string, issued_at?: number, until?: number, bits?: number, data?: Uint8Array}>} status_list_*
 */
export const verifyStatusList = (token, want) => answered(() => readStatusList(token, want));

async function readStatusList(token, want) {
  if (!want.issuer_id || !want.uri || !(want.now > 0)) refuse("status_list_expectation");
  if (utf8(token).length > maxStatusTokenBytes) refuse("status_list_too_large");
  const raw = await open(token, await issuerKey(want.issuer), "statuslist+jwt", "status_list");
  const { sub, iat, exp, ttl, status_list: { bits, lst } } = attempt("status_list_malformed", () => parse(raw, statusShape));
  if (sub !== want.uri || !plainURI(sub)) refuse("status_list_uri_other");
  if (!isTime(iat) || !isTime(exp) || iat >= exp || ttl <= 0) refuse("status_list_window");
  if (exp - iat > daySeconds) refuse("status_list_too_long");
  if (want.now < iat - leewaySeconds) refuse("status_list_not_yet");
  const until = Math.min(exp, iat + ttl);
  if (want.now >= until) refuse("status_list_stale");
  if (![1, 2, 4, 8].includes(bits)) refuse("status_list_bits");
  const data = await inflate(attempt("status_list_malformed", () => fromBase64url(lst)));
  return { issuer: want.issuer_id, uri: sub, issued_at: iat, until, bits, data };
}

// Undoes zlib and stops at the bound, whatever the compressed bytes promise.
async function inflate(compressed) {
  const parts = [];
  let total = 0;
  const reader = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  for (;;) {
    let step;
    try { step = await reader.read(); } catch { refuse("status_list_compression"); }
    if (step.done) break;
    total += step.value.length;
    if (total > maxInflatedBytes) {
      reader.cancel().catch(() => {}); // it is not wanted any more
      refuse("status_list_inflates_too_large");
    }
    parts.push(step.value);
  }
  const data = concat(...parts);
  // Not every engine minds bytes behind the stream: its end must be its own checksum (RFC 1950 §2.2).
  if (compressed.length < 6 || new DataView(compressed.buffer, compressed.byteOffset + compressed.length - 4).getUint32(0) !== adler32(data)) refuse("status_list_compression");
  return data;
}

function adler32(data) {
  let a = 1, b = 0;
  for (const byte of data) { a = (a + byte) % 65521; b = (b + a) % 65521; }
  return b * 65536 + a;
}

/**
 * What a list says of an index.
 * @param {{ok: boolean, bits: number, data: Uint8Array}} list from verifyStatusList
 * @param {number} index
 * @returns {string} valid, revoked, suspended, or the code: status_list_unverified, status_index_outside, status_unknown
 */
export function statusAt(list, index) {
  if (!list?.ok) return "status_list_unverified";
  const perByte = 8 / list.bits;
  if (!(index >= 0) || Math.floor(index / perByte) >= list.data.length) return "status_index_outside";
  return ["valid", "revoked", "suspended"][(list.data[Math.floor(index / perByte)] >> (index % perByte * list.bits)) & ((1 << list.bits) - 1)] ?? "status_unknown";
}

/**
 * Whether a badge stands by a list.
 * @param {object} list from verifyStatusList
 * @param {object} badge from verifyPresentation or verifyBadge
 * @returns {string} "" or the code: badge_revoked, badge_suspended, or why the list cannot say
 */
export function statusOf(list, badge) {
  if (!list?.ok) return "status_list_unverified";
  if (list.issuer !== badge.issuer) return "status_list_issuer_other";
  if (list.uri !== badge.status_uri) return "status_list_uri_other";
  const word = statusAt(list, badge.status_index);
  return { valid: "", revoked: "badge_revoked", suspended: "badge_suspended" }[word] ?? word;
}

// --- Without signal ---

/**
 * The page's judgement of an answer without signal, in the order of docs/door.md. "confirmed" says nothing of the face.
 * @param {object} pack the order package
 * @param {string} challenge the text that this page showed
 * @param {string} answer the text that was scanned
 * @param {number} now when it was read
 * @returns {Promise<{grade: "confirmed"|"weak"|"refused", code: string, badge?: object, presentation?: string, digest?: string, digits?: string,
 *   nonce?: string, asked?: number, status_list_at?: number, list_age_seconds?: number}>} code "" only when confirmed
 */
export async function judgeOffline(pack, challenge, answer, now) {
  try { return await judge(pack, challenge, answer, now); } catch (e) {
    if (e instanceof Refusal) return { grade: "refused", code: e.code };
    throw e;
  }
}

const must = (answer) => answer.ok ? answer : refuse(answer.code);

async function judge(pack, challenge, answer, now) {
  const { nonce, asked } = must(readChallenge(challenge));
  if (now < asked) refuse("offline_clock_back");
  if (now - asked > readSeconds) refuse("offline_answer_late");
  const presentation = unpack(answer);
  const who = { issuer: pack.issuer.badge_key, issuer_id: pack.issuer.organisation };
  const { badge, digest } = must(await verifyPresentation(presentation, { ...who, audience: audienceOf(pack.visit), nonce, order: pack.order, asked_at: asked, answered_at: now }));
  const old = badge.holder_key !== pack.dispatch.technician_key;
  if (old && !(badge.name === pack.dispatch.name && badge.photo === pack.dispatch.photo && badge.issued_at >= secondsOf(pack.fetched_at) - leewaySeconds)) refuse("badge_of_another");
  if (badge.name !== pack.dispatch.name) refuse("badge_name_differs");
  if (badge.photo !== pack.dispatch.photo) refuse("badge_photo_differs");
  if (old && pack.status_list.uri === "") return { grade: "weak", code: "offline_package_old", badge, presentation, digest }; // no list was out yet
  const { list, stale } = await listOf(pack.status_list, who, now);
  const stands = statusOf(list, badge);
  if (stands !== "" && !(old && stands === "status_index_outside")) refuse(stands); // a list of then may not know a badge of now
  const code = (old ? "offline_package_old" : "") || inDate(pack.trust_list.fetched_at, list.issued_at, asked) || (stale ? "status_list_stale" : "");
  return { grade: code === "" ? "confirmed" : "weak", code, badge, presentation, digest, digits: await twoDigits(nonce, digest), nonce, asked,
    status_list_at: list.issued_at, list_age_seconds: Math.max(0, now - list.issued_at) };
}

// A list past its time still counts against a badge: it is read as of its own issue.
async function listOf({ uri, token }, who, now) {
  const fresh = await verifyStatusList(token, { ...who, uri, now });
  if (fresh.code !== "status_list_stale") return { list: must(fresh), stale: false };
  const { iat } = parse(fromBase64url(token.split(".")[1]), statusShape); // its signature held
  return { list: must(await verifyStatusList(token, { ...who, uri, now: iat })), stale: true };
}

const secondsOf = (time) => Date.parse(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time) ? time : "") / 1000;

function inDate(fetchedAt, issuedAt, asked) {
  const fetched = secondsOf(fetchedAt);
  if (Number.isNaN(fetched)) return "time_malformed";
  if (asked < fetched - leewaySeconds || asked < issuedAt - leewaySeconds) return "offline_lists_ahead";
  if (asked - fetched > daySeconds) return "offline_trust_list_old";
  return asked - issuedAt > daySeconds ? "offline_status_list_old" : "";
}
