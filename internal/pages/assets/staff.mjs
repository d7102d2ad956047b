// Consoles of staff: signing a statement with one's own enrolled key, that key itself, and the keyboard.
import { call, newIdempotencyKey } from "./api.mjs";
import { base64, utf8 } from "./bytes.mjs";
import { nextPrevious, rememberSent, rememberSigned, forgetSigned } from "./chain.mjs";
import { enrol } from "./enrol.mjs";
import { Fault, faultOf } from "./fault.mjs";
import { canPasskey, loadSigner, newPageKey, newPasskey, signerNames, signerPublicKey } from "./keys.mjs";
import { commit, sign, thumbprint, timeForm } from "./statement.mjs";

const lang = document.documentElement.lang === "en" ? "en" : "zh";
const say = (zh, en) => (lang === "en" ? en : zh);
const noKey = () => new Fault("signing_key_absent", "这台设备上还没有您的签字密钥。请先到“签字密钥”建一把，由本单位登记。",
  "This device has no signing key of yours. Make one under Signing key and have your organisation enrol it.");
const noPhoto = () => new Fault("photo_too_large", "照片太大，压不到 30 kB 以下。请换一张。", "The photo cannot be made smaller than 30 kB. Take another.");

/** Who is signed in, as the page says. */
const me = { ...document.querySelector("[data-me]")?.dataset };
const keyName = () => `staff:${me.organisation}:${me.person}:${me.role}`;

async function mySigner() {
  try { return await loadSigner(keyName()); } catch (e) {
    throw e?.code === "key_absent" ? noKey() : e;
  }
}

// ---- a form that signs -----------------------------------------------------------------------------

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
      const hidden = await commit(field.dataset.commit, value);
      body[name] = hidden.commitment;
      openings.push(hidden.opening);
    } else if (!(field.dataset.optional !== undefined && field.value === "")) body[name] = valueOf(field);
  }
  return { body, openings };
}

const photos = new WeakMap();
const photoOf = (form) => photos.get(form) ?? "";

/** A photo as the phone at the door will show it: at most 30 kB of JPEG, 400 pixels wide. */
export async function shrink(blob) {
  const image = await createImageBitmap(blob);
  for (const [side, quality] of [[400, 0.8], [320, 0.7], [240, 0.6], [160, 0.5]]) {
    const scale = Math.min(1, side / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const out = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", quality); });
    if (out && out.size <= 30_000) return new Uint8Array(await out.arrayBuffer());
  }
  throw noPhoto();
}

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
  dialog.showModal();
  return new Promise((resolve) => { dialog.addEventListener("close", () => resolve(dialog.returnValue === "sign"), { once: true }); });
}

async function signAndFile(form) {
  const { stream, type, verb, path } = form.dataset;
  const signer = await mySigner();
  if (!await confirmed(form)) return false;
  const key = await thumbprint(signer.key);
  const visit = stream.startsWith("visit/") ? stream.slice(6) : "";
  const { body, openings } = await bodyOf(form);
  const previous = visit ? await nextPrevious(visit, key) : "";
  const { envelope, digest } = await sign(signer, { type, subject: stream, signer: me.person, organisation: me.organisation, role: me.role,
    at: timeForm(new Date()), previous, answers: "", body });
  if (visit) await rememberSigned(visit, key, digest);
  const sent = await call("POST", `${path}/${verb}`, { statement: base64(utf8(envelope)), openings }, { idempotencyKey: newIdempotencyKey(), timeoutSeconds: 60 });
  if (visit && sent.ok) await rememberSent(visit, key, digest);
  if (visit && !sent.ok && sent.status >= 400 && sent.status < 500) await forgetSigned(visit, key); // refused: it is in no chain
  if (!sent.ok) throw new Fault(sent.body.code, sent.body.zh, sent.body.en);
  if (form.dataset.ask) await ask(path, form.dataset.ask);
  return true;
}

/** Puts an ask to the gate; a no is said in its own words. */
async function ask(path, what) {
  const { ok, body } = await call("POST", `${path}/asks`, { ask: what }, { timeoutSeconds: 90 });
  if (!ok) throw new Fault(body.code, body.zh, body.en);
  if (body.granted) return;
  const why = (lng) => [body.refusal?.[lng], ...body.conditions.filter((c) => c.blocks && c.verdict !== "holds").map((c) => `${c.title[lng]}${lng === "zh" ? "：" : ": "}${c.reason[lng]}`)]
    .filter(Boolean).join(lng === "zh" ? "；" : "; ");
  throw new Fault("ask_refused", `已签字记下，但条件还不成立：${why("zh")}`, `Signed and recorded, but the conditions do not hold yet: ${why("en")}`);
}

