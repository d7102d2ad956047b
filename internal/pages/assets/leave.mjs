// Signing out with or without signal: the phone does its part at once, the server's session ends with the first signal. The
// session's cookie is out of a script's reach, so until then a mark stands where the service worker reads it too: it ends the
// session before it fetches any page, so that nobody who has the phone next sees a page of whoever left.
const where = "leaving", path = "/leaving", ways = { ignoreVary: true };

/** Who signed out here while the server does not know yet. @returns {Promise<string>} "" for nobody */
export async function leaving() {
  try { return await (await (await caches.open(where)).match(path, ways))?.text() ?? ""; } catch { return ""; } // a browser that keeps nothing
}

/** Marks that somebody has left. @param {string} person opaque id */
export const leave = async (person) => (await caches.open(where)).put(path, new Response(person));

/** Tells the server, as often as it takes; somebody else's session is left alone. @param {string} person @returns {Promise<boolean>} whether it is over */
export async function endSession(person) {
  let answer;
  try { answer = await fetch("/account/sign-out", { method: "POST", redirect: "manual", cache: "no-store", headers: { "Menshen-Person": person } }); } catch { return false; }
  if (!answer.headers.has("Menshen-Release") || !answer.ok && ![401, 403].includes(answer.status)) return false; // else it was somebody in between
  try { await caches.delete(where); } catch { /* nothing was kept either */ }
  return true;
}
