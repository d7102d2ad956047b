// One way to ask the server: the session's cookie goes along, problems (RFC 9457) come back as {code, zh, en}.
import { base64url, random } from "./bytes.mjs";

const offline = { code: "offline", zh: "现在没有信号，连不上。", en: "There is no signal; the server cannot be reached." };
const strange = { code: "answer_unreadable", zh: "回答的不是门神的服务器，可能是无线网的登录页。换个网络，或者先登录无线网，再试一次。",
  en: "What answered is not menshen's server, perhaps the Wi-Fi's sign-in page. Use another network, or sign in to the Wi-Fi, then try again." };
const slow = { code: "answer_late", zh: "等了很久没有回答，请再试一次。", en: "There was no answer for a long time. Try again." };

/** A fresh key for one write. Keep it with what is written: the same key asks again, it never does twice. */
export const newIdempotencyKey = () => "k" + base64url(random(16)); // an id does not begin with a dash

/**
 * Asks the server. Never throws for what the network or the server does.
 * @param {"GET"|"POST"|"PUT"|"DELETE"} method
 * @param {string} path on this site, from /
 * @param {object|Blob} [body] sent as JSON; a Blob as it is, under its own type
 * @param {{idempotencyKey?: string, headers?: Record<string, string>, timeoutSeconds?: number, signal?: AbortSignal, tries?: number}} [options]
 *   idempotencyKey: of a write, made afresh when absent; tries: of a GET, at most, default 3
 * @returns {Promise<{ok: boolean, status: number, body: any}>} status 0: the server did not answer; somebody in between may have, and that
 *   counts as nothing, whatever its status says. When not ok, body is {code, zh, en, …}
 */
export async function call(method, path, body, options = {}) {
  if (!/^\/(?!\/)[^\\\s]*$/.test(path)) throw new TypeError("a path on this site");
  const reads = method === "GET";
  const headers = { Accept: "application/json", ...options.headers };
  if (!reads) headers["Idempotency-Key"] = options.idempotencyKey ?? newIdempotencyKey();
  const raw = body instanceof Blob;
  if (body !== undefined) headers["Content-Type"] = raw ? body.type : "application/json";
  const request = { method, headers, body: raw || body === undefined ? body : JSON.stringify(body),
    credentials: "same-origin", cache: "no-store", redirect: "error", referrerPolicy: "no-referrer" };
  for (let left = reads ? options.tries ?? 3 : 1, wait = 300; ; wait *= 3) {
    const answer = await once(path, request, options);
    // Only what changes nothing is asked again here; a write is asked again by whoever kept its key.
    if (--left <= 0 || options.signal?.aborted || ![0, 502, 503, 504].includes(answer.status)) return answer;
    await new Promise((resolve) => { setTimeout(resolve, wait + Math.random() * wait); });
  }
}

async function once(path, request, { timeoutSeconds = 30, signal }) {
  const stop = new AbortController();
  let late = false, response, text;
  const timer = setTimeout(() => { late = true; stop.abort(); }, timeoutSeconds * 1000);
  const abort = () => stop.abort();
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  try {
    response = await fetch(path, { ...request, signal: stop.signal });
    text = await response.text();
  } catch { return { ok: false, status: 0, body: late ? slow : offline }; } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
  const { status } = response;
  let body;
  try { body = JSON.parse(text); } catch { return { ok: false, status: 0, body: strange }; } // a sign-in page, a gateway's own words, an answer cut short
  if (response.ok && typeof body === "object" && body !== null) return { ok: true, status, body };
  if (response.ok || [body?.code, body?.zh, body?.en].some((part) => typeof part !== "string")) return { ok: false, status: 0, body: strange };
  const after = Number(response.headers.get("Retry-After"));
  return { ok: false, status, body: after > 0 ? { ...body, retry_after_seconds: after } : body };
}
