// Work that needs no signal: the parcel, the backup, photos of each step.
import { button, h, noteOf, sign } from "./app-dom.mjs";
import { say } from "./app-lang.mjs";
import { digestHex } from "./statement.mjs";
import { Fault } from "./fault.mjs";
import { startScanner } from "./scan.mjs";
import { parcelNumber } from "./scanned.mjs";
import { openCamera, take } from "./app-camera.mjs";
import { problem, tried } from "./app-screens.mjs";
import { file, outbox, position, queued } from "./app-sign.mjs";
import { draft, setDraft } from "./app-store.mjs";

const changed = () => outbox.dispatchEvent(new Event("done"));
const parcelFields = ["tracking", "bag_seal", "box_serial", "device_serial"];
const parcelWords = {
  tracking: () => say("运单号（当面交的写订单号）", "Tracking number (order number when handed over in person)"),
  bag_seal: () => say("袋封号", "Bag seal"), box_serial: () => say("箱号", "Box serial"), device_serial: () => say("机身序列号", "Serial on the device"),
};
const noNotice = () => new Fault("notice_absent", "手机里没有这台机具的交接记录。请在有信号的地方刷新。", "This phone has no hand-over record of the device. Refresh where there is signal.");
const codeForm = () => new Fault("parcel_code_malformed", "这个码不是箱子上的编号，请重扫或照着输入。", "This is no number of the parcel; scan again or type it.");

/** Four numbers, scanned or typed, against what was announced. What differs is said at once and filed as it is. */
export function arrivalStep(v) {
  const { work } = v;
  if (!work.parcel) return problem(noNotice());
  const want = work.parcel.notice;
  const note = noteOf(`arrival-${v.id}`), view = h("div.view", { hidden: true });
  const inputs = Object.fromEntries(parcelFields.map((f) => [f, h("input", { id: `p-${f}`, autocomplete: "off", autocapitalize: "characters", spellcheck: "false", oninput: () => judge() })]));
  const seals = h("input", { type: "checkbox", id: "p-seals", onchange: () => judge() });
  const verdicts = Object.fromEntries(parcelFields.map((f) => [f, h("span.fit", { role: "status" })]));
  const value = (f) => inputs[f].value.trim();
  const fits = (f) => value(f) === want[f];
  const sent = button(say("签字：四个号都核对了", "Sign: the four numbers are checked"), tried(note, async () => {
    const notice = Object.fromEntries(parcelFields.map((f) => [f, value(f)]));
    const good = parcelFields.every(fits) && seals.checked;
    await file(v.id, { verb: "record_step", type: "arrival", answers: work.parcel.transfer, body: { serial: work.serial, notice, seals_intact: seals.checked }, good });
    changed();
  }));
  function judge() {
    for (const f of parcelFields) {
      const text = value(f);
      verdicts[f].textContent = text === "" ? "" : fits(f) ? say("✓ 对", "✓ fits") : say("✕ 对不上", "✕ differs");
      verdicts[f].className = `fit ${text === "" ? "" : fits(f) ? "good" : "bad"}`;
    }
    const whole = parcelFields.every((f) => parcelNumber(value(f)) !== "");
    const wrong = parcelFields.some((f) => value(f) !== "" && !fits(f)) || (whole && !seals.checked);
    sent.disabled = !whole;
    sent.textContent = whole && wrong ? say("签字：照实写，这台不能装", "Sign it as it is: this one must not be installed") : say("签字：四个号都核对了", "Sign: the four numbers are checked");
    sent.classList.toggle("bad", whole && wrong);
  }
  const scan = (f) => button(say("扫", "Scan"), async () => {
    note.replaceChildren();
    try { inputs[f].value = await scanInto(view); } catch (e) { note.replaceChildren(problem(e)); }
    judge();
  }, "scan");
  judge();
  return [h("p", {}, say("在柜台上，当着店家的面，一个个对。", "At the counter, with the shop watching, one by one.")), view,
    parcelFields.map((f) => h("div.field", {}, h("label", { for: `p-${f}` }, parcelWords[f]()), h("div.row", {}, inputs[f], scan(f)), verdicts[f])),
    h("label.choice", { for: "p-seals" }, seals, say("封条都完好", "Every seal is intact")), note, sent];
}

