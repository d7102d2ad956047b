// The one service worker of this site, for the technician's app and the merchant's pages. The server
// writes SET (the hash of all assets) and FILES (the SHA-256 of each by its name) before this text, so that every
// release is another worker with a store of its own.
//
// It keeps what a page asks it to keep: postMessage({keep: [paths]}) with a port answers {kept: n} or
// {failed: path}; {update: true} lets a waiting release in. Nothing else is kept (decisions/0075):
// - files only with the bytes that this release names, pages only from the server itself: a network's sign-in page, a gateway
//   or half an answer takes the place of nothing;
// - a page only of the release whose files were asked for with it: one of a newer release would stand there without signal and
//   without its script;
// - pages with somebody's data only until somebody else is signed in, or nobody.
// A kept page that is shown because the server does not answer says so, with the time it is from. Nothing under /v1/ passes
// through here: what the server says is never remembered as if it were said now.

const store = `menshen-${SET}`;
const assets = `/assets/${SET}/`;
const shell = "/app"; // holds no data of anybody: it may come from the store at once
const packages = "shop-packages"; // merchant-keep.mjs
const patienceMs = 6000;
const mayKeep = /^\/(app|shop(\/visits\/[A-Za-z0-9._-]{1,64}(\/door)?)?|verify(\/[a-z0-9_.-]+)?|assets\/[0-9a-f]+\/[a-zA-Z0-9_./-]+)$/;

self.addEventListener("install", (event) => event.waitUntil(takeOver()));
self.addEventListener("activate", (event) => event.waitUntil(settle()));
self.addEventListener("message", (event) => event.waitUntil(told(event)));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(asset(event.request, url));
  else if (url.pathname.startsWith("/verify/") && event.request.mode !== "navigate") event.respondWith(program(event.request, url));
  else if (event.request.mode === "navigate") event.respondWith(page(event.request, url));
});

const releaseOf = (response) => response.headers.get("Menshen-Release") ?? ""; // "": it is none of the server's
const viewerOf = (response) => response.headers.get("Menshen-Viewer") ?? "";
const fileOf = (pathname) => /^\/assets\/([0-9a-f]+)\/(.+)$/.exec(pathname)?.slice(1) ?? [];
const awayStatus = (status) => status >= 502 && status <= 504;
const ours = (name) => name.startsWith("menshen-");

// A new release fetches anew whatever the one before it kept; if it cannot, the old one goes on.
async function takeOver() {
  const wanted = new Set([assets + "menshen.css"]);
  for (const name of await caches.keys()) {
    if (!ours(name) || name === store) continue;
    for (const request of await (await caches.open(name)).keys()) {
      const { pathname } = new URL(request.url);
      const [, file] = fileOf(pathname);
      if (file === undefined) wanted.add(pathname);
      else if (Object.hasOwn(FILES, file)) wanted.add(assets + file);
    }
  }
  await Promise.all([...wanted].map(async (path) => {
    if (!await keep(path, [SET]) && path.startsWith(assets)) throw new Error("a file of this release cannot be had");
  }));
}

// The files of the release before stay until the next: a page of it may still be open, and wants its late parts. Its pages go.
async function settle() {
  const before = (await caches.keys()).filter((name) => ours(name) && name !== store);
  for (const name of before.slice(0, -1)) await caches.delete(name);
  for (const name of before.slice(-1)) await dropPages(await caches.open(name), () => true);
  await self.clients.claim();
}

async function dropPages(cache, which) {
  let dropped = 0;
  for (const request of await cache.keys()) {
    if (fileOf(new URL(request.url).pathname).length > 0) continue;
    const kept = await cache.match(request, { ignoreVary: true });
    if (kept && which(kept)) { await cache.delete(request, { ignoreVary: true }); dropped++; }
  }
  return dropped;
}

