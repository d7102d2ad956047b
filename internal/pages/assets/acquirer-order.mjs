// Booking an order and signing its price sheet. The personal values that an order commits to are fetched for that one
// signature, committed to afresh and filed as openings; they are in no address and in nothing that this page keeps.
import { arm, post } from "./form.mjs";
import { confirmed, file, me, mySigner } from "./acquirer-sign.mjs";
import { commit, timeForm } from "./statement.mjs";

const moment = (text) => timeForm(new Date(`${text}:00+08:00`)); // fields are in China's time

/** A form that may be without its button: then it only shows. */
function onSubmit(form, act) {
  if (form.querySelector("button[type=submit]")) arm(form, () => act(form));
}

// ---- what is signed as the page has it: a sheet, the opening of a visit ---------------------------------

for (const form of document.querySelectorAll("form[data-file]")) {
  onSubmit(form, async () => {
    const signer = await mySigner(), { stream, id, verb, type, title, body } = form.dataset;
    const lines = [...form.querySelectorAll("[data-readable] dt")].map((dt) => [dt.textContent, dt.nextElementSibling.textContent]);
    if (!await confirmed(title, lines.length > 0 ? lines : [[title, id]])) return;
    await file(signer, { stream, id, verb, type, body: JSON.parse(body), previous: verb === "book" ? "" : undefined });
    location.reload();
  });
}

// ---- a new order --------------------------------------------------------------------------------------

const takesOver = ["swap", "relocation"], hasTerminal = ["repair", "removal", "inspection", "relocation"];

async function hide(hidden, kind, value) {
  const { commitment, opening } = await commit(kind, value);
  hidden.push(opening);
  return commitment;
}

/** The order as it is signed: its members in Go's order (visit.Order). */
async function orderOf(form, hidden) {
  const f = form.elements, at = form.dataset;
  const { values } = await post(`/staff/shops/${encodeURIComponent(at.shop)}/values`, {});
  const principal = await hide(hidden, "resident_id", values.resident_id);
  // A merchant without a credit code is bound by his principal: the very commitment that the identity check names.
  const whose = at.item === "principal" ? { principal } : { credit_code: await hide(hidden, "credit_code", values.credit_code) };
  const body = {
    order: at.order, kind: f.kind.value, acquirer: me.organisation, provider: f.provider.value, merchant: at.merchant, shop: at.shop, province: at.province,
    business: f.business.value, risk: Number(f.risk.value), window_from: moment(f.from.value), window_until: moment(f.until.value), model: f.model.value, terminal: f.terminal.value,
    items: { acquirer_code: at.acquirerCode, merchant_code: at.merchantCode, ...whose,
      account: await hide(hidden, "account", values.account), address: await hide(hidden, "address", values.address) },
    merchant_name: await hide(hidden, "merchant_name", values.merchant_name), position: await hide(hidden, "position", values.position),
    identity: { checked_at: moment(f.checked.value), method: f.method.value, principal, accepted: f.accepted.checked },
  };
  if (takesOver.includes(body.kind)) {
    body.old = { serial: f.old.value, terminal: f.old.selectedOptions[0].dataset.terminal };
    if (body.kind === "relocation") {
      const old = await post(`/staff/shops/${encodeURIComponent(f.old_shop.value)}/values`, {});
      body.old.address = await hide(hidden, "address", old.values.address);
    }
  }
  return body;
}

/** What the form says, in its own labels: what is signed is what was read. */
function readable(form) {
  return [...form.querySelectorAll("label[for]")].filter((l) => l.checkVisibility()).map((label) => {
    const field = form.querySelector(`#${CSS.escape(label.htmlFor)}`);
    return [label.textContent.trim(), field.tagName === "SELECT" ? field.selectedOptions[0]?.textContent.trim() ?? "" : field.value.replace("T", " ")];
  });
}

for (const form of document.querySelectorAll("form[data-book]")) {
  const f = form.elements;
  const kindChosen = () => {
    const old = [...takesOver, ...hasTerminal].includes(f.kind.value);
    form.querySelector("[data-old]").hidden = !old;
    f.old.required = old;
    form.querySelector("[data-old-shop]").hidden = f.kind.value !== "relocation";
    f.old_shop.required = f.kind.value === "relocation";
  };
  f.kind.addEventListener("change", kindChosen);
  f.old.addEventListener("change", () => { if (hasTerminal.includes(f.kind.value)) f.terminal.value = f.old.selectedOptions[0].dataset.terminal ?? ""; });
  kindChosen();
  onSubmit(form, async () => {
    const signer = await mySigner();
    if (!await confirmed(form.dataset.title, readable(form))) return;
    const hidden = [], body = await orderOf(form, hidden), { order, visit } = form.dataset;
    const basis = await file(signer, { stream: "order", id: order, verb: "book", type: "order", body, openings: hidden, previous: "" });
    try {
      await file(signer, { stream: "visit", id: visit, verb: "book", type: "visit_opened", body: { visit, order, basis }, previous: "" });
    } finally { location.href = `/staff/orders/${encodeURIComponent(order)}`; } // booked: what is missing is offered there
  });
}
