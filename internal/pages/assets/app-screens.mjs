// Today, what is unsent, and this phone.
import { learnLine } from "./app-courses.mjs";
import { doorStep } from "./app-door.mjs";
import { button, h, noteOf, sign } from "./app-dom.mjs";
import { age, language, many, say, span, speak, when, word } from "./app-lang.mjs";
import { canPasskey, clearDay, clockOff, endShift, enrolPhone, forgetGone, gone, isEnrolled, me, refresh, shift, startShift, whoAmI } from "./app-day.mjs";
import { isOnline, isSignedIn } from "./app-net.mjs";
import { ended, pathOf, stopped } from "./app-path.mjs";
import { braking, ofOthers, outbox, queued, sendFor, signedFor } from "./app-sign.mjs";
import { visits } from "./app-store.mjs";
import { Fault, faultOf } from "./fault.mjs";
import { askToKeep, exportAll, forgetSent, importAll, retry, storageState } from "./queue.mjs";

// Puts a screen's parts in place; what is false is not there.
const show = (root, ...parts) => root.replaceChildren(...parts.flat().filter(Boolean));

const changed = () => outbox.dispatchEvent(new Event("done"));

const openings = (v) => v.package?.openings;
/** The shop's name where the order package opens it; packages are on the phone during the shift. @returns {string|undefined} */
export const shopOf = (v) => Array.isArray(openings(v)) ? openings(v).find((o) => o.kind === "shop")?.value : openings(v)?.shop?.value;

/** What is done, and where if this phone knows. */
export const titleOf = (v) => [word(v.work.kind), shopOf(v)].filter(Boolean).join(" · ");

/** Whose visit a thing of the queue is about; its number where the visit has left this phone. */
const aboutOf = (all, id) => { const v = all.find((x) => x.id === id); return v?.work ? shopOf(v) ? titleOf(v) : `${titleOf(v)} ${when(v.work.from)}` : id; };

/** A problem's sentence in place, announced; code for whoever is asked about it. */
export const problem = (e) => {
  const f = faultOf(e);
  return h("p.problem", { role: "alert", "data-code": f.code }, f.text(language()));
};

/** Runs work and shows what went wrong beside it. */
export const tried = (where, work) => async (b) => {
  where.replaceChildren();
  try { return await work(b); } catch (e) { where.replaceChildren(problem(e)); return undefined; }
};

const waits = { "": () => say("轮到您", "your turn"), merchant: () => say("等店主", "waiting for the merchant"), supervisor: () => say("等监督人", "waiting for the supervisor"),
  signal: () => say("要信号", "needs signal"), host: () => say("等收单主机", "waiting for the acquirer's host"), person: () => say("等人处理", "waiting for a person") };

/** The line under a visit: where it stands and who must act. */
export async function turn(v) {
  const { work } = v;
  if (stopped(work)) return say("已停住，等收单机构风控处理", "Stopped; the acquirer's risk desk must decide");
  if (ended(work)) return word(ended(work));
  const signed = await signedFor(v);
  const brake = signed.find((i) => braking.includes(i.type));
  if (brake) return brake.type === "refusal" ? say("已签：今天不做", "Signed: not today") : say("已签：停住这一单", "Signed: stop this visit");
  const now = pathOf(work, signed, Boolean(v.let_in)).find((s) => s.state === "now" || s.state === "refused");
  return now ? `${word(now.name)} · ${waits[now.waits]()}` : say("等发送", "waiting to be sent");
}