async function told({ data, ports: [port] }) {
  if (data?.update) return self.skipWaiting();
  const paths = (Array.isArray(data?.keep) ? data.keep : []).filter((p) => typeof p === "string").slice(0, 500);
  const files = paths.filter((p) => fileOf(p).length > 0);
  const releases = files.length > 0 ? [...new Set(files.map((p) => fileOf(p)[0]))] : [SET];
  let kept = 0;
  for (const path of [...files, ...paths.filter((p) => !files.includes(p))]) { // a page is of use once its files are there
    if (!await keep(path, releases)) { port?.postMessage({ failed: path, kept }); return undefined; }
    kept++;
  }
  port?.postMessage({ kept });
  return undefined;
}

// keep fetches one path into the store and says whether it is there, of one of these releases. An asset that is there already
// cannot have changed; a page that is there stays where the server is at another release by now.
async function keep(path, releases) {
  if (!mayKeep.test(path)) return false;
  const cache = await caches.open(store);
  const [set] = fileOf(path), there = await cache.match(path, { ignoreVary: true });
  if (set !== undefined && there) return true;
  try {
    const response = await fetch(path, { cache: "no-store", credentials: "same-origin" });
    if (set === undefined) await changesHands(cache, path, response);
    const good = response.ok && !response.redirected, fits = set !== undefined || releases.includes(releaseOf(response));
    const whole = good && fits && (set === undefined ? response : await sound(response, path));
    if (!whole) {
      if (!response.bodyUsed) await response.body?.cancel(); // an answer that nobody reads keeps the worker from ending
      return good && !fits && releaseOf(response) !== "" && Boolean(there) && releases.includes(releaseOf(there));
    }
    await cache.put(path, await dated(whole));
    return true;
  } catch { return false; }
}

// sound gives a file whose bytes are what its release names, undefined for anything else. What another release names is not known
// here: its file must come from a server of that release.
async function sound(response, path) {
  const [set, file] = fileOf(path);
  if (set !== SET) return releaseOf(response) === set ? response : undefined;
  const bytes = await response.arrayBuffer();
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  if (!Object.hasOwn(FILES, file) || btoa(String.fromCharCode(...sum)) !== FILES[file]) return undefined;
  return new Response(bytes, { status: 200, headers: response.headers });
}

// dated notes when an answer came, and leaves out what only described its way here.
async function dated(response) {
  const headers = new Headers(response.headers);
  for (const name of ["Content-Encoding", "Content-Length", "Vary", "Set-Cookie"]) headers.delete(name);
  headers.set("X-Kept-At", new Date().toISOString());
  return new Response(await response.blob(), { status: 200, headers });
}

// put keeps a copy where there is room for it. A store that is full takes nothing from whoever asked.
async function put(cache, path, response) {
  try { await cache.put(path, await dated(response)); } catch { /* what was kept stays */ }
}

async function asset(request, url) {
  const cache = await caches.open(store), mine = url.pathname.startsWith(assets);
  const kept = await cache.match(url.pathname, { ignoreVary: true })
    ?? (mine ? undefined : await caches.match(url.pathname, { ignoreVary: true })); // a page of the release before, still open
  if (kept) return kept;
  const response = await fetch(request);
  if (!mine || !response.ok) return response;
  const whole = await sound(response, url.pathname) ?? await sound(await fetch(url.pathname, { cache: "reload" }), url.pathname); // the browser's own cache may hold half of it
  if (!whole) return Response.error();
  await put(cache, url.pathname, whole.clone());
  return whole;
}

// The checker's program has one address in every release: the server's comes first, the kept one where it does not answer.
async function program(request, url) {
  const cache = await caches.open(store);
  const kept = await cache.match(url.pathname, { ignoreVary: true });
  try {
    const response = await fetch(request);
    if (kept && (releaseOf(response) === "" || awayStatus(response.status))) return kept;
    if (kept && response.ok && releaseOf(response) === SET) await put(cache, url.pathname, response.clone());
    return response;
  } catch (e) {
    if (kept) return kept;
    throw e;
  }
}

