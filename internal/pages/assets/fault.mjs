// What went wrong, in the form that the server uses too: a code for machines, a sentence for people.

/** A fault. Its message is the code alone: what a person typed or scanned never reaches a log through it. */
export class Fault extends Error {
  /**
   * @param {string} code stable, one for each rule, the same as in Go
   * @param {string} zh what people read
   * @param {string} en
   * @param {unknown} [cause] for the developer's console of whoever catches it; never shown
   */
  constructor(code, zh, en, cause) {
    super(code, cause === undefined ? undefined : { cause });
    this.name = "Fault";
    this.code = code;
    this.zh = zh;
    this.en = en;
  }

  /** The sentence in a language, Chinese unless English is asked for. @param {string} lang */
  text(lang) { return lang === "en" ? this.en : this.zh; }
}

/**
 * Whatever was thrown, as a Fault; the server's and the judges' words ({code, zh, en}) too.
 * @param {unknown} thrown
 * @returns {Fault}
 */
export function faultOf(thrown) {
  if (thrown instanceof Fault) return thrown;
  if ([thrown?.code, thrown?.zh, thrown?.en].every((part) => typeof part === "string" && part !== "")) return new Fault(thrown.code, thrown.zh, thrown.en);
  return new Fault("page_defect", "这一页出了问题，请重新打开。", "Something is wrong with this page. Please open it again.", thrown);
}
