// Whether an order is genuine, for the technician: somebody who stands on the trust list booked it, and his own employer
// sent him. Every link is a signature that this phone checks by itself: trust list → organisation's key → enrolment →
// order or dispatch. The server's word is not enough: it could send a technician to open a shop to a thief.
import { concat, equal, fromBase64, fromBase64url, hex, sha256, utf8 } from "./bytes.mjs";
import { assertionChallenge, canonical, digestHex, isTime, pae, payloadType, thumbprint, verifierOf } from "./statement.mjs";
import { parse } from "./strict.mjs";
import { verifyTrustList } from "./trust.mjs";

const maxBytes = 1 << 20;

const envelopeShape = { payloadType: "string", payload: "string", signatures: [{ keyid: "string", sig: "string" }] };
const statementShape = { _type: "string", subject: [{ name: "string", digest: { sha256: "string" } }], predicateType: "string",
  predicate: { signer: "string", organisation: "string", role: "string", key: "string", at: "string", previous: "string", answers: "string", body: "any" } };
const assertionShape = { authenticatorData: "string", clientDataJSON: "string", signature: "string" };

class Refusal extends Error {
  constructor(code) { super(code); this.code = code; }
}
const refuse = (code) => { throw new Refusal(code); };
function attempt(code, work) { try { return work(); } catch (e) { if (e instanceof Refusal) throw e; return refuse(code); } }

/**
 * Checks an order package from the trust list down.
 * @param {object} pack as GET /v1/visits/{id}/package answers
 * @param {object} trustKey es256: what signs trust lists, as it was told when this phone was enrolled; never out of the package
 * @param {{visit: string, technician: string, now: number}} want whose visit it must be; Unix seconds
 * @returns {Promise<{ok: boolean, code: string, link: ""|"list"|"order"|"dispatch", acquirer?: string, provider?: string, list?: number}>}
 *   acquirer, provider: names as the trust list has them; link: where it broke
 */
export async function verifyOrder(pack, trustKey, want) {
  let link = "list";
  try {
    const list = attempt("envelope_malformed", () => text(pack.trust_list.envelope));
    const onList = async (id, kind) => {
      const found = await verifyTrustList(list, trustKey, { id, kind, now: want.now });
      if (!found.ok && !found.code.startsWith("organisation_")) link = "list"; // the list itself is wrong
      return found.ok ? found : refuse(found.code);
    };
    if (!trustKey?.kind) refuse("trust_list_key_unknown");
    link = "order";
    const order = await open(pack.order_papers?.order);
    if (order.type !== "order" || order.header.role !== "approver") refuse("statement_type_differs");
    const { acquirer: acquirerID, provider: providerID } = order.body;
    const acquirer = await onList(String(acquirerID), "acquirer");
    await vouched(order, pack.order_papers.order_key, acquirer.key, acquirerID);
    if (order.header.organisation !== acquirerID || order.body.order !== pack.order || order.body.kind !== pack.kind || order.subject !== `order/${pack.order}`) refuse("order_differs");
    link = "dispatch";
    const provider = await onList(String(providerID), "provider");
    const dispatch = await open(pack.dispatch?.envelope);
    if (dispatch.type !== "dispatch" || dispatch.header.role !== "dispatcher") refuse("statement_type_differs");
    await vouched(dispatch, pack.order_papers.dispatch_key, provider.key, providerID);
    if (dispatch.header.organisation !== providerID || dispatch.subject !== `visit/${want.visit}` || dispatch.body.visit !== want.visit) refuse("dispatch_differs");
    if (dispatch.body.technician !== want.technician) refuse("dispatch_of_another");
    await shopFits(pack, dispatch.body);
    return { ok: true, code: "", link: "", acquirer: acquirer.name, provider: provider.name, list: acquirer.number };
  } catch (e) {
    if (e instanceof Refusal) return { ok: false, code: e.code, link };
    throw e;
  }
}

// The address that the phone shows must be the one that the dispatcher signed.
async function shopFits({ openings }, { shop }) {
  const o = openings?.shop;
  if (!o) return; // erased: nothing is shown either
  const salt = attempt("opening_malformed", () => fromBase64(o.salt));
  if (hex(await sha256(concat(utf8(o.kind), new Uint8Array(1), salt, utf8(o.value)))) !== shop) refuse("opening_stray");
}

const text = (encoded) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(fromBase64(encoded));

