// What needs signal: the device's own proof, the trial, going live, the end. The phone only asks; the gate, the
// acquirer's host and the device answer. Each answer says what still lacks, in the gate's own words.
import { svg } from "./qr.mjs";
import { fromBase64 } from "./bytes.mjs";
import { button, h, noteOf, sign } from "./app-dom.mjs";
import { language, say, when, word } from "./app-lang.mjs";
import { fetchWork, news } from "./app-day.mjs";
import { Fault } from "./fault.mjs";
import { ask, isOnline } from "./app-net.mjs";
import { columnOf, endNext, handoverOpen, openPermit, pastDoor, powerNext } from "./app-path.mjs";
import { queued, outbox } from "./app-sign.mjs";
import { giveDevice } from "./app-give.mjs";
import { tried } from "./app-screens.mjs";

const changed = () => outbox.dispatchEvent(new Event("done"));
const noSignal = () => sign("wait", say("这一步要信号", "This step needs signal"), h("p", {}, say("到有信号的地方，这一页自己会接着走。前面签的都存着。", "Go where there is signal; this page goes on by itself. All you signed is kept.")));
const unsentFirst = () => new Fault("unsent_first", "还有签字没发出去，先发完再申请。", "Some statements are not sent yet; send them first.");

const at = (v) => `/v1/visits/${encodeURIComponent(v.id)}`;
/** Now, by the server's clock as far as this phone knows it: permits and proofs are dated by that one. */
const nowOf = (v) => new Date(Date.now() - (new Date(v.work_at) - new Date(v.work.updated_at)));
const post = (v, verb, body) => ask("POST", `${at(v)}/${verb}`, body, { timeoutSeconds: 90 });

/** The trial, the proof, the old keys or the end, by what the server said last. @param {object} v @param {string} stepID attest, trial, live, end or finish */
export function powerStep(v, stepID) {
  if (!isOnline()) return noSignal();
  if (!pastDoor(v.work)) return sign("wait", say("等店主的手机先发出开门核对", "Waiting for the owner's phone to send the door check"), h("p", {}, say("请店主在有信号的地方打开自己的订单页。发出来了，这一页自己会接着走。", "The owner opens his order page where there is signal. Then this page goes on by itself.")));
  const box = h("div"), note = noteOf(`${stepID}-${v.id}`);
  const again = async () => { await fetchWork(v.id); changed(); };
  const parts = stepID === "end" ? endParts(v, note, again) : powerParts(v, box, note, again);
  box.append(...[parts[stepID === "end" ? endNext(v.work, nowOf(v)) : powerNext(v.work, nowOf(v))]()].flat(), note, stepID === "attest" ? "" : permitLine(v));
  return box;
}

const powerParts = (v, box, note, again) => ({
  attest: () => [v.work.attested.length > 0 && h("p", {}, say("上一次自证太久了，再来一次。", "The last proof is too old; once more.")), attest(v, note, box, again)].filter(Boolean),
  attest_again: () => [h("p", {}, say("试机过了。开通前机具再证明一次。", "The trial passed. Before going live the device proves itself once more.")), attest(v, note, box, again)],
  ask_trial: () => gate(v, "trial", say("申请试机", "Ask for the trial"), note, again),
  ask_live: () => gate(v, "live", say("申请正式开通", "Ask to go live"), note, again),
  ask_close: () => gate(v, "close", say("收尾，关单", "Close the visit"), note, again),
  release: () => release(v, note, again),
  acceptance: () => acceptance(v),
  failed: () => [acceptance(v), gate(v, "trial", say("再试一次机", "Try the terminal again"), note, again)],
  give: () => [h("p", {}, say("开通了。把机具签字交给店主，以后它归店里保管。", "It is live. Sign the terminal over to the owner, who keeps it from now on.")),
    button(say("签字：机具交给店主", "Sign: the terminal is the shop's"), tried(note, async () => { await giveDevice(v); await again(); }))],
  done: () => h("p", {}, say("都好了。", "All done.")),
});

// The merchant consents, the gate decides, the host ends the keys: in this order, and never before a new terminal is live.
const endParts = (v, note, again) => ({
  consent: () => {
    const box = sign("wait", say("请店主在自己手机上签：旧密钥可以作废", "The owner signs on his own phone that the old keys may end"), h("p", {}, `${say("旧机", "Old terminal")} …${v.work.old.serial.slice(-6)}`));
    return box;
  },
  ask_end: () => gate(v, "end", say("申请作废旧密钥", "Ask to end the old keys"), note, again),
  release: () => release(v, note, again),
});

