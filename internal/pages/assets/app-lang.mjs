// The app's language. Every text stands where it is used, Chinese first.
const kept = (() => { try { return localStorage.getItem("menshen-lang"); } catch { return null; } })();
let lang = kept === "en" || (kept === null && document.documentElement.lang === "en") ? "en" : "zh";

/** @param {string} zh @param {string} en */
export const say = (zh, en) => lang === "en" ? en : zh;
export const language = () => lang;

/** Switches the language of everything that is shown next. @param {"zh"|"en"} wanted */
export function speak(wanted) {
  lang = wanted;
  document.documentElement.lang = wanted === "en" ? "en" : "zh-Hans-CN";
  try { localStorage.setItem("menshen-lang", wanted); } catch { /* private browsing: asked again next time */ }
}
speak(lang);

const two = (n) => String(n).padStart(2, "0");
const clock = (d) => `${two(d.getHours())}:${two(d.getMinutes())}`;

/** "今天 14:00", as people say it. @param {string|Date} moment @param {Date} [now] */
export function when(moment, now = new Date()) {
  const d = new Date(moment);
  if (Number.isNaN(d.getTime())) return "";
  const days = Math.round((new Date(d.getFullYear(), d.getMonth(), d.getDate()) - new Date(now.getFullYear(), now.getMonth(), now.getDate())) / 86400000);
  const day = days === 0 ? say("今天", "today") : days === 1 ? say("明天", "tomorrow") : days === -1 ? say("昨天", "yesterday") : `${d.getMonth() + 1}-${d.getDate()}`;
  return `${day} ${clock(d)}`;
}

/** How many of a thing, in English. @param {number} n @param {string} one "photo" */
export const many = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;

/** "今天 14:00–15:00". */
export const span = (from, until) => `${when(from)}–${clock(new Date(until))}`;

/** How old something is. @param {number} ms */
export function age(ms) {
  const minutes = Math.max(0, Math.round(ms / 60000));
  if (minutes < 1) return say("刚刚", "just now");
  if (minutes < 60) return say(`${minutes} 分钟前`, `${minutes} min ago`);
  const hours = Math.round(minutes / 60);
  return hours < 48 ? say(`${hours} 小时前`, `${hours} h ago`) : say(`${Math.round(hours / 24)} 天前`, `${Math.round(hours / 24)} days ago`);
}

const names = {
  install: ["安装", "Installation"], swap: ["换机", "Swap"], repair: ["维修", "Repair"], removal: ["撤机", "Removal"], relocation: ["移机", "Relocation"], inspection: ["巡检", "Inspection"],
  booked: ["已预约", "booked"], dispatched: ["已派给您", "sent"], admitted: ["已进店", "checked in"], trial: ["试机中", "on trial"], live: ["已开通", "live"], closed: ["完成", "closed"],
  refused: ["没让进", "refused"], aborted: ["已取消", "called off"], rolled_back: ["换回旧机", "rolled back"],
  door: ["出示工作证", "Show the badge"], arrival: ["扫机箱", "Scan the parcel"], backup: ["备份", "Backup"], trial_step: ["试交易", "Trial"], attest: ["机具自证", "Device proof"],
  handover: ["交接培训", "Hand over"], finish: ["完成", "Finish"],
  said: ["拆没拆机", "Opened or not"], old: ["旧机还能用吗", "Does the old one work"], live_step: ["正式开通", "Go live"], end: ["作废旧密钥", "End the old keys"], back: ["店主交回机具", "The shop hands it back"],
  shopfront: ["门头照", "Shop front"], mount: ["安装", "Mount"], counter: ["收银台照", "Counter"], inside: ["店内照", "Inside"], check_serial: ["店主核对序列号", "Merchant checks the serial"],
  unplug: ["拆下旧机", "Take the old one off"], pack: ["装箱封签", "Pack and seal"],
  sign_off: ["监督人签字", "Supervisor signs"], confirmation: ["店主最后确认", "Merchant confirms"], charges: ["扣费清单", "List of charges"],
  old_terminal_dead: ["旧机用不了", "the old terminal is dead"], keys_ended: ["旧密钥已作废", "the old keys ended"], device_under_trial: ["机具在试机", "the terminal is on trial"],
  sign_in: ["签到", "sign-in"], approved_sale: ["成功一笔 ¥0.01", "approved sale ¥0.01"], declined_sale: ["拒绝一笔", "declined sale"], wrong_mac_refused: ["错误校验被拒", "wrong MAC refused"],
  reversal_after_lost_answer: ["断线冲正", "reversal"], refund_without_password_refused: ["没密码不能退", "no refund without password"], refund_with_password: ["有密码能退", "refund with password"], settlement: ["结算", "settlement"],
};

/** The word for a code; the code itself when nobody named it. @param {string} code */
export const word = (code) => Object.hasOwn(names, code) ? say(...names[code]) : code;