export async function today(root, { go }) {
  const who = await me();
  if (!who) return signInFirst(root);
  const [s, all, items, mine] = [await shift(), await visits(), await queued(), await isEnrolled()];
  const note = noteOf("today");
  const open = all.filter((v) => v.work && !ended(v.work)).sort((a, b) => (a.work.from < b.work.from ? -1 : 1));
  const closed = all.filter((v) => v.work && ended(v.work));
  const fresh = all.map((v) => v.work_at).sort()[0];
  show(root, h("h1", {}, say("今天", "Today")),
    ...(!isSignedIn() ? [sessionOver()] : []), ...await clockNote(),
    mine ? shiftCard(s, note) : sign("wait", say("这部手机还没登记", "This phone is not enrolled"), h("p", {}, say("先用公司给您的开通码登记这部手机，才能签字。", "Enrol it with the code your company gave you; then it can sign.")),
      h("p.button-line", {}, h("a.button", { href: "#/phone" }, say("登记这部手机", "Enrol this phone")))),
    note, ...(await gone()).map((g) => anotherSent(g, button(say("知道了", "I have read it"), async () => { await forgetGone(g.id); changed(); }, "wide.second"))), await learnLine(),
    ...await Promise.all(open.map((v, i) => stop(v, items, i === 0, go))),
    open.length === 0 && h("p.card", {}, say("没有派给您的上门。", "No visits are assigned to you.")),
    open.length === 0 && isOnline() && s && h("section.card", {}, h("h2", {}, say("有店主让您扫码？", "A shop asks you to scan?")), doorStep()),
    h("p.quiet.fresh", {}, fresh ? say(`单子是${age(Date.now() - new Date(fresh))}取的`, `List from ${age(Date.now() - new Date(fresh))}`) : say("单子还没取过", "The list was never fetched"), " ",
      button(say("刷新", "Refresh"), tried(note, async () => { await refresh({ papers: true }); changed(); }), "plain")),
    closed.length > 0 && h("details.card", {}, h("summary", {}, h("h2", {}, say(`做完的 ${closed.length} 单`, `${closed.length} done`))), h("ul.plain", {}, closed.map((v) => h("li", {}, h("a", { href: `#/visit/${v.id}` }, `${titleOf(v)} · ${word(v.work.stage)}`))))));
  return undefined;
}

async function signInFirst(root) {
  const others = await ofOthers();
  show(root, h("h1", {}, say("上门", "Visits")), sign("wait", say("请先登录", "Sign in first"), h("p", {}, say("用您的通行密钥登录一次。以后没信号也能用。", "Sign in once with your passkey. After that it works without signal.")),
    h("p.button-line", {}, h("a.button", { href: "/sign-in?next=/app" }, say("登录", "Sign in")))), others > 0 && othersLine(others));
}

const sessionOver = () => h("p.card.warn", { role: "status" }, say("登录到期了。存着的都在；登录后才能发送。", "Your sign-in is over. Everything is kept; sign in to send it."), " ", h("a", { href: "/sign-in?next=/app" }, say("登录", "Sign in")));

/** Says that somebody else was sent. @param {object} g of gone() @param {Element} next */
export const anotherSent = (g, next) => sign("mind", say("这一单派给别人了", "Somebody else was sent"), h("p", {}, `${titleOf(g)} · ${span(g.work.from, g.work.until)}`),
  h("p", {}, say("您不用去了。已经在店里的，停手，跟店主说一声再走。签过的都留着，派单的人会看。", "You need not go. If you are there, stop, tell the owner and leave. What you signed is kept, and your dispatcher looks at it.")), h("p.button-line", {}, next));

async function clockNote() {
  const off = await clockOff();
  if (off === null || Math.abs(off) < 120) return [];
  return [sign("stop", say("手机的钟不对", "The phone's clock is wrong"), h("p", {}, say(`差了约 ${Math.round(Math.abs(off) / 60)} 分钟。请在设置里打开「自动设置时间」，不然签字会被退回。`, `It is off by about ${many(Math.round(Math.abs(off) / 60), "minute")}. Switch on automatic time; what you sign would be refused.`)))];
}

function shiftCard(s, note) {
  const valid = s && new Date(s.until) > new Date();
  const start = button(say("开工：领今天的工作证", "Start the shift: get today's badge"), tried(note, async () => { await startShift(); await askToKeep(); await refresh(); changed(); }));
  if (valid) {
    return h("details.card.badge", {}, h("summary", {}, h("span", {}, say("工作证", "Badge"), h("strong", {}, ` ${say("有效到", "valid until")} ${when(s.until)}`))),
      h("p", {}, say("收工后，这部手机今天不能再出示工作证。没发的还在，会接着发。", "After the shift this phone shows no badge today. What is unsent is kept and still sent.")),
      button(say("收工：交回工作证", "End the shift: give the badge back"), tried(note, async () => { await endShift(); changed(); }), "wide.second"));
  }
  return h("section.card", {}, h("h2", {}, s ? say("工作证过期了", "The badge has run out") : say("还没开工", "The shift has not begun")),
    s && h("p", {}, say("过期的工作证，店家那边会显示不通过。已经进店的上门不受影响，可以接着做。", "A shop would see it refused. A visit where you are already checked in goes on.")),
    h("p", {}, say("要信号，要您本人验证一次。之后没信号也能出示。", "Needs signal, and you in person once. After that it can be shown without signal.")), start);
}