/** What only others can do: the merchant hands a device over, the host says whether the old one works. */
export function waitStep(v, stepID) {
  const { old } = v.work;
  const serial = h("p", {}, say("机身号最后六位：", "Last six of the serial: "), h("strong", {}, old.serial.slice(-6)));
  const box = stepID === "back" ? sign("wait", say("请店主在自己手机上签：机具交给您", "The owner signs on his own phone that the terminal is handed to you"), serial)
    : old.state === "" && !old.ended ? sign("wait", say("等收单主机说旧机能不能用", "Waiting for the acquirer's host to say whether the old one works"), serial, h("p", {}, say("旧机先别拆。", "Leave the old one in place until then.")))
      : sign("mind", old.ended ? say("旧密钥作废了，店里现在收不了款", "The old keys ended; the shop cannot take cards now") : say("旧机用不了了", "The old terminal does not work"), serial, h("p", {}, say("请店主在自己手机上签：同意暂时停用，或用备用机。", "The owner signs on his own phone for the time without it, or with a loaner.")));
  if (!isOnline()) box.append(h("p", {}, say("没信号时看不到；有信号会自己更新。", "Without signal this cannot be seen; it updates by itself.")));
  return box;
}

// A host that is down holds everybody up: since when, and who acts.
const silent = (since) => h("div", { "data-host-silent": true }, sign("mind", say("主机没有回答", "The host does not answer"),
  h("p", {}, say(`收单机构的主机从 ${when(since)} 起没有回答。许可还在，会一直再问。`, `The acquirer's host has not answered since ${when(since)}. The permit stands and it is asked again and again.`)),
  h("p", {}, say("要收单机构的运维去看主机，不是您的事。旧机先别拆；等不到就跟调度说，另约时间。", "The acquirer's operations must look at the host; it is nothing of yours. Leave the old terminal in place; if it takes too long, tell your dispatcher and come another time."))));

function permitLine(v) {
  const p = v.work.permits.at(-1);
  if (!p || p.outcome === "loaded" || p.outcome === "keys_ended") return "";
  if (p.outcome === "" && v.work.host_silent_at) return silent(v.work.host_silent_at);
  if (p.outcome === "" && openPermit(v.work, p.ask, nowOf(v))) return h("p.quiet", {}, `${say("许可有效到", "Permit until")} ${when(p.until)}`);
  if (p.outcome === "") return h("p.quiet", {}, say("上一个许可过期了，要重新申请。", "The last permit ran out; ask again."));
  return sign("stop", say("主机没有同意", "The host did not agree"), h("p", { "data-code": p.reason }, say(`原因代号：${p.reason}`, `Reason code: ${p.reason}`)));
}

// The device answers over its own connection; the phone shows it the nonce. A device without one hands its
// answer over as a file.
function attest(v, note, box, again) {
  const start = button(say("让机具证明自己", "Let the device prove itself"), tried(note, async () => {
    const c = await post(v, "challenge", { purpose: "device" });
    const file = h("input", { type: "file", id: "a-file", accept: "application/json,.json", onchange: tried(note, async (e) => { await bring(v, c, e.target.files[0]); await again(); }) });
    box.replaceChildren(h("p", {}, say("在机具上打开「门神自证」，扫这个码。十分钟内有效。", "On the device open “menshen proof” and scan this code. Valid for ten minutes.")),
      h("figure.code", { "data-text": `MSN1~${v.id}~${c.statement}~${c.nonce}` }, svg(`MSN1~${v.id}~${c.statement}~${c.nonce}`, { label: say("给机具扫的码", "code for the device") })),
      h("p.quiet", {}, `${say("有效到", "Valid until")} ${when(c.until)}`),
      h("details", {}, h("summary", {}, say("机具不能联网", "The device has no connection")), h("label", { for: "a-file" }, say("机具给的回答文件", "The answer file of the device")), file), note);
    whenWork(v, box, (w) => w.attested.length > v.work.attested.length, changed);
  }));
  return start;
}

async function bring(v, challenge, file) {
  const malformed = (cause) => new Fault("device_answer_malformed", "这个文件不是机具的回答。", "This file is no device's answer.", cause);
  if (!file || file.size > 256 << 10) throw malformed();
  let answer;
  try {
    answer = JSON.parse(await file.text());
    fromBase64(answer.proof);
  } catch (e) { throw malformed(e); }
  await post(v, "attest_device", { challenge: challenge.statement, purpose: "device", serial: v.work.serial, format: String(answer.format), proof: answer.proof });
}

