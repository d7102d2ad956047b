// A shop asks for help, and says whether it got it: forms that menshen takes as they are, without a signature.
import { call, newIdempotencyKey } from "./api.mjs";
import { Fault } from "./fault.mjs";
import { all, busy, one } from "./shop.mjs";

for (const form of all("form[data-ask]")) arm(form);

function arm(form) {
  let idempotencyKey = newIdempotencyKey();
  form.addEventListener("input", () => { idempotencyKey = newIdempotencyKey(); }); // other words are another request
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(one("button", form), form, async () => {
      const { ok, body } = await call("POST", form.dataset.ask, Object.fromEntries(new FormData(form)), { idempotencyKey });
      if (!ok) throw new Fault(body.code, body.zh, body.en);
      if (form.dataset.then) location.replace(form.dataset.then + encodeURIComponent(body.id));
      else location.reload();
    });
  });
  one("button", form).disabled = false; // without this script its words would stand in the address
}
