// One visit: a path of steps, one at a time. The step of now is open and has one main button.
import { button, h, noteOf, sign } from "./app-dom.mjs";
import { age, many, say, span, when, word } from "./app-lang.mjs";
import { gone } from "./app-day.mjs";
import { columnOf, ended, pathOf, stopped } from "./app-path.mjs";
import { arrivalStep, backupStep, photoStep, saidStep } from "./app-work.mjs";
import { doorStep } from "./app-door.mjs";
import { genuineNote, genuineOrder } from "./app-genuine.mjs";
import { handoverStep, powerStep, waitStep } from "./app-power.mjs";
import { anotherSent, titleOf, tried } from "./app-screens.mjs";
import { braking, file, outbox, queued, signedFor } from "./app-sign.mjs";
import { visit as stored } from "./app-store.mjs";

const marks = { done: "✓", queued: "↑", now: "●", later: "○", held: "–", refused: "✕" };
const markWords = { done: () => say("做好了", "done"), queued: () => say("签好了，待发送", "signed, to be sent"), now: () => say("现在做", "now"), later: () => say("还没到", "later"), held: () => say("没做，先别做", "not done; leave it"), refused: () => say("不对", "wrong") };

// The step of now stands where the thumb is: three or more that are done fold away above it.
function path(steps, open, now) {
  const item = (s) => h(`li.step.${s.state}`, s === open ? { "aria-current": "step" } : {}, h("span.mark-step", { "aria-hidden": "true" }, marks[s.state]),
    h("span.name", {}, word(s.name), h("span.unseen", {}, `${say("：", ": ")}${markWords[s.state]()}`)), s.state === "queued" && h("span.quiet", {}, s.id === "door" ? say("等店主的手机发出", "the owner's phone has to send it") : say("待发送", "to send")),
    s === open && h("div.doing", {}, now));
  const before = steps.findIndex((s) => s.state !== "done");
  if (before < 3) return [h("ol.steps", {}, steps.map(item))];
  return [h("details.past", { "data-key": "past" }, h("summary", {}, say(`✓ 做好了 ${before} 步`, `✓ ${before} steps done`)), h("ol.steps", {}, steps.slice(0, before).map(item))),
    h("ol.steps", { start: before + 1 }, steps.slice(before).map(item))];
}

export async function visit(root, { id }) {
  const [v, items] = [await stored(id), await queued()];
  const given = v?.work ? undefined : (await gone()).find((g) => g.id === id);
  if (given) {
    root.replaceChildren(h("h1", {}, say("上门", "Visit")), anotherSent(given, h("a.button", { href: "#/" }, say("今天", "Today"))));
    return undefined;
  }
  if (!v?.work) {
    root.replaceChildren(h("h1", {}, say("上门", "Visit")), sign("over", say("这部手机里没有这一单", "This visit is not on this phone"), h("p", {}, say("有信号时回到「今天」点刷新。", "Go back to Today and refresh where there is signal."))));
    return undefined;
  }
  const note = noteOf(`brakes-${id}`);
  const { work } = v;
  const signed = await signedFor(v);
  const found = work.stage === "dispatched" ? await genuineOrder(v) : undefined;
  // Nothing goes on where somebody must look first, where the order is false, or after a brake that is still to be sent.
  const still = stopped(work) || ended(work) || (found && !found.ok && found.code !== "package_absent") || signed.some((i) => braking.includes(i.type));
  const steps = pathOf(work, signed, Boolean(v.let_in)).map((s) => still && s.state === "now" ? { ...s, state: "held" } : s);
  const open = still ? undefined : steps.find((s) => s.state === "now" || s.state === "refused");
  root.replaceChildren(h("p.crumb", {}, h("a", { href: "#/" }, `‹ ${say("今天", "Today")}`)),
    h("h1", {}, titleOf(v)), h("p", {}, span(work.from, work.until), " ", h("span.quiet", {}, say(`${age(Date.now() - new Date(v.work_at))}取的`, `as of ${age(Date.now() - new Date(v.work_at))}`))),
    ...found ? [genuineNote(found)] : [],
    ...standing(v, items.filter((i) => i.visit === id)),
    ...path(steps, open, open && await doing(open, v)),
    ...!ended(work) ? [brakes(v, signed, note), note] : []);
  return [work.tag, v.package_at, signed.map((i) => [i.digest, i.state])];
}


function standing(v, mine) {
  const { work } = v;
  const conflicts = mine.filter((i) => i.state === "conflict").length;
  const brake = mine.find((i) => braking.includes(i.type) && i.state === "waiting");
  return [
    brake && sign("mind", brake.type === "refusal" ? say("已签：今天不做", "Signed: not today") : say("已签：停住这一单", "Signed: stop this visit"), h("p", {}, say("还没发出去。别动机具，到有信号的地方会自己发。", "Not sent yet. Leave the terminal alone; it goes out by itself where there is signal."))),
    timer(v), lostTime(v),
    stopped(work) && sign("stop", say("这次上门停住了", "This visit is stopped"), h("p", {}, say("先别动机具。收单机构风控处理后才能继续。", "Leave the terminal alone. The acquirer's risk desk decides before it goes on."))),
    ended(work) && sign(ended(work) === "closed" ? "good" : "over", ended(work) === "closed" ? say("这一单做完了", "This visit is done") : word(ended(work))),
    conflicts > 0 && sign("stop", say(`${conflicts} 项被退回，要人看`, `${conflicts} refused; a person must look`), h("p.button-line", {}, h("a.button", { href: "#/unsent" }, say("去看", "Look")))),
  ].filter(Boolean);
}

