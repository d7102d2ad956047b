// Whether there is signal, and asking the server. Browsers say "online" in a cellar with Wi-Fi and no line, so
// what counts is whether the server answered last time.
import { call } from "./api.mjs";
import { Fault } from "./fault.mjs";

export const net = new EventTarget(); // "change" when signal or sign-in changed
let online = navigator.onLine, signedIn = true, answeredAt = 0;

export const isOnline = () => online;
export const isSignedIn = () => signedIn;

function noted(answer, signal) {
  if (signal?.aborted) return answer; // nobody waited for it any more: it says nothing of the signal
  const [was, in_] = [online, signedIn];
  online = answer.status !== 0 && ![502, 503, 504].includes(answer.status);
  if (online) answeredAt = Date.now();
  if (answer.status === 401) signedIn = false;
  else if (answer.ok) signedIn = true;
  if (was !== online || in_ !== signedIn) net.dispatchEvent(new Event("change"));
  return answer;
}

/** As call of api.mjs, noting whether the server answered. */
export const reach = async (method, path, body, options) => noted(await call(method, path, body, options), options?.signal);

/** The answer's body, or the server's refusal as a Fault. @throws {Fault} */
export async function ask(method, path, body, options) {
  const answer = await reach(method, path, body, { tries: 1, ...options });
  if (!answer.ok) throw Object.assign(new Fault(answer.body.code, answer.body.zh, answer.body.en), { status: answer.status, rules: answer.body.rules });
  return answer.body;
}

// Health has no sign-in: it says nothing about the session.
async function look() {
  if (online && Date.now() - answeredAt < 15000) return; // no need to ask again
  const { status } = await call("GET", "/healthz", undefined, { tries: 1, timeoutSeconds: 5 });
  const was = online;
  online = status === 200;
  if (online) answeredAt = Date.now();
  if (was !== online) net.dispatchEvent(new Event("change"));
}

/** Looks for signal every few seconds; browsers slow this down by themselves while nobody looks at the page. */
export function watch() {
  const again = () => { answeredAt = 0; look(); };
  for (const event of ["online", "offline"]) addEventListener(event, again);
  document.addEventListener("visibilitychange", again);
  const turn = async () => { await look(); setTimeout(turn, document.hidden ? 30000 : 4000); };
  turn();
}
