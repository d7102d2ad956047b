// The door from the technician's side: scan the shop's code, see whose shop and which order it is, answer in person.
import { button, h, noteOf, sign } from "./app-dom.mjs";
import { language, many, say, span, when, word } from "./app-lang.mjs";
import { badgeInHand, fetchWork, refresh, verifyPerson } from "./app-day.mjs";
import { ask, isOnline } from "./app-net.mjs";
import { faultOf, Fault } from "./fault.mjs";
import { keepOpening, outbox, position } from "./app-sign.mjs";
import { genuineOrder, notGenuine } from "./app-genuine.mjs";
import { whenWork } from "./app-power.mjs";
import { problem, shopOf, tried } from "./app-screens.mjs";
import { startScanner } from "./scan.mjs";
import { isLink } from "./scanned.mjs";
import { mergeVisit, visits } from "./app-store.mjs";
import { svg } from "./qr.mjs";
import { commit } from "./statement.mjs";
import { wordsOf } from "./door-words.mjs";
import { checkSeal, packAnswer, present, readChallenge } from "./door.mjs";

const changed = () => outbox.dispatchEvent(new Event("done"));
const fault = {
  link: () => new Fault("challenge_text_url", "这是一个网址，不是店家核对用的码。别打开它。请店主从订单页里点「人到了，先核对」。", "This is a web address, not a door check. Do not open it. The shop starts the check from its own order page."),
  foreign: () => new Fault("challenge_text_foreign", "这不是店家核对用的码。", "This is not the code of a door check."),
  cut: () => new Fault("challenge_text_cut", "码没有扫全，请离近一点，再扫一次。", "The code was not read whole; come closer and scan again."),
  malformed: () => new Fault("challenge_text_malformed", "这个码读出来不对，请店主重新点一次「先核对」。", "The code does not read right; the owner taps “check first” again."),
  too_large: () => new Fault("challenge_text_too_large", "这个码的内容太长，不是店家核对用的码。", "The code holds too much to be a door check."),
  mac: () => new Fault("challenge_mac", "这个码不是这一单的店家做的。别答，打调度的电话。", "The code was not made by this order's shop. Do not answer; call your dispatcher."),
  secret: () => new Fault("package_absent", "手机里没有这一单的凭据，没信号时不能核对。请到有信号的地方刷新。", "This phone lacks the order's papers, so it cannot check without signal. Refresh where there is signal."),
  other: () => new Fault("challenge_other_order", "这个码不是派给您的单子。别答，核对一下店和订单。", "This code is of no order assigned to you. Do not answer; check shop and order."),
  unpackable: () => new Fault("answer_not_packable", "这张工作证放不进一个码，没信号时不能出示。请到有信号的地方。", "This badge does not fit one code and cannot be shown without signal."),
  clock: (seconds) => new Fault("clock_wrong", `这部手机的时间${seconds > 0 ? "快" : "慢"}了约 ${lasting(seconds).zh}，出示了也通不过。请在设置里打开「自动设置时间」，再点一次。`, `This phone's clock is about ${lasting(seconds).en} ${seconds > 0 ? "fast" : "slow"}, and the badge would be refused. Switch on automatic time in the settings, then tap again.`),
  clocks: (seconds) => new Fault("clocks_differ", `店主的手机和这部手机，时间差了约 ${lasting(seconds).zh}${seconds > 0 ? "，或者这个码是那时候出的" : ""}。请店主重新出一个码；还是这样，两部手机都打开「自动设置时间」。`, `The owner's phone and this one differ by about ${lasting(seconds).en}${seconds > 0 ? ", or the code is as old as that" : ""}. Ask for a new code; if it stays so, switch on automatic time on both phones.`),
  digits: () => new Fault("digits_malformed", "要输六位数字。", "Six digits are needed."),
};

/** The step: scan, or six digits where there is no camera. @param {object} [v] the visit; without one there is nothing but the scan */
export function doorStep(v) {
  const box = h("div"), note = noteOf(`door-${v?.id ?? "any"}`);
  const start = () => box.replaceChildren(...[
    h("p", {}, say("请店主在自己手机上打开订单页，点「人到了，先核对」。您来扫店主手机上的码。", "The owner opens the order page on his own phone and taps “they are here: check first”. You scan the code on his phone.")),
    button(say("扫店主的码", "Scan the shop's code"), tried(note, () => scan(v, box, note, start))),
    v && isOnline() && h("details", {}, h("summary", {}, say("没有相机：输店主念的六位数", "No camera: type the six digits the owner reads out")), sixDigits(v, box, note, start)), note].filter(Boolean));
  start();
  return box;
}

