// Forms of people at a desk: each is sent once, waits for its answer, and says in its own line why something did not work.
import { call } from "./api.mjs";
import { Fault, faultOf } from "./fault.mjs";

const lang = document.documentElement.lang === "en" ? "en" : "zh";

/** Tells in a place's own line why something did not work. @param {Element} within @param {unknown} thrown */
export function tell(within, thrown) {
  const line = within.querySelector("[data-problem]");
  if (!line) throw thrown;
  line.textContent = faultOf(thrown).text(lang);
  line.dataset.code = faultOf(thrown).code;
  line.hidden = false;
  line.focus();
}

/**
 * Asks the page's own server.
 * @param {string} path @param {object} body @param {object} [options] as call takes them
 * @returns {Promise<any>} what it answered
 * @throws {Fault} a refusal; its answer is the whole problem, with rules where the server names fields
 */
export async function post(path, body, options) {
  const { ok, body: answer } = await call("POST", path, body, options);
  if (!ok) throw Object.assign(new Fault(answer.code, answer.zh, answer.en), { answer });
  return answer;
}

/**
 * Makes a form work: one act at a time, a second press while the first works does nothing.
 * @param {HTMLFormElement} form with a submit button, which stays off where it has data-off, and a line for problems
 * @param {() => Promise<void>} work what it does; what that throws is told
 * @param {(thrown: unknown) => void} [told] runs once that was told
 */
export function arm(form, work, told = () => {}) {
  const button = form.querySelector("button[type=submit]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    form.setAttribute("aria-busy", "true");
    form.querySelector("[data-problem]").hidden = true;
    try { await work(); } catch (e) { tell(form, e); told(e); }
    form.removeAttribute("aria-busy");
    button.disabled = false;
  });
  button.disabled = button.dataset.off !== undefined; // until now its words would have stood in the address
}
