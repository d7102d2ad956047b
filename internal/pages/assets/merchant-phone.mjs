// Sets this phone up: a key is made here, the code proves whose it is, the acquirer's own service signs that.
import { enrol, parseCode } from "./enrol.mjs";
import { Fault } from "./fault.mjs";
import { forgetKept, pinTrust } from "./merchant-keep.mjs";
import { canPasskey, forget, newPageKey, newPasskey } from "./keys.mjs";
import { actor, all, busy, one, sayWhatLacks, signerHere } from "./shop.mjs";

const page = document.getElementById("phone");
const form = one("form[data-enrol]");

const wechat = () => new Fault("phone_view_forgets", "微信里存不住密钥。请点右上角「…」，选「在浏览器打开」。",
  "WeChat does not keep keys. Tap “…” at the top right and choose “Open in browser”.");

await start();

async function start() {
  const lacking = await sayWhatLacks();
  const signer = await signerHere();
  const known = Boolean(signer) && actor.stranger === undefined; // signed out, the key alone opens nothing: a new code does
  for (const section of all("[data-state]", page)) section.hidden = (section.dataset.state === "has") !== known;
  const kind = signer?.key.kind ?? (await canPasskey() ? "webauthn" : "es256");
  for (const place of all("[data-kind]", page)) place.hidden = place.dataset.kind !== kind;
  if (lacking.length > 0 && !known) one("button[type=submit]", form).disabled = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(one("button[type=submit]", form), form, () => enrolHere(kind));
  });
  const end = one('[data-act="forget"]', page);
  end?.addEventListener("click", () => busy(end, end.closest("details"), leave));
}

async function enrolHere(kind) {
  if (/MicroMessenger/i.test(navigator.userAgent)) throw wechat();
  const code = parseCode(new FormData(form).get("code")); // before a key is made for nothing
  await navigator.storage?.persist?.(); // asks the browser not to clear the key away
  if (await signerHere()) await forget(actor.key); // signed out since: its session ended, or its key did
  const signer = await newKey(kind);
  try {
    const { body } = await enrol(signer, { organisation: actor.organisation, holder: actor.person, role: actor.role, code });
    pinTrust(body.trust_list_key);
  } catch (e) {
    await forget(signer.name); // nobody vouches for this key; the next try makes another
    throw e;
  }
  location.replace("/shop/phone");
}

async function newKey(kind) {
  if (kind === "es256") return newPageKey(actor.key);
  try {
    return await newPasskey({ name: actor.key, rpName: document.title.split(" · ").pop(), userName: actor.person });
  } catch (e) {
    // A phone may promise passkeys and have none; what was cancelled by hand is asked again, not replaced.
    if (e instanceof Fault && e.code === "passkey_unsupported") return newPageKey(actor.key);
    throw e;
  }
}

async function leave() {
  await forget(actor.key);
  await forgetKept();
  location.replace("/shop/phone");
}