function sixDigits(v, box, note, start) {
  const input = h("input", { id: "six", inputmode: "numeric", autocomplete: "off", maxlength: "6", pattern: "[0-9]{6}" });
  return [h("label", { for: "six" }, say("六位数（只能试一次）", "Six digits (one try only)")), input, button(say("核对", "Check"), tried(note, async () => {
    if (!/^[0-9]{6}$/.test(input.value)) throw fault.digits();
    // The digits say nothing of the nonce: the server gives it to the assigned phone, once.
    const { qr } = await ask("POST", `/v1/visits/${encodeURIComponent(v.id)}/door/digits`, { digits: input.value });
    await answer(v, readScan(qr), box, note, start, qr);
  }))];
}

function scan(v, box, note, start) {
  const video = h("video", { playsinline: true, "aria-label": say("相机画面", "camera") }), said = h("p", { role: "status" });
  return new Promise((resolve, reject) => { // ends when something was read, or nothing will be
    const s = startScanner(video, (text) => {
      const c = readScan(text);
      assigned(c, text).then((of) => answer(of, c, box, note, start, text)).then(resolve, (e) => { start(); reject(e); });
    }, (f) => {
      if (f.code.startsWith("camera_") || f.code === "scanner_unavailable") { start(); reject(f); } else { said.textContent = f.text(language()); said.dataset.code = f.code; }
    }, { unclearSeconds: 6 });
    box.replaceChildren(h("div.view", {}, video), said, button(say("不扫了", "Stop scanning"), () => { s.stop(); start(); resolve(); }, "plain"), note);
  });
}

/**
 * Reads what was scanned. Whatever a camera can read is answered at once; only a whole door check goes on.
 * @param {string} text
 * @returns {{visit: string, nonce: string, asked: number, mac: string}}
 * @throws {Fault} challenge_text_url, _foreign, _cut, _malformed, _too_large
 */
export function readScan(text) {
  if (isLink(text)) throw fault.link();
  const c = readChallenge(text);
  if (!c.ok) throw (fault[c.code.slice("challenge_text_".length)] ?? fault.foreign)();
  return c;
}

// Finds the order among those assigned to this phone. What the page made without signal must carry the order's MAC.
async function assigned(c, text) {
  const v = await known(c) ?? await notMine(c, text);
  if (c.mac !== "") {
    if (!v.package?.order_secret) throw fault.secret();
    if (await checkSeal(c, v.package.order_secret) !== "") throw fault.mac();
  }
  return v;
}

const known = async (c) => (await visits()).find((x) => x.id === c.visit && x.work);

// A shop that shows its code to somebody who was not sent is to hear of it at once: the server warns it, and says here where
// the order was given to this phone a moment ago.
async function notMine(c, text) {
  if (c.mac !== "" || !isOnline()) throw fault.other();
  try { await ask("POST", "/v1/door/answers", { qr: text, presentation: "" }); } catch (e) {
    if (e.code === "door_yours") await refresh(); else if (!["door_not_assigned", "door_challenge_unknown"].includes(e.code)) throw e;
  }
  const v = await known(c);
  if (!v) throw fault.other();
  return v;
}

// What the server found wrong with the answer, in the sentences that the merchant's page has too.
const refusedHere = (code) => {
  const { zh, en } = wordsOf(code);
  return new Fault(code, zh, en);
};

function lasting(seconds) {
  const s = Math.abs(seconds), [n, zh, en] = s < 100 ? [s, "秒", "second"] : s < 5400 ? [s / 60, "分钟", "minute"] : [s / 3600, "小时", "hour"];
  return { zh: `${Math.round(n)} ${zh}`, en: many(Math.round(n), en) };
}

const leewaySeconds = 5, holdsSeconds = 90; // of an answer's time, as its verifier has them

/**
 * A wrong clock makes a good badge look refused, and uses the code up: it is said before. With signal the server's time says which
 * phone is wrong; without, only the code's own time is there, and nobody can tell which of the two.
 * @returns {Promise<Fault|undefined>}
 */
