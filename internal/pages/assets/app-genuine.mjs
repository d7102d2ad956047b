// Says whether an order is genuine, in words; the check itself is genuine.mjs.
import { h, sign } from "./app-dom.mjs";
import { language, say } from "./app-lang.mjs";
import { me, trustKey } from "./app-day.mjs";
import { Fault } from "./fault.mjs";
import { wordsOf } from "./door-words.mjs";
import { verifyOrder } from "./genuine.mjs";

const own = {
  clock_behind: ["这部手机的时间比取单子的时候还早。请在设置里打开「自动设置时间」。", "This phone's clock is earlier than when the papers were fetched. Switch on automatic time in the settings."],
  trust_list_key_unknown: ["这部手机登记得早，还不知道该信谁的名单。请向公司要一个新的开通码，重新登记。", "This phone was enrolled before it was told whose list to trust. Get a new code from your company and enrol it again."],
  signer_not_enrolled: ["签名的人没有他单位的登记。", "Whoever signed was not enrolled by that organisation."],
  enrolment_lapsed: ["签名的时候，他的登记不在有效期里。", "The signer's enrolment did not hold when he signed."],
  order_differs: ["签过字的订单，和服务器说的不是同一单。", "The signed order is another than the server says."],
  dispatch_differs: ["签过字的派工，不是这一次上门。", "The signed dispatch is of another visit."],
  dispatch_of_another: ["派工单上派的不是您。", "The dispatch sends somebody else."],
  opening_stray: ["屏幕上的店和派工单签的不是同一家。", "The shop on the screen is not the one that was signed."],
};
const part = ({ link }) => links[link] ? links[link]() + say("：", ": ") : ""; // of the papers, where it is one of them
const leastClockError = 60; // seconds that are still no fault of the clock
const links = { list: () => say("信任名单", "The trust list"), order: () => say("收单机构的订单", "The acquirer's order"), dispatch: () => say("本公司的派工", "Your company's dispatch") };

/** Checks a kept visit's order. @param {object} v @returns {Promise<object>} as verifyOrder; code package_absent where there is none */
export async function genuineOrder(v) {
  if (!v.package) return { ok: false, code: "package_absent", link: "" };
  const who = await me(), now = Math.floor(Date.now() / 1000);
  if (now < Date.parse(v.package.fetched_at) / 1000 - leastClockError) return { ok: false, code: "clock_behind", link: "" }; // a wrong clock makes no order false
  return verifyOrder(v.package, await trustKey(), { visit: v.id, technician: who?.person ?? "", now });
}

/** Before the door: is this order real. @param {object} found from genuineOrder */
export function genuineNote(found) {
  if (found.ok) return h("p.card.genuine", { role: "status", "data-genuine": "yes" }, h("strong", {}, say("✓ 这一单是真的", "✓ This order is genuine")), say(`：${found.acquirer}委托，${found.provider}派您。手机自己核对过签名。`, `: ordered by ${found.acquirer}, sent by ${found.provider}. This phone checked the signatures itself.`));
  if (found.code === "package_absent") return h("p.card.warn", { role: "status", "data-genuine": "unknown" }, say("订单的凭据还没取到手机里，真假还不知道。有信号时刷新。", "The order's papers are not on this phone, so it cannot tell whether the order is genuine. Refresh where there is signal."));
  const { zh, en } = reason(found.code);
  return sign(unsure(found.code) ? "mind" : "stop",
    unsure(found.code) ? say("真假核对不了", "Genuine or not: cannot be checked") : say("这一单不对，别去", "This order is wrong: do not go"),
    h("p", { "data-code": found.code, "data-genuine": "no" }, part(found) + (language() === "en" ? en : zh)),
    h("p", {}, say("打公司的电话问清楚，别用这一单上写的号码。去不了，就在下面签「今天不做」。", "Call your company on a number you know, not one from this order. If you cannot go, sign “not today” below.")));
}

const unsure = (code) => ["trust_list_stale", "trust_list_key_unknown", "clock_behind"].includes(code);

let checked = new Map(); // by package and minute: a day's list is drawn often, and each check is half a dozen signatures

/** The line about it in the list of today. @param {object} v @returns {Promise<HTMLElement|false>} false before the shift: there are no papers yet */
export async function genuineLine(v, now = Date.now()) {
  if (!v.package) return false;
  const key = `${v.id} ${v.package_at} ${Math.floor(now / 60000)}`;
  if (!checked.has(key)) checked = new Map([...checked].slice(-50)).set(key, genuineOrder(v));
  const found = await checked.get(key);
  if (found.ok) return h("p.genuine", { "data-genuine": "yes" }, h("strong", {}, say("✓ 订单是真的", "✓ Genuine order")), say(`：${found.acquirer}签的单，${found.provider}签的派工。`, `: signed by ${found.acquirer}, dispatch signed by ${found.provider}.`));
  const { zh, en } = reason(found.code);
  return h(unsure(found.code) ? "p.genuine.warn" : "p.genuine.problem", { "data-genuine": "no", "data-code": found.code }, h("strong", {}, unsure(found.code) ? say("！真假核对不了", "! Genuine or not: cannot be checked") : say("✕ 这一单不对，别去", "✕ Wrong order: do not go")),
    say("：", ": "), part(found) + (language() === "en" ? en : zh));
}

function reason(code) {
  const [zh, en] = Object.hasOwn(own, code) ? own[code] : [wordsOf(code).zh, wordsOf(code).en];
  return { zh, en };
}

/** What the door says when the order is not proven: the badge is not shown for it. @param {object} found */
export function notGenuine(found) {
  const { zh, en } = reason(found.code);
  return new Fault(found.code, `这一单没有核对通过，不出示工作证。${zh}`, `This order did not check out; the badge is not shown. ${en}`);
}
