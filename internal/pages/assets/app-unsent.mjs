// Tells the employer what this phone has not sent yet, so that somebody can call: per visit, when it changed and once a
// minute.
import { isOnline, isSignedIn, reach } from "./app-net.mjs";
import { visits } from "./app-store.mjs";
import { list } from "./queue.mjs";

const everyMilliseconds = 60000, againMilliseconds = 30000;
let told = "", toldAt = 0, failedAt = 0, busy = false;

/** @param {{person: string}|undefined} who */
export async function tellUnsent(who) {
  if (busy || !who || !isOnline() || !isSignedIn() || Date.now() - failedAt < againMilliseconds) return;
  busy = true;
  try {
    const by = new Map((await visits()).map((v) => [v.id, { visit: v.id, statements: 0, photos: 0 }]));
    for (const i of await list(who.person)) {
      const of = by.get(i.visit) ?? { visit: i.visit, statements: 0, photos: 0 };
      by.set(i.visit, of); // also of one that left the phone: what was sent since is nought there now
      if (i.state !== "sent") of[i.key ? "statements" : "photos"]++;
    }
    const body = { visits: [...by.values()].sort((a, b) => b.statements + b.photos - a.statements - a.photos).slice(0, 100) };
    const now = JSON.stringify([who.person, body]);
    if (body.visits.length === 0 || (now === told && Date.now() - toldAt < everyMilliseconds)) return;
    const { ok } = await reach("POST", "/app/unsent", body, { headers: { "Menshen-Unattended": "1" } });
    if (ok) [told, toldAt] = [now, Date.now()]; else failedAt = Date.now();
  } finally { busy = false; }
}
