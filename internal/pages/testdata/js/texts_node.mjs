// Driven by texts_test.go: what the browser's modules say to each text that a camera reads or a person types.
import { readFileSync } from "node:fs";
import { readChallenge, unpackAnswer } from "../../assets/door.mjs";
import { parseCode } from "../../assets/enrol.mjs";
import { isLink, parcelNumber } from "../../assets/scanned.mjs";

const readers = {
  challenge: (text) => readChallenge(text).code,
  answer: (text) => unpackAnswer(text).code,
  code: (text) => { try { parseCode(text); return ""; } catch (e) { return e.code ?? String(e); } },
  parcel: (text) => parcelNumber(text) === "" ? "id_shape" : "",
};

const said = JSON.parse(readFileSync(0, "utf8")).map(({ kind, text }) => {
  try { return [readers[kind](text), isLink(text)]; } catch (e) { return [`threw ${e}`, false]; }
});
console.log(JSON.stringify(said));
