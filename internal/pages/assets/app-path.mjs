// The path of a visit: which steps there are, which are done, which one is now. Pure: what the server said last
// (work), what is signed here and not sent yet (queued), what was begun (drafts). It decides nothing, the gate does;
// a step is ticked when its proof is good, half ticked when it is signed and waits to be sent.

/**
 * How each kind goes: what needs no signal first. A repair that opened and changed nothing goes like an inspection.
 * Where the shop keeps a terminal, its old one works until the trial.
 */
const plans = {
  install: [door, parcel, backup, own, trial, handover, finish],
  swap: [door, parcel, backup, own, oldState, trial, handover, live, end, back, finish],
  relocation: [door, back, parcel, backup, own, end, oldState, trial, handover, finish],
  repair: [door, said, backup, own, oldState, trial, handover, finish],
  repair_untouched: [door, said, own, attest, handover, finish],
  removal: [door, backup, end, back, own, handover, finish],
  inspection: [door, own, attest, handover, finish],
};
const tried = ["install", "swap", "relocation", "repair"]; // those that try a terminal

/** The column of the gate's table that this visit goes by, with what is signed here. @param {object} work @param {object[]} [queued] */
export const columnOf = (work, queued = []) => work.kind === "repair" && !work.touched && !queued.some((q) => q.type === "device_work" && !q.good) ? "repair_untouched" : work.kind;

/**
 * @param {object} work as GET /v1/visits/{id}/work answers
 * @param {{verb: string, type: string, step: string, good: boolean, photos: number}[]} queued statements of this visit that wait to be sent
 * @param {boolean} [letIn] the owner's phone let the technician in without signal, as he saw on it; the server has not heard of it yet
 * @returns {{id: string, name: string, rule: object|null, state: "done"|"queued"|"now"|"later"|"refused", waits: ""|"merchant"|"signal"|"supervisor"|"host"|"person"}[]}
 */
