// Drawing: one at a time, the newest wins, only what changed, and never under a finger. What a person has opened,
// typed, chosen, focused or scrolled to is there again afterwards.

// What a person brought up and still needs: a camera, a picture just taken, a code or number that is being shown.
const inUse = "[data-hold], video, .digits, figure.code, [aria-busy=true]";
const pressWaits = 120, longestPress = 3000; // ms: until a tap's click has come; after that a press is over, whatever was missed

let pressedAt = 0;
const lifted = new EventTarget();
const pressed = () => pressedAt > 0 && Date.now() - pressedAt < longestPress;
const lift = () => { pressedAt = 0; lifted.dispatchEvent(new Event("free")); };
/** Says that something may be drawn that had to wait. */
export const free = () => lifted.dispatchEvent(new Event("free"));

const presses = ({ type, key }) => !type.startsWith("key") || key === " " || key === "Enter";
for (const type of ["pointerdown", "keydown"]) addEventListener(type, (e) => { if (presses(e)) { pressedAt = Date.now(); setTimeout(free, longestPress + 1); } }, true);
for (const type of ["pointerup", "pointercancel", "keyup"]) addEventListener(type, (e) => { if (presses(e)) setTimeout(lift, pressWaits); }, true);
addEventListener("click", () => { setTimeout(lift, 0); }, true);
addEventListener("focusout", () => { setTimeout(free, 0); });

const typing = (place) => place.contains(document.activeElement) && document.activeElement.matches("input:not([type=radio]):not([type=checkbox]), textarea, select");

/** Whether a change elsewhere must wait: a word half written, a camera that runs. @param {Element} place */
export const inHand = (place) => typing(place) || place.querySelector(inUse) !== null;

/**
 * Makes what asks for drawings. Asked while one is drawn, one more comes after it, of what is true then.
 * @param {(how: {done: boolean}) => Promise<boolean>} paint false: it must wait, see free
 * @returns {(how?: {done?: boolean}) => Promise<void>} done: the person finished something, show what comes next even if a thing is in use
 */
export function oneAtATime(paint) {
  let wanted = null, running = Promise.resolve(), runs = false;
  const run = async () => {
    runs = true;
    try {
      while (wanted && !pressed()) {
        const now = wanted;
        wanted = null;
        if (!await paint(now)) { wanted = { done: now.done || Boolean(wanted?.done) }; break; }
      }
    } finally { runs = false; }
  };
  const ask = ({ done = false } = {}) => {
    wanted = { done: done || Boolean(wanted?.done) };
    if (!runs) running = run();
    return running;
  };
  lifted.addEventListener("free", () => { if (wanted) ask(); });
  return ask;
}

const drawn = new WeakMap(); // by place: what it shows

/**
 * Puts what was built aside into its place, unless it is there already.
 * @param {Element} place
 * @param {Element} root its children move
 * @param {any} from what the children's buttons act on, if it is not all to be seen
 * @param {{anew?: boolean, done?: boolean}} [how] anew: another screen, nothing of the old one is kept
 * @returns {boolean} false: a finger is on the page, ask again
 */
export function put(place, root, from, { anew = false, done = false } = {}) {
  const next = `${JSON.stringify(from)}${root.innerHTML}`;
  if (!anew && !done && drawn.get(place) === next) return true;
  if (pressed()) return false;
  drawn.set(place, next);
  const kept = anew ? undefined : keep(place, done);
  place.replaceChildren(...root.childNodes);
  if (kept) restore(place, kept);
  return true;
}

const all = (place, what) => [...place.querySelectorAll(what)];
const keyOf = {
  details: (d) => d.dataset.key ?? d.querySelector("summary")?.textContent,
  field: (f) => f.id || (f.type === "radio" ? `${f.name} ${f.value}` : f.name),
  pressable: (e) => e.id || `${e.tagName} ${e.dataset.key ?? e.textContent}`,
};

// What a person has done to a place. What he has just finished there is over: its fields come back empty, and folded.
function keep(place, done) {
  const over = done ? all(place, "[aria-busy=true]").map((b) => b.closest("details, .doing, section") ?? b) : [];
  const lives = (e) => !over.some((o) => o.contains(e));
  const focused = place.contains(document.activeElement) && document.activeElement !== place ? document.activeElement : null;
  return {
    details: new Map(all(place, "details").filter(lives).map((d) => [keyOf.details(d), d.open])),
    fields: new Map(all(place, "input, textarea, select").filter(lives).map((f) => [keyOf.field(f), f])),
    notes: new Map(all(place, "[data-note]").map((n) => [n.dataset.note, n])),
    focus: focused && { key: keyOf.pressable(focused), nth: all(place, focused.tagName).filter((e) => keyOf.pressable(e) === keyOf.pressable(focused)).indexOf(focused), tag: focused.tagName,
      selection: /^(text|search|tel|password)$/.test(focused.type) ? [focused.selectionStart, focused.selectionEnd] : null },
    scroll: scrollY,
  };
}

function restore(place, { details, fields, notes, focus, scroll }) {
  for (const d of all(place, "details")) d.open = details.get(keyOf.details(d)) ?? d.open;
  for (const f of all(place, "input, textarea, select")) fill(f, fields.get(keyOf.field(f)));
  for (const n of all(place, "[data-note]")) {
    const before = notes.get(n.dataset.note);
    if (!before?.firstChild || n.firstChild) continue;
    n.append(...before.childNodes);
    for (const answer of n.children) answer.dispatchEvent(new Event("carried")); // it was said of what was there before
  }
  if (focus) {
    const again = all(place, focus.tag).filter((e) => keyOf.pressable(e) === focus.key);
    const to = again[focus.nth] ?? again[0] ?? place;
    to.focus({ preventScroll: true });
    if (focus.selection && to !== place) to.setSelectionRange(...focus.selection);
  }
  if (scrollY !== scroll) scrollTo(0, scroll);
}

function fill(f, before) {
  if (!before) return;
  if (f.type === "file") { f.files = before.files; return; } // chosen already: nobody chooses it twice
  const told = f.type === "radio" || f.type === "checkbox" ? "checked" : "value";
  if (f[told] === before[told]) return;
  f[told] = before[told];
  f.dispatchEvent(new Event(told === "checked" ? "change" : "input", { bubbles: true }));
}
