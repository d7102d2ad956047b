// A shop asks for help, and says whether it got it: forms that menshen takes as they are, without a signature.
import { call, newIdempotencyKey } from "./api.mjs";
import { Fault } from "./fault.mjs";
import { all, busy, one } from "./shop.mjs";

for (const form of all("form[data-ask]")) { arm(form); if (form.dataset.draft) keep(form); }

// What somebody has written stays in this tab until it is sent, so that a reload loses nothing and asks for nothing twice: for whoever wrote
// it, on the page where he did. The page of signing in clears it.
function keep(form) {
  const shelf = "shop-ticket-draft", mine = { person: form.dataset.draft, page: location.search };
  try {
    const kept = JSON.parse(sessionStorage.getItem(shelf));
    if (kept?.person === mine.person && kept.page === mine.page) {
      form.dataset.key = kept.key;
      for (const field of form.elements) {
        if (field.type === "radio") field.checked = kept.values[field.name] === field.value;
        else if (field.name === "note") field.value = kept.values.note ?? "";
      }
    } else sessionStorage.removeItem(shelf);
    form.addEventListener("input", () => { try { sessionStorage.setItem(shelf, JSON.stringify({ ...mine, key: form.dataset.key, values: Object.fromEntries(new FormData(form)) })); } catch { /* it holds until the page is left */ } });
    form.addEventListener("sent", () => sessionStorage.removeItem(shelf));
  } catch { /* a browser that keeps nothing */ }
}

function arm(form) {
  form.dataset.key = newIdempotencyKey();
  form.addEventListener("input", () => { form.dataset.key = newIdempotencyKey(); }); // other words are another request
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(one("button", form), form, async () => {
      const { ok, body } = await call("POST", form.dataset.ask, Object.fromEntries(new FormData(form)), { idempotencyKey: form.dataset.key });
      if (!ok) throw new Fault(body.code, body.zh, body.en);
      form.dispatchEvent(new Event("sent"));
      if (form.dataset.then) location.replace(form.dataset.then + encodeURIComponent(body.id));
      else location.reload();
    });
  });
  one("button", form).disabled = false; // without this script its words would stand in the address
}
