// Uploading sheets: checked first, every problem shown by line, then imported. The answer comes line by line.
import { tell } from "./form.mjs";
import { newIdempotencyKey } from "./api.mjs";
import { Fault } from "./fault.mjs";
import { parsePage } from "./trusted.mjs";

const form = document.querySelector("form[data-import]");
const strange = () => new Fault("import_unanswered", "没有收到结果。再传一次不会重复写入。", "No result arrived. Uploading again writes nothing twice.");

/** Reads an answer of lines, each a JSON object. @param {Response} response @param {(line: object) => void} each */
async function lines(response, each) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    const parts = (rest + (value ?? "")).split("\n");
    rest = parts.pop();
    for (const part of parts) if (part) each(JSON.parse(part));
    if (done) return;
  }
}

/** Shows again what the page lists, which is longer by what was kept. */
async function renew() {
  const part = document.querySelector("[data-renews]");
  if (!part) return;
  const fresh = parsePage(await (await fetch(location.href, { credentials: "same-origin" })).text()).querySelector("[data-renews]");
  if (fresh) part.replaceWith(fresh);
}

function show(result) {
  const box = document.querySelector("[data-result]"), word = box.querySelector("[data-word]");
  const problems = result.problems ?? [], notes = result.notes ?? [];
  word.textContent = problems.length > 0 ? word.dataset.found.replace("{n}", problems.length + (result.more ?? 0)) : result.summary ? result.summary : result.dry ? word.dataset.checked
    : `${word.dataset.wrote} ${Object.entries(result.imported ?? {}).map(([sheet, n]) => `${sheet} ${n}`).join(" · ")}`;
  word.dataset.outcome = problems.length > 0 ? "problems" : result.dry ? "checked" : "imported";
  box.querySelector("[data-problems]").replaceChildren(...[...problems, ...notes].map((p) => {
    const row = document.createElement("tr");
    row.dataset.code = p.code;
    for (const [tag, text] of [["th", `${p.sheet}:${p.line}`], ["td", p.column], ["td", p.text]]) row.append(Object.assign(document.createElement(tag), { textContent: text, scope: "row" }));
    return row;
  }));
  box.querySelector("table").hidden = problems.length + notes.length === 0;
  box.hidden = false;
  box.focus();
  if (word.dataset.outcome === "imported") renew();
  return problems.length === 0 && result.dry;
}

if (form) {
  const [check, write] = form.querySelectorAll("button[type=submit]"), progress = form.querySelector("[data-progress]");
  check.disabled = false;
  form.elements.files.addEventListener("change", () => { write.disabled = true; }); // what is written was checked
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const dry = event.submitter !== write;
    check.disabled = write.disabled = true;
    form.querySelector("[data-problem]").hidden = true;
    let sound = false;
    try {
      const body = new FormData();
      for (const file of form.elements.files.files) body.append("files", file, file.name);
      const response = await fetch(`${form.dataset.import || "/staff/import"}?dry=${dry ? 1 : 0}`, { method: "POST", body, headers: { "Idempotency-Key": newIdempotencyKey() }, credentials: "same-origin" });
      let result;
      await lines(response, (line) => { if (line.done) result = line; else progress.textContent = `${line.sheet} ${line.lines}`; });
      if (!result) throw strange();
      if (result.fault) throw new Fault(result.fault.code, result.fault.zh, result.fault.en);
      sound = show(result);
    } catch (e) { tell(form, e instanceof Fault ? e : strange()); }
    progress.textContent = "";
    check.disabled = false;
    write.disabled = !sound;
  });
}