// Reads a statement without believing it yet.
async function open(encoded) {
  const envelope = attempt("envelope_malformed", () => text(encoded));
  const { keyid, sig, payload } = attempt("envelope_malformed", () => {
    if (utf8(envelope).length > maxBytes) throw new RangeError("size");
    const e = parse(envelope, envelopeShape);
    const [signature] = e.signatures;
    if (e.payloadType !== payloadType || canonical({ payloadType: e.payloadType, payload: e.payload, signatures: [{ keyid: signature.keyid, sig: signature.sig }] }) !== envelope) throw new RangeError("form");
    return { keyid: signature.keyid, sig: fromBase64(signature.sig), payload: fromBase64(e.payload) };
  });
  const p = attempt("statement_malformed", () => parse(payload, statementShape));
  const [, type] = /^urn:menshen:([a-z_]{1,40}):v1$/.exec(p.predicateType) ?? refuse("statement_malformed");
  const { body, ...header } = p.predicate;
  if (p._type !== "https://in-toto.io/Statement/v1" || p.subject.length !== 1 || p.subject[0].digest.sha256 !== await digestHex(utf8(p.subject[0].name)) || !isTime(header.at)) refuse("statement_malformed");
  return { type, subject: p.subject[0].name, header, body, keyid, sig, message: pae(payloadType, payload) };
}

// The signer's key is the one that his organisation enrolled for him, at the time of signing, and it signed.
async function vouched(statement, enrolment, organisationKey, organisation) {
  const e = await open(enrolment);
  if (e.type !== "enrolment" || e.header.organisation !== organisation) refuse("signer_not_enrolled");
  await signed(e, organisationKey);
  const { holder, organisation: of, role, key, from, until } = e.body ?? {};
  const { signer, organisation: as, role: acts, at } = statement.header;
  if (holder !== signer || of !== as || of !== organisation || role !== acts) refuse("signer_not_enrolled");
  if (!isTime(String(from)) || !isTime(String(until)) || at < from || at >= until) refuse("enrolment_lapsed"); // one spelling: text compares as time does
  await signed(statement, key);
}

async function signed({ header, keyid, sig, message }, key) {
  const thumb = await thumbprint(key);
  if (keyid !== thumb || header.key !== thumb) refuse("signer_key_differs");
  const imported = await verifierOf(key).catch(() => refuse("key_malformed"));
  const [raw, over] = key.kind === "webauthn" ? await assertion(key, sig, message) : [sig, message];
  if (!["es256", "webauthn"].includes(key.kind) || raw.length !== 64 || !await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, imported, raw, over)) refuse("signature_wrong");
}

// A passkey's signature under a statement (WebAuthn Level 3 §7.2, as Go's statement.verifyAssertion).
async function assertion(key, sig, message) {
  const { auth, client, der, c } = attempt("assertion_malformed", () => {
    const source = new TextDecoder("utf-8", { fatal: true }).decode(sig);
    const a = parse(source, assertionShape);
    if (canonical({ authenticatorData: a.authenticatorData, clientDataJSON: a.clientDataJSON, signature: a.signature }) !== source) throw new RangeError("form");
    const bytes = fromBase64(a.clientDataJSON);
    return { auth: fromBase64(a.authenticatorData), client: bytes, der: fromBase64(a.signature), c: parse(bytes, "any") };
  });
  if (c.type !== "webauthn.get") refuse("assertion_type");
  if (auth.length < 37 || !equal(attempt("assertion_other_purpose", () => fromBase64url(c.challenge)), await assertionChallenge(message))) refuse("assertion_other_purpose");
  if (!key.origins?.includes(c.origin) || c.crossOrigin === true || (c.topOrigin ?? "") !== "") refuse("assertion_origin");
  if (!equal(auth.slice(0, 32), await sha256(utf8(key.rp_id)))) refuse("assertion_origin");
  if ((auth[32] & 0x05) !== 0x05) refuse("assertion_user_absent");
  return [attempt("signature_wrong", () => fromDER(der)), concat(auth, await sha256(client))];
}

// ASN.1 DER of two integers, as 64 bytes r‖s.
function fromDER(der) {
  let at = 0;
  const take = (tag) => {
    if (der[at] !== tag || der[at + 1] > 127) throw new RangeError("der");
    const part = der.subarray(at + 2, at + 2 + der[at + 1]);
    if (part.length !== der[at + 1]) throw new RangeError("der");
    at += 2 + part.length;
    return part;
  };
  const both = take(0x30);
  if (at !== der.length) throw new RangeError("der");
  at = der.length - both.length;
  const number = () => {
    const n = take(0x02);
    if (n.length === 0 || n[0] > 127 || (n[0] === 0 && n.length > 1 && n[1] < 128)) throw new RangeError("der");
    const bare = n[0] === 0 ? n.subarray(1) : n;
    if (bare.length > 32) throw new RangeError("der");
    return concat(new Uint8Array(32 - bare.length), bare);
  };
  const out = concat(number(), number());
  if (at !== der.length) throw new RangeError("der");
  return out;
}
