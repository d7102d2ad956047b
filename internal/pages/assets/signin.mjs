// Signing in, joining by an invitation, and one's own passkeys. These passkeys open pages and sign nothing else.
import { base64url, fromBase64url } from "./bytes.mjs";
import { Fault } from "./fault.mjs";
import { arm, post } from "./form.mjs";
import { somebodyNew } from "./signed-in.mjs";

const unsupported = () => /MicroMessenger/i.test(navigator.userAgent)
  ? new Fault("passkey_view", "微信里用不了通行密钥。请点右上角「…」，选「在浏览器打开」。", "WeChat has no passkeys. Tap “…” at the top right and choose “Open in browser”.")
  : new Fault("passkey_unsupported", "这部设备或浏览器不支持通行密钥。请更新它，或换一部手机、一个浏览器。", "This device or browser has no passkeys. Update it, or use another phone or browser.");
const cancelled = (e) => new Fault("passkey_cancelled", "没有完成验证。想好了再点一次就行。", "That was not completed. Press again when you are ready.", e);
const twice = (e) => new Fault("passkey_exists", "这部设备已经登记过了。", "This device is registered already.", e);

const ask = (path, body) => post(path, body ?? {});

async function withAuthenticator(work) {
  if (!globalThis.PublicKeyCredential || !navigator.credentials) throw unsupported();
  try {
    return await work() ?? Promise.reject(cancelled());
  } catch (e) {
    if (e instanceof Fault) throw e;
    throw e?.name === "InvalidStateError" ? twice(e) : e?.name === "NotAllowedError" || e?.name === "AbortError" ? cancelled(e) : unsupported();
  }
}

const text = (buffer) => base64url(new Uint8Array(buffer));
const descriptors = (list = []) => list.map((d) => ({ ...d, id: fromBase64url(d.id) }));
const envelope = (c, response) => ({ id: c.id, rawId: text(c.rawId), type: c.type, clientExtensionResults: c.getClientExtensionResults(),
  authenticatorAttachment: c.authenticatorAttachment ?? undefined, response });

async function make(options) {
  const c = await withAuthenticator(() => navigator.credentials.create({ publicKey: { ...options, challenge: fromBase64url(options.challenge),
    user: { ...options.user, id: fromBase64url(options.user.id) }, excludeCredentials: descriptors(options.excludeCredentials) } }));
  const r = c.response;
  return envelope(c, { clientDataJSON: text(r.clientDataJSON), attestationObject: text(r.attestationObject), transports: r.getTransports?.() ?? [] });
}

async function show(options) {
  const c = await withAuthenticator(() => navigator.credentials.get({ publicKey: { ...options, challenge: fromBase64url(options.challenge),
    allowCredentials: descriptors(options.allowCredentials) } }));
  const r = c.response;
  return envelope(c, { clientDataJSON: text(r.clientDataJSON), authenticatorData: text(r.authenticatorData), signature: text(r.signature),
    userHandle: r.userHandle ? text(r.userHandle) : undefined });
}

// A request for help that somebody began on the shop's pages is not for the next one (merchant-tickets.mjs).
try { sessionStorage.removeItem("shop-ticket-draft"); } catch { /* nothing was kept */ }

const acts = {
  "sign-in": async () => {
    const { next } = await ask("/sign-in", { answer: await show(await ask("/sign-in/options")) });
    somebodyNew();
    location.replace(next);
  },
  join: async (data) => {
    const options = await ask("/join/options", { code: data.get("code") });
    const { next } = await ask("/join", { name: data.get("name"), answer: await make(options) });
    somebodyNew();
    location.replace(next);
  },
  "add-passkey": async (data) => {
    await ask("/account/passkeys", { name: data.get("name"), answer: await make(await ask("/account/passkeys/options")) });
    location.reload();
  },
  invite: async (data) => {
    const { code } = await ask("/staff/invitations", { person: data.get("person"), role: data.get("role"), recover: data.get("recover") === "on" });
    const made = document.getElementById("made");
    document.getElementById("made-code").textContent = code;
    document.getElementById("made-person").textContent = data.get("person");
    made.hidden = false;
    made.focus();
  },
};

for (const form of document.querySelectorAll("form[data-act]")) arm(form, () => acts[form.dataset.act](new FormData(form)));

// A link may carry the code behind its #, which no server and no log sees; it does not stay in the address either.
const code = document.querySelector("form[data-act=join] input[name=code]");
if (code && location.hash.length > 1) {
  try { code.value = decodeURIComponent(location.hash.slice(1)); } catch { /* a link that was cut: the code is typed */ }
  history.replaceState(null, "", location.pathname + location.search);
}