async function wrongClock(v, challenge) {
  if (challenge.mac !== "") {
    const since = Math.floor(Date.now() / 1000) - challenge.asked;
    return since < -leewaySeconds || since > holdsSeconds + leewaySeconds ? fault.clocks(since) : undefined;
  }
  const sent = Date.now();
  let server;
  try { server = Date.parse((await fetchWork(v.id)).updated_at); } catch { return undefined; } // the answer itself will say what is wrong
  // The server looked at its clock, which shows whole seconds, between sending and now: what lies outside of that is the clock's.
  const heard = Date.now(), least = (sent - server) / 1000 - 1, most = (heard - server) / 1000;
  return least > leewaySeconds || most < -leewaySeconds ? fault.clock((least + most) / 2) : undefined;
}

// Shop and order first, then the person, then the answer.
async function answer(v, challenge, box, note, start, qr) {
  const go = button(say("是这家店，出示工作证", "This is the shop: show the badge"), tried(note, async () => {
    const [clock, found] = await Promise.all([wrongClock(v, challenge), genuineOrder(v)]);
    if (clock) throw clock;
    if (!found.ok) throw found.code === "package_absent" ? fault.secret() : notGenuine(found);
    const { badge, key } = await badgeInHand();
    await verifyPerson();
    // A cellar has no reading: that is said, too, and then the shop's own page must have one.
    const where = await position() ?? await commit("position", "");
    const shown = await present(badge, key, challenge, { order: v.work.order, position: where.commitment, now: Math.floor(Date.now() / 1000) });
    if (challenge.mac !== "") {
      // The shop sees the commitment alone: what is behind it goes to the server once the shop's statement is there.
      await keepOpening({ visit: v.id, qr, presentation: shown.presentation, opening: where.opening });
      offline(v, box, shown, start);
      return;
    }
    const said = await ask("POST", "/v1/door/answers", { qr, presentation: shown.presentation, opening: where.opening });
    if (!said.genuine) throw refusedHere(said.code);
    told(v, box, said.digits);
  }));
  box.replaceChildren(h("section.card.order", { "data-hold": true }, h("h2", {}, shopOf(v) ?? say("不知道是哪家店", "the shop is not known")), h("p", {}, `${word(v.work.kind)} · ${span(v.work.from, v.work.until)}`), h("p.quiet", {}, `${say("订单凭据取于", "Order papers fetched")} ${when(v.package_at)}`)),
    h("p", {}, say("站在这家店里吗？对得上再出示。", "Are you standing in this shop? Show the badge only if it fits.")), go, button(say("不是这家", "Another shop"), start, "plain"), note);
}

const bigDigits = (digits) => h("p.digits", { "aria-label": `${say("两位数", "two digits")} ${digits}` }, digits);

function told(v, box, digits) {
  box.replaceChildren(sign("wait", say("已出示，等店主看照片", "Shown; the owner looks at the photo"), h("p", {}, say("两部手机上的数要一样：", "Both phones must show the same number:")), bigDigits(digits)),
    h("p", {}, say("店主点「是同一个人」以后，这一步自己打勾。", "When the owner says it is you, this step ticks itself.")));
  whenWork(v, box, (w) => !["booked", "dispatched"].includes(w.stage), changed);
}

// Without signal the answer goes back as a picture; too long for one code, it says so instead of shrinking it.
function offline(v, box, { presentation, digits }, start) {
  let picture;
  try {
    const packed = packAnswer(presentation);
    if (!packed.ok) throw fault.unpackable();
    picture = svg(packed.text, { label: say("给店主扫的码", "code for the shop") });
  } catch (e) { box.replaceChildren(problem(faultOf(e)), button(say("重来", "Start again"), start, "plain")); return; }
  box.replaceChildren(h("p", {}, say("没信号：请店主扫这个码。", "No signal: let the owner scan this code.")), h("figure.code", {}, picture), h("p", {}, say("两部手机上的数要一样：", "Both phones must show the same number:")), bigDigits(digits),
    h("p", {}, say("店主扫完、看过照片，他的手机说「可以开始」，您再点。没说可以，别动机具。", "When the owner has scanned it, looked at the photo and his phone says “they may begin”, tap. Until then leave the terminal alone.")),
    button(say("店主的手机说可以开始", "The owner's phone says begin"), async () => { await mergeVisit(v.id, { let_in: new Date().toISOString() }); changed(); }),
    button(say("没通过，重来", "Not passed; start again"), start, "plain"));
}

