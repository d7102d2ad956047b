// Today: the first screen, and what the others share with it.
import { learnLine } from "./app-courses.mjs";
import { button, h, noteOf, sign } from "./app-dom.mjs";
import { age, language, many, say, span, when, word } from "./app-lang.mjs";
import { clockOff, endShift, forgetGone, gone, isEnrolled, me, refresh, shift, startShift } from "./app-day.mjs";
import { isOnline, isSignedIn } from "./app-net.mjs";
import { ended, pathOf, stopped } from "./app-path.mjs";
import { braking, ofOthers, outbox, queued, signedFor } from "./app-sign.mjs";
import { visits } from "./app-store.mjs";
import { faultOf } from "./fault.mjs";
import { leaving } from "./leave.mjs";
import { askToKeep } from "./queue.mjs";

// Puts a screen's parts in place; what is false is not there.
export const show = (root, ...parts) => root.replaceChildren(...parts.flat().filter(Boolean));

export const changed = () => outbox.dispatchEvent(new Event("done"));

const openings = (v) => v.package?.openings;
/** The shop's name where the order package opens it; packages are on the phone during the shift. @returns {string|undefined} */
export const shopOf = (v) => Array.isArray(openings(v)) ? openings(v).find((o) => o.kind === "shop")?.value : openings(v)?.shop?.value;

/** What is done, and where if this phone knows. */
export const titleOf = (v) => [word(v.work.kind), shopOf(v)].filter(Boolean).join(" · ");

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

/** @param {{go: (hash: string) => void, orders: object|null}} how orders: app-genuine.mjs, null until it is there */
export async function today(root, { go, orders }) {
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
    ...await Promise.all(open.map((v, i) => stop(v, items, i === 0, go, orders))),
    open.length === 0 && h("p.card", {}, say("没有派给您的上门。", "No visits are assigned to you.")),
    open.length === 0 && isOnline() && s && h("section.card", {}, h("h2", {}, say("有店主让您扫码？", "A shop asks you to scan?")), (await import("./app-door.mjs")).doorStep()),
    h("p.quiet.fresh", {}, fresh ? say(`单子是${age(Date.now() - new Date(fresh))}取的`, `List from ${age(Date.now() - new Date(fresh))}`) : say("单子还没取过", "The list was never fetched"), " ",
      button(say("刷新", "Refresh"), tried(note, async () => { await refresh({ papers: true }); changed(); }), "plain")),
    closed.length > 0 && h("details.card", {}, h("summary", {}, h("h2", {}, say(`做完的 ${closed.length} 单`, `${closed.length} done`))), h("ul.plain", {}, closed.map((v) => h("li", {}, h("a", { href: `#/visit/${v.id}` }, `${titleOf(v)} · ${word(v.work.stage)}`))))));
  return undefined;
}

export async function signInFirst(root) {
  const [others, gone] = [await ofOthers(), await leaving()];
  show(root, h("h1", {}, say("上门", "Visits")), sign("wait", say("请先登录", "Sign in first"), h("p", {}, say("用您的通行密钥登录一次。以后没信号也能用。", "Sign in once with your passkey. After that it works without signal.")),
    h("p.button-line", {}, h("a.button", { href: "/sign-in?next=/app" }, say("登录", "Sign in")))),
    gone !== "" && h("p.card.warn", { role: "status", "data-leaving": true }, say("这部手机已经退出，可以交给别人。服务器那边还没退：一有信号就自动退，不用再登录。", "This phone is signed out and can be handed over. The server's session is still open: it ends by itself with the first signal; nobody need sign in for that.")), others > 0 && h("p.card", { "data-others": others }, say(`这部手机里还有 ${others} 项没发。谁签的谁登录，就会接着发。`, `This phone still holds ${others} unsent. They go out when whoever signed them signs in again.`)));
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

async function stop(v, items, next, go, orders) {
  const { work } = v;
  const mine = items.filter((i) => i.visit === v.id).length;
  const genuine = v.package && (orders ? await orders.genuineLine(v) : h("p.genuine", {}, say("正在核对订单真假……", "Checking whether the order is genuine …")));
  const wrong = genuine?.matches?.(".problem") === true;
  return h(next ? "article.card.stop.next" : "article.card.stop", {},
    next && h("p.tag", {}, say("下一站", "Next stop")),
    h("h2", {}, titleOf(v)),
    h("p", {}, span(work.from, work.until), !shopOf(v) && h("span.quiet", {}, ` ${say("开工后看得到是哪家店。", "The shop shows once the shift has begun.")}`)),
    genuine, !wrong && h("p", {}, await turn(v)),
    mine > 0 && h("p.unsent", {}, say(`${mine} 项待发送`, `${mine} to send`)),
    next ? button(wrong ? say("看怎么办", "What to do") : say("去做", "Go"), () => go(`#/visit/${v.id}`), wrong ? "wide.second" : "wide") : h("a.go", { href: `#/visit/${v.id}` }, say("打开", "Open")));
}

export const othersLine = (n) => h("p.card", { "data-others": n }, say(`这部手机里还有别人签的 ${n} 项没发。谁签的谁登录，就会接着发。`, `This phone also holds ${n} unsent of somebody else. They go out when that person signs in here again.`));

/** Somebody signed in here, and who it is is not known yet: nobody's visits are shown. */
export async function whoIsIt(root) {
  show(root, h("h1", {}, say("上门", "Visits")), sign("wait", say("正在看是谁登录的", "Looking who signed in"), h("p", {}, say("要信号。看到是您，您的单子就出来；没发的都留着。", "This needs signal. Your visits show once it is you; what is unsent is kept."))));
}
