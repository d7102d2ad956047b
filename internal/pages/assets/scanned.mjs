// What a camera reads that is neither a door check nor an answer: addresses of the web, and numbers on parcels.

/** A web address, which nobody is to open. @param {string} text @returns {boolean} */
export const isLink = (text) => /^\s*([a-z][a-z0-9+.-]*:|www\.)/i.test(text);

/** The number on a parcel or device, "" for what is none. @param {string} text @returns {string} */
export function parcelNumber(text) {
  const number = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ""); // scanners end a line
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(number) ? number : "";
}
