// The keys that sign on this phone. A page key is made by WebCrypto, cannot be read out, and lives in this
// browser's store; a passkey lives in the phone's own keeper, and only its name is kept here.
import { base64url, fromBase64url, random } from "./bytes.mjs";
import { Fault } from "./fault.mjs";
import { done, transact } from "./idb.mjs";
import { assertionBytes, assertionChallenge, checkKey, signES256 } from "./statement.mjs";

const fault = {
  crypto: () => new Fault("crypto_missing", "这个浏览器不能签名。请点右上角「…」，选「在浏览器打开」。", "This browser cannot sign. Open the page in the phone's own browser."),
  name: () => new Fault("key_name_malformed", "密钥的名字不对。", "The key's name is malformed."),
  taken: () => new Fault("key_exists", "这部手机上已经有这把密钥了。", "This phone already has that key."),
  absent: () => new Fault("key_absent", "这部手机上没有这把密钥。换了手机或清过数据，要重新登记。", "This phone has no such key. After a new phone or cleared data, it must be enrolled again."),
  unsupported: (e) => new Fault("passkey_unsupported", "这部手机或浏览器不支持通行密钥。", "This phone or browser has no passkeys.", e),
  cancelled: (e) => new Fault("passkey_cancelled", "没有完成验证。想好了再点一次就行。", "That was not completed. Tap again when you are ready.", e),
  duplicate: (e) => new Fault("passkey_exists", "这部手机已经登记过了。", "This phone is enrolled already.", e),
  site: (e) => new Fault("passkey_wrong_site", "网址不对：通行密钥只能在自己的网站上用。", "Wrong address: a passkey works only on its own site.", e),
  unverified: () => new Fault("passkey_user_absent", "没有确认是本人（指纹、面容或锁屏密码）。", "The person was not verified (fingerprint, face or screen lock)."),
};

const stores = { signers: { keyPath: "name" } };
const within = (mode, work) => transact("menshen-keys", stores, mode, (s) => work(s.signers));

/** Whether this page can make and use keys at all: secure context, WebCrypto. */
export const canSign = () => globalThis.isSecureContext !== false && Boolean(globalThis.crypto?.subtle) && Boolean(globalThis.indexedDB);

/** Whether this phone has passkeys that check the person. @returns {Promise<boolean>} */
export async function canPasskey() {
  try {
    return canSign() && /[a-z]/.test(location.hostname) // an address in digits has none
      && Boolean(await globalThis.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable?.());
  } catch { return false; }
}

function checkName(name) {
  if (typeof name !== "string" || !/^[a-z0-9_:./-]{1,120}$/i.test(name)) throw fault.name();
  if (!canSign()) throw fault.crypto();
}

async function keep(record) {
  await within("readwrite", async (signers) => {
    if (await done(signers.getKey(record.name)) !== undefined) throw fault.taken(); // an enrolled key is never lost by a second tap
    signers.add(record);
  });
  return signerOf(record);
}

/**
 * Makes a page key: ES256, not extractable, kept under name.
 * @param {string} name
 * @returns {Promise<object>} a signer
 * @throws {Fault} key_exists, crypto_missing, storage_unavailable, storage_full
 */
export async function newPageKey(name) {
  checkName(name);
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return keep({ name, key: { kind: "es256", x, y }, privateKey: pair.privateKey });
}

/**
 * Makes a passkey for signing: ES256 only, discoverable, with the person verified. Signing in uses another one.
 * @param {{name: string, rpName: string, userName: string, userDisplayName?: string, rpId?: string, exclude?: string[]}} options
 *   name: kept under; userName: what the phone's own list shows; exclude: credential ids that must not be doubled
 * @returns {Promise<object>} a signer
 * @throws {Fault} passkey_unsupported, passkey_cancelled, passkey_exists, passkey_wrong_site, passkey_user_absent, key_exists
 */
export async function newPasskey({ name, rpName, userName, userDisplayName = userName, rpId = location.hostname, exclude = [] }) {
  checkName(name);
  if (await within("readonly", (signers) => done(signers.getKey(name))) !== undefined) throw fault.taken();
  const credential = await ask(() => navigator.credentials.create({ publicKey: {
    rp: { id: rpId, name: rpName },
    user: { id: random(16), name: userName, displayName: userDisplayName },
    challenge: random(32), // nothing is proven at making: the first signature is the proof
    pubKeyCredParams: [{ type: "public-key", alg: -7 }],
    authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    excludeCredentials: exclude.map((id) => ({ type: "public-key", id: fromBase64url(id) })),
    attestation: "none", timeout: 120_000,
  } }));
  const answer = credential.response;
  if (answer.getPublicKeyAlgorithm?.() !== -7 || !answer.getPublicKey?.()) throw fault.unsupported();
  if (!(new Uint8Array(answer.getAuthenticatorData())[32] & 0x04)) throw fault.unverified();
  const publicKey = await crypto.subtle.importKey("spki", answer.getPublicKey(), { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  return keep({ name, key: { kind: "webauthn", x, y, rp_id: rpId, origins: [location.origin] },
    credential: base64url(new Uint8Array(credential.rawId)), transports: answer.getTransports?.() ?? [] });
}

async function ask(work) {
  if (!globalThis.PublicKeyCredential || !navigator.credentials) throw fault.unsupported();
  let credential;
  try { credential = await work(); } catch (e) {
    switch (e?.name) {
      case "NotAllowedError": case "AbortError": throw fault.cancelled(e);
      case "InvalidStateError": throw fault.duplicate(e);
      case "SecurityError": throw fault.site(e);
      default: throw fault.unsupported(e);
    }
  }
  if (!credential) throw fault.cancelled();
  return credential;
}

async function assert(record, message) {
  const { response } = await ask(async () => navigator.credentials.get({ publicKey: {
    challenge: await assertionChallenge(message), rpId: record.key.rp_id, userVerification: "required", timeout: 120_000,
    allowCredentials: [{ type: "public-key", id: fromBase64url(record.credential), transports: record.transports }],
  } }));
  if (!(new Uint8Array(response.authenticatorData)[32] & 0x04)) throw fault.unverified();
  return assertionBytes(response.authenticatorData, response.clientDataJSON, response.signature);
}

// A signer is what sign() of statement.mjs takes: a public key, and a function from PAE to signature.
function signerOf(record) {
  checkKey(record.key);
  return Object.freeze({ name: record.name, key: Object.freeze(record.key), credential: record.credential,
    sign: (message) => record.key.kind === "webauthn" ? assert(record, message) : signES256(record.privateKey, message) });
}

/** The signer kept under a name. @param {string} name @returns {Promise<object>} @throws {Fault} key_absent */
export async function loadSigner(name) {
  checkName(name);
  const record = await within("readonly", (signers) => done(signers.get(name)));
  if (record === undefined) throw fault.absent();
  return signerOf(record);
}

/** The names there are. @returns {Promise<string[]>} */
export const signerNames = () => within("readonly", (signers) => done(signers.getAllKeys()));

/** The public key as enrolments write it (statement.Key). @param {{key: object}} signer */
export const signerPublicKey = (signer) => structuredClone(signer.key);

/** Forgets a key for good; a passkey stays in the phone's keeper. @param {string} name */
export async function forget(name) {
  checkName(name);
  await within("readwrite", (signers) => done(signers.delete(name)));
}
