// What is unsent, this phone, and leaving it: fetched after the first screen.
import { button, h, noteOf, sign } from "./app-dom.mjs";
import { language, many, say, speak, when, word } from "./app-lang.mjs";
import { canPasskey, clearDay, enrolPhone, isEnrolled, me, shift, whoAmI } from "./app-day.mjs";
import { isOnline } from "./app-net.mjs";
import { changed, othersLine, shopOf, show, signInFirst, titleOf, tried } from "./app-screens.mjs";
import { ofOthers, queued, sendFor } from "./app-sign.mjs";
import { visits } from "./app-store.mjs";
import { Fault } from "./fault.mjs";
import { endSession, leave } from "./leave.mjs";
import { askToKeep, exportAll, forgetSent, importAll, retry, storageState } from "./queue.mjs";

/** Whose visit a thing of the queue is about; its number where the visit has left this phone. */
const aboutOf = (all, id) => { const v = all.find((x) => x.id === id); return v?.work ? shopOf(v) ? titleOf(v) : `${titleOf(v)} ${when(v.work.from)}` : id; };

export async function unsent(root) {
  const who = await me();
  if (!who) return signInFirst(root);
  const [items, safe, all, others] = [await queued(), await storageState(who.person), await visits(), await ofOthers()];
  const conflicts = items.filter((i) => i.state === "conflict");
  const waiting = items.filter((i) => i.state === "waiting");
  const [signed, photos] = [waiting.filter((i) => i.statement), waiting.filter((i) => !i.statement)];
  const note = noteOf("unsent");
  show(root, h("h1", {}, say("待发送", "To send")),
    h("p", {}, waiting.length === 0 ? conflicts.length === 0 ? say("都发出去了。", "Everything is sent.") : say("没有等着发的。", "Nothing waits to be sent.")
      : say(`签字 ${signed.length} 份，照片 ${photos.length} 张。先发签字，后发照片。`, `${signed.length} signed, ${many(photos.length, "photo")}. Signatures go before photos.`)),
    ...conflicts.map((i) => refused(i, aboutOf(all, i.visit))),
    safe.danger !== "" && items.length > 0 && danger(safe),
    isOnline() && waiting.length > 0 && button(say("现在发送", "Send now"), async () => { sendFor(await me()); }),
    waiting.length > 0 && h("ul.plain.card.items", {}, waiting.map((i) => h("li", {}, h("strong", {}, itemWord(i)), ` ${aboutOf(all, i.visit)} · ${when(i.madeAt)}`))),
    items.length > 0 && button(say("导出成文件", "Export as a file"), tried(note, saveFile), "wide.second"),
    h("p", {}, h("label", { for: "import" }, say("从文件收进来", "Take in a file")), h("input", { id: "import", type: "file", accept: "application/json,.json", onchange: tried(note, async (e) => {
      const { added, known } = await importAll(e.target.files[0], who.person);
      note.replaceChildren(h("p.card", { role: "status" }, say(`收进 ${added} 项，早就有 ${known} 项。`, `${added} taken in, ${known} were here.`)));
      sendFor(await me());
    }) })),
    note, others > 0 && othersLine(others),
    h("p.quiet", {}, say("文件里有签好的字和照片。交给本公司的调度，他可以代交；别发到别处。", "The file holds what you signed and photos. Give it to your own dispatcher, who may hand it in; send it nowhere else.")));
  return conflicts.map((i) => i.number);
}

/** What a statement or photo of the queue is. */
export const itemWord = (i) => (i.statement ? "" : say("照片：", "photo: ")) + (i.step ? word(i.step) : { arrival: say("到货核对", "parcel"), backup: say("备份", "backup"),
  refusal: say("不施工", "refused to work"), incident: say("报告问题", "report"), brake: say("停住", "stop"), device_work: say("拆没拆机", "opened or not") }[i.type] ?? i.type);

const dangers = {
  full: () => say("手机快存满了", "The phone is nearly full"),
  evictable: () => say("浏览器可能清掉没发的东西", "The browser may throw unsent work away"),
  stale: () => say("有的东西一天多没发出去", "Some of it has waited for over a day"),
};

const danger = (safe) => sign("mind", dangers[safe.danger](), h("p", {}, say("请现在导出成文件，存到手机里或交给调度。", "Export it as a file now, and keep it in the phone or give it to your dispatcher.")),
  safe.danger === "evictable" && button(say("请浏览器别清", "Ask the browser to keep it"), async () => { await askToKeep(); changed(); }, "plain"));

function refused(i, shop) {
  return sign("stop", say("被退回，要人看", "Refused; a person must look"), h("p", {}, `${itemWord(i)} · ${shop} · ${when(i.madeAt)}`),
    h("p", { "data-code": i.problem?.code }, i.problem ? language() === "en" ? i.problem.en : i.problem.zh : ""),
    h("p", {}, say("这一份留着，不会丢。请告诉调度，或导出给他。", "It is kept and not lost. Tell your dispatcher, or export it for him.")),
    button(say("问过了，再试一次", "Asked; try again"), async () => { await retry(i.number); sendFor(await me()); changed(); }, "plain"));
}

