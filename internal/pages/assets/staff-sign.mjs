// A form of the consoles that signs: it shows what will be signed, signs it once, and keeps it until the server
// has answered. A second tap, a reload or a lost answer sends the same bytes again, never a second statement.
import { call, newIdempotencyKey } from "./api.mjs";
import { base64, utf8 } from "./bytes.mjs";
import { forgetSigned, nextPrevious, rememberSent, rememberSigned } from "./chain.mjs";
import { Fault } from "./fault.mjs";
import { done, transact } from "./idb.mjs";
import { loadSigner } from "./keys.mjs";
import { commit, commitmentOf, sign, thumbprint, timeForm } from "./statement.mjs";

export const lang = document.documentElement.lang === "en" ? "en" : "zh";
export const say = (zh, en) => (lang === "en" ? en : zh);

const noKey = () => new Fault("signing_key_absent", "这台设备上还没有您的签字密钥。请先到“签字密钥”建一把，由本单位登记。",
  "This device has no signing key of yours. Make one under Signing key and have your organisation enrol it.");
const moved = () => new Fault("page_outdated", "您打开这一页以后，这次上门又有了变化。已换成最新的，请看清楚再签。",
  "Something happened on this visit since you opened the page. It now shows the newest; look again before you sign.");

/** Who is signed in, as the page says. */
export const me = { ...document.querySelector("[data-me]")?.dataset };
export const keyName = () => `staff:${me.organisation}:${me.person}:${me.role}`;

export async function mySigner() {
  try { return await loadSigner(keyName()); } catch (e) {
    throw e?.code === "key_absent" ? noKey() : e;
  }
}

// ---- what is signed and not yet answered -------------------------------------------------------------

const within = (mode, work) => transact("menshen-staff", { pending: { keyPath: "name" } }, mode, ({ pending }) => work(pending));
const nameOf = (path, verb) => `${keyName()} ${path}/${verb}`;

/** What this person signed here and no server has answered. @returns {Promise<object[]>} */
export const unanswered = async () => (await within("readonly", (pending) => done(pending.getAll()))).filter((p) => p.name.startsWith(`${keyName()} `));

/**
 * Sends what was signed. The same bytes under the same key: the server records them once, however often they come.
 * @param {object} item of unanswered()
 * @returns {Promise<void>}
 * @throws {Fault} the server's refusal: it is then in no chain and forgotten here; or that no answer came, and it stays
 */
export async function sendPending(item) {
  const { name, path, verb, visit, key, digest, envelope, openings, idempotencyKey } = item;
  const sent = await call("POST", `${path}/${verb}`, { statement: base64(utf8(envelope)), openings }, { idempotencyKey, timeoutSeconds: 60 });
  const refused = !sent.ok && sent.status >= 400 && sent.status < 500 && ![401, 408, 425, 429].includes(sent.status);
  if (visit && sent.ok) await rememberSent(visit, key, digest);
  if (visit && refused) await forgetSigned(visit, key);
  if (sent.ok || refused) await within("readwrite", (pending) => done(pending.delete(name)));
  if (!sent.ok) throw new Fault(sent.body.code, sent.body.zh, sent.body.en);
}

// ---- the form ---------------------------------------------------------------------------------------

/** What a form says, as its own labels put it: what is signed is what was read. */
function readable(form) {
  const lines = [];
  for (const field of form.querySelectorAll("[data-body], [data-commit]")) {
    if (field.type === "hidden" || (field.type === "radio" && !field.checked)) continue;
    const label = form.querySelector(`label[for="${CSS.escape(field.id)}"]`)?.textContent.trim() ?? field.name;
    const value = field.tagName === "SELECT" ? field.selectedOptions[0]?.textContent.trim() : field.type === "checkbox" ? say(field.checked ? "是" : "不是", field.checked ? "yes" : "no") : field.value;
    if (field.dataset.commit === "photo" ? photoOf(form) : value) lines.push([label, field.dataset.commit === "photo" ? say("已附上", "attached") : value]);
  }
  return lines;
}

