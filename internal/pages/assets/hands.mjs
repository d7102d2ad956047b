// What a person has in hand on a page that renews itself: one drawing at a time, the newest wins, only what changed,
// and never under a finger. What was opened, typed, chosen, focused or scrolled to is there again afterwards.

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

/** Resolves when no finger is on the page. */
export const unpressed = () => pressed() ? new Promise((resolve) => {
  const look = () => { if (!pressed()) { lifted.removeEventListener("free", look); resolve(); } };
  lifted.addEventListener("free", look);
}) : Promise.resolve();

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
 * @param {{anew?: boolean, done?: boolean, wire?: (place: Element) => void}} [how] anew: another screen, nothing of the old one is
 *   kept; wire: makes what came in work
 * @returns {boolean} false: a finger is on the page, ask again
 */
export function put(place, root, from, { anew = false, done = false, wire } = {}) {
  const next = `${JSON.stringify(from)}${root.innerHTML}`;
  // What shows already is not drawn again for something that is done, if the next thing has been begun meanwhile.
  if (!anew && drawn.get(place) === next && (!done || inHand(place))) return true;
  if (pressed()) return false;
  drawn.set(place, next);
  const kept = anew ? undefined : keep(place, done);
  place.replaceChildren(...root.childNodes);
  wire?.(place);
  if (kept) restore(place, kept);
  return true;
}

const all = (place, what) => [...place.querySelectorAll(what)];
const keyOf = {
  details: (d) => d.dataset.key ?? d.querySelector("summary")?.textContent,
  field: (f) => f.id || (f.type === "radio" ? `${f.name} ${f.value}` : f.name),
  pressable: (e) => e.tagName === "SUMMARY" ? keyOf.details(e.parentElement) : e.id || `${e.tagName} ${e.dataset.key ?? e.textContent}`,
};

// Things by their key; those of one key are told apart by their order.
function byKey(things, key) {
  const seen = new Map();
  return new Map(things.map((t) => {
    const k = key(t), n = seen.get(k) ?? 0;
    seen.set(k, n + 1);
    return [`${k} ${n}`, t];
  }));
}

// What a person has done to a place. What he has just finished there is over: its fields come back empty, and folded.
function keep(place, done) {
  const over = done ? all(place, "[aria-busy=true]").map((b) => b.closest("details, .doing, section") ?? b) : [];
  const lives = (e) => !over.some((o) => o.contains(e));
  const focused = place.contains(document.activeElement) && document.activeElement !== place ? document.activeElement : null;
  return {
    details: byKey(all(place, "details").filter(lives), keyOf.details),
    fields: byKey(all(place, "input, textarea, select").filter(lives), keyOf.field),
    notes: byKey(all(place, "[data-note]"), (n) => n.dataset.note),
    focus: focused && { key: [...byKey(all(place, focused.tagName), keyOf.pressable)].find(([, e]) => e === focused)[0], tag: focused.tagName,
      selection: /^(text|search|tel|password)$/.test(focused.type) ? [focused.selectionStart, focused.selectionEnd] : null },
    scroll: scrollY,
  };
}

function restore(place, { details, fields, notes, focus, scroll }) {
  for (const [key, d] of byKey(all(place, "details"), keyOf.details)) d.open = details.get(key)?.open ?? d.open;
  for (const [key, f] of byKey(all(place, "input, textarea, select"), keyOf.field)) fill(f, fields.get(key));
  for (const [key, n] of byKey(all(place, "[data-note]"), (n) => n.dataset.note)) {
    const before = notes.get(key);
    if (!before?.firstChild || n.firstChild) continue;
    n.append(...before.childNodes);
    for (const answer of n.children) answer.dispatchEvent(new Event("carried")); // it was said of what was there before
  }
  if (focus) {
    const again = byKey(all(place, focus.tag), keyOf.pressable);
    const to = again.get(focus.key) ?? again.get(focus.key.replace(/ \d+$/, " 0")) ?? place;
    to.focus({ preventScroll: true });
    if (focus.selection && to !== place) to.setSelectionRange(...focus.selection);
  }
  if (scrollY !== scroll) scrollTo(0, scroll);
}

const byDefault = { value: (f) => f.tagName === "SELECT" ? ([...f.options].find((o) => o.defaultSelected) ?? f.options[0])?.value : f.defaultValue, checked: (f) => f.defaultChecked };

// What a person changed; what the server wrote is the server's to change.
function fill(f, before) {
  if (!before || f.type === "hidden") return;
  if (f.type === "file") { f.files = before.files; return; } // chosen already: nobody chooses it twice
  const told = f.type === "radio" || f.type === "checkbox" ? "checked" : "value";
  if (before[told] === byDefault[told](before) || f[told] === before[told]) return;
  f[told] = before[told];
  f.dispatchEvent(new Event(told === "checked" ? "change" : "input", { bubbles: true }));
}
