// What the phone keeps of the day: who the technician is, the badge, visits with their order packages, and
// half-done steps with their photos. The end of the shift takes the order packages from it, signing out all but
// half-done steps; what is signed waits in queue.mjs.
import { done, transact } from "./idb.mjs";

const stores = { about: {}, visits: { keyPath: "id" }, drafts: {} };
const within = (mode, work) => transact("menshen-app", stores, mode, work);

/** @param {"me"|"shift"|"day"|"parked"} name @returns {Promise<any>} undefined when there is none */
export const about = (name) => within("readonly", (s) => done(s.about.get(name)));
export const setAbout = (name, value) => within("readwrite", (s) => done(value === undefined ? s.about.delete(name) : s.about.put(value, name)));

/** A visit: {id, work, work_at, package, package_at}; the times are this phone's. */
export const visits = () => within("readonly", (s) => done(s.visits.getAll()));
export const visit = (id) => within("readonly", (s) => done(s.visits.get(id)));
/** Puts what is new beside what is there. @param {string} id @param {object} part */
export const mergeVisit = (id, part) => within("readwrite", async (s) => {
  const merged = { ...(await done(s.visits.get(id)) ?? { id }), ...part };
  s.visits.put(merged);
  return merged;
});
export const dropVisit = (id) => within("readwrite", (s) => done(s.visits.delete(id)));

/** A step that is begun and not signed yet, by whose it is, visit and step. */
const place = async (visitID, step) => `${(await about("me"))?.person ?? ""} ${visitID} ${step}`;
export async function draft(visitID, step) {
  const key = await place(visitID, step);
  return within("readonly", (s) => done(s.drafts.get(key)));
}
export async function setDraft(visitID, step, value) {
  const key = await place(visitID, step);
  return within("readwrite", (s) => done(value === undefined ? s.drafts.delete(key) : s.drafts.put(value, key)));
}
