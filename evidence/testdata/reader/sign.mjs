// Signatures: DSSE envelopes with es256 and passkeys, the badge and its key binding, the status list, a device's proof.
// docs/formats.md#statement, #badge, #device.
import { X509Certificate, createPublicKey, verify } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { demand, parse, text } from './strict.mjs';
import { base64, digest, sha256 } from './log.mjs';

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

export function thumbprint({ x, y }) {
  return sha256(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`).toString('base64url');
}

// point gives the key object of a P-256 point; one that is not on the curve refuses.
export function point({ x, y }, where) {
  for (const part of [x, y]) demand(base64(part, where, 'base64url').length === 32, where, 'no coordinate');
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  } catch {
    return demand(false, where, 'not a point of P-256');
  }
}

const raw = (key, message, signature) => signature.length === 64 && verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);

export function lowS(signature) {
  return signature.length === 64 && BigInt(`0x${signature.subarray(32).toString('hex')}`) <= ORDER / 2n;
}

// key demands what formats.md says of a key: kinds, and what a passkey has besides.
export function checkKey(key, where) {
  point(key, where);
  if (key.kind === 'es256') {
    demand(key.rp_id === undefined && key.origins === undefined, where, 'a plain key has no site');
    return;
  }
  demand(key.kind === 'webauthn', where, 'unknown kind of key');
  demand(key.rp_id && key.origins?.length >= 1 && key.origins.length <= 8, where, 'a passkey has a site and origins');
  for (const origin of key.origins) {
    demand(/^https:\/\/[^/\s]+$|^http:\/\/localhost(:\d+)?$/.test(origin), where, 'no origin');
  }
}

// open reads an envelope without judging its signature.
export function open(forms, bytes, where) {
  const envelope = forms.canonical(bytes, 'Envelope', `${where}.envelope`);
  demand(envelope.payloadType === PAYLOAD_TYPE && envelope.signatures.length === 1, where, 'no envelope of ours');
  const payload = base64(envelope.payload, where);
  const value = parse(payload, `${where}.payload`);
  const { subject, predicateType, predicate, _type } = forms.read(value, 'Payload', `${where}.payload`);
  demand(_type === 'https://in-toto.io/Statement/v1' && subject.length === 1, where, 'no statement');
  const stream = subject[0].name;
  demand(subject[0].digest.sha256 === digest(stream), where, 'digest of the subject');
  const type = /^urn:menshen:([a-z_]+):v1$/.exec(predicateType)?.[1];
  demand(type, where, 'no type');
  demand(predicate.key === envelope.signatures[0].keyid, where, 'keyid is not the key in the payload');
  const body = forms.read(predicate.body, type, `${where}.body`, { bare: true });
  const pae = Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload]);
  return { ...predicate, digest: digest(bytes), stream, type, body, payload, pae, signature: base64(envelope.signatures[0].sig, where), where };
}

// signed demands that key made the statement's signature.
export function signed(forms, statement, key) {
  const { pae, signature, where } = statement;
  demand(thumbprint(key) === statement.key, where, 'another key');
  const object = point(key, where);
  if (key.kind === 'es256') {
    demand(raw(object, pae, signature), where, 'signature is wrong');
    return;
  }
  const assertion = forms.canonical(signature, 'Assertion', `${where}.assertion`);
  const authenticator = base64(assertion.authenticatorData, where);
  const client = base64(assertion.clientDataJSON, where);
  demand(authenticator.length >= 37 && authenticator.length <= 1024, where, 'authenticator data');
  demand(authenticator.subarray(0, 32).equals(sha256(key.rp_id)), where, 'another site’s passkey');
  demand((authenticator[32] & 0x05) === 0x05, where, 'user not present or not verified');
  let said;
  try {
    said = JSON.parse(text(client, where));
  } catch {
    demand(false, where, 'client data');
  }
  demand(said.type === 'webauthn.get' && key.origins.includes(said.origin), where, 'type or origin');
  demand(said.crossOrigin !== true && said.topOrigin === undefined, where, 'in a frame of another site');
  demand(said.challenge === sha256('menshen-sign-v1', pae).toString('base64url'), where, 'another challenge');
  const message = Buffer.concat([authenticator, sha256(client)]);
  demand(verify('sha256', message, object, base64(assertion.signature, where)), where, 'signature is wrong');
}

function token(forms, compact, headings, key, where) {
  const parts = compact.split('.');
  demand(parts.length === 3, where, 'no token');
  const [header, claims, signature] = parts.map((part) => base64(part, where, 'base64url'));
  const head = parse(header, where);
  demand(!head.has('kid') || head.get('kid') === thumbprint(key), where, 'kid');
  head.delete('kid');
  const { alg, typ } = forms.read(head, headings[0], `${where}.header`);
  demand(alg === 'ES256', where, 'algorithm');
  demand(raw(point(key, where), Buffer.from(`${parts[0]}.${parts[1]}`), signature), where, 'signature is wrong');
  return { typ, claims: parse(claims, where), read(value) { return forms.read(value, headings[1], where); } };
}

// presentation verifies badge and key binding. docs/door.md#badge gives the order of its checks.
export function presentation(forms, source, issuer, where) {
  demand(Buffer.byteLength(source) <= 1800, where, 'too large');
  const end = source.lastIndexOf('~');
  const [issued, ...disclosures] = source.slice(0, Math.max(end, 0)).split('~');
  demand(end > 0 && disclosures.length === 1, where, 'one badge and one disclosure');
  const badge = token(forms, issued, ['Badge header', 'Badge claims'], issuer.badge_key ?? issuer.key, `${where}.badge`);
  demand(badge.typ === 'dc+sd-jwt', where, 'type of badge');
  for (const [name, only] of [['_sd_alg', 'sha-256']]) {
    demand(!badge.claims.has(name) || badge.claims.get(name) === only, where, name);
    badge.claims.delete(name);
  }
  const nbf = badge.claims.get('nbf');
  badge.claims.delete('nbf');
  const claims = badge.read(badge.claims);
  demand(claims.iss === issuer.id && claims.vct === 'urn:menshen:badge:v1', where, 'issuer or type');
  demand(claims.exp > claims.iat && claims.exp - claims.iat <= 24 * 3600, where, 'longer than a day');
  demand(nbf === undefined || (nbf >= claims.iat && nbf < claims.exp), where, 'nbf');
  demand(claims.cnf.jwk.kty === 'EC' && claims.cnf.jwk.crv === 'P-256', where, 'holder’s key');
  demand(claims._sd.length === 1 && claims._sd[0] === sha256(disclosures[0]).toString('base64url'), where, 'disclosure');
  const disclosed = parse(base64(disclosures[0], where, 'base64url'), where);
  demand(Array.isArray(disclosed) && disclosed.length === 3 && disclosed[1] === 'person' && disclosed[2]?.length === 3, where, 'person');
  const [staff, name, photo] = disclosed[2];
  demand(typeof staff === 'string' && typeof disclosed[0] === 'string', where, 'staff number or salt');
  const commitment = (part) => {
    const bytes = base64(part, where, 'base64url');
    demand(bytes.length === 32, where, 'commitment');
    return bytes.toString('hex');
  };
  const holder = claims.cnf.jwk;
  const binding = token(forms, source.slice(end + 1), ['Key binding header', 'Key binding claims'], holder, `${where}.binding`);
  demand(binding.typ === 'kb+jwt', where, 'type of binding');
  const bound = binding.read(binding.claims);
  demand(bound.sd_hash === sha256(source.slice(0, end + 1)).toString('base64url'), where, 'sd_hash');
  return { issued: digest(source.slice(0, end + 1)), claims, from: nbf ?? claims.iat, holder: thumbprint(holder), name: commitment(name),
    photo: commitment(photo), position: commitment(bound.position), binding: bound };
}

// committed are the commitments in a presentation, whatever it is worth.
export function committed(source) {
  const bytes = (part) => Buffer.from(part, 'base64url');
  const read = (part, pick) => {
    try {
      return pick(JSON.parse(bytes(part))).map((value) => bytes(value).toString('hex'));
    } catch {
      return [];
    }
  };
  const parts = source.split('~');
  return [...read(parts.at(-1).split('.')[1] ?? '', ({ position }) => [position]), ...read(parts[1] ?? '', ([, , person]) => person.slice(1))];
}

// statusList verifies a status token and gives a reader of one place.
export function statusList(forms, compact, issuer, where) {
  const list = token(forms, compact, ['Status token header', 'Status token claims'], issuer.badge_key ?? issuer.key, where);
  demand(list.typ === 'statuslist+jwt', where, 'type of status list');
  const claims = list.read(list.claims);
  const { bits, lst } = claims.status_list;
  demand([1, 2, 4, 8].includes(bits), where, 'bits');
  demand(claims.exp > claims.iat && claims.exp - claims.iat <= 24 * 3600 && claims.ttl > 0, where, 'period');
  const packed = base64(lst, where, 'base64url');
  let inflated;
  try {
    inflated = inflateSync(packed, { info: true, maxOutputLength: 1 << 20 });
  } catch {
    demand(false, where, 'compression');
  }
  demand(inflated.engine.bytesWritten === packed.length, where, 'bytes after the list');
  const array = inflated.buffer;
  return {
    claims,
    until: Math.min(claims.exp, claims.iat + claims.ttl),
    at(index) {
      demand(index >= 0 && index * bits < array.length * 8, where, 'not in the list');
      return (array[Math.floor((index * bits) / 8)] >> ((index * bits) % 8)) & ((1 << bits) - 1);
    },
  };
}

// deviceProof verifies chain and quote of an attestation and gives quote and thumbprint of the device's key.
export function deviceProof(forms, bytes, trust, maker, serial, now, where) {
  demand(bytes.length <= 32 << 10, where, 'too large');
  const proof = forms.canonical(bytes, 'X509 proof', where);
  demand(proof.chain.length >= 1 && proof.chain.length <= 5, where, 'chain');
  const certificates = (list) => list.map((spelling) => {
    const der = base64(spelling, where);
    try {
      const certificate = new X509Certificate(der);
      return certificate.raw.equals(der) ? certificate : demand(false, where, 'not DER');
    } catch (error) {
      return demand(false, where, `certificate: ${error.message}`);
    }
  });
  const chain = certificates(proof.chain);
  const own = trust.device_roots.filter((root) => root.maker === maker);
  const roots = certificates(own.map(({ certificate }) => certificate)).map((certificate, place) => ({ ...own[place], certificate }));
  const top = chain.at(-1);
  const root = roots.find(({ certificate }) => top.checkIssued(certificate) && top.verify(certificate.publicKey));
  demand(root && (!root.demonstration || trust.demonstration), where, 'no root of the trust file');
  for (const [place, certificate] of [...chain, root.certificate].entries()) {
    demand(Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo), where, 'certificate out of date');
    if (place > 0) demand(certificate.ca, where, 'issuer is no authority');
    if (place + 1 < chain.length) demand(certificate.checkIssued(chain[place + 1]) && certificate.verify(chain[place + 1].publicKey), where, 'chain');
    const number = certificate.serialNumber.toLowerCase().replace(/^0+/, '');
    const spki = digest(certificate.publicKey.export({ format: 'der', type: 'spki' }));
    demand(!trust.revocations.serials.includes(number) && !trust.revocations.keys.includes(spki), where, 'revoked');
  }
  demand(Date.parse(trust.revocations.issued_at) <= now && now < Date.parse(trust.revocations.next_at), where, 'revocations past their date');
  const serials = chain[0].subject.split('\n').filter((line) => line.startsWith('serialNumber='));
  demand(serials.length === 1 && serials[0] === `serialNumber=${serial}`, where, 'serial in the certificate');
  const jwk = chain[0].publicKey.export({ format: 'jwk' });
  demand(jwk.crv === 'P-256', where, 'device’s key');
  const quoted = base64(proof.quote, where);
  const quote = forms.canonical(quoted, 'Quote', `${where}.quote`);
  const message = Buffer.concat([Buffer.from('menshen-device-quote-v1'), quoted]);
  demand(raw(point(jwk, where), message, base64(proof.signature, where)), where, 'quote’s signature is wrong');
  return { quote, key: thumbprint(jwk) };
}