// Who signed out where there was no signal is signed out at the server before a page is fetched (leave.mjs).
async function letGo() {
  const left = await (await caches.open("leaving")).match("/leaving", { ignoreVary: true });
  if (!left) return;
  const answer = await fetch("/account/sign-out", { method: "POST", redirect: "manual", cache: "no-store", headers: { "Menshen-Person": await left.text() } });
  if (releaseOf(answer) === "" || !answer.ok && answer.status !== 401 && answer.status !== 403) throw new Error("not signed out yet");
  await caches.delete("leaving");
}

async function page(request, url) {
  const cache = await caches.open(store);
  const kept = await cache.match(url.pathname, { ignoreVary: true });
  if (kept && url.pathname === shell) return kept;
  try {
    await letGo();
    const response = await (kept ? within(fetch(request)) : fetch(request));
    if (response.type === "opaqueredirect") return response;
    if (kept && (releaseOf(response) === "" || awayStatus(response.status))) return asOf(kept);
    await changesHands(cache, url.pathname, response);
    // One of a newer release is kept when it asks for that itself, with its files.
    if (kept && response.ok && releaseOf(response) === SET) await put(cache, url.pathname, response.clone());
    return response;
  } catch { return kept ? asOf(kept) : away(); }
}

// What was kept of somebody leaves the phone with the first page that the server gives to somebody else, or refuses because
// nobody is signed in; what it says is not there, or not his, goes as well.
let seenViewer = "";
async function changesHands(cache, pathname, response) {
  const viewer = viewerOf(response), nobody = response.status === 401;
  if (releaseOf(response) === "") return;
  if ([403, 404].includes(response.status)) await cache.delete(pathname, { ignoreVary: true });
  if (!nobody && (viewer === "" || viewer === seenViewer)) return;
  const dropped = await dropPages(cache, (kept) => viewerOf(kept) !== "" && viewerOf(kept) !== viewer);
  if (dropped > 0) await caches.delete(packages);
  seenViewer = viewer;
}

const within = (work) => Promise.race([work, new Promise((_, reject) => { setTimeout(() => reject(new Error("late")), patienceMs); })]);

// asOf shows a kept page as what it is.
async function asOf(kept) {
  const at = new Date(kept.headers.get("X-Kept-At"));
  const text = await kept.text(), english = /<html\b[^>]*\blang="?en/.test(text), when = whenOf(at, english);
  const note = `<p class="kept" role="status">${english ? `No signal: this is how it stood ${when}; it may have changed.` : `没有信号：这是${when}的样子，现在可能变了。`}</p>`;
  const html = text.replace(/<html\b/, `<html data-kept-at="${at.toISOString()}"`).replace(/<body\b[^>]*>/, (tag) => tag + note);
  const headers = new Headers(kept.headers);
  headers.delete("Content-Length");
  return new Response(html, { status: 200, headers });
}

// whenOf says a moment as the pages do (when.go), by the one clock that they have.
function whenOf(at, english) {
  const days = (moment) => Math.floor((moment.getTime() + 8 * 3600_000) / 86_400_000);
  const china = new Date(at.getTime() + 8 * 3600_000).toISOString(); // UTC+8 all year
  const ago = days(new Date()) - days(at), [month, day, clock] = [Number(china.slice(5, 7)), Number(china.slice(8, 10)), china.slice(11, 16)];
  if (english) return `${ago === 0 ? "at" : ago === 1 ? "yesterday at" : `on ${day} ${["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month - 1]} at`} ${clock}`;
  return `${ago === 0 ? "今天" : ago === 1 ? "昨天" : `${month}月${day}日`} ${clock} `;
}

const away = () => new Response(`<!DOCTYPE html><html lang="zh-Hans-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>没有信号 · No signal</title><link rel="stylesheet" href="${assets}menshen.css"></head>
<body><main><section class="sign sign-wait"><div><h1 class="word">没有信号</h1><p>这一页没有存在手机里。有信号后再打开。</p><p lang="en">No signal, and this page is not kept in the phone. Open it again where there is signal.</p><p class="button-line"><a class="button" href="">再试一次 · Try again</a></p></div></section></main></body></html>`,
{ status: 503, headers: { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'", "Cache-Control": "no-store" } });
