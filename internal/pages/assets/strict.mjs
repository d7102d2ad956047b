// Strict JSON, as Go's statement.Decode reads it: no name twice, none unknown, none missing, no null, whole
// numbers only, valid UTF-8, bounded depth. JSON.parse would take the later of two equal names without a word.

const maxDepth = 24;
const bad = (why) => new SyntaxError(why);

/**
 * Reads a document of a shape.
 * @param {Uint8Array|string} source
 * @param {unknown} shape "string", "integer", "boolean", "any", [shape of the elements], or an object of shapes; a name that ends in "?" may be absent
 * @returns {any} objects without prototype
 * @throws {SyntaxError} whatever is wrong; nothing of the document is in it
 */
export function parse(source, shape) {
  // ignoreBOM: else the decoder would drop three bytes that no JSON may begin with.
  const text = typeof source === "string" ? source : new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(source);
  const reader = new Reader(text);
  const value = reader.value(shape, 0);
  reader.blank();
  if (reader.at !== text.length) throw bad("trailing bytes");
  return value;
}

const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const number = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;

class Reader {
  constructor(text) { this.text = text; this.at = 0; }

  blank() { while (" \t\r\n".includes(this.text[this.at] ?? "x")) this.at++; }

  peek() { this.blank(); return this.text[this.at]; }

  take(c) { if (this.peek() !== c) throw bad("syntax"); this.at++; }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw bad("syntax");
    this.at += found.length;
    return found;
  }

  value(shape, depth) {
    if (depth > maxDepth) throw bad("depth");
    switch (this.peek()) {
      case "{": return this.object(shape, depth);
      case "[": return this.list(shape, depth);
      case "\"": want(shape, "string"); return this.string();
      case "t": case "f": want(shape, "boolean"); return this.match(/true|false/y) === "true";
      default: want(shape, "integer"); return this.integer(shape);
    }
  }

  string() {
    const text = JSON.parse(this.match(string));
    if (/\p{Surrogate}|\ufffd/u.test(text)) throw bad("encoding");
    return text;
  }

  integer(shape) {
    const digits = this.match(number);
    // A number that nobody reads has no bound, in Go too.
    if (digits === "-0" || shape === "integer" && BigInt.asIntN(64, BigInt(digits)) !== BigInt(digits)) throw bad("integer");
    return Number(digits);
  }

  list(shape, depth) {
    if (shape !== "any" && !Array.isArray(shape)) throw bad("type");
    const inner = shape === "any" ? "any" : shape[0];
    const out = [];
    this.take("[");
    if (this.peek() === "]") { this.at++; return out; }
    for (;;) {
      out.push(this.value(inner, depth + 1));
      if (this.peek() !== ",") break;
      this.at++;
    }
    this.take("]");
    return out;
  }

  object(shape, depth) {
    if (shape !== "any" && (typeof shape !== "object" || Array.isArray(shape))) throw bad("type");
    const out = Object.create(null);
    this.take("{");
    if (this.peek() === "}") this.at++;
    else for (;;) {
      this.blank();
      const name = this.string();
      if (Object.hasOwn(out, name)) throw bad("twice");
      const inner = shape === "any" ? "any" : own(shape, name) ?? own(shape, `${name}?`);
      if (inner === undefined) throw bad("unknown");
      this.take(":");
      out[name] = this.value(inner, depth + 1);
      if (this.peek() !== ",") { this.take("}"); break; }
      this.at++;
    }
    if (shape !== "any") for (const name of Object.keys(shape)) if (!name.endsWith("?") && !Object.hasOwn(out, name)) throw bad("missing");
    return out;
  }
}

const own = (shape, name) => Object.hasOwn(shape, name) ? shape[name] : undefined;

function want(shape, kind) { if (shape !== "any" && shape !== kind) throw bad("type"); }