async function stop(v, items, next, go) {
  const { work } = v;
  const mine = items.filter((i) => i.visit === v.id).length;
  return h(next ? "article.card.stop.next" : "article.card.stop", {},
    next && h("p.tag", {}, say("下一站", "Next stop")),
    h("h2", {}, titleOf(v)),
    h("p", {}, span(work.from, work.until), !shopOf(v) && h("span.quiet", {}, ` ${say("开工后看得到是哪家店。", "The shop shows once the shift has begun.")}`)),
    h("p", {}, await turn(v)),
    mine > 0 && h("p.unsent", {}, say(`${mine} 项待发送`, `${mine} to send`)),
    next ? button(say("去做", "Go"), () => go(`#/visit/${v.id}`)) : h("a.go", { href: `#/visit/${v.id}` }, say("打开", "Open")));
}

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
    safe.danger !== "" && items.length > 0 && danger(safe),
    ...conflicts.map((i) => refused(i, aboutOf(all, i.visit))),
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

const othersLine = (n) => h("p.card", { "data-others": n }, say(`这部手机里还有别人签的 ${n} 项没发。谁签的谁登录，就会接着发。`, `This phone also holds ${n} unsent of somebody else. They go out when that person signs in here again.`));

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
    await signOut();
    location.replace("/app");
  }), items.length > 0 ? "wide.second" : "wide");
  show(root, h("p.crumb", {}, h("a", { href: "#/phone" }, `‹ ${say("手机", "Phone")}`)), h("h1", {}, say("退出登录", "Sign out")),
    items.length > 0 && sign("mind", say(`还有 ${items.length} 项没发出去`, `${items.length} not sent yet`), h("p", {}, say("最好先发完再退。现在退，没发的都留在这部手机里：别人登录看不到，也发不了；您再登录，会接着发。", "Better send it first. If you sign out now, it stays in this phone: nobody else who signs in sees or sends it, and it goes on when you sign in again."))),
    items.length > 0 && isOnline() && button(say("现在发送", "Send now"), async () => { sendFor(who); }),
    items.length > 0 && button(say("导出成文件", "Export as a file"), tried(note, saveFile), "wide.second"),
    h("p", {}, say("退出时清掉工作证、订单凭据和店名。登记过的签字钥匙留着，下次登录不用再登记。", "Signing out clears the badge, the order papers and the shops. The enrolled key stays: next time you need not enrol again.")),
    isOnline() ? out : h("p.card.warn", { role: "status" }, say("退出登录要信号。要把手机交给别人，请先到有信号的地方。", "Signing out needs signal. Before you hand the phone to somebody, go where there is some.")), note);
  return [items.length];
}

async function signOut() {
  let answer;
  try { answer = await fetch("/account/sign-out", { method: "POST", redirect: "manual", cache: "no-store" }); } catch (e) { throw noSignal(e); }
  if (answer.type !== "opaqueredirect" && !answer.ok && answer.status !== 401) throw noSignal();
  sendFor(undefined);
  await clearDay();
  await forgetSent(Date.now() + 1);
}
const noSignal = (e) => new Fault("offline", "现在没有信号，连不上。没退出，东西都在。", "There is no signal; the server cannot be reached. You are still signed in, and everything is here.", e);

/** Somebody signed in here, and who it is is not known yet: nobody's visits are shown. */
export async function whoIsIt(root) {
  show(root, h("h1", {}, say("上门", "Visits")), sign("wait", say("正在看是谁登录的", "Looking who signed in"), h("p", {}, say("要信号。看到是您，您的单子就出来；没发的都留着。", "This needs signal. Your visits show once it is you; what is unsent is kept."))));
}
