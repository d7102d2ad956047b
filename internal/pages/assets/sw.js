// The one service worker of this site, for the technician's app and the merchant's pages. The server
// writes SET (the hash of all assets) and FILES (their names) before this text, so that every release is
// another worker with a store of its own, and two releases are never mixed.
//
// It keeps what a page asks it to keep: postMessage({keep: [paths]}) with a port answers {kept: n} or
// {failed: path}; {forget: [paths]} drops; {update: true} lets a waiting release in. A kept page that is
// shown because the server does not answer says so, with the time it is from. Nothing under /v1/ passes
// through here: what the server says is never remembered as if it were said now.

const store = `menshen-${SET}`;
const assets = `/assets/${SET}/`;
const shell = "/app"; // holds no data of anybody: it may come from the store at once
const patienceMs = 6000;

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

// A new release fetches anew whatever the one before it kept; if it cannot, the old one goes on.
async function takeOver() {
  const wanted = new Set([assets + "menshen.css"]);
  for (const name of await caches.keys()) {
    if (!name.startsWith("menshen-") || name === store) continue;
    for (const request of await (await caches.open(name)).keys()) {
      const { pathname } = new URL(request.url);
      const [, file] = /^\/assets\/[0-9a-f]+\/(.+)$/.exec(pathname) ?? [];
      if (file === undefined) wanted.add(pathname);
      else if (FILES.includes(file)) wanted.add(assets + file);
    }
  }
  await Promise.all([...wanted].map(async (path) => {
    if (!await keep(path) && path.startsWith(assets)) throw new Error("a file of this release cannot be had");
  }));
}

async function settle() {
  for (const name of await caches.keys()) if (name.startsWith("menshen-") && name !== store) await caches.delete(name);
  await self.clients.claim();
}

async function told({ data, ports: [port] }) {
  if (data?.update) return self.skipWaiting();
  const paths = (list) => (Array.isArray(list) ? list : []).filter((p) => typeof p === "string" && /^\/(?!\/)/.test(p)).slice(0, 500);
  const cache = await caches.open(store);
  for (const path of paths(data?.forget)) await cache.delete(path, { ignoreVary: true });
  let kept = 0;
  for (const path of paths(data?.keep)) {
    if (!await keep(path)) { port?.postMessage({ failed: path, kept }); return undefined; }
    kept++;
  }
  port?.postMessage({ kept });
  return undefined;
}

// keep fetches one path into the store and says whether it is there. An asset of this set that is there
// already cannot have changed.
async function keep(path) {
  const cache = await caches.open(store);
  if (path.startsWith(assets) && await cache.match(path, { ignoreVary: true })) return true;
  try {
    const response = await fetch(path, { cache: "no-store", credentials: "same-origin" });
    if (!response.ok || response.redirected) return false;
    await cache.put(path, await dated(response));
    return true;
  } catch { return false; }
}

// dated notes when an answer came, and leaves out what only described its way here.
async function dated(response) {
  const headers = new Headers(response.headers);
  for (const name of ["Content-Encoding", "Content-Length", "Vary", "Set-Cookie"]) headers.delete(name);
  headers.set("X-Kept-At", new Date().toISOString());
  return new Response(await response.blob(), { status: 200, headers });
}

async function asset(request, url) {
  const cache = await caches.open(store);
  const kept = await cache.match(url.pathname, { ignoreVary: true });
  if (kept) return kept;
  try {
    const response = await fetch(request);
    if (response.ok && url.pathname.startsWith(assets)) await cache.put(url.pathname, await dated(response.clone()));
    return response;
  } catch (e) {
    const old = await caches.match(url.pathname, { ignoreVary: true }); // a page of the release before, still open
    if (old) return old;
    throw e;
  }
}

// The checker's program has one address in every release: the server's comes first, the kept one where it does not answer.
async function program(request, url) {
  const cache = await caches.open(store);
  const kept = await cache.match(url.pathname, { ignoreVary: true });
  try {
    const response = await fetch(request);
    if (kept && response.status >= 502 && response.status <= 504) return kept;
    if (kept && response.ok) await cache.put(url.pathname, await dated(response.clone()));
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
  const { type, ok, status } = await fetch("/account/sign-out", { method: "POST", redirect: "manual", cache: "no-store", headers: { "Menshen-Person": await left.text() } });
  if (type !== "opaqueredirect" && !ok && status !== 401 && status !== 403) throw new Error("not signed out yet");
  await caches.delete("leaving");
}

async function page(request, url) {
  const cache = await caches.open(store);
  const kept = await cache.match(url.pathname, { ignoreVary: true });
  if (kept && url.pathname === shell) return kept;
  try {
    await letGo();
    const response = await (kept ? within(fetch(request)) : fetch(request));
    if (kept && response.status >= 502 && response.status <= 504) return asOf(kept);
    if (kept && response.ok && !response.redirected) await cache.put(url.pathname, await dated(response.clone()));
    return response;
  } catch { return kept ? asOf(kept) : away(); }
}

const within = (work) => Promise.race([work, new Promise((_, reject) => { setTimeout(() => reject(new Error("late")), patienceMs); })]);

// asOf shows a kept page as what it is.
async function asOf(kept) {
  const at = new Date(kept.headers.get("X-Kept-At"));
  const clock = `${at.getMonth() + 1}-${at.getDate()} ${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
  const text = await kept.text();
  const note = `<p class="kept" role="status">${/<html\b[^>]*\blang="?en/.test(text) ? `No signal: this is how it stood at ${clock}; it may have changed.` : `没有信号：这是 ${clock} 时的样子，现在可能变了。`}</p>`;
  const html = text.replace(/<html\b/, `<html data-kept-at="${at.toISOString()}"`).replace(/<body\b[^>]*>/, (tag) => tag + note);
  const headers = new Headers(kept.headers);
  headers.delete("Content-Length");
  return new Response(html, { status: 200, headers });
}

const away = () => new Response(`<!DOCTYPE html><html lang="zh-Hans-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>没有信号 · No signal</title><link rel="stylesheet" href="${assets}menshen.css"></head>
<body><main><section class="sign sign-wait"><div><h1 class="word">没有信号</h1><p>这一页没有存在手机里。有信号后再打开。</p><p lang="en">No signal, and this page is not kept in the phone. Open it again where there is signal.</p><p class="button-line"><a class="button" href="">再试一次 · Try again</a></p></div></section></main></body></html>`,
{ status: 503, headers: { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'", "Cache-Control": "no-store" } });
