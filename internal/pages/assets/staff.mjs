// Consoles of staff: forms that sign, one's own signing key, photos, and the keyboard.
import { call } from "./api.mjs";
import { base64 } from "./bytes.mjs";
import { enrol } from "./enrol.mjs";
import { Fault, faultOf } from "./fault.mjs";
import { arm, post } from "./form.mjs";
import { canPasskey, loadSigner, newPageKey, newPasskey, signerNames, signerPublicKey } from "./keys.mjs";
import { keyName, lang, likeness, me, mySigner, photos, say, sendPending, signAndFile, unanswered } from "./staff-sign.mjs";
import { follow } from "./staff-live.mjs";
import { commit, thumbprint } from "./statement.mjs";

const noPhoto = () => new Fault("photo_too_large", "照片太大，压不到 30 kB 以下。请换一张。", "The photo cannot be made smaller than 30 kB. Take another.");

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

/** Puts an ask to the gate; a no is said in its own words. */
async function ask(path, what) {
  const body = await post(`${path}/asks`, { ask: what }, { timeoutSeconds: 90 });
  if (body.granted) return;
  const why = (lng) => [body.refusal?.[lng], ...body.conditions.filter((c) => c.blocks && c.verdict !== "holds").map((c) => `${c.title[lng]}${lng === "zh" ? "：" : ": "}${c.reason[lng]}`)]
    .filter(Boolean).join(lng === "zh" ? "；" : "; ");
  throw new Fault("ask_refused", `已签字记下，但条件还不成立：${why("zh")}`, `Signed and recorded, but the conditions do not hold yet: ${why("en")}`);
}

const acts = {
  sign: async (form) => {
    if (!await signAndFile(form)) return;
    if (form.dataset.ask) await ask(form.dataset.path, form.dataset.ask);
    location.reload();
  },
  ask: async (form) => { await ask(form.dataset.path, form.dataset.ask); location.reload(); },
  link: async (form) => {
    const body = await post(`${form.dataset.path}/link`, {});
    for (const name of ["address", "phone", "until"]) form.querySelector(`[data-${name}]`).textContent = body[name] || say("本机构记录里的手机号", "the number in your own records");
    form.querySelector("[data-made]").hidden = false;
    form.querySelector("[data-made]").focus();
  },
  "send-link": async (form) => {
    const body = await post(`${form.dataset.path}/send-link`, {});
    form.querySelector("[data-sent]").hidden = false;
    form.querySelector("[data-sent]").focus();
  },
  technician: async (form) => {
    const { person, staff_no, name, photo } = form.elements;
    const hidden = [await commit("name", name.value.trim()), await commit("photo", base64(await shrink(photo.files[0])))];
    const body = await post("/staff/technicians", { person: person.value, staff_no: staff_no.value, name: hidden[0].opening, photo: hidden[1].opening });
    location.assign(body.next);
  },
  revoke: async (form) => {
    const body = await post(`/v1/people/${encodeURIComponent(form.dataset.person)}/revoke_badge`, { reason: form.elements.reason.value }, { timeoutSeconds: 60 });
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

// Whom to send: what speaks against somebody is said before anybody signs, and his face comes along.
function wireDispatch(form) {
  const who = form.querySelector("select[data-technician]"), photo = form.querySelector("input[type=file]");
  const warning = form.querySelector("p[data-against]"); // options have it, too
  const chosen = async () => {
    const option = who.selectedOptions[0];
    warning.textContent = option?.dataset.against ?? "";
    warning.hidden = warning.textContent === "";
    form.dataset.warning = warning.textContent;
    photos.delete(form);
    likeness.delete(form);
    form.querySelector("[data-photo-state]").textContent = "";
    if (!option?.value) return;
    const { ok, body } = await call("GET", `/staff/technicians/${encodeURIComponent(option.value)}/face`);
    if (!ok || who.selectedOptions[0] !== option) return;
    // The badge commits to these very openings: with others the door would refuse.
    likeness.set(form, body);
    form.querySelector("[data-commit=name]").value = body.name.value;
    if (body.photo.value) photos.set(form, body.photo.value);
    photo.required = !body.photo.value;
    form.querySelector("[data-photo-state]").textContent = body.photo.value ? say("用已存的照片", "the photo on file is used") : say("还没有照片，请拍或选一张", "no photo on file: take or choose one");
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

/** Makes the forms of a part of the page work: at the start, and of what came in while it was open. */
function wireAll(part) {
  for (const form of part.querySelectorAll("form[data-do]")) arm(form, () => acts[form.dataset.do](form));
  part.querySelectorAll("form[data-dispatch]").forEach(wireDispatch);
}
wireAll(document);
follow(wireAll);

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

// The key of this device.
const state = document.querySelector("[data-key-state]");
if (state) {
  const has = (await signerNames()).includes(keyName());
  document.querySelector("[data-when-key=no]").hidden = has;
  document.querySelector("[data-page-key]").hidden = await canPasskey();
  document.querySelector("[data-when-key=yes]").hidden = !has;
  if (has) {
    const signer = await loadSigner(keyName());
    document.querySelector("[data-thumbprint]").textContent = await thumbprint(signer.key);
    document.querySelector("[data-public]").textContent = JSON.stringify(signerPublicKey(signer));
  }
  state.hidden = true;
}

// What was signed here and never answered goes again by itself: it was signed, so it is to arrive.
const left = document.querySelector("[data-unanswered]");
for (const item of left ? await unanswered() : []) {
  const line = document.createElement("li");
  const name = `${item.title} · ${new Date(item.at).toLocaleTimeString(lang === "en" ? "en-GB" : "zh-CN", { hour: "2-digit", minute: "2-digit" })}`;
  left.hidden = false;
  left.querySelector("ul").append(line);
  line.textContent = `${name} …`;
  try {
    await sendPending(item);
    line.textContent = say(`${name}：送到了。`, `${name}: arrived.`);
  } catch (e) { line.textContent = `${name}${say("：", ": ")}${faultOf(e).text(lang)}`; }
}
