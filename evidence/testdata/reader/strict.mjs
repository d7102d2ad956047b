// Strict and canonical JSON, and the tables of docs/formats.md as schemas.
// Written from the documents alone: docs/formats.md#rules.
import { readFileSync } from 'node:fs';

export class Refusal extends Error {}
export function demand(holds, where, what) {
  if (!holds) throw new Refusal(`${where}: ${what}`);
}

const MAX_LEVELS = 24;

// text gives the characters of bytes that are UTF-8 without U+FFFD, whatever stands at their beginning.
export function text(bytes, where) {
  let out;
  try {
    out = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal(`${where}: not UTF-8`);
  }
  demand(!out.includes('\uFFFD'), where, 'holds U+FFFD');
  return out;
}

// parse reads one JSON document. Objects become Maps, so that the order of names is kept; a name twice, null, and
// numbers that are no plain integers refuse.
export function parse(bytes, where, limit = 1 << 20) {
  demand(bytes.length <= limit, where, 'too large');
  const source = text(bytes, where);
  let at = 0;
  const fail = (what) => { throw new Refusal(`${where}: ${what} at ${at}`); };
  const space = () => { while (' \t\n\r'.includes(source[at] ?? 'x')) at++; };
  const string = () => {
    const match = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
    match.lastIndex = at;
    const found = match.exec(source);
    if (!found) fail('no string');
    at = match.lastIndex;
    const value = JSON.parse(found[0]);
    if (!value.isWellFormed() || value.includes('\uFFFD')) fail('half of a pair, or U+FFFD');
    return value;
  };
  const value = (level) => {
    space();
    const c = source[at];
    if (level > MAX_LEVELS) fail('too many levels');
    if (c === '{') return object(level);
    if (c === '[') return array(level);
    if (c === '"') return string();
    for (const [word, means] of [['true', true], ['false', false]]) {
      if (source.startsWith(word, at)) { at += word.length; return means; }
    }
    const number = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
    number.lastIndex = at;
    const found = number.exec(source);
    if (!found || found[0] === '-0') fail('no value that may stand here');
    at = number.lastIndex;
    const big = BigInt(found[0]);
    if (big !== BigInt.asIntN(64, big)) fail('integer too large');
    return Number.isSafeInteger(Number(big)) ? Number(big) : big;
  };
  const list = (close, item) => {
    at++;
    space();
    if (source[at] === close) { at++; return; }
    for (;;) {
      item();
      space();
      if (source[at] === close) { at++; return; }
      if (source[at++] !== ',') fail('no comma');
    }
  };
  const object = (level) => {
    const out = new Map();
    list('}', () => {
      space();
      const name = string();
      if (out.has(name)) fail(`${name} twice`);
      space();
      if (source[at++] !== ':') fail('no colon');
      out.set(name, value(level + 1));
    });
    return out;
  };
  const array = (level) => {
    const out = [];
    list(']', () => out.push(value(level + 1)));
    return out;
  };
  const out = value(0);
  space();
  if (at !== source.length) fail('something after the document');
  return out;
}

// encode writes what parse reads, in its one spelling. JSON.stringify escapes what Go escapes, but for two characters.
export function encode(value) {
  if (value instanceof Map) return `{${[...value].map(([name, inner]) => `${encode(name)}:${encode(inner)}`).join(',')}}`;
  if (Array.isArray(value)) return `[${value.map(encode).join(',')}]`;
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value).replace(/\u2028/g, '\\u2028').replace(/\u2029/g, '\\u2029');
}

export const isID = (value) => id.test(value);
const id = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const hex = /^[0-9a-f]{64}$/;
export const isTime = (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value) && !Number.isNaN(Date.parse(value)) &&
  new Date(value).toISOString() === value.replace('Z', '.000Z');
const spelled = (encoding) => (value) => Buffer.from(value, encoding).toString(encoding) === value;
const integer = (value) => typeof value === 'number' || typeof value === 'bigint';
const string = (holds) => (value) => typeof value === 'string' && holds(value);

