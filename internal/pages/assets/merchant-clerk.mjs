// A clerk's phone comes in: it makes its key, brings it to the owner's page, and waits for the owner's signature.
import { call } from "./api.mjs";
import { base64, utf8 } from "./bytes.mjs";
import { parseCode, proofDigits, proofOf } from "./enrol.mjs";
import { Fault } from "./fault.mjs";
import { forget, newPageKey, signerPublicKey } from "./keys.mjs";
import { pinTrust } from "./merchant-keep.mjs";
import { signIn } from "./phone-session.mjs";
import { somebodyNew } from "./signed-in.mjs";
import { actor, all, busy, one, sayWhatLacks, signerHere } from "./shop.mjs";
import { sign, thumbprint, timeForm } from "./statement.mjs";

const page = document.getElementById("clerk");
const form = one("form[data-join]", page);
const path = `/v1/clerks/${encodeURIComponent(actor.person)}`;

const wechat = () => new Fault("phone_view_forgets", "微信里存不住密钥。请点右上角「…」，选「在浏览器打开」。", "WeChat does not keep keys. Tap “…” at the top right and choose “Open in browser”.");
const stranger = () => new Fault("clerk_trust_differs", "老板的手机和这部手机收到的不一样，可能有人动了手脚。别用，告诉老板。", "What the owner's phone was told and what this one was told differ; somebody may be in between. Do not go on; tell the owner.");
const over = () => new Fault("clerk_owner_late", "老板没有点同意，或者码过期了。请老板再出一个码。", "The owner has not agreed, or the code is over. Ask for a new one.");

let owners = ""; // thumbprint of the trust-list key that the owner's phone pinned; "" where the code was typed by hand

await start();

async function start() {
  if (location.hash.length > 1) {
    [form.elements.code.value, owners = ""] = location.hash.slice(1).split(".");
    history.replaceState(null, "", location.pathname + location.search); // the code stays on no screen longer than it must
  }
  const lacking = await sayWhatLacks();
  const known = await signerHere();
  show(known && !form.elements.code.value ? "renew" : "join");
  form.addEventListener("submit", (event) => { event.preventDefault(); busy(one("button", form), form, join); });
  one("button", form).disabled = lacking.length > 0;
  const renew = one('[data-act="renew"]', page);
  renew.addEventListener("click", () => busy(renew, renew.closest("section"), async () => {
    await signIn(await signerHere(), { holder: actor.person, organisation: actor.organisation, role: actor.role });
    location.replace("/shop");
  }));
}

function show(state) {
  for (const section of all("[data-state]", page)) section.hidden = section.dataset.state !== state;
  one("[data-focus]", one(`[data-state="${state}"]`, page))?.focus();
}

async function join() {
  if (/MicroMessenger/i.test(navigator.userAgent)) throw wechat();
  const code = parseCode(form.elements.code.value); // before a key is made for nothing
  await navigator.storage?.persist?.();
  if (await signerHere()) await forget(actor.key);
  const signer = await newPageKey(actor.key);
  try {
    const proof = await bring(signer, code);
    one("[data-digits]", page).textContent = await proofDigits(proof);
    show("compare");
    const { trust_list_key: key } = await waitForOwner(base64(proof));
    if (owners !== "" && await thumbprint(key) !== owners) throw stranger();
    pinTrust(key);
    somebodyNew();
  } catch (e) {
    await forget(signer.name); // nobody vouches for this key; the next try makes another
    show("join");
    throw e;
  }
  location.replace("/shop");
}

async function bring(signer, code) {
  const whom = { organisation: actor.organisation, holder: actor.person, role: actor.role };
  const key = signerPublicKey(signer);
  const proof = await proofOf(code, { ...whom, key, held_by: "holder" });
  const { envelope } = await sign(signer, { type: "enrolment_request", subject: `organisation/${actor.organisation}`, signer: actor.person, organisation: actor.organisation,
    role: actor.role, at: timeForm(new Date()), previous: "", answers: "", body: { proof: base64(proof) } });
  const { ok, body } = await call("POST", `${path}/key`, { organisation: actor.organisation, key, proof: base64(proof), possession: base64(utf8(envelope)) });
  if (!ok) throw new Fault(body.code, body.zh, body.en);
  return proof;
}

async function waitForOwner(proof) {
  for (const end = Date.now() + 600_000; Date.now() < end;) {
    await new Promise((resolve) => { setTimeout(resolve, 2000); });
    const { ok, status, body } = await call("POST", `${path}/session`, { proof });
    if (ok) return body;
    if (status !== 0 && body.code !== "clerk_not_let_in") throw new Fault(body.code, body.zh, body.en);
  }
  throw over();
}
