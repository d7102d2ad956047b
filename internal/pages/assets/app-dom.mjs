// Elements without a template language, and never out of text: what people or a scan wrote stays text.
import { free } from "./hands.mjs";

/**
 * Makes an element.
 * @param {string} tag "p", or with classes "p.quiet.big"
 * @param {Record<string, any>} [attributes] on… are listeners; false and null are left out; true is present
 * @param {...(Node|string|null|false|undefined|Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length > 0) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((c) => c !== null && c !== false && c !== undefined));
  return element;
}

/** A shape that tells a level without its colour, as on the visit page. @param {"good"|"wait"|"stop"|"over"|"mind"} level */
export function shape(level) {
  const forms = {
    good: ["M62 32a30 30 0 1 1-60 0a30 30 0 1 1 60 0z", "M18 33l10 10 19-21"],
    stop: ["M20.4 4h23.2L60 20.4v23.2L43.6 60H20.4L4 43.6V20.4z", "M22 22l20 20M42 22L22 42"],
    wait: ["M32 1l31 31-31 31L1 32z", "M19 32h.1M32 32h.1M45 32h.1"],
    mind: ["M32 5L62 58H2z", "M32 24v15M32 47.5v1"],
    over: ["M6 6h52v52H6z", "M20 32h24"],
  };
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [k, v] of Object.entries({ class: "shape", viewBox: "0 0 64 64", "aria-hidden": "true", focusable: "false" })) svg.setAttribute(k, v);
  for (const [i, d] of forms[level].entries()) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", i === 0 ? "form" : "glyph");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/**
 * A verdict: shape, word, reasons, and what to do next.
 * @param {"good"|"wait"|"stop"|"over"|"mind"} level
 * @param {string} word read at arm's length
 * @param {...any} more paragraphs and buttons
 */
export const sign = (level, word, ...more) => h(`section.sign.sign-${level === "mind" ? "wait" : level}`, { role: level === "stop" ? "alert" : "status" },
  shape(level), h("div", {}, h("h2.word", {}, word), more));

/** A button that cannot be pressed twice while its work runs. @param {string} label @param {() => any} work @param {string} [kind] classes */
export function button(label, work, kind = "wide") {
  const b = h(`button.${kind}`, { type: "button" }, label);
  b.addEventListener("click", async () => {
    if (b.getAttribute("aria-busy") === "true") return;
    b.setAttribute("aria-busy", "true");
    try { await work(b); } finally { b.removeAttribute("aria-busy"); free(); }
  });
  return b;
}

/** Where the answer to a tap stands; it stays over every drawing of the same step. @param {string} key what it belongs to */
export const noteOf = (key) => h("div", { "data-note": key });
