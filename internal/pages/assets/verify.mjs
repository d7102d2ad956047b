// Checks a bundle in the browser: menshen-verify itself, compiled to WebAssembly, over two files that never leave the
// page. It imports nothing, so that the page can also be kept as one file (see verify.go).
const form = document.getElementById("verify");
const place = document.getElementById("verdict");
const terms = JSON.parse(form.dataset.terms);
const say = (name) => terms.say[`verify.${name}`];
const term = (table, code) => terms[table][code] ?? code;
const inTongue = (text) => form.dataset.lang === "en" ? text.en : text.zh;

/** An element with text in it; nothing that a file says is ever markup. */
function h(name, kind, ...children) {
  const e = document.createElement(name);
  if (kind) e.className = kind;
  e.append(...children.filter((c) => c !== undefined && c !== null && c !== false));
  return e;
}

let compiled;

/** The program, fetched once; in the file that people keep it stands in the page. */
async function program() {
  const here = document.getElementById("program");
  const packed = here ? Uint8Array.from(atob(here.textContent), (c) => c.charCodeAt(0)) : await fetched(form.dataset.program);
  return WebAssembly.compile(await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}

async function fetched(address) {
  const answer = await fetch(address, { cache: "no-cache" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.arrayBuffer();
}

/** The disk that the program sees: the files that were chosen, to read, and its two outputs. */
function disk(files) {
  const open = new Map(), out = { 1: [], 2: [] };
  const no = (code, done) => done(Object.assign(new Error(code), { code }));
  const stat = { isDirectory: () => false, dev: 0, ino: 0, mode: 0o100444, nlink: 1, uid: 0, gid: 0, rdev: 0, size: 0, blksize: 4096, blocks: 0, atimeMs: 0, mtimeMs: 0, ctimeMs: 0 };
  const fs = {
    constants: { O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_TRUNC: 512, O_APPEND: 1024, O_EXCL: 128, O_DIRECTORY: 65536 },
    writeSync(fd, bytes) { out[fd].push(bytes.slice()); return bytes.length; },
    write(fd, bytes, offset, length, _, done) { out[fd].push(bytes.slice(offset, offset + length)); done(null, length); },
    open(path, flags, _, done) {
      if (flags !== 0 || !(path in files)) return no("ENOENT", done);
      const fd = 3 + open.size;
      open.set(fd, { bytes: files[path], at: 0 });
      return done(null, fd);
    },
    fstat(fd, done) { done(null, { ...stat, size: open.get(fd)?.bytes.length ?? 0 }); },
    read(fd, into, offset, length, position, done) {
      const f = open.get(fd);
      if (!f) return no("EBADF", done);
      const from = position ?? f.at, part = f.bytes.subarray(from, from + length);
      into.set(part, offset);
      if (position === null || position === undefined) f.at += part.length;
      return done(null, part.length);
    },
    close(_, done) { done(null); },
    fsync(_, done) { done(null); },
  };
  const refuse = (...given) => no("ENOSYS", given.at(-1));
  const whole = new Proxy(fs, { get: (t, name) => t[name] ?? refuse });
  return { fs: whole, text: async (fd) => new Blob(out[fd]).text() };
}

/**
 * Runs the program once, as on a command line.
 * @param {Record<string, Uint8Array>} files @param {string[]} args
 * @returns {Promise<{exit: number, out: string, err: string}>}
 */
async function run(files, args) {
  compiled ??= program().catch((e) => { compiled = undefined; throw e; });
  const ready = await compiled, d = disk(files), go = new globalThis.Go();
  globalThis.fs = d.fs;
  let exit = -1;
  go.exit = (code) => { exit = code; };
  go.argv = ["menshen-verify", ...args];
  await go.run(await WebAssembly.instantiate(ready, go.importObject));
  return { exit, out: await d.text(1), err: await d.text(2) };
}

const read = async (id) => new Uint8Array(await document.getElementById(id).files[0].arrayBuffer());

async function check() {
  const { exit, out, err } = await run({ "/trust": await read("trust"), "/bundle": await read("bundle") }, ["--json", "--trust", "/trust", "/bundle"]);
  if (exit === 2) return sign("mind", say("unreadable"), h("p", "", err.replace(/^menshen-verify: /, "").trim()));
  const d = JSON.parse(out);
  const accepted = exit === 0 && d.accepted, level = !accepted ? "stop" : d.demonstration ? "mind" : "good"; // green only where it proves something
  return [sign(level, say(!accepted ? "no" : d.demonstration ? "yes_demo" : "yes"), d.refusal && why(d.refusal), d.demonstration && h("p", "", say("demo")),
    accepted && d.not_opened > 0 && h("p", "", `${d.not_opened} ${say("some_closed")}`)), about(d), ...accepted ? [decisions(d), events(d)] : [], limits(d)];
}

function sign(level, word, ...more) {
  const heading = h("h2", "word", word);
  heading.tabIndex = -1;
  const e = h("section", `sign sign-${level}`, document.getElementById(`verify-${level}`).content.cloneNode(true), h("div", "", heading, ...more));
  e.dataset.level = level;
  return e;
}

function why(refusal) {
  const e = h("p", "why", h("strong", "", say("why")), inTongue(refusal.text), refusal.where ? ` (${refusal.where})` : "");
  e.dataset.code = refusal.code;
  return e;
}

function about(d) {
  const row = (name, value) => value ? [h("div", "", h("dt", "", name), h("dd", "", String(value)))] : [];
  return h("section", "card", h("dl", "rows", ...row(say("visit"), [d.visit, d.kind && term("kind", d.kind)].filter(Boolean).join(" · ")), ...row(say("order"), d.order), ...row(say("stage"), d.stage && term("stage", d.stage)),
    ...row(say("complete"), d.complete_to_event), ...row(say("log"), d.log_size), ...row(say("kept"), d.keys_kept_by_operator.map((r) => term("role", r)).join(" "))),
  h("p", "", `${say("whose")} `, h("code", "", d.trust_file)));
}

const basis = { "re-run": "rerun", attested: "attested", "not opened": "not_opened" };
const moment = (at) => new Date(at).toLocaleString(form.dataset.lang === "en" ? "en" : "zh-CN");

function decisions(d) {
  const one = (x) => h("details", "more", h("summary", "", `${term("ask", x.ask)} · ${moment(x.decided_at)}`),
    h("ul", "dots", ...x.conditions.map((c) => h("li", "", `${{ holds: "✓", fails: "✗", not_opened: "…" }[c.verdict] ?? c.verdict} ${inTongue(c.title)} · ${say(basis[c.basis] ?? "broken")}`))));
  return h("section", "card", h("h2", "", say("decided")), ...d.decisions.map(one));
}

function events(d) {
  return h("section", "card", h("details", "more", h("summary", "", say("when")),
    h("ol", "dots", ...d.events.map((e) => h("li", "", `${moment(e.received_at)} · ${term("role", e.role)} · ${term("verb", e.verb)}`)))));
}

const limits = (d) => h("section", "card", h("h2", "", say("cannot")), h("ul", "dots", ...d.cannot_prove.map((t) => h("li", "", inTongue(t)))));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button"), busy = form.querySelector("[data-busy]");
  button.disabled = true;
  busy.hidden = false;
  place.replaceChildren();
  let shown;
  try { shown = await check(); } catch { shown = sign("mind", say("broken"), h("p", "", say("broken.do"))); }
  place.replaceChildren(...[shown].flat());
  button.disabled = false;
  busy.hidden = true;
  place.querySelector(".word").focus();
});
// The browser keeps page and program for when there is no server; the file that people keep needs nobody.
async function keepHere() {
  if (!form.dataset.keep || !navigator.serviceWorker) return;
  const worker = "/sw.js";
  const policy = globalThis.trustedTypes?.createPolicy("menshen", { createScriptURL: (address) => { if (address !== worker) throw new TypeError("no script of this site's"); return address; } });
  await navigator.serviceWorker.register(policy?.createScriptURL(worker) ?? worker, { scope: "/", updateViaCache: "none" });
  const { active } = await navigator.serviceWorker.ready;
  const [page, ...files] = JSON.parse(form.dataset.keep), wanted = [page];
  for (const path of files) if (!await caches.match(path)) wanted.push(path); // the program is large, and not fetched each time
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => { document.body.dataset.kept = data.failed ? "part" : "whole"; };
  active.postMessage({ keep: wanted }, [port2]);
}
keepHere().catch(() => { document.body.dataset.kept = "none"; }); // without it, only opening it again offline is lost

form.addEventListener("change", () => place.replaceChildren()); // a verdict stands over the files that it is of
form.querySelector("button").disabled = false;
