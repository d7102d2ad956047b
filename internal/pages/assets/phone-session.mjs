// A phone signs in with the key that it signs with: over a challenge, under a payload type that is no statement's
// (docs/formats.md, a phone signs in).
import { call } from "./api.mjs";
import { base64, utf8 } from "./bytes.mjs";
import { Fault } from "./fault.mjs";
import { somebodyNew } from "./signed-in.mjs";
import { canonical, pae, thumbprint } from "./statement.mjs";

const payloadType = "application/vnd.menshen.phone-session+json";

/**
 * @param {object} signer from keys.mjs
 * @param {{holder: string, organisation: string, role: string}} who
 * @throws {Fault} phone_key_unknown where nobody vouches for the key (any more)
 */
export async function signIn(signer, { holder, organisation, role }) {
  const asked = await call("POST", "/v1/phone_challenges", {});
  if (!asked.ok) throw new Fault(asked.body.code, asked.body.zh, asked.body.en);
  const { challenge } = asked.body;
  const key = await thumbprint(signer.key);
  const signature = await signer.sign(pae(payloadType, utf8(canonical({ challenge, holder, organisation, role, key }))));
  const { ok, body } = await call("POST", "/v1/phone_sessions", { challenge, holder, organisation, role, key, signature: base64(signature) });
  if (!ok) throw new Fault(body.code, body.zh, body.en);
  somebodyNew();
}