// Scans one code; foreign QR codes hold no parcel number and are said to.
function scanInto(view) {
  const video = h("video", { playsinline: true, "aria-label": say("相机画面", "camera") });
  return new Promise((resolve, reject) => {
    const end = (how, what) => { view.hidden = true; view.replaceChildren(); how(what); };
    const said = h("p", { role: "status" });
    const s = startScanner(video, (text) => {
      const number = parcelNumber(text);
      if (number === "") throw codeForm();
      end(resolve, number);
    }, (f) => { if (f.code.startsWith("camera_") || f.code === "scanner_unavailable") end(reject, f); else said.textContent = f.text(document.documentElement.lang); });
    view.replaceChildren(video, said, button(say("不扫了", "Stop scanning"), () => { s.stop(); end(reject, new Fault("scan_stopped", "没有扫。可以照着输入。", "Not scanned; you may type it.")); }, "plain"));
    view.hidden = false;
  });
}

const differs = () => new Fault("backup_not_restored", "恢复出来的和备份的不一样，请重新备份。", "What was restored differs from what was backed up; back up again.");

/** A backup proven by a restore, or the merchant's word that nothing needs keeping. */
export function backupStep(v) {
  const note = noteOf(`backup-${v.id}`);
  const made = h("input", { type: "file", id: "b-made" }), restored = h("input", { type: "file", id: "b-restored" });
  const sent = button(say("签字：备份能恢复", "Sign: the backup restores"), tried(note, async () => {
    const [manifest, again] = await Promise.all([made, restored].map(async (i) => {
      if (!i.files[0]) throw new Fault("backup_file_absent", "请选好两个清单文件。", "Choose both list files.");
      return digestHex(new Uint8Array(await i.files[0].arrayBuffer()));
    }));
    if (manifest !== again) throw differs();
    await file(v.id, { verb: "back_up", type: "backup", body: { visit: v.id, manifest, restored: again } });
    changed();
  }));
  return [h("p", {}, say("旧系统里有要留的数据吗？", "Is there data in the old system that must be kept?")),
    sign("wait", say("没有：请店主在自己手机上点「没有数据要留」", "No: the owner taps “nothing to keep” on his own phone"), h("p", {}, say("店主签了，这一步自己打勾。您不能替他点。", "When he has signed, this step ticks itself. You cannot tap it for him."))),
    h("details.card", {}, h("summary", {}, h("h2", {}, say("有：备份，并试恢复一次", "Yes: back up, and restore once"))),
      h("div.field", {}, h("label", { for: "b-made" }, say("备份的清单文件", "List of what was backed up")), made),
      h("div.field", {}, h("label", { for: "b-restored" }, say("试恢复后的清单文件", "List of what the restore gave")), restored),
      h("p.quiet", {}, say("清单只在手机里算指纹，不上传。", "The lists stay in the phone; only their digest is signed.")), note, sent)];
}

/**
 * A repair begins with the technician's word. Opened or changed: the terminal is tried again as if it were new; said
 * once, nobody takes it back. Untouched: it may still be opened later, then it is said here again.
 */
export function saidStep(v) {
  const note = noteOf(`said-${v.id}`);
  const choice = (value, text) => h("label.choice", {}, h("input", { type: "radio", name: "said", value }), text);
  const box = h("div", {}, h("p", {}, say("看过机器再答。答了「拆过」，就要重新试机、重新开通。", "Look at the device first. “Opened” means that it is tried and made live anew.")),
    h("fieldset", {}, h("legend", {}, say("这台机器", "This device")),
      choice("untouched", say("没拆，没换东西，封条都好", "not opened, nothing changed, seals whole")),
      choice("opened", say("拆了，或换了零件、刷了程序", "opened, or a part or software was changed")),
      choice("seals", say("没拆，可是封条坏了", "not opened, but a seal is broken"))),
    note, button(say("签字", "Sign"), tried(note, async () => {
      const chosen = box.querySelector("input:checked")?.value;
      if (!chosen) throw new Fault("said_nothing", "请先选一项。", "Choose one first.");
      const [opened, seals_intact] = [chosen === "opened", chosen === "untouched"];
      await file(v.id, { verb: "record_step", type: "device_work", good: chosen === "untouched", body: { visit: v.id, serial: v.work.serial, opened, seals_intact } });
      changed();
    })));
  return box;
}