function valueOf(field) {
  switch (field.dataset.as) {
    case "bool": return field.type === "checkbox" ? field.checked : field.value === "true";
    case "int": return Number.parseInt(field.value, 10);
    case "list": return field.value.split(" ").filter(Boolean);
    default: return field.value;
  }
}

/** The statement's body: members in the order of the fields, empty optional ones left out. */
async function bodyOf(form) {
  const body = {}, openings = [];
  for (const field of form.querySelectorAll("[data-body], [data-commit]")) {
    const name = field.dataset.body ?? field.dataset.commit;
    if (field.type === "radio" && !field.checked) continue;
    if (field.dataset.commit) {
      const value = field.dataset.commit === "photo" ? photoOf(form) : field.value.trim();
      const kept = likeness.get(form)?.[field.dataset.commit];
      const hidden = kept?.value === value && value !== "" ? { commitment: await commitmentOf(kept), opening: kept } : await commit(field.dataset.commit, value);
      body[name] = hidden.commitment;
      openings.push(hidden.opening);
    } else if (!(field.dataset.optional !== undefined && field.value === "")) body[name] = valueOf(field);
  }
  return { body, openings };
}

/** Openings that are kept of whoever a form is about: {name, photo}, each an opening or one without a value. */
export const likeness = new WeakMap();

/** Photos that go with forms, base64 by form. */
export const photos = new WeakMap();
const photoOf = (form) => photos.get(form) ?? "";

/** Shows what will be signed and waits for yes or no. */
function confirmed(form) {
  const dialog = document.getElementById("signing");
  dialog.querySelector("[data-title]").textContent = form.dataset.title;
  dialog.querySelector("[data-warning]").textContent = form.dataset.warning ?? "";
  const list = dialog.querySelector("dl");
  list.replaceChildren(...readable(form).flatMap(([label, value]) => {
    const dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = label;
    dd.textContent = value;
    return [dt, dd];
  }));
  dialog.returnValue = ""; // Escape is no, also after an earlier yes
  dialog.showModal();
  return new Promise((resolve) => { dialog.addEventListener("close", () => resolve(dialog.returnValue === "sign"), { once: true }); });
}

/** How far the visit was that a person sees, or -1. */
const shownNumber = () => Number(document.querySelector("[data-live]")?.dataset.number ?? -1);

/** Holds a form to the visit that it was shown for: after the back button it may show what is long over. */
async function checkNewest(visit, shown) {
  if (!visit || shown < 0) return;
  const { ok, body } = await call("GET", `/staff/visits/${encodeURIComponent(visit)}/news?after=${shown}&wait=0`);
  if (ok && body.number > shown) {
    document.dispatchEvent(new Event("menshen-moved"));
    throw moved();
  }
}

/**
 * Signs what a form says, after its person looked at it, and files it.
 * @param {HTMLFormElement} form
 * @returns {Promise<boolean>} false: the person said no
 * @throws {Fault}
 */
export async function signAndFile(form) {
  const { stream, type, verb, path } = form.dataset;
  const visit = stream.startsWith("visit/") ? stream.slice(6) : "";
  const shown = shownNumber(); // at the tap: the page may follow the visit while this waits
  const before = (await unanswered()).find((p) => p.name === nameOf(path, verb));
  if (before) { // signed already, its answer was lost: it goes again as it is
    await sendPending(before);
    return true;
  }
  const signer = await mySigner();
  await checkNewest(visit, shown);
  if (!await confirmed(form)) return false;
  await checkNewest(visit, shown); // a dialog can stand open for an hour
  const key = await thumbprint(signer.key);
  const { body, openings } = await bodyOf(form);
  const previous = visit ? await nextPrevious(visit, key) : "";
  const { envelope, digest } = await sign(signer, { type, subject: stream, signer: me.person, organisation: me.organisation, role: me.role,
    at: timeForm(new Date()), previous, answers: "", body });
  const item = { name: nameOf(path, verb), path, verb, visit, key, digest, envelope, openings, title: form.dataset.title, idempotencyKey: newIdempotencyKey(), at: Date.now() };
  await within("readwrite", (pending) => done(pending.put(item)));
  if (visit) await rememberSigned(visit, key, digest);
  await sendPending(item);
  return true;
}
