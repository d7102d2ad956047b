// The path of a visit: which steps there are, which are done, which one is now. Pure: what the server said last
// (work), what is signed here and not sent yet (queued), what was begun (drafts). It decides nothing, the gate does;
// a step is ticked when its proof is good, half ticked when it is signed and waits to be sent.

const keysKinds = ["install", "swap", "repair", "relocation"]; // those that try a terminal

/**
 * @param {object} work as GET /v1/visits/{id}/work answers
 * @param {{verb: string, type: string, step: string, good: boolean}[]} queued statements of this visit that wait to be sent
 * @returns {{id: string, name: string, rule: object|null, state: "done"|"queued"|"now"|"later"|"refused", waits: ""|"merchant"|"signal"|"supervisor"|"host"|"person"}[]}
 */
export function pathOf(work, queued = []) {
  const steps = [door(work, queued), ...parcel(work, queued), ...backup(work, queued), ...own(work, queued), ...keys(work), handover(work), finish(work)];
  // One step at a time: the first that is not done is now; what is signed and waits for signal does not hold it up.
  let found = false;
  for (const s of steps) {
    if (s.state === "done" || s.state === "queued") continue;
    if (s.state !== "refused") s.state = found ? "later" : "now";
    found = true;
  }
  return steps;
}

/** Whether a visit has ended, and how. @param {object} work @returns {""|"closed"|"refused"|"aborted"|"rolled_back"} */
export const ended = (work) => ["closed", "refused", "aborted", "rolled_back"].includes(work.stage) ? work.stage : "";

/** Whether somebody must look before anything goes on. */
export const stopped = (work) => work.frozen;

const step = (id, name, rest = {}) => ({ id, name, rule: null, state: "later", waits: "", ...rest });
const last = (list, wanted) => list.filter(wanted).at(-1);
const isQueued = (queued, wanted) => queued.some(wanted);

const pastDoor = (work) => !["booked", "dispatched"].includes(work.stage);

// The merchant signs; the technician only answers. What is queued here is at most the answer.
function door(work) {
  return step("door", "door", { state: pastDoor(work) ? "done" : "later", waits: last(work.done, (d) => d.type === "admission") ? "signal" : "merchant" });
}

function parcel(work, queued) {
  if (!keysKinds.includes(work.kind) || !work.serial) return [];
  const arrived = last(work.done, (d) => d.type === "arrival");
  if (arrived?.good) return [step("arrival", "arrival", { state: "done" })];
  const waiting = queued.filter((q) => q.type === "arrival").at(-1);
  if (waiting?.good) return [step("arrival", "arrival", { state: "queued" })];
  // A mismatch is quarantine: it stays red until another parcel fits.
  return [step("arrival", "arrival", { state: arrived || waiting ? "refused" : "later" })];
}

function backup(work, queued) {
  if (!keysKinds.includes(work.kind) && work.kind !== "removal") return [];
  const kept = last(work.done, (d) => (d.type === "backup" && d.good) || d.type === "nothing_to_keep");
  const waiting = isQueued(queued, (q) => q.type === "backup" && q.good);
  return [step("backup", "backup", { state: kept ? "done" : waiting ? "queued" : "later" })];
}

function own(work, queued) {
  return work.steps.filter((r) => r.by === "technician").map((rule) => {
    const fits = (d) => d.type === "step" && d.step === rule.step && d.good && d.photos >= rule.photos;
    return step(`step:${rule.step}`, rule.step, { rule, state: last(work.done, (d) => d.by === "technician" && fits(d)) ? "done" : isQueued(queued, fits) ? "queued" : "later" });
  });
}

function keys(work) {
  if (!keysKinds.includes(work.kind)) return work.kind === "inspection" ? [step("attest", "attest", { state: work.attested.length > 0 ? "done" : "later", waits: "signal" })] : [];
  const passed = work.reported.length > 0 && work.reported.every((r) => r.result === "passed");
  return [step("trial", "trial", { state: passed || ["live", "closed"].includes(work.stage) ? "done" : "later", waits: "signal" })];
}

// What others do before the end: the merchant's own steps, the supervisor, the merchant's confirmation.
function handover(work) {
  const open = handoverOpen(work);
  return step("handover", "handover", { state: open.length === 0 ? "done" : "later", waits: open.some((o) => o.by === "supervisor") && open.every((o) => o.by === "supervisor") ? "supervisor" : "merchant" });
}

/** What is still missing of the hand-over. @returns {{what: string, by: "merchant"|"supervisor"}[]} */
export function handoverOpen(work) {
  const open = work.steps.filter((r) => r.by === "merchant" && !work.done.some((d) => d.type === "step" && d.by === "merchant" && d.step === r.step && d.good))
    .map((r) => ({ what: r.step, by: "merchant" }));
  if (work.watched !== "merchant" && !work.done.some((d) => d.type === "sign_off" && d.good)) open.push({ what: "sign_off", by: "supervisor" });
  if (!work.done.some((d) => d.type === "confirmation")) open.push({ what: "confirmation", by: "merchant" });
  return open;
}

function finish(work) {
  return step("finish", "finish", { state: work.stage === "closed" ? "done" : "later", waits: "signal" });
}

/**
 * What the trial and the end need next, in the order in which they can be had.
 * @returns {"attest"|"ask_trial"|"release"|"acceptance"|"failed"|"attest_again"|"ask_live"|"ask_close"|"done"}
 */
export function powerNext(work) {
  if (work.stage === "closed") return "done";
  if (!keysKinds.includes(work.kind)) return work.attested.length === 0 && work.kind === "inspection" ? "attest" : "ask_close";
  if (work.stage === "live") return "ask_close";
  const permit = work.permits.at(-1);
  const failed = work.reported.some((r) => r.result !== "passed");
  if (work.stage === "trial") {
    if (permit?.ask === "live" && permit.outcome === "") return "release";
    if (failed) return "failed";
    if (work.reported.length === 0) return "acceptance";
    return attestedSince(work, reportAt(work)) ? "ask_live" : "attest_again";
  }
  if (permit?.ask === "trial" && permit.outcome === "") return "release";
  return work.attested.length > 0 ? "ask_trial" : "attest";
}

const reportAt = (work) => work.reported_at ?? "";
const attestedSince = (work, at) => work.attested.some((a) => a.at >= at);
