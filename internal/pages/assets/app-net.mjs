// Whether there is signal, and asking the server. Browsers say "online" in a cellar with Wi-Fi and no line, so
// what counts is whether the server answered last time.
import { call } from "./api.mjs";
import { Fault } from "./fault.mjs";

export const net = new EventTarget(); // "change" when signal or sign-in changed
let online = navigator.onLine, signedIn = true;

export const isOnline = () => online;
export const isSignedIn = () => signedIn;

function noted(answer) {
  const [was, in_] = [online, signedIn];
  online = answer.status !== 0 && ![502, 503, 504].includes(answer.status);
  if (answer.status === 401) signedIn = false;
  else if (answer.ok) signedIn = true;
  if (was !== online || in_ !== signedIn) net.dispatchEvent(new Event("change"));
  return answer;
}

/** As call of api.mjs, noting whether the server answered. */
export const reach = async (...request) => noted(await call(...request));

/** The answer's body, or the server's refusal as a Fault. @throws {Fault} */
export async function ask(method, path, body, options) {
  const answer = await reach(method, path, body, { tries: 1, ...options });
  if (!answer.ok) throw Object.assign(new Fault(answer.body.code, answer.body.zh, answer.body.en), { status: answer.status, rules: answer.body.rules });
  return answer.body;
}

// Health has no sign-in: it says nothing about the session.
async function look() {
  if (document.visibilityState !== "visible") return;
  const { status } = await call("GET", "/healthz", undefined, { tries: 1, timeoutSeconds: 5 });
  const was = online;
  online = status === 200;
  if (was !== online) net.dispatchEvent(new Event("change"));
}

/** Looks for signal every few seconds while the page is seen. */
export function watch() {
  const next = () => { setTimeout(async () => { await look(); next(); }, online ? 15000 : 4000); };
  for (const event of ["online", "offline"]) addEventListener(event, () => { look(); });
  document.addEventListener("visibilitychange", () => { look(); });
  look();
  next();
}
