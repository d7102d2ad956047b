// Sets this phone up: a key is made here, the code proves whose it is, the acquirer's own service signs that.
import { call } from "./api.mjs";
import { enrol, parseCode } from "./enrol.mjs";
import { Fault } from "./fault.mjs";
import { forgetKept, pinTrust } from "./merchant-keep.mjs";
import { canPasskey, forget, newPageKey, newPasskey } from "./keys.mjs";
import { signIn } from "./phone-session.mjs";
import { somebodyNew } from "./signed-in.mjs";
import { actor, all, busy, one, sayWhatLacks, signerHere } from "./shop.mjs";
import { thumbprint } from "./statement.mjs";

const page = document.getElementById("phone");
const form = one("form[data-enrol]");

const gone = ["key_unknown", "token_unknown", "signed_out"]; // what is to end has ended

const wechat = () => new Fault("phone_view_forgets", "微信里存不住密钥。请点右上角「…」，选「在浏览器打开」。",
  "WeChat does not keep keys. Tap “…” at the top right and choose “Open in browser”.");

await start();

async function start() {
  const lacking = await sayWhatLacks();
  const signer = await signerHere();
  const known = Boolean(signer) && actor.stranger === undefined;
  // Signed out with a key that may still count: it can sign in again; a new code stays possible.
  const shown = known ? ["has"] : signer ? ["renew", "new"] : ["new"];
  for (const section of all("[data-state]", page)) section.hidden = !shown.includes(section.dataset.state);
  const kind = signer?.key.kind ?? (await canPasskey() ? "webauthn" : "es256");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(one("button[type=submit]", form), form, () => enrolHere(kind));
  });
  one("button[type=submit]", form).disabled = lacking.length > 0 && !known; // until now: a form sent without its script would put the code into the address
  for (const place of all("[data-kind]", page)) place.hidden = place.dataset.kind !== kind;
  one("#phrase button")?.classList.toggle("plain", !known); // first the phone: one thing at a time is green
  const renew = one('[data-act="renew"]', page);
  renew?.addEventListener("click", () => busy(renew, renew.closest("section"), async () => {
    await signIn(signer, { holder: actor.person, organisation: actor.organisation, role: actor.role });
    location.replace("/shop");
  }));
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
    somebodyNew();
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

/** Ends the key where it was vouched for, then the session, then what is kept here: a lost answer leaves a phone that can try again. */
async function leave() {
  if (!confirm(one("[data-sure]", page).textContent)) return;
  const signer = await signerHere();
  if (signer && actor.role === "merchant") {
    const { ok, body } = await call("POST", `/v1/organisations/${encodeURIComponent(actor.organisation)}/end_enrolment`, { key: await thumbprint(signer.key), reason: "replaced" }, { timeoutSeconds: 60 });
    if (!ok && !gone.includes(body.code)) throw new Fault(body.code, body.zh, body.en);
  }
  const left = await fetch("/shop/leave", { method: "POST", redirect: "manual", cache: "no-store" });
  if (left.status >= 500) throw new Fault("session_not_ended", "没退出来，请再试一次。", "It was not signed out. Try again.");
  await forget(actor.key);
  await forgetKept();
  location.replace(actor.after);
}