const tips = {
  shopfront: () => say("拍到招牌和店门，字要清楚。", "Show the sign and the door; the words must be readable."),
  mount: () => say("拍到装好的机具和接线。", "Show the mounted terminal and its cables."),
  counter: () => say("拍到整个收银台，机具在里面。", "Show the whole counter with the terminal."),
  inside: () => say("拍店内，别拍到顾客的脸。", "Show the inside; no customers' faces."),
};

/** Photos by the page's camera; signed by itself when the last one is good. */
export async function photoStep(v, rule) {
  const box = h("div"), note = noteOf(`${rule.step}-${v.id}`);
  const show = async () => {
    const taken = (await draft(v.id, rule.step))?.photos ?? [];
    box.replaceChildren(h("p", {}, tips[rule.step]?.() ?? say("做完这一步，当场拍照。", "Finish this step and take its photos on the spot.")),
      ...taken.map((p, i) => h("p.taken", {}, say(`第 ${i + 1} 张拍好了`, `Photo ${i + 1} is taken`))),
      rule.photos === 0 ? button(say("签字：做好了", "Sign: done"), tried(note, () => signStep(v, rule, [])))
        : taken.length < rule.photos ? button(say(`拍照（${taken.length + 1}/${rule.photos}）`, `Take photo ${taken.length + 1}/${rule.photos}`), async () => {
          let wrong = null;
          try { await shoot(box, v, rule, taken); } catch (e) { wrong = problem(e); }
          await show();
          note.replaceChildren(...[wrong].filter(Boolean));
        })
          : button(say("签字", "Sign"), tried(note, () => signStep(v, rule, taken))), note);
  };
  await show();
  return box;
}

const same = () => new Fault("photo_same", "这张和前面一张一模一样，不能算两张。请重新拍。", "This is the very photo that was taken before; it does not count twice. Take another.");

async function shoot(box, v, rule, taken) {
  const video = h("video", { playsinline: true, "aria-label": say("相机画面", "camera") });
  const bar = h("div.bar-camera"), said = h("div");
  box.replaceChildren(h("div.view", {}, video), said, bar);
  const camera = await openCamera(video);
  let lit = false;
  try {
    const shot = await new Promise((resolve, reject) => {
      bar.append(button(say("拍", "Take"), async () => { try { resolve(await take(video)); } catch (e) { said.replaceChildren(problem(e)); } }, "shutter"),
        camera.torch ? button(say("手电", "Torch"), () => camera.torch(lit = !lit), "plain") : "",
        button(say("不拍了", "Stop"), () => reject(new Fault("photo_stopped", "没有拍。", "No photo was taken.")), "plain"));
    });
    camera.stop();
    if (taken.some((p) => p.digest === shot.digest) || (await queued()).some((i) => i.digest === shot.digest)) throw same();
    if (!await keepIt(box, shot)) return await shoot(box, v, rule, taken);
    const photos = [...taken, { digest: shot.digest, taken_at: shot.taken_at, bytes: await shot.blob.arrayBuffer() }];
    await setDraft(v.id, rule.step, { photos });
    if (photos.length >= rule.photos) await signStep(v, rule, photos);
    return undefined;
  } finally { camera.stop(); }
}

// The technician looks at what he took: a blurred photo costs a second visit.
function keepIt(box, shot) {
  const url = URL.createObjectURL(shot.blob);
  return new Promise((resolve) => {
    const answer = (yes) => { URL.revokeObjectURL(url); resolve(yes); };
    box.replaceChildren(h("div.view", { "data-hold": true }, h("img", { src: url, alt: say("刚拍的照片", "the photo just taken") })),
      h("div.bar-camera", {}, button(say("用这张", "Use it"), () => answer(true)), button(say("重拍", "Again"), () => answer(false), "plain")));
  });
}

async function signStep(v, rule, photos) {
  const where = await position();
  await file(v.id, { verb: "record_step", type: "step", step: rule.step, openings: where ? [where.opening] : [],
    body: { visit: v.id, step: rule.step, done: true, photos: photos.map((p) => ({ digest: p.digest, taken_at: p.taken_at, source: "page_camera" })), ...(where ? { position: where.commitment } : {}) },
    photos: photos.map((p) => ({ blob: new Blob([p.bytes], { type: "image/jpeg" }) })) });
  await setDraft(v.id, rule.step, undefined);
  changed();
}

