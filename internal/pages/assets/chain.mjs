// Each signer names his previous statement in the same visit (decisions/0004). What is signed and not yet sent
// counts already: the server cannot know it, so this phone remembers.
import { call } from "./api.mjs";
import { Fault, faultOf } from "./fault.mjs";
import { done, transact } from "./idb.mjs";

const unknown = () => new Fault("previous_unknown", "这部手机还没有取到这次上门的记录。请在有信号的地方打开一次。",
  "This phone has not fetched this visit yet. Open it once where there is signal.");

/** The database of what is signed and unsent: last has the end of each chain, items what queue.mjs keeps. One, so that both change together. */
export const outbox = { name: "menshen-outbox", stores: { last: {}, items: { keyPath: "number", autoIncrement: true } } };

const within = (mode, work) => transact(outbox.name, outbox.stores, mode, (s) => work(s.last));

/** Where the end of a key's chain in a visit is kept. @param {string} visit @param {string} key thumbprint */
export const place = (visit, key) => `${visit} ${key}`;

/**
 * The digest that the next statement of a key in a visit names as previous, "" for the first. The server's word
 * when everything signed here is sent; this phone's otherwise.
 * @param {string} visit its id
 * @param {string} key thumbprint
 * @returns {Promise<string>}
 * @throws {Fault} previous_unknown: never fetched and no signal; or the server's own refusal
 */
export async function nextPrevious(visit, key) {
  const kept = await endOf(visit, key);
  if (kept?.unsent) return kept.previous;
  const { ok, status, body } = await call("GET", `/v1/visits/${encodeURIComponent(visit)}/previous/${encodeURIComponent(key)}`, undefined, { tries: 1, timeoutSeconds: 8 });
  if (ok) return learn(visit, key, body);
  if (status !== 0 && status < 500) throw new Fault(body.code, body.zh, body.en);
  if (!kept) throw unknown();
  return kept.previous;
}

// The end of a chain as this phone knows it; where that store was lost, out of what is signed and unsent: the server cannot know it.
const endOf = (visit, key) => transact(outbox.name, outbox.stores, "readonly", async ({ last, items }) => {
  const kept = await done(last.get(place(visit, key)));
  if (kept) return kept;
  const unsent = (await done(items.getAll())).filter((i) => i.visit === visit && i.key === key && i.state !== "sent");
  const end = unsent.find((i) => !unsent.some((later) => later.previous === i.digest));
  return end && { previous: end.digest, unsent: true };
});

async function learn(visit, key, body) {
  const { previous } = body ?? {};
  if (typeof previous !== "string" || !/^([0-9a-f]{64})?$/.test(previous)) throw faultOf(body);
  return within("readwrite", async (last) => {
    const kept = await done(last.get(place(visit, key)));
    if (kept?.unsent) return kept.previous; // signed in another tab meanwhile
    last.put({ previous, unsent: false }, place(visit, key));
    return previous;
  });
}

/** Remembers what a key signed, before it is sent. @param {string} visit @param {string} key @param {string} digest hex, of the envelope */
export const rememberSigned = (visit, key, digest) => within("readwrite", (last) => done(last.put({ previous: digest, unsent: true }, place(visit, key))));

/** Says that the server has a statement: if it is the last one, the server's word counts again. @param {string} visit @param {string} key @param {string} digest */
export const rememberSent = (visit, key, digest) => within("readwrite", async (last) => {
  const kept = await done(last.get(place(visit, key)));
  if (kept?.previous === digest) last.put({ previous: digest, unsent: false }, place(visit, key));
});

/** Takes back what was signed and will never be sent: the server is asked next time. @param {string} visit @param {string} key */
export const forgetSigned = (visit, key) => within("readwrite", (last) => done(last.delete(place(visit, key))));