const acts = {
  sign: async (form) => { if (await signAndFile(form)) location.reload(); },
  ask: async (form) => { await ask(form.dataset.path, form.dataset.ask); location.reload(); },
  link: async (form) => {
    const { ok, body } = await call("POST", `${form.dataset.path}/link`, {});
    if (!ok) throw new Fault(body.code, body.zh, body.en);
    for (const name of ["address", "phone", "until"]) form.querySelector(`[data-${name}]`).textContent = body[name] || say("本机构记录里的手机号", "the number in your own records");
    form.querySelector("[data-made]").hidden = false;
    form.querySelector("[data-made]").focus();
  },
  revoke: async (form) => {
    const { ok, body } = await call("POST", `/v1/people/${encodeURIComponent(form.dataset.person)}/revoke_badge`, { reason: form.elements.reason.value }, { timeoutSeconds: 60 });
    if (!ok) throw new Fault(body.code, body.zh, body.en);
    location.reload();
  },
  "make-key": async () => {
    const made = { name: keyName(), rpName: "门神 menshen", userName: `${me.person} · ${say("签字", "signing")}` };
    await (await canPasskey() ? newPasskey(made) : newPageKey(made.name));
    location.reload();
  },
  enrol: async (form) => {
    await enrol(await mySigner(), { organisation: me.organisation, holder: me.person, role: me.role, code: form.elements.code.value });
    form.querySelector("[data-done]").hidden = false;
    form.querySelector("[data-done]").focus();
  },
};

for (const form of document.querySelectorAll("form[data-do]")) {
  const problem = form.querySelector("[data-problem]"), button = form.querySelector("button[type=submit]");
  button.disabled = button.dataset.off !== undefined;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    form.setAttribute("aria-busy", "true");
    problem.hidden = true;
    try { await acts[form.dataset.do](form); } catch (e) {
      problem.textContent = faultOf(e).text(lang);
      problem.dataset.code = faultOf(e).code;
      problem.hidden = false;
      problem.focus();
    }
    form.removeAttribute("aria-busy");
    button.disabled = false;
  });
}

// Whom to send: what speaks against somebody is said before anybody signs, and his face comes along.
for (const form of document.querySelectorAll("form[data-dispatch]")) {
  const who = form.querySelector("select[data-technician]"), photo = form.querySelector("input[type=file]");
  const warning = form.querySelector("[data-against]");
  const chosen = async () => {
    const option = who.selectedOptions[0];
    warning.textContent = option?.dataset.against ?? "";
    warning.hidden = warning.textContent === "";
    form.dataset.warning = warning.textContent;
    photos.delete(form);
    form.querySelector("[data-photo-state]").textContent = "";
    if (!option?.value) return;
    const { ok, body } = await call("GET", `/staff/technicians/${encodeURIComponent(option.value)}/face`);
    if (!ok || who.selectedOptions[0] !== option) return;
    form.querySelector("[data-commit=name]").value = body.name;
    if (body.photo) photos.set(form, body.photo);
    photo.required = !body.photo;
    form.querySelector("[data-photo-state]").textContent = body.photo ? say("用已存的照片", "the photo on file is used") : say("还没有照片，请拍或选一张", "no photo on file: take or choose one");
  };
  who.addEventListener("change", chosen);
  photo.addEventListener("change", async () => {
    const problem = form.querySelector("[data-problem]");
    try {
      const bytes = await shrink(photo.files[0]);
      photos.set(form, base64(bytes));
      form.querySelector("[data-photo-state]").textContent = `${Math.ceil(bytes.length / 1000)} kB`;
      problem.hidden = true;
    } catch (e) {
      problem.textContent = (e instanceof Fault ? e : noPhoto()).text(lang);
      problem.hidden = false;
    }
  });
  if (who.value) chosen();
}

// The key of this device.
const state = document.querySelector("[data-key-state]");
if (state) {
  const has = (await signerNames()).includes(keyName());
  document.querySelector("[data-when-key=no]").hidden = has;
  document.querySelector("[data-when-key=yes]").hidden = !has;
  if (has) {
    const signer = await loadSigner(keyName());
    document.querySelector("[data-thumbprint]").textContent = await thumbprint(signer.key);
    document.querySelector("[data-public]").textContent = JSON.stringify(signerPublicKey(signer));
  }
  state.hidden = true;
}

// ---- keyboard: j and k through the rows, Enter opens, / searches, Escape closes the visit beside -------
const rows = [...document.querySelectorAll("table[data-rows] tbody a[data-open]")];
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
  const at = rows.indexOf(document.activeElement);
  switch (event.key) {
    case "j": rows[Math.min(rows.length - 1, at + 1)]?.focus(); break;
    case "k": rows[Math.max(0, at - 1)]?.focus(); break;
    case "/": document.getElementById("q")?.focus(); break;
    case "Escape": document.querySelector("a[data-close]")?.click(); break;
    default: return;
  }
  event.preventDefault();
});