async function saveFile() {
  const link = h("a", { href: URL.createObjectURL(await exportAll((await me()).person)), download: `menshen-${new Date().toISOString().slice(0, 16).replaceAll(/[:T]/g, "-")}.json` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

export async function phone(root) {
  const who = await me();
  if (!who) return signInFirst(root);
  const [mine, safe, s, passkeys] = [await isEnrolled(), await storageState(), await shift(), await canPasskey()];
  const note = noteOf("phone");
  const code = h("input", { id: "code", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", inputmode: "text", placeholder: "XXXX-XXXX-XXXX", "aria-describedby": "code-help" });
  const enrolWith = (passkey) => tried(note, async () => { await whoAmI(); await enrolPhone(code.value, passkey); changed(); });
  show(root, h("h1", {}, say("这部手机", "This phone")),
    mine ? h("p.card", {}, say("已登记，可以签字。", "Enrolled; it can sign."), s ? say(`工作证有效到 ${when(s.until)}。`, ` Badge valid until ${when(s.until)}.`) : "")
      : h("section.card", {}, h("h2", {}, say("登记这部手机", "Enrol this phone")), h("label", { for: "code" }, say("公司给您的开通码", "The code your company gave you")), code,
        h("p.quiet", { id: "code-help" }, say("12 位，纸上怎么写就怎么输。码只在这部手机里用，不会发出去。", "Twelve characters as printed. The code is used in this phone and never sent.")),
        passkeys && button(say("登记（用指纹或面容签字）", "Enrol (sign with fingerprint or face)"), enrolWith(true)),
        button(passkeys ? say("这部手机用不了指纹", "This phone has no fingerprint") : say("登记", "Enrol"), enrolWith(false), passkeys ? "plain" : "wide"), note),
    h("section.card", {}, h("h2", {}, say("存在手机里的东西", "What is kept here")),
      h("p", {}, safe.kept ? say("浏览器答应不清掉。", "The browser has promised to keep it.") : say("浏览器没答应不清掉。装到桌面（添加到主屏幕）更稳。", "The browser has not promised to keep it. Installing the app (add to home screen) is safer.")),
      h("p.quiet", {}, say(`用了 ${Math.ceil(safe.usedBytes / 1048576)} MB`, `${Math.ceil(safe.usedBytes / 1048576)} MB used`))),
    h("section.card", {}, h("h2", {}, say("语言", "Language")), button(say("English", "中文"), () => { speak(language() === "en" ? "zh" : "en"); changed(); }, "plain")),
    h("p", {}, h("a", { href: "#/leave" }, say("退出登录", "Sign out")), " ", h("a", { href: "/account" }, say("我的账号", "My account"))));
  return undefined;
}

/** Signing out says first what has not been sent, and takes from the phone all but that. */
export async function leaving(root) {
  const who = await me();
  if (!who) return signInFirst(root);
  const items = await queued(), note = noteOf("leaving");
  const out = button(items.length > 0 ? say("还是退出，没发的留着", "Sign out all the same; keep what is unsent") : say("退出登录", "Sign out"), tried(note, async () => {
    await signOut(who.person);
    location.replace("/app");
  }), items.length > 0 ? "wide.second" : "wide");
  show(root, h("p.crumb", {}, h("a", { href: "#/phone" }, `‹ ${say("手机", "Phone")}`)), h("h1", {}, say("退出登录", "Sign out")),
    items.length > 0 && sign("mind", say(`还有 ${items.length} 项没发出去`, `${items.length} not sent yet`), h("p", {}, say("最好先发完再退。现在退，没发的都留在这部手机里：别人登录看不到，也发不了；您再登录，会接着发。", "Better send it first. If you sign out now, it stays in this phone: nobody else who signs in sees or sends it, and it goes on when you sign in again."))),
    items.length > 0 && isOnline() && button(say("现在发送", "Send now"), async () => { sendFor(who); }),
    items.length > 0 && button(say("导出成文件", "Export as a file"), tried(note, saveFile), "wide.second"),
    h("p", {}, say("退出时清掉工作证、订单凭据和店名。登记过的签字钥匙留着，下次登录不用再登记。", "Signing out clears the badge, the order papers and the shops. The enrolled key stays: next time you need not enrol again.")),
    !isOnline() && h("p.card.warn", { role: "status" }, say("现在没有信号：这部手机马上退出，可以交给别人；服务器那边，一有信号就自动退。", "There is no signal: this phone signs out at once and can be handed over; the server's session ends by itself with the first signal.")), out, note);
  return [items.length];
}

// The phone first: a server that does not answer keeps nobody signed in here.
async function signOut(person) {
  try { await leave(person); } catch (e) { if (!await endSession(person)) throw noSignal(e); } // a browser that keeps no mark
  sendFor(undefined);
  await clearDay();
  await forgetSent(Date.now() + 1);
  await endSession(person);
}
const noSignal = (e) => new Fault("offline", "现在没有信号，连不上。没退出，东西都在。", "There is no signal; the server cannot be reached. You are still signed in, and everything is here.", e);

