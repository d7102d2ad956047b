// Reading QR codes, from the camera or from a picture. The browser's own reader where it has one; otherwise the
// vendored one, which is large and therefore fetched only when somebody scans.
import { Fault, faultOf } from "./fault.mjs";

const fault = {
  insecure: () => new Fault("camera_insecure", "这个网页不能用相机。请点右上角「…」，选「在浏览器打开」。", "This page cannot use the camera here. Open it in the phone's own browser."),
  refused: (e) => new Fault("camera_refused", "没有允许用相机。请在浏览器设置里允许本页用相机，再点一次。", "The camera was not allowed. Allow it for this page in the browser's settings, then tap again.", e),
  none: (e) => new Fault("camera_none", "没有找到相机。可以选一张照片，或者用数字核对。", "No camera was found. Choose a picture, or use the digits.", e),
  busy: (e) => new Fault("camera_busy", "相机正被别的应用占用。请关掉它，再点一次。", "Another app is using the camera. Close it, then tap again.", e),
  ended: () => new Fault("camera_ended", "相机停了。请再点一次。", "The camera stopped. Tap again."),
  reader: (e) => new Fault("scanner_unavailable", "扫码的程序没有下载完。请在有信号时再点一次，或者用数字核对。", "The scanner was not fetched. Tap again with signal, or use the digits.", e),
  unseen: () => new Fault("scan_unclear", "还没看清。请让整个码都在框里，离近一点，别反光。", "Not clear yet. Get the whole code into the frame, closer, without glare."),
  picture: (e) => new Fault("picture_unreadable", "这个文件不是能看的照片。", "This file is no picture that can be read.", e),
  large: () => new Fault("picture_too_large", "照片太大了，请换一张。", "The picture is too large. Choose another."),
  empty: () => new Fault("picture_without_code", "照片里没有看清的二维码。请把整个码拍清楚。", "There is no clear QR code in the picture. Take one that shows the whole code."),
};

const maxPictureBytes = 30 << 20;
const maxText = 4296; // what the largest QR code holds

async function ownReader() {
  try {
    if (!(await globalThis.BarcodeDetector?.getSupportedFormats())?.includes("qr_code")) return null;
    return new globalThis.BarcodeDetector({ formats: ["qr_code"] });
  } catch { return null; }
}

async function vendoredReader() {
  try {
    const { BarcodeDetector, prepareZXingModule } = await import("./vendor/barcode-detector/ponyfill.js");
    const wasm = new URL("./vendor/barcode-detector/zxing_reader.wasm", import.meta.url).href;
    await prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
    return new BarcodeDetector({ formats: ["qr_code"] });
  } catch (e) { throw fault.reader(e); }
}

// A reader that falls back once: some phones offer a reader of their own that fails when it is used.
async function newReader() {
  const own = await ownReader();
  let reader = own ?? await vendoredReader();
  return async (source) => {
    let found;
    try { found = await reader.detect(source); } catch (e) {
      if (reader !== own) throw e;
      reader = await vendoredReader();
      found = await reader.detect(source);
    }
    return found.map((code) => code.rawValue).filter((text) => text.length > 0 && text.length <= maxText);
  };
}

/** Fetches what scanning needs, while there is signal. @returns {Promise<void>} @throws {Fault} scanner_unavailable */
export async function prepareScanner() { if (!await ownReader()) await vendoredReader(); }

async function openCamera() {
  if (globalThis.isSecureContext === false || !navigator.mediaDevices?.getUserMedia) throw fault.insecure();
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } } });
  } catch (e) {
    switch (e?.name) {
      case "NotFoundError": case "OverconstrainedError": throw fault.none(e);
      case "NotReadableError": case "AbortError": throw fault.busy(e);
      default: throw fault.refused(e); // NotAllowedError, SecurityError
    }
  }
}

const nextLook = () => new Promise((resolve) => { setTimeout(resolve, 80); });

/**
 * Shows the camera in video and reads until a text is taken or stop is called.
 * @param {HTMLVideoElement} video
 * @param {(text: string) => void} onText called once, with the camera off again. To look on, throw a Fault: it goes to onFault, once for each text
 * @param {(fault: Fault) => void} onFault the camera's faults (camera_*, scanner_unavailable) end the scan; scan_unclear and those that
 *   onText threw do not
 * @param {{unclearSeconds?: number}} [options] after how long without any code to say so; 6
 * @returns {{stop: () => void, stopped: Promise<void>}}
 */
export function startScanner(video, onText, onFault, { unclearSeconds = 6 } = {}) {
  let running = true, stream;
  const stop = () => {
    running = false;
    for (const track of stream?.getTracks() ?? []) track.stop();
    video.srcObject = null;
  };
  const stopped = (async () => {
    try {
      // Both at once: people wait for the slower of the two, not for the sum.
      const [camera, reader] = await Promise.allSettled([openCamera().then((s) => { stream = s; }), newReader()]);
      for (const part of [camera, reader]) if (part.status === "rejected") throw part.reason;
      if (!running) return;
      stream.getVideoTracks()[0].addEventListener("ended", () => { if (running) { stop(); onFault(fault.ended()); } });
      video.muted = true; video.playsInline = true; video.srcObject = stream;
      await video.play();
      await look(reader.value);
    } catch (e) {
      if (running) onFault(faultOf(e)); // what fails because it was stopped is no fault
    } finally { stop(); }
  })();

  async function look(read) {
    const seen = new Set();
    for (let since = performance.now(); running; await nextLook()) {
      if (video.readyState < 2) continue;
      const texts = await read(video);
      if (texts.length > 0 || performance.now() - since > unclearSeconds * 1000) {
        if (texts.length === 0) onFault(fault.unseen());
        since = performance.now();
      }
      for (const text of texts) if (running && !seen.has(text) && taken(text, seen)) return;
    }
  }

  function taken(text, seen) {
    seen.add(text);
    try { onText(text); } catch (e) {
      if (!(e instanceof Fault)) throw e;
      onFault(e);
      return false;
    }
    return true;
  }
  return { stop, stopped };
}

/**
 * Reads the codes in a picture, for phones whose page has no camera.
 * @param {Blob} file
 * @returns {Promise<string[]>} at least one
 * @throws {Fault} picture_unreadable, picture_too_large, picture_without_code, scanner_unavailable
 */
export async function readPicture(file) {
  if (file.size > maxPictureBytes) throw fault.large();
  let picture;
  try { picture = await createImageBitmap(file); } catch (e) { throw fault.picture(e); }
  try {
    const texts = await (await newReader())(picture);
    if (texts.length === 0) throw fault.empty();
    return texts;
  } finally { picture.close(); }
}