/** Does something once the visit's work says what a part of the page waits for; while it is shown, the page follows the visit. */
export function whenWork(v, shown, arrived, then) {
  const heard = ({ detail: { id, work } }) => {
    if (shown.isConnected && (id !== v.id || !arrived(work))) return;
    news.removeEventListener("work", heard);
    if (shown.isConnected) then();
  };
  news.addEventListener("work", heard);
}

function gate(v, what, label, note, again) {
  return button(label, tried(note, async () => {
    if ((await queued()).some((i) => i.visit === v.id && i.statement && i.state === "waiting")) throw unsentFirst();
    const answer = await post(v, "asks", { ask: what });
    if (answer.granted) { await again(); return; }
    note.replaceChildren(lacking(answer));
  }));
}

// What the gate says is missing; what already holds is not listed in a cellar.
function lacking(answer) {
  const text = (t) => language() === "en" ? t.en : t.zh;
  const open = answer.conditions.filter((c) => c.verdict !== "holds" && c.blocks);
  const shown = sign("stop", say("还不行", "Not yet"), answer.refusal && h("p", { "data-code": answer.refusal.code }, text(answer.refusal)),
    h("ul.lacks", {}, open.map((c) => h("li", { "data-code": c.code }, h("strong", {}, text(c.title)), `${say("：", ": ")}${text(c.reason)}`))));
  shown.addEventListener("carried", () => { shown.append(h("p", {}, say("之后有了变化，可以再申请。", "Something has changed since; ask again."))); }, { once: true });
  return shown;
}

function release(v, note, again) {
  const { ask: what } = v.work.permits.at(-1);
  const text = { trial: say("许可批了。把机具联上网，让主机装试用密钥。", "Granted. Connect the device and have the host load trial keys."),
    live: say("许可批了。让主机给机具装正式密钥。", "Granted. Have the host load the live keys."),
    end: say("许可批了。让主机作废旧密钥。旧机从此收不了款。", "Granted. Have the host end the old keys; the old terminal takes no more cards.") };
  return [h("p", {}, text[what]), button(what === "end" ? say("请主机作废旧密钥", "Have the host end the old keys") : say("请主机装密钥", "Have the host load the keys"),
    tried(note, async () => { await post(v, "release_permit", {}); await again(); }))];
}

const script = ["sign_in", "approved_sale", "declined_sale", "wrong_mac_refused", "reversal_after_lost_answer", "refund_without_password_refused", "refund_with_password", "settlement"];

// The host runs the script and signs it; here it is only shown.
function acceptance(v) {
  return h("div", {}, h("p", {}, v.work.reported.length === 0 ? say("用收单机构的测试卡试，主机自己记。不用店家的卡。", "Try with the acquirer's test card; the host records it. Never the shop's card.") : say("主机签的试机结果：", "The host's signed result:")),
    h("ul.script", {}, script.map((s) => {
      const r = v.work.reported.find((x) => x.step === s);
      const [mark, unseen] = !r ? ["…", say("还没有", "not yet")] : r.result === "passed" ? ["✓", say("过了", "passed")] : ["✕", say("没过", "failed")];
      return h("li", {}, h("span", { "aria-hidden": "true" }, mark), h("span.unseen", {}, unseen), ` ${word(s)}`);
    })));
}

const byWhom = { merchant: () => say("请店主在自己手机上点", "on the owner's own phone"), supervisor: () => say("等监督人签", "the supervisor signs"), host: () => say("等收单主机", "the acquirer's host") };

/** What the merchant, the supervisor and the host still do, and what the technician tells the staff. */
export function handoverStep(v) {
  const box = h("div");
  const taught = !["removal", "inspection", "repair_untouched"].includes(columnOf(v.work));
  box.append(h("p", {}, taught ? say("教店员三件事：怎么收款、怎么退款（要密码）、出问题找谁。", "Show the staff three things: taking a payment, refunding (with the password), whom to call.")
    : say("请店主看一遍做了什么，再签字。", "Let the owner see what was done before he signs.")),
    h("ul.lacks", {}, handoverOpen(v.work).map((o) => h("li", {}, h("strong", {}, word(o.what)), `${say("：", ": ")}${byWhom[o.by]()}`))),
    h("p.quiet", {}, isOnline() ? say("签好了这里自己打勾。", "This ticks itself when they have signed.") : say("没信号时看不到别人签了没有；有信号会自己更新。", "Without signal you cannot see what others signed; it updates by itself.")));
  return box;
}
