// How courses stand, and the line that reminds of them: looked at where there is signal, shown also where there is none.
import { h } from "./app-dom.mjs";
import { many, say } from "./app-lang.mjs";
import { ask } from "./app-net.mjs";
import { about, setAbout } from "./app-store.mjs";

const soonDays = 30; // before its end a certificate asks to be renewed

/** A day as people write it here. @param {string|Date} moment */
export const day = (moment) => { const d = new Date(moment); return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, "0")}-${String(d.getDate()).padStart(2, "0")}`; };

/** How a course stands: a level, a sentence, and whether something is to be done. @param {object} c of GET /v1/courses @param {Date} [now] */
export function standingOf(c, now = new Date()) {
  if (c.until === "" || new Date(c.until) <= now) {
    if (c.until !== "") return { level: "stop", due: true, text: say("证书过期了，要重新考。", "The certificate has run out; take the test again.") };
    if (c.ended) return { level: "stop", due: true, text: say("原来的证书不算数了，要考这一版。", "Your certificate no longer counts; this version has to be passed.") };
    return { level: "mind", due: true, text: say("还没考过。", "Not passed yet.") };
  }
  const days = Math.ceil((new Date(c.until) - now) / 86400000);
  if (days <= soonDays) return { level: "mind", due: true, text: say(`还有 ${days} 天到期（${day(c.until)}），请重新考。`, `Runs out in ${days} days (${day(c.until)}); take the test again.`) };
  return { level: "good", due: false, text: say(`考过了，有效到 ${day(c.until)}。`, `Passed; good until ${day(c.until)}.`) };
}

/** Asks what there is to learn, and keeps it for the screens. Without an answer what was kept stays. */
export async function lookAtCourses() {
  try { await setAbout("courses", (await ask("GET", "/v1/courses")).courses); } catch { /* not signed in, or no signal: the screens say so */ }
}

/** The line about courses: what is due, else only the way there; nothing where no course is known. @returns {Promise<HTMLElement|false>} */
export async function learnLine() {
  const all = (await about("courses")) ?? [];
  if (all.length === 0) return false;
  const due = all.filter((c) => standingOf(c).due);
  return h(`p.card${due.length > 0 ? ".warn" : ""}`, { "data-learn": String(due.length), role: due.length > 0 && "status" },
    due.length > 0 ? say(`有 ${due.length} 门课要考，没考过或者快到期。`, `${many(due.length, "course")} to pass or to renew.`) : say("课程都考过了。", "All courses are passed."), " ",
    h("a", { href: "/learn" }, say("去学习", "Learn")));
}
