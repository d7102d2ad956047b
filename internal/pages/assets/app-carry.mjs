// A dispatcher hands in what a technician's phone exported. The file is opened here; each statement goes to the
// server as it was signed, and each answer stands beside it.
import { call } from "./api.mjs";
import { fromBase64, utf8 } from "./bytes.mjs";
import { Fault, faultOf } from "./fault.mjs";
import { digestHex } from "./statement.mjs";

const lang = document.documentElement.lang === "en" ? "en" : "zh";
const say = (zh, en) => lang === "en" ? en : zh;
const unreadable = (cause) => new Fault("queue_file_malformed", "这个文件不是从门神导出的，或者不完整。", "This file was not exported by menshen, or is incomplete.", cause);
const maxFileBytes = 64 << 20;
const partBytes = 700 << 10, partCount = 50; // the server takes 1 MiB and 100 at once

/**
 * Reads what queue.mjs exported.
 * @param {Blob} file
 * @returns {Promise<{statements: {stream: string, verb: string, statement: string, openings: object[]}[], photos: {visit: string, bytes: Uint8Array, type: string}[]}>}
 * @throws {Fault} queue_file_malformed
 */
export async function readExported(file) {
  if (file.size > maxFileBytes) throw unreadable();
  try {
    const { format, items } = JSON.parse(await file.text());
    if (format !== "menshen-outbox-v1" || !Array.isArray(items)) throw unreadable();
    const out = { statements: [], photos: [] };
    for (const item of items) {
      const [, kind, id, verb] = /^\/v1\/(visits|orders|devices)\/([A-Za-z0-9._-]{1,64})\/([a-z_]{1,40})$/.exec(item.path) ?? [];
      if (!kind) throw unreadable();
      const bytes = fromBase64(item.photo ? item.photo.base64 : item.body.statement);
      if (await digestHex(bytes) !== item.digest) throw unreadable();
      if (item.photo) out.photos.push({ visit: id, bytes, type: item.photo.type });
      else out.statements.push({ stream: `${kind.slice(0, -1)}/${id}`, verb, statement: item.body.statement, openings: item.body.openings ?? [] });
    }
    return out;
  } catch (e) { throw e instanceof Fault && e.code === "queue_file_malformed" ? e : unreadable(e); }
}

/** Cuts a list into parts that the server takes. */
export function parts(list) {
  const out = [];
  let size = 0;
  for (const item of list) {
    const bytes = JSON.stringify(item).length;
    if (out.length === 0 || size + bytes > partBytes || out.at(-1).length >= partCount) { out.push([]); size = 0; }
    out.at(-1).push(item);
    size += bytes;
  }
  return out;
}

// The same file handed in twice asks under the same keys: nothing is done twice.
const keyFor = async (text) => (await digestHex(utf8(text))).slice(0, 60);

const line = (text, code) => Object.assign(document.createElement("li"), { textContent: text, className: code ? "bad" : "" });

async function carry(file, report) {
  const { statements, photos } = await readExported(file);
  let recorded = 0, known = 0, refused = 0;
  for (const part of parts(statements)) {
    const body = { statements: part };
    const { ok, body: answer } = await call("POST", "/v1/carried", body, { idempotencyKey: await keyFor(JSON.stringify(body)), timeoutSeconds: 120 });
    if (!ok) throw new Fault(answer.code, answer.zh, answer.en);
    for (const [i, r] of answer.results.entries()) {
      if (r.refusal) { refused++; report.append(line(`${part[i].stream} ${part[i].verb}: ${lang === "en" ? r.refusal.en : r.refusal.zh}`, r.refusal.code)); }
      else if (r.known) known++;
      else recorded++;
    }
  }
  for (const p of photos) {
    const { ok, body } = await call("POST", `/v1/visits/${p.visit}/photos`, new Blob([p.bytes], { type: p.type }), { timeoutSeconds: 120 });
    if (ok) recorded++;
    else { refused++; report.append(line(`${p.visit}: ${lang === "en" ? body.en : body.zh}`, body.code)); }
  }
  report.prepend(line(say(`收下 ${recorded} 项，早就有 ${known} 项，退回 ${refused} 项。`, `${recorded} recorded, ${known} known already, ${refused} refused.`)));
}

const form = document.getElementById("carry");
if (form) {
  const [button, shown] = [form.querySelector("button"), document.getElementById("carried")];
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    const report = document.createElement("ul");
    shown.replaceChildren(report);
    try { await carry(form.elements.file.files[0], report); } catch (e) {
      report.prepend(line(faultOf(e).text(lang), faultOf(e).code));
    }
    button.disabled = false;
  });
}