// The forms of docs/formats.md#rules.
const forms = {
  id: string((value) => id.test(value)),
  digest: string((value) => hex.test(value)),
  commitment: string((value) => hex.test(value)),
  time: string(isTime),
  date: string((value) => isTime(`${value}T00:00:00Z`)),
  thumbprint: string((value) => value.length === 43 && spelled('base64url')(value)),
  base64: string(spelled('base64')),
  base64url: string(spelled('base64url')),
  code: string((value) => /^[a-z0-9*][a-z0-9_.*-]{0,63}$/.test(value)),
  'kind/id': string((value) => /^(visit|order|device|person|organisation)\//.test(value) && id.test(value.slice(value.indexOf('/') + 1))),
  text: string(() => true),
  pattern: string(() => true),
  vkey: string(() => true),
  hex: string((value) => /^[1-9a-f][0-9a-f]*$/.test(value)),
  boolean: (value) => typeof value === 'boolean',
  object: (value) => value instanceof Map,
};
const numbers = ['integer', 'fen', 'metres', 'minutes', 'months', 'hours', 'seconds', 'seconds since 1970', '‰', 'parts per million'];
for (const name of numbers) forms[name] = integer;

// tables reads every table whose first column is a name: heading → schema, a tree of names in their order.
export function tables(markdown) {
  const out = {};
  let schema;
  for (const line of markdown.split('\n')) {
    const heading = /^#{2,3} `?([^`]+)`?$/.exec(line);
    if (heading) {
      schema = out[heading[1]] = { names: new Map() };
      continue;
    }
    const row = /^\| `([^`]+)` \| (.+?) \| (.*) \|$/.exec(line) ?? /^\| `([^`]+)` \| (.+?) \|() \|$/.exec(line);
    if (row && schema) addRow(schema, row[1], row[2], row[3]);
  }
  return out;
}

function addRow(schema, path, form, meaning) {
  const whole = /^optional: the whole of `(.+?)`/.exec(meaning)?.[1];
  let node = schema;
  const parts = path.split('.');
  parts.forEach((part, place) => {
    const name = part.replace('[]', '');
    if (!node.names.has(name)) node.names.set(name, { list: part.endsWith('[]'), names: new Map() });
    node = node.names.get(name);
    if (name === whole) node.optional = true;
  });
  if (!whole && meaning.startsWith('optional')) node.optional = true;
  const link = /^\[(.+)\]\(#/.exec(form)?.[1];
  if (link) node.like = link[0].toUpperCase() + link.slice(1);
  else node.form = form;
  node.mayBeEmpty = meaning.includes('`""`');
}

export class Forms {
  constructor(path) {
    this.all = tables(readFileSync(path, 'utf8'));
  }

  // read demands that value has the form of one table, and gives it as plain objects. Canonical means: names in the
  // table's order, and nothing optional that is there and empty. Of a body only JSON's types are asked: bare.
  read(value, heading, where, { canonical = false, bare = false } = {}) {
    demand(this.all[heading]?.names.size > 0, where, `no table ${heading}`);
    return this.#object(value, this.all[heading], where, { canonical, bare });
  }

  canonical(bytes, heading, where, limit) {
    const value = parse(bytes, where, limit);
    const out = this.read(value, heading, where, { canonical: true });
    demand(Buffer.from(encode(value)).equals(bytes), where, 'not in its one form');
    return out;
  }

  #object(value, schema, where, how) {
    demand(value instanceof Map, where, 'no object');
    const out = {};
    const order = [...schema.names.keys()].filter((name) => value.has(name));
    for (const name of value.keys()) demand(schema.names.has(name), where, `unknown name ${name}`);
    demand(!how.canonical || order.join() === [...value.keys()].join(), where, 'names in another order');
    for (const [name, inner] of schema.names) {
      const here = `${where}.${name}`;
      if (!value.has(name)) {
        demand(inner.optional, here, 'missing');
        continue;
      }
      const given = value.get(name);
      const nothing = given === '' || given === 0 || given === false || (Array.isArray(given) && given.length === 0);
      demand(!(how.canonical && inner.optional && nothing), here, 'optional, there and empty');
      out[name] = this.#value(given, inner, here, how);
    }
    return out;
  }

  #value(value, schema, where, how) {
    if (schema.list) {
      demand(Array.isArray(value), where, 'no list');
      return value.map((item, place) => this.#value(item, { ...schema, list: false }, `${where}[${place}]`, how));
    }
    if (schema.like) return this.#object(value, this.all[schema.like], where, how);
    if (schema.names.size > 0) return this.#object(value, schema, where, how);
    demand(forms[schema.form], where, `unknown form ${schema.form}`);
    if (how.bare && !['boolean', 'object', ...numbers].includes(schema.form)) {
      demand(typeof value === 'string', where, 'no text');
      return value;
    }
    demand((schema.mayBeEmpty && value === '') || forms[schema.form](value), where, `not a ${schema.form}: ${value}`);
    return value;
  }
}
