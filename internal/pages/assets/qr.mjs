// Writing QR codes, as large as a QR may be here: 117 modules, so that a cheap phone reads it off another's screen.
import { Fault } from "./fault.mjs";
import { correction, generate } from "./vendor/lean-qr/index.mjs";

const maxVersion = 25; // 117 modules
const quiet = 4; // modules of white around it, ISO/IEC 18004 §5.3.8

/**
 * The modules of a text's code at level L or better.
 * @param {string} text
 * @returns {{size: number, get: (x: number, y: number) => boolean}} true is dark
 * @throws {Fault} qr_too_long
 */
export function modules(text) {
  try { return generate(text, { minCorrectionLevel: correction.L, maxVersion }); } catch (e) {
    throw new Fault("qr_too_long", "内容太长，放不进一个二维码。", "This is too long for one QR code.", e);
  }
}

/**
 * A text's code as a picture: black on white in every colour scheme, since scanners do not read it inverted.
 * @param {string} text
 * @param {{label?: string}} [options] label: what a screen reader says; without one the picture is decoration
 * @returns {SVGElement}
 * @throws {Fault} qr_too_long
 */
export function svg(text, { label } = {}) {
  const code = modules(text);
  const side = code.size + 2 * quiet;
  const make = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [k, v] of Object.entries(attributes)) element.setAttribute(k, String(v));
    return element;
  };
  let path = "";
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      let run = 0;
      while (x + run < code.size && code.get(x + run, y)) run++;
      if (run > 0) path += `M${x + quiet} ${y + quiet}h${run}v1h-${run}z`;
      x += run;
    }
  }
  const picture = make("svg", { viewBox: `0 0 ${side} ${side}`, class: "qr", "shape-rendering": "crispEdges", focusable: "false",
    ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }) });
  picture.append(make("rect", { width: side, height: side, fill: "#fff" }), make("path", { d: path, fill: "#000" }));
  return picture;
}