// When the timer runs out the visit goes back to the old terminal by itself (decision 23): said from the first minute on.
function timer({ work }) {
  if (!work.rollback_at || !["admitted", "trial"].includes(work.stage)) return "";
  const minutes = Math.floor((new Date(work.rollback_at) - Date.now()) / 60000);
  if (minutes <= 0) return sign("stop", say("时间到了，换回旧机", "Time is up: back to the old terminal"), h("p", {}, say("这一次不能再开通。旧机照常用，约店家改天再来。", "This visit cannot go live any more. The old terminal works as before; agree on another day.")));
  return sign(minutes < 30 ? "mind" : "wait", say(`${when(work.rollback_at)} 前要开通`, `Must be live by ${when(work.rollback_at)}`), h("p", {}, say(`还有 ${minutes} 分钟。到时没开通，就自动换回旧机。`, `${many(minutes, "minute")} left. If it is not live by then, the visit goes back to the old terminal by itself.`)));
}

function lostTime({ work: { lost }, package: pack }) {
  if (!lost) return "";
  const who = pack?.issuer?.organisation === lost.answers ? pack.issuer.name : lost.answers;
  const since = lost.open ? say(`店里已经 ${lost.minutes} 分钟收不了款`, `The shop has taken no cards for ${many(lost.minutes, "minute")}`) : say(`店里一共 ${lost.minutes} 分钟收不了款`, `The shop took no cards for ${many(lost.minutes, "minute")}`);
  return h("p.card.warn.lost", { role: "status" }, h("strong", {}, since), ` ${word(lost.cause)}${say("，由", "; ")}${who}${say("负责。", " answers for it.")}`);
}

function doing(s, v) {
  if (s.id === "door") return doorStep(v);
  if (s.id === "arrival") return arrivalStep(v);
  if (s.id === "backup") return backupStep(v);
  if (s.id === "said") return saidStep(v);
  if (s.id === "old" || s.id === "back") return waitStep(v, s.id);
  if (s.rule) return photoStep(v, s.rule);
  if (s.id === "handover") return handoverStep(v);
  return powerStep(v, s.id);
}

const reasons = {
  unsafe_premises: () => say("现场不安全（漏电、漏水、没人在）", "The place is not safe (power, water, nobody there)"),
  merchant_absent: () => say("店主或店员不在", "Neither owner nor staff is there"),
  not_as_ordered: () => say("店里说没有预约，或和单子不一样", "The shop says it is not as ordered"),
  threatened: () => say("有人威胁或推搡", "Somebody threatens or pushes"),
};
const incidents = {
  device: () => say("机具不对、封条破了", "The device is wrong or a seal is broken"),
  asked_for_money: () => say("有人要收单子外的钱", "Somebody wants money beside the order"),
  wrong_person: () => say("人不对（冒名、换人）", "The wrong person"),
  other: () => say("别的问题", "Something else"),
};

const endings = {
  device: () => say("机具装不好", "The terminal cannot be made to work"),
  appointment: () => say("店里要营业，约的时间不够", "The shop must open; the time is not enough"),
  other: () => say("别的原因", "Another reason"),
};

// Saying no and pulling the brake are never refused, and work without signal.
function brakes(v, signed, note) {
  const { id, work } = v;
  const inside = ["admitted", "trial"].includes(work.stage);
  const goesBack = inside && work.kind !== "removal" && Boolean(work.old) && !work.old.ended;
  const before = ["booked", "dispatched"].includes(work.stage);
  const choose = (name, list) => h("fieldset", {}, h("legend", {}, say("原因", "Reason")), Object.entries(list).map(([code, text], i) => h("label.choice", {}, h("input", { type: "radio", name, value: code, checked: i === 0 }), text())));
  const chosen = (b) => b.closest("details").querySelector("input:checked").value;
  const done = () => outbox.dispatchEvent(new Event("done")); // what was signed shows at the top, see standing
  return h("section.brakes", {},
    h("details.card", {}, h("summary", {}, h("h2", {}, say("有问题：停下来", "Something is wrong: stop"))), choose(`incident-${id}`, incidents),
      button(say("报告，并停住这一单", "Report and stop this visit"), tried(note, async (b) => {
        await file(id, { verb: "report_incident", type: "incident", body: { visit: id, kind: chosen(b), note: "" } });
        done();
      }), "wide.bad")),
    before && h("details.card", {}, h("summary", {}, h("h2", {}, say("今天不做：不进店", "Not today: do not go in"))), choose(`refuse-${id}`, reasons),
      button(say("签字：今天不做", "Sign: not today"), tried(note, async (b) => {
        await file(id, { verb: "refuse", type: "refusal", body: { visit: id, reason: chosen(b) } });
        done();
      }), "wide.bad")),
    inside && columnOf(work, signed) === "repair_untouched" && work.said && h("details.card", {}, h("summary", {}, h("h2", {}, say("后来还是拆了机", "It was opened after all"))), saidStep(v)),
    inside && h("details.card", {}, h("summary", {}, h("h2", {}, goesBack ? say("装不好：换回旧机", "It does not work out: back to the old one") : say("做不完：这次到此为止", "It cannot be finished: end this visit"))), choose(`end-${id}`, endings),
      h("p", {}, goesBack ? say("旧机照常用。新机的密钥会收回。", "The old terminal works as before; the new one's keys are taken back.") : say("这一次不再继续，要另约时间。", "This visit does not go on; another must be booked.")),
      button(goesBack ? say("签字：换回旧机", "Sign: back to the old one") : say("签字：到此为止", "Sign: end it here"), tried(note, async (b) => {
        await file(id, { verb: goesBack ? "roll_back" : "abort", type: "brake", body: { visit: id, reason: chosen(b) } });
        done();
      }), "wide.bad")));
}
