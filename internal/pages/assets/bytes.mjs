// Bytes and their spellings. Base64 is strict, as in Go's statement.Base64: one spelling for each byte string.
import { Fault } from "./fault.mjs";

const malformed = () => new Fault("base64_malformed", "base64 编码不对。", "This is not strict base64.");

/** @param {string} text @returns {Uint8Array} UTF-8 */
export const utf8 = (text) => new TextEncoder().encode(text);

/** @param {...Uint8Array} parts @returns {Uint8Array} */
export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) { out.set(p, at); at += p.length; }
  return out;
}

/** @param {Uint8Array} bytes */
export function base64(bytes) {
  let text = "";
  // In pieces: a photo's bytes are more arguments than a call takes.
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

/** Unpadded base64url (RFC 7515). @param {Uint8Array} bytes */
export const base64url = (bytes) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** @param {string} text @returns {Uint8Array} @throws {Fault} base64_malformed */
export function fromBase64(text) {
  if (typeof text !== "string" || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw malformed();
  let bytes;
  try { bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)); } catch { throw malformed(); }
  if (base64(bytes) !== text) throw malformed(); // spare bits
  return bytes;
}

/** @param {string} text @returns {Uint8Array} @throws {Fault} base64_malformed */
export function fromBase64url(text) {
  if (typeof text !== "string" || !/^[A-Za-z0-9_-]*$/.test(text)) throw malformed();
  const padded = text.replaceAll("-", "+").replaceAll("_", "/");
  return fromBase64(padded + "=".repeat((4 - padded.length % 4) % 4));
}

/** @param {Uint8Array} bytes @returns {string} lower case */
export const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

/** @param {Uint8Array} bytes @returns {Promise<Uint8Array>} SHA-256 */
export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

/** @param {number} count @returns {Uint8Array} */
export const random = (count) => crypto.getRandomValues(new Uint8Array(count));

/** Whether two byte strings are the same, in a time that depends only on their length. @param {Uint8Array} a @param {Uint8Array} b */
export function equal(a, b) {
  if (a.length !== b.length) return false;
  let different = 0;
  for (let i = 0; i < a.length; i++) different |= a[i] ^ b[i];
  return different === 0;
}