export function pathOf(work, queued = [], letIn = false) {
  const steps = plans[columnOf(work, queued)].flatMap((part) => part(work, queued, letIn));
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

const step = (id, isDone, rest = {}) => ({ id, name: id, rule: null, state: isDone ? "done" : "later", waits: "", ...rest });
const last = (list, wanted) => list.filter(wanted).at(-1);

/** Whether the server knows that the technician was let in. */
export const pastDoor = (work) => !["booked", "dispatched"].includes(work.stage);
const pastLive = (work) => ["live", "closed"].includes(work.stage);

// The merchant signs; the technician only answers. What is queued here is at most the answer.
function door(work, queued, letIn) {
  return step("door", pastDoor(work), letIn && !pastDoor(work) ? { state: "queued", waits: "merchant" } : { waits: last(work.done, (d) => d.type === "admission") ? "signal" : "merchant" });
}

function parcel(work, queued) {
  if (!work.serial) return [];
  const arrived = last(work.done, (d) => d.type === "arrival");
  const waiting = queued.filter((q) => q.type === "arrival").at(-1);
  if (arrived?.good) return [step("arrival", true)];
  if (waiting?.good) return [step("arrival", false, { state: "queued" })];
  // A mismatch is quarantine: it stays red until another parcel fits.
  return [step("arrival", false, { state: arrived || waiting ? "refused" : "later" })];
}

// A repair begins with the technician's word whether the device was opened.
function said(work, queued) {
  const waiting = queued.some((q) => q.type === "device_work");
  return step("said", work.said, work.said || !waiting ? {} : { state: "queued" });
}

// The host says whether the old terminal still works; where it does not, the merchant signs for the time without it.
function oldState(work) {
  const { state, accepted, ended: gone } = work.old;
  const works = state === "live" && !gone;
  return step("old", works || ((state !== "" || gone) && accepted) || pastLive(work), { waits: state === "" && !gone ? "host" : "merchant" });
}

function backup(work, queued) {
  const kept = last(work.done, (d) => (d.type === "backup" && d.good) || d.type === "nothing_to_keep");
  const waiting = queued.some((q) => q.type === "backup" && q.good);
  return step("backup", kept, kept || !waiting ? {} : { state: "queued" });
}

function own(work, queued) {
  return work.steps.filter((r) => r.by === "technician").map((rule) => {
    const fits = (d) => d.type === "step" && d.step === rule.step && d.good && d.photos >= rule.photos;
    const kept = last(work.done, (d) => d.by === "technician" && fits(d));
    return step(`step:${rule.step}`, kept, { name: rule.step, rule, ...(kept || !queued.some(fits) ? {} : { state: "queued" }) });
  });
}

function trial(work) {
  return step("trial", reportOf(work).length > 0 && !failed(work) || pastLive(work), { name: "trial_step", waits: "signal" });
}

function attest(work) { return step("attest", work.attested.length > 0, { waits: "signal" }); }

// What others do before the end: the merchant's own steps, the supervisor, the merchant's confirmation.
function handover(work) {
  const open = handoverOpen(work);
  const only = ["supervisor", "host"].find((by) => open.length > 0 && open.every((o) => o.by === by));
  return step("handover", open.length === 0, { waits: only ?? "merchant" });
}

/** What is still missing of the hand-over. @returns {{what: string, by: "merchant"|"supervisor"|"host"}[]} */
export function handoverOpen(work) {
  const open = work.steps.filter((r) => r.by === "merchant" && !work.done.some((d) => d.type === "step" && d.by === "merchant" && d.step === r.step && d.good))
    .map((r) => ({ what: r.step, by: "merchant" }));
  if (work.watched !== "merchant" && !work.done.some((d) => d.type === "sign_off" && d.good)) open.push({ what: "sign_off", by: "supervisor" });
  if (!work.done.some((d) => d.type === "confirmation")) open.push({ what: "confirmation", by: "merchant" });
  if (!tried.includes(columnOf(work)) && !work.charges) open.push({ what: "charges", by: "host" });
  return open;
}

function live(work) { return step("live", pastLive(work), { name: "live_step", waits: "signal" }); } // a stage has the word "live" already

function end(work) { return step("end", work.old.ended, { waits: work.old.consent ? "signal" : "merchant" }); }

function back(work) { return step("back", work.old.returned, { waits: "merchant" }); }

function finish(work) { return step("finish", work.stage === "closed", { waits: "signal" }); }

// The report counts for the trial that it was made over; one of an earlier trial is history.
function reportOf(work) {
  const begun = work.permits.filter((p) => p.ask === "trial" && p.outcome === "loaded").at(-1);
  return !begun || work.reported_at >= begun.at ? work.reported : [];
}
const failed = (work) => reportOf(work).some((r) => r.result !== "passed");
const quoteHoldsMs = 25 * 60000; // the gate takes half an hour; asking takes its time

/** The permit that the host has not answered and that still holds. @param {object} work @param {string} ask @param {Date} [now] */
export const openPermit = (work, ask, now = new Date()) => {
  const p = work.permits.at(-1);
  return p?.ask === ask && p.outcome === "" && new Date(p.until) > now ? p : undefined;
};

/**
 * What the trial and the end need next, in the order in which they can be had.
 * @param {object} work @param {Date} [now]
 * @returns {"attest"|"ask_trial"|"release"|"acceptance"|"failed"|"attest_again"|"ask_live"|"give"|"ask_close"|"done"}
 */
export function powerNext(work, now = new Date()) {
  const column = columnOf(work);
  if (work.stage === "closed") return "done";
  if (!tried.includes(column)) return work.attested.length === 0 && column !== "removal" ? "attest" : "ask_close";
  if (work.stage === "live") return isGiven(work) ? "ask_close" : "give";
  if (openPermit(work, "trial", now) || openPermit(work, "live", now)) return "release";
  if (work.stage !== "trial") return work.attested.some((a) => now - new Date(a.at) < quoteHoldsMs) ? "ask_trial" : "attest";
  if (failed(work)) return "failed";
  if (reportOf(work).length === 0) return "acceptance";
  return work.attested.some((a) => a.after_report && now - new Date(a.at) < quoteHoldsMs) ? "ask_live" : "attest_again";
}

/** Whether the device is the shop's by a signature; a repair's never left it. */
export const isGiven = (work) => work.kind === "repair" || !work.parcel || work.parcel.to === work.merchant;

/** What the end of the old terminal's keys needs next. @returns {"consent"|"ask_end"|"release"} */
export function endNext(work, now = new Date()) {
  if (openPermit(work, "end", now)) return "release";
  return work.old.consent ? "ask_end" : "consent";
}
