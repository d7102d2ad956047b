// Signing a piece of work: chained to the signer's statement before it, kept before it is sent.
import { nextPrevious } from "./chain.mjs";
import { faultOf } from "./fault.mjs";
import { enqueueWork, importance, list, startSender } from "./queue.mjs";
import { commit, sign, thumbprint, timeForm } from "./statement.mjs";
import { me, signer } from "./app-day.mjs";
import { ask } from "./app-net.mjs";
import { about, setAbout } from "./app-store.mjs";

export const outbox = new EventTarget(); // "change": something was signed, sent or refused; "done": the person finished a thing on the page
const changed = () => outbox.dispatchEvent(new Event("change"));
const brakes = ["freeze", "report_incident", "refuse", "roll_back", "abort"];
/** Types of what stops a visit, from the moment it is signed. */
export const braking = ["incident", "brake", "refusal"];
let sender = null, owner = "";

/** Sends for whoever is signed in, from now on. @param {{person: string}|undefined} who */
export function sendFor(who) {
  if (who?.person !== owner) {
    sender?.stop();
    [owner, sender] = [who?.person ?? "", who ? startSender(who.person, changed) : null];
  }
  sender?.wake(); // a page just opened, or a sign-in: what waits longer since it failed goes now
}

const unsent = (i) => i.state !== "sent";

/** What the queue holds of whoever is signed in, with what each is about. @param {(item: object) => boolean} [which] what has not arrived, unless told */
export async function queued(which = unsent) {
  return (await list((await me())?.person ?? "")).filter(which).map((i) => {
    const [type, step, photos, good] = i.label.split("/");
    return { ...i, type, step: step ?? "", photos: Number(photos ?? 0), good: good !== "0", statement: Boolean(i.key) };
  });
}

/** How many things wait here of others, who signed in on this phone before: no more is told of them. @returns {Promise<number>} */
export async function ofOthers() {
  const person = (await me())?.person;
  return (await list()).filter((i) => unsent(i) && i.owner !== person).length;
}

/**
 * What is signed here for a visit and not yet in what the server said last: waiting, or arrived since. A step that was
 * ticked must not lose its tick for the moment in between.
 * @param {{id: string, work_at: string}} v
 */
export const signedFor = (v) => queued((i) => i.visit === v.id && i.key && (i.state === "waiting" || (i.state === "sent" && i.sentAt >= new Date(v.work_at))));

/**
 * Signs a statement about a visit and puts it and its photos into the queue; goes out at once where there is signal.
 * @param {string} visit
 * @param {{verb: string, type: string, body: object, answers?: string, openings?: object[], step?: string, good?: boolean, photos?: {blob: Blob}[]}} what
 * @returns {Promise<string>} the statement's digest
 */
export async function file(visit, { verb, type, body, answers = "", openings = [], step = "", good = true, photos = [] }) {
  const who = await me();
  const key = await signer();
  const thumb = await thumbprint(key.key);
  const label = `${type}/${/^[a-z0-9_.-]{1,30}$/.test(step) ? step : ""}/${photos.length}/${good ? 1 : 0}`;
  const path = `/v1/visits/${visit}/${verb}`;
  for (let tries = 0; ; tries++) {
    const previous = await nextPrevious(visit, thumb);
    const signed = await sign(key, { type, subject: `visit/${visit}`, signer: who.person, organisation: who.organisation, role: who.role,
      at: timeForm(new Date()), previous, answers, body });
    try {
      await enqueueWork({ owner: who.person, visit, key: thumb, previous, path, signed, openings, importance: brakes.includes(verb) ? importance.brake : importance.signature, label },
        photos.map((p) => p.blob), `/v1/visits/${visit}/photos`);
      changed();
      sendFor(who);
      return signed.digest;
    } catch (e) { if (faultOf(e).code !== "previous_taken" || tries > 0) throw e; } // another tab signed meanwhile
  }
}

/** Where the phone is, as a commitment; nothing when it may not or cannot say. @returns {Promise<{commitment: string, opening: object}|null>} */
export async function position() {
  const at = await new Promise((resolve) => {
    if (!navigator.geolocation) return resolve(null);
    return navigator.geolocation.getCurrentPosition(resolve, () => resolve(null), { enableHighAccuracy: true, timeout: 6000, maximumAge: 60000 });
  });
  if (!at) return null;
  // ISO 6709, four decimals: about ten metres, finer than any phone indoors.
  const part = (n) => (n < 0 ? "-" : "+") + Math.abs(n).toFixed(4);
  return commit("position", `${part(at.coords.latitude)}/${part(at.coords.longitude)}`);
}

const openingsKept = "door-openings";

/** Keeps what opens the position of an answer that was shown without signal. @param {{visit: string, qr: string, presentation: string, opening: object}} answer */
export async function keepOpening(answer) {
  const owner = (await me())?.person ?? "";
  await setAbout(openingsKept, [...(await about(openingsKept)) ?? [], { ...answer, owner }].slice(-20));
  outbox.dispatchEvent(new Event("shown"));
}

/** Hands over what is kept, and keeps what the server cannot place yet. @returns {Promise<number>} how many wait */
export async function sendOpenings() {
  const kept = (await about(openingsKept)) ?? [], left = [], person = (await me())?.person;
  for (const answer of kept) {
    const { qr, presentation, opening, owner } = answer;
    if (owner !== person) { left.push(answer); continue; } // it goes when its technician is signed in again
    try { await ask("POST", "/v1/door/answers", { qr, presentation, opening }, { headers: { "Menshen-Person": owner } }); } catch (e) {
      if (!e.status || e.status >= 500 || e.code === "door_answer_unfiled" || [401, 408, 425, 429].includes(e.status)) left.push(answer); // else nobody will ever want it
    }
  }
  if (kept.length > 0) await setAbout(openingsKept, left);
  return left.filter((a) => a.owner === person).length;
}
