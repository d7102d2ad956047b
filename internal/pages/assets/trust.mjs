// The trust list on the phone: that the badge's issuer stands on it, signed by the key that the page was given for it.
// What people need at a door, no more: licences, areas and the other entries are the server's and every judge's to check.
import { fromBase64, hex, sha256, utf8 } from "./bytes.mjs";
import { canonical, isTime, pae, payloadType, thumbprint, verifierOf } from "./statement.mjs";
import { parse } from "./strict.mjs";

const leewaySeconds = 5;
const longestSeconds = 31 * 86400;
const maxBytes = 1 << 20;

const envelopeShape = { payloadType: "string", payload: "string", signatures: [{ keyid: "string", sig: "string" }] };
const payloadShape = (body) => ({ _type: "string", subject: [{ name: "string", digest: { sha256: "string" } }], predicateType: "string",
  predicate: { signer: "string", organisation: "string", role: "string", key: "string", at: "string", previous: "string", answers: "string", body } });
const keyShape = { kind: "string", x: "string", y: "string", "rp_id?": "string", "origins?": ["string"] };
const listShape = { number: "integer", issued_at: "string", next_at: "string", source: "string", organisations: [{ id: "string", name: "string", kinds: ["string"],
  "licence?": { number: "string", business: ["string"], regions: ["string"], from: "string", until: "string" },
  "filing?": { number: "string", from: "string", until: "string" }, "struck?": { at: "string", reason: "string" }, key: keyShape, "badge_key?": keyShape }] };

class Refusal extends Error {
  constructor(code) { super(code); this.code = code; }
}
const refuse = (code) => { throw new Refusal(code); };
function attempt(code, work) { try { return work(); } catch { return refuse(code); } }

const secondsOf = (time) => isTime(time) ? Date.parse(time) / 1000 : refuse("trust_list_window");

/**
 * Checks a trust list and finds one organisation on it.
 * @param {string} envelope the DSSE envelope's text
 * @param {object} key es256: the trust-list key, from whoever the page trusts for it; never out of the list or the package
 * @param {{id: string, kind: string, now: number}} want now: Unix seconds
 * @returns {Promise<{ok: boolean, code: string, number?: number, issued_at?: number, next_at?: number, name?: string, key?: object, badge_key?: object}>}
 *   codes: envelope_malformed, statement_malformed, signer_key_differs, signature_wrong, statement_type_differs, trust_list_*, organisation_*
 */
export async function verifyTrustList(envelope, key, want) {
  try { return { ok: true, code: "", ...await read(envelope, key, want) }; } catch (e) {
    if (e instanceof Refusal) return { ok: false, code: e.code };
    throw e;
  }
}

/**
 * Whether the issuer that an order package names is the one that the trust list holds: "" or why not.
 * @param {object} pack the order package
 * @param {object} [key] the trust-list key, undefined on a phone that was never told one
 * @param {number} now Unix seconds
 * @returns {Promise<string>} a code of verifyTrustList, issuer_key_differs or trust_list_key_unknown
 */
export async function checkIssuer(pack, key, now) {
  if (!key) return "trust_list_key_unknown";
  let envelope;
  try { envelope = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(fromBase64(pack.trust_list.envelope)); } catch { return "envelope_malformed"; }
  const found = await verifyTrustList(envelope, key, { id: pack.issuer.organisation, kind: "provider", now });
  if (!found.ok) return found.code;
  const same = found.badge_key.kind === pack.issuer.badge_key.kind && found.badge_key.x === pack.issuer.badge_key.x && found.badge_key.y === pack.issuer.badge_key.y;
  return same && found.name === pack.issuer.name ? "" : "issuer_key_differs";
}

async function read(envelope, key, { id, kind, now }) {
  const payload = await open(envelope, key);
  const { predicateType, predicate: { body } } = attempt("statement_malformed", () => {
    const p = parse(payload, payloadShape("any"));
    if (p.predicateType === "urn:menshen:trust_list:v1") return parse(payload, payloadShape(listShape));
    return p;
  });
  if (predicateType !== "urn:menshen:trust_list:v1") refuse("statement_type_differs");
  if (body.number < 1) refuse("trust_list_number");
  if (body.organisations.length === 0) refuse("trust_list_empty");
  const issued = secondsOf(body.issued_at), next = secondsOf(body.next_at);
  if (issued >= next) refuse("trust_list_window");
  if (next - issued > longestSeconds) refuse("trust_list_too_long");
  if (new Set(body.organisations.map((o) => o.id)).size !== body.organisations.length) refuse("trust_organisation_duplicate");
  if (now < issued - leewaySeconds) refuse("trust_list_not_yet");
  if (!(now <= next)) refuse("trust_list_stale");
  const found = body.organisations.find((o) => o.id === id) ?? refuse("organisation_not_listed");
  if (!found.kinds.includes(kind)) refuse("organisation_other_kind");
  if (found.struck && now >= secondsOf(found.struck.at)) refuse("organisation_struck");
  return { number: body.number, issued_at: issued, next_at: next, name: found.name, key: { ...found.key }, badge_key: { ...(found.badge_key ?? found.key) } };
}

// The payload's bytes, once the one signature holds (statement.Verify).
async function open(envelope, key) {
  const { e, payload, sig } = attempt("envelope_malformed", () => {
    if (utf8(envelope).length > maxBytes) throw new RangeError("size");
    const { payloadType: type, payload: text, signatures } = parse(envelope, envelopeShape);
    const [{ keyid, sig: signature }] = signatures;
    const again = canonical({ payloadType: type, payload: text, signatures: [{ keyid, sig: signature }] });
    if (type !== payloadType || again !== envelope) throw new RangeError("form"); // no signature covers the envelope: it has one form
    return { e: { keyid }, payload: fromBase64(text), sig: fromBase64(signature) };
  });
  const p = attempt("statement_malformed", () => parse(payload, payloadShape("any")));
  const [subject] = p.subject;
  const wellFormed = p._type === "https://in-toto.io/Statement/v1" && /^urn:menshen:[a-z_]{1,40}:v1$/.test(p.predicateType) && p.subject.length === 1
    && subject.digest.sha256 === hex(await sha256(utf8(subject.name))) && isTime(p.predicate.at)
    && [p.predicate.previous, p.predicate.answers].every((d) => /^([0-9a-f]{64})?$/.test(d));
  if (!wellFormed) refuse("statement_malformed");
  const thumb = await thumbprint(key);
  if (e.keyid !== thumb || p.predicate.key !== thumb) refuse("signer_key_differs");
  const imported = await verifierOf(key).catch(() => refuse("key_malformed"));
  if (key.kind !== "es256" || sig.length !== 64 || !await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, imported, sig, pae(payloadType, payload))) refuse("signature_wrong");
  return payload;
}
