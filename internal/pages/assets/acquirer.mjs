// What every page of the acquirer's console does: search without personal values in an address, show one masked
// value, copy a command, the keyboard.
import { Fault } from "./fault.mjs";
import { post, tell } from "./form.mjs";

// A name, a phone or an identity number is looked for in a request's body; only ids go into the address.
const plain = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const personal = (text) => !plain.test(text) || /^1[0-9]{10}$/.test(text) || /^[0-9A-HJ-NP-RTUWXY]{17}[0-9A-Z]$/.test(text);
const none = () => new Fault("merchant_not_found", "没有对得上的商户。要写整个号码或整个名字。", "No merchant matches. Type the whole number or the whole name.");

for (const form of document.querySelectorAll("form[data-find]")) {
  form.addEventListener("submit", async (event) => {
    const value = form.elements.q.value.trim();
    if (value === "" || !personal(value)) return;
    event.preventDefault();
    try {
      const { merchants } = await post(`${form.dataset.find}/find`, { value });
      if (merchants.length === 0) throw none();
      location.href = merchants.length === 1 ? `${form.dataset.find}/${encodeURIComponent(merchants[0])}` : `${form.dataset.find}?q=${encodeURIComponent(merchants[0])}`;
    } catch (e) { tell(form, e); }
  });
}

for (const button of document.querySelectorAll("button[data-show]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const section = button.closest("[data-merchant]");
    try {
      const { value } = await post(`/staff/merchants/${encodeURIComponent(section.dataset.merchant)}/show`, { commitment: button.dataset.show, purpose: button.dataset.purpose });
      button.parentElement.querySelector("[data-value]").textContent = value;
      button.remove();
    } catch (e) { tell(section, e); }
  });
}

// ---- keyboard: j and k through the rows, / searches, Escape goes back -------------------------------
const rows = [...document.querySelectorAll("table[data-rows] tbody a[data-open]")];
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea, dialog")) return;
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
