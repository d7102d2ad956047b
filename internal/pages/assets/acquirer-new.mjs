// Registering one merchant: what is wrong stands at its field, in the reader's language. What was typed is kept nowhere.
import { newIdempotencyKey } from "./api.mjs";
import { arm, post } from "./form.mjs";

const form = document.querySelector("form[data-new-merchant]");
const lang = document.documentElement.lang === "en" ? "en" : "zh";
const fields = [...form.querySelectorAll("input[id], select[id]")];
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

// Without a business licence there is no credit code to write.
const { micro, credit_code: credit } = form.elements;
const noCode = (field) => field === credit && micro.checked;
micro.addEventListener("change", () => {
  credit.parentElement.hidden = micro.checked;
  mark(credit, "");
});
credit.parentElement.hidden = micro.checked; // a browser that goes back ticks it again

// What was typed is on this page alone: leaving by mistake is asked about.
addEventListener("beforeunload", (event) => {
  if (!saved && fields.some((f) => f.value !== "")) event.preventDefault();
});

/** The request: an optional field that is empty is left out. */
function request() {
  const body = { shop: {} };
  for (const f of fields) {
    if (noCode(f) || f.dataset.optional !== undefined && f.value.trim() === "") continue;
    const [first, second] = f.name.split(".");
    if (second) body.shop[second] = f.value; else body[first] = f.value;
  }
  if (micro.checked) body.micro = true;
  if (form.elements.another.checked) body.another = true;
  return body;
}

/** Marks every field that a problem, as the server wrote it, names, and goes to the first. */
function show(problem) {
  if (problem.code === "merchant_on_file") form.querySelector("[data-another]").hidden = false;
  for (const { where, rule, ...text } of problem.rules ?? (problem.where ? [{ ...problem, rule: problem.code }] : [])) {
    const field = fields.find((f) => f.name === where);
    if (field) mark(field, text[lang] ?? rule, rule);
  }
  form.querySelector("[aria-invalid=true]")?.focus();
}

arm(form, async () => {
  for (const f of fields) mark(f, "");
  const { merchant } = await post("/v1/merchants", request(), { idempotencyKey });
  saved = true;
  location.assign(`/staff/merchants/${encodeURIComponent(merchant)}?new=1`);
}, ({ answer }) => { if (answer) show(answer); }); // afterwards, so that the field has the focus
