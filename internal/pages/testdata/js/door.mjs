// Answers docs/examples/door, and the code for each tampered text. door_node.mjs runs it in node, a test in Chromium.
import * as door from "../../assets/door.mjs";
import { base64url, fromBase64 } from "../../assets/bytes.mjs";
import { modules } from "../../assets/qr.mjs";
import { canonicalPayload, pae, payloadType, signES256, thumbprint, verifierOf } from "../../assets/statement.mjs";
import { verifyTrustList } from "../../assets/trust.mjs";
import { parse } from "../../assets/strict.mjs";

export async function answers({ challenge, answer, status, offline, second, mine, trust, documents, step }) {
  const out = {};
  out.read = await Promise.all(challenge.read.map(async ({ text }) => ({ text, ...door.readChallenge(text) }))
    .map(async (p) => { const c = await p; return { text: c.text, visit: c.visit, nonce: c.nonce, asked: c.asked, mac: c.mac, six_digits: await door.sixDigits(c.visit, c.nonce) }; }));
  out.challenge_refused = challenge.refused.map(({ text }) => door.readChallenge(text).code);
  out.sealed = await Promise.all(challenge.sealed.map(({ text, secret }) => door.checkSeal(door.readChallenge(text), secret)));
  out.made = (await door.makeChallenge({ visit: "v1", secret: challenge.secret, now: 1795330800.7 })).text;

  const good = await door.verifyPresentation(answer.presentation, answer.want);
  out.badge = { issuer: good.badge.issuer, staff_number: good.badge.staff_number, name: good.badge.name, photo: good.badge.photo, holder: await thumbprint(good.badge.holder),
    expires: good.badge.expires_at, status_uri: good.badge.status_uri, status_index: good.badge.status_index, position: good.position };
  out.digest = good.digest;
  out.two_digits = await door.twoDigits(answer.want.nonce, good.digest);
  out.packed = door.packAnswer(answer.presentation).text;
  out.unpacked = door.unpackAnswer(answer.text).presentation;
  out.answer_refused = [];
  for (const r of answer.refused) out.answer_refused.push((await door.verifyPresentation(r.presentation, r.want ?? answer.want)).code);
  out.texts = answer.texts.map(({ text }) => door.unpackAnswer(text).code);

  const want = { issuer: status.issuer, issuer_id: status.issuer_id, uri: status.uri, now: status.now };
  const list = await door.verifyStatusList(status.token, want);
  out.statuses = status.statuses.map((_, i) => door.statusAt(list, i));
  out.status_refused = [];
  for (const r of status.refused) out.status_refused.push((await door.verifyStatusList(r.token, { ...want, now: r.now })).code);

  out.grades = [];
  for (const c of offline.cases) {
    const j = await door.judgeOffline(c.pack ?? offline.pack, c.challenge, c.answer, c.now);
    out.grades.push(`${j.grade} ${j.code}`);
  }

  // How large a code gets, and what does not fit.
  out.sizes = [answer.text, "MSA1*".padEnd(1853, "A"), "MSA1*".padEnd(1854, "A")].map((text) => { try { return String(modules(text).size); } catch (e) { return e.code; } });

  // A list that would inflate to 64 MB, signed as it should be: how much of it is inflated.
  const own = await crypto.subtle.importKey("jwk", mine.key, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const zeros = new Uint8Array(1 << 20);
  const bomb = new Uint8Array(await new Response(new Blob(new Array(64).fill(zeros)).stream().pipeThrough(new CompressionStream("deflate"))).arrayBuffer());
  const signed = ['{"alg":"ES256","typ":"statuslist+jwt"}', JSON.stringify({ sub: status.uri, iat: status.now, exp: status.now + 60, ttl: 60, status_list: { bits: 1, lst: base64url(bomb) } })]
    .map((part) => base64url(new TextEncoder().encode(part))).join(".");
  const token = `${signed}.${base64url(await signES256(own, new TextEncoder().encode(signed)))}`;
  const Inflater = globalThis.DecompressionStream;
  out.inflated = 0;
  globalThis.DecompressionStream = class {
    constructor(format) {
      const { writable, readable } = new Inflater(format);
      const counted = new TransformStream({ transform(chunk, to) { out.inflated += chunk.length; to.enqueue(chunk); } });
      Object.assign(this, { writable, readable: readable.pipeThrough(counted) });
    }
  };
  out.bomb = (await door.verifyStatusList(token, { issuer: { kind: "es256", x: mine.key.x, y: mine.key.y }, issuer_id: status.issuer_id, uri: status.uri, now: status.now })).code;
  globalThis.DecompressionStream = Inflater;

  // What the shop's keys signed, written again by the page: the signature fits these bytes and no others.
  out.signed = [];
  for (const { statement } of second.checks.flatMap((c) => c.entries)) {
    const { payload, signatures } = JSON.parse(new TextDecoder().decode(fromBase64(statement)));
    const { subject, predicateType, predicate } = JSON.parse(new TextDecoder().decode(fromBase64(payload)));
    if (predicateType !== "urn:menshen:admission:v1") continue;
    const key = predicate.role === "clerk" ? second.clerk : second.merchant;
    const again = await canonicalPayload({ ...predicate, type: "admission", subject: subject[0].name, key: await thumbprint(key) });
    out.signed.push(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, await verifierOf(key), fromBase64(signatures[0].sig), pae(payloadType, again)));
  }

  // A badge that Go issued, answered here, for Go to verify.
  const holder = await crypto.subtle.importKey("jwk", mine.key, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  out.presented = await door.present(mine.badge, { key: { kind: "es256", x: mine.key.x, y: mine.key.y }, sign: (m) => signES256(holder, m) },
    { visit: "v1", nonce: answer.want.nonce }, { order: answer.want.order, position: good.position, now: answer.want.asked_at + 3.9 });
  out.mine = (await door.verifyBadge(mine.badge, { issuer: mine.issuer, issuer_id: answer.want.issuer_id, at: answer.want.asked_at })).code;

  // The same changes, in the same order, as door_test.go makes.
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~= \x00+/";
  async function each(s, ask) {
    const codes = [];
    for (let i = 0; i < s.length; i++) {
      for (let k = i % step; k < alphabet.length; k += step) if (alphabet[k] !== s[i]) codes.push(await ask(s.slice(0, i) + alphabet[k] + s.slice(i + 1)));
      codes.push(await ask(s.slice(0, i) + s.slice(i + 1)), await ask(s.slice(0, i) + s[i] + s.slice(i)));
    }
    return codes;
  }
  out.tampered_answer = await each(answer.presentation, async (t) => (await door.verifyPresentation(t, answer.want)).code);
  out.tampered_status = await each(status.token, async (t) => (await door.verifyStatusList(t, want)).code);
  out.tampered_text = await each(answer.text, async (t) => {
    const u = door.unpackAnswer(t);
    return u.ok ? (await door.verifyPresentation(u.presentation, answer.want)).code : u.code;
  });
  out.tampered_challenge = await each(challenge.read[1].text, async (t) => {
    const c = door.readChallenge(t);
    return c.ok ? door.checkSeal(c, challenge.secret) : c.code;
  });

  out.trust = [];
  for (const { envelope, key, want } of trust) {
    const v = await verifyTrustList(envelope, key, want);
    out.trust.push(v.ok ? `${v.number} ${v.name} ${v.badge_key.x}` : v.code);
  }
  out.strict = documents.map(({ base64, shape }) => {
    try { parse(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)), shape); return true; } catch { return false; }
  });
  const began = performance.now();
  for (let i = 0; i < 20; i++) await door.judgeOffline(offline.pack, offline.cases[0].challenge, offline.cases[0].answer, offline.cases[0].now);
  out.judge_ms = (performance.now() - began) / 20;
  return out;
}
