// Registering one merchant: what is wrong stands at its field, in the reader's language. What was typed is kept nowhere.
import { tell } from "./acquirer.mjs";
import { call, newIdempotencyKey } from "./api.mjs";
import { Fault } from "./fault.mjs";

const form = document.querySelector("form[data-new-merchant]"), button = form.querySelector("button[type=submit]");
const lang = document.documentElement.lang === "en" ? "en" : "zh";
const fields = [...form.querySelectorAll("input[id], select[id]")];
const problem = form.querySelector("[data-problem]");
const noteOf = (field) => document.getElementById(`${field.id}-wrong`);

let idempotencyKey = newIdempotencyKey(), saved = false;

function mark(field, text, code) {
  noteOf(field).textContent = text;
  if (text === "") field.removeAttribute("aria-invalid"); else field.setAttribute("aria-invalid", "true");
  if (code) noteOf(field).dataset.code = code; else delete noteOf(field).dataset.code;
}

form.addEventListener("input", ({ target }) => {
  idempotencyKey = newIdempotencyKey(); // other words are another request
  if (target.id && noteOf(target)) mark(target, "");
});

// What was typed is on this page alone: leaving by mistake is asked about.
addEventListener("beforeunload", (event) => {
  if (!saved && fields.some((f) => f.value !== "")) event.preventDefault();
});

/** The request: an optional field that is empty is left out. */
function request() {
  const body = { shop: {} };
  for (const f of fields) {
    if (f.dataset.optional !== undefined && f.value.trim() === "") continue;
    const [first, second] = f.name.split(".");
    if (second) body.shop[second] = f.value; else body[first] = f.value;
  }
  if (form.elements.another.checked) body.another = true;
  return body;
}

/** Marks every field that a problem names, and goes to the first. */
function show(rules) {
  for (const { where, rule, ...text } of rules) {
    const field = fields.find((f) => f.name === where);
    if (field) mark(field, text[lang] ?? rule, rule);
  }
  form.querySelector("[aria-invalid=true]")?.focus();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (button.disabled) return;
  button.disabled = true;
  form.setAttribute("aria-busy", "true");
  problem.hidden = true;
  for (const f of fields) mark(f, "");
  try {
    const { ok, body } = await call("POST", "/v1/merchants", request(), { idempotencyKey });
    if (!ok) {
      if (body.code === "merchant_on_file") form.querySelector("[data-another]").hidden = false;
      tell(form, new Fault(body.code, body.zh, body.en));
      show(body.rules ?? (body.where ? [{ where: body.where, rule: body.code, zh: body.zh, en: body.en }] : []));
    } else {
      saved = true;
      location.assign(`/staff/merchants/${encodeURIComponent(body.merchant)}?new=1`);
    }
  } catch (e) { tell(form, e); }
  form.removeAttribute("aria-busy");
  button.disabled = false;
});
button.disabled = false;
