// Driven by modules_test.go: reads vectors made by Go, answers what the module makes of them.
import { readFileSync } from "node:fs";
import { fromBase64, base64, hex, utf8, fromBase64url } from "../../assets/bytes.mjs";
import * as statement from "../../assets/statement.mjs";

const { statements, commits, keys, base64s, refused } = JSON.parse(readFileSync(0, "utf8"));
const code = async (work) => { try { await work(); return ""; } catch (e) { return e.code ?? String(e); } };
const out = { payloads: [], signed: [], commitments: [], thumbprints: [], base64: [], base64url: [], refused: [], pae: "", challenge: "" };

const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
const signer = { key: { kind: "es256", x, y }, sign: (message) => statement.signES256(pair.privateKey, message) };
out.key = signer.key;
for (const s of statements) {
  out.payloads.push(base64(await statement.canonicalPayload(s)));
  const { key, ...unsigned } = s;
  out.signed.push(await statement.sign(signer, unsigned));
}
for (const { kind, value } of commits) out.commitments.push(await statement.commit(kind, value));
for (const key of keys) out.thumbprints.push(await statement.thumbprint(key));
for (const text of base64s) {
  out.base64.push(await code(() => fromBase64(text)));
  out.base64url.push(await code(() => fromBase64url(text)));
}
const nested = (depth) => { let v = 1; for (let i = 0; i < depth; i++) v = [v]; return v; };
const lonely = { a: "\ud800" };
const values = { null: { a: null }, undefined: { a: undefined }, fraction: { a: 1.5 }, "-0": { a: -0 }, nan: { a: NaN }, big: { a: 2 ** 53 }, lonely,
  replacement: { a: "\ufffd" }, date: { a: new Date() }, map: { a: new Map() }, hole: { a: [, 1] }, deep: { a: nested(22) }, function: { a() {} }, bigint: { a: 1n } };
for (const name of refused) {
  const [member, value] = name.split("=");
  const body = member === "body" ? values[value] : { text: "x" };
  const s = { ...statements[0], body, ...(member === "body" ? {} : { [member]: value }) };
  out.refused.push(await code(() => statement.canonicalPayload(s)));
}
await statement.canonicalPayload({ ...statements[0], body: { a: nested(21) } }); // the deepest there may be
out.pae = new TextDecoder().decode(statement.pae("http://example.com/HelloWorld", utf8("hello world")));
out.challenge = hex(await statement.assertionChallenge(utf8("pae")));
console.log(JSON.stringify(out));
