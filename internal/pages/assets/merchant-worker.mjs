// Keeps the merchant's pages on the phone, so that the door can be checked without signal. Pages are taken from the
// network first; what is kept is what was seen last. Files of the set never change under their address.
const shelf = "menshen-shop-1";
const patience = 4000; // ms; then what is kept is better than a white page

self.addEventListener("install", () => { self.skipWaiting(); });
self.addEventListener("activate", (event) => { event.waitUntil(self.clients.claim()); });
self.addEventListener("message", (event) => {
  if (event.data === "forget") event.waitUntil(Promise.all([caches.delete(shelf), caches.delete("menshen-shop-packages")]));
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(kept(request));
  else if (url.pathname.startsWith("/shop")) event.respondWith(fresh(event, url));
});

async function kept(request) {
  const known = await caches.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(shelf)).put(request, answer.clone());
  return answer;
}

/** One page is kept once, whatever stands behind the question mark but the language. */
const nameOf = (url) => new Request(url.origin + url.pathname);

async function fresh(event, url) {
  const late = new Promise((resolve) => { setTimeout(resolve, patience); });
  const asked = fetch(event.request).then(async (answer) => {
    if (answer.ok && !answer.redirected) await (await caches.open(shelf)).put(nameOf(url), answer.clone());
    return answer;
  });
  const answer = await Promise.race([asked.catch(() => undefined), late]);
  if (answer) return answer;
  return await caches.match(nameOf(url)) ?? asked;
}
