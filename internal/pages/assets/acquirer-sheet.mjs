// The sheet builder: gathers what is typed, has the rules judge it as it stands, saves and sends it. No rule is here.
import { post, tell } from "./form.mjs";
import { newIdempotencyKey } from "./api.mjs";
import { hex, random, sha256 } from "./bytes.mjs";

const form = document.querySelector("form[data-sheet]");
const field = (row, name) => row.querySelector(`[data-f=${name}]`);
const node = (tag, text, name) => Object.assign(document.createElement(tag), { textContent: text, className: name ?? "" });

/** A decimal number as a whole number of its smallest unit; NaN for what is none, so that the rules refuse it. */
export function units(text, places) {
  const m = new RegExp(`^([0-9]{1,9})(?:[.]([0-9]{0,${places}}))?$`).exec(text.trim().replace(/[，,]/g, ""));
  return m ? Number(m[1]) * 10 ** places + Number((m[2] ?? "").padEnd(places, "0")) : -1; // the rules say that it is out of bounds
}

function fees() {
  const out = [];
  for (const row of form.querySelectorAll("[data-fees] [data-fee]")) {
    const amount = field(row, "amount").value.trim();
    if (amount === "") continue;
    const name = field(row, "name"), back = field(row, "return")?.value.trim();
    const item = { code: name ? `other.${name.value.trim()}`.replace(/[.]$/, "") : row.dataset.fee, label: field(row, "label").value.trim(), amount_fen: units(amount, 2),
      per: field(row, "per").value, when: field(row, "when").value, paid_to: field(row, "paid_to").value };
    if (back) item.return_condition = back;
    out.push(item);
  }
  return out;
}

function rates() {
  const out = [];
  for (const row of form.querySelectorAll("[data-rate]")) {
    const rate = field(row, "rate").value.trim(), cap = field(row, "cap").value.trim();
    if (rate !== "") out.push({ card: row.dataset.rate, rate_ppm: units(rate, 4), cap_fen: cap === "" ? 0 : units(cap, 2) });
  }
  return out;
}

const whole = (name) => units(form.elements[name].value || "0", 0);

/** The sheet as it stands, its members in the order in which they are signed. */
export function sheetNow() {
  const { acquirer } = form.dataset;
  const sheet = { terms: form.elements.terms.value.trim(), acquirer };
  if (form.elements.provider.value) sheet.provider = form.elements.provider.value;
  return { ...sheet, settled_by: form.elements.settled.checked ? acquirer : "none", items: fees(), rates: rates(),
    clauses: [...form.querySelectorAll("[data-clauses] [data-clause]")].map((row) => ({ code: row.dataset.clause, text: field(row, "text").value.trim() })).filter((c) => c.text !== ""),
    scope: form.elements.scope.value.trim(), warranty_months: whole("warranty"), response_hours: whole("response"), resolution_hours: whole("resolution"),
    responsibility: [...form.querySelectorAll("[data-step]")].filter((s) => s.value !== "").map((s) => ({ step: s.dataset.step, organisation: s.value })) };
}

// ---- the verdict beside it ---------------------------------------------------------------------------

const at = (name) => form.querySelector(`[data-${name}]`);
let asked = 0;

async function judge() {
  const mine = ++asked;
  let v;
  try { v = await post("/staff/sheets/check", { sheet: sheetNow(), order: form.dataset.order }); } catch (e) {
    if (mine === asked) tell(form.querySelector(".verdict"), e);
    return;
  }
  if (mine !== asked) return; // something was typed since
  at("total").textContent = v.total;
  at("service").textContent = v.service;
  at("lines").replaceChildren(...v.lines.map((l) => {
    const line = node("div", ""), name = node("dt", l.name + " ");
    name.append(node("span", l.when, "quiet"));
    line.append(name, node("dd", l.amount));
    return line;
  }));
  at("invalid").hidden = v.problem === "";
  at("invalid").textContent = v.problem === "" ? "" : `${v.problem} (${v.where})`;
  at("invalid").dataset.code = v.code;
  at("flags").replaceChildren(...v.flags.map((f) => {
    const line = node("li", "");
    line.dataset.flag = f.code;
    line.append(node("strong", f.text), node("p", `${f.rule} (${f.at})`, "quiet"));
    return line;
  }));
  at("flags-box").hidden = v.flags.length === 0;
  at("changes").replaceChildren(...v.changes.map((c) => node("li", `${c.what}${document.documentElement.lang === "en" ? ": " : "："}${c.was} → ${c.is}`, c.dearer ? "bad" : "")));
  at("changes-box").hidden = v.changes.length === 0;
  form.dataset.judged = v.digest;
  for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = button.value === "send" && v.problem !== "";
}

let soon;
const later = () => { clearTimeout(soon); delete form.dataset.judged; soon = setTimeout(judge, 300); };
form.addEventListener("input", later);
form.addEventListener("change", later);

for (const [button, list, template] of [["add-fee", "fees", "fee-template"], ["add-clause", "clauses", "clause-template"]]) {
  at(button).hidden = false;
  at(button).addEventListener("click", () => {
    at(list).append(at(template).content.cloneNode(true));
    at(list).lastElementChild.querySelector("input, textarea").focus();
  });
}

at("terms-file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  form.elements.terms.value = hex(await sha256(new Uint8Array(await file.arrayBuffer())));
  later();
});

// ---- saving --------------------------------------------------------------------------------------------

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const buttons = [...form.querySelectorAll("button[type=submit]")], what = event.submitter?.value ?? "save";
  for (const b of buttons) b.disabled = true;
  form.dataset.id ||= "s-" + hex(random(8));
  try {
    const path = `/v1/sheets/${form.dataset.id}`;
    await post(`${path}/save`, { title: form.elements.title.value.trim(), sheet: sheetNow() }, { idempotencyKey: newIdempotencyKey() });
    if (what === "send") {
      await post(`${path}/send`, { order: form.dataset.order }, { idempotencyKey: newIdempotencyKey() });
      location.href = `/staff/orders/${encodeURIComponent(form.dataset.order)}`;
      return;
    }
    history.replaceState(null, "", `/staff/sheets/${form.dataset.id}`);
    at("saved").hidden = false;
    at("saved").focus();
  } catch (e) { tell(form.querySelector(".verdict"), e); }
  for (const b of buttons) b.disabled = false;
});

judge();
