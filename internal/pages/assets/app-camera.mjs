// Photos from the page's own camera, never from the gallery: small enough to send, without metadata, named by
// the digest of their bytes.
import { hex, sha256 } from "./bytes.mjs";
import { Fault, faultOf } from "./fault.mjs";
import { timeForm } from "./statement.mjs";

export const maxPhotoBytes = 240 << 10; // as app/photos.go
const longestSide = 1280;

const fault = {
  insecure: () => new Fault("camera_insecure", "这个网页不能用相机。请点右上角「…」，选「在浏览器打开」。", "This page cannot use the camera here. Open it in the phone's own browser."),
  refused: (e) => new Fault("camera_refused", "没有允许用相机。请在浏览器设置里允许本页用相机，再点一次。", "The camera was not allowed. Allow it for this page in the browser's settings, then tap again.", e),
  none: (e) => new Fault("camera_none", "这部手机没有找到相机。照片只能当场拍：请换一部手机登记后再来。", "No camera was found. Photos are taken on the spot only: enrol another phone.", e),
  busy: (e) => new Fault("camera_busy", "相机正被别的应用占用。请关掉它，再点一次。", "Another app is using the camera. Close it, then tap again.", e),
  dark: () => new Fault("photo_dark", "太黑了，看不清。请开灯或打开手电再拍。", "Too dark to see anything. Switch on a light or the torch, then take it again."),
  large: () => new Fault("photo_too_large", "照片太大，请离远一点再拍。", "The photo is too large; step back and take it again."),
};

/**
 * Opens the camera in a video element.
 * @param {HTMLVideoElement} video
 * @returns {Promise<{stop: () => void, torch: ((on: boolean) => Promise<void>)|null}>}
 * @throws {Fault} camera_insecure, camera_refused, camera_none, camera_busy
 */
export async function openCamera(video) {
  if (globalThis.isSecureContext === false || !navigator.mediaDevices?.getUserMedia) throw fault.insecure();
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 960 } } });
  } catch (e) {
    switch (e?.name) {
      case "NotFoundError": case "OverconstrainedError": throw fault.none(e);
      case "NotReadableError": case "AbortError": throw fault.busy(e);
      default: throw fault.refused(e);
    }
  }
  const [track] = stream.getVideoTracks();
  const stop = () => { for (const t of stream.getTracks()) t.stop(); video.srcObject = null; };
  video.muted = true; video.playsInline = true; video.srcObject = stream;
  try { await video.play(); } catch (e) { stop(); throw faultOf(e); }
  const lit = track.getCapabilities?.().torch === true;
  return { stop, torch: lit ? (on) => track.applyConstraints({ advanced: [{ torch: on }] }) : null };
}

/**
 * Takes what the video shows now.
 * @param {HTMLVideoElement} video
 * @returns {Promise<{digest: string, blob: Blob, taken_at: string}>} a JPEG of at most maxPhotoBytes
 * @throws {Fault} photo_dark, photo_too_large
 */
export async function take(video) {
  const scale = Math.min(1, longestSide / Math.max(video.videoWidth, video.videoHeight));
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(video.videoWidth * scale), height: Math.round(video.videoHeight * scale) });
  const paint = canvas.getContext("2d", { willReadFrequently: true });
  paint.drawImage(video, 0, 0, canvas.width, canvas.height);
  if (isDark(paint, canvas)) throw fault.dark();
  const taken_at = timeForm(new Date());
  for (const quality of [0.8, 0.65, 0.5, 0.35, 0.2]) {
    const blob = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", quality); });
    if (blob && blob.type === "image/jpeg" && blob.size <= maxPhotoBytes) {
      return { digest: hex(await sha256(new Uint8Array(await blob.arrayBuffer()))), blob, taken_at };
    }
  }
  throw fault.large();
}

// A black picture proves nothing and costs a second visit; one bright lamp in it is enough to let it pass.
function isDark(paint, { width, height }) {
  const { data } = paint.getImageData(0, 0, width, height);
  let bright = 0, seen = 0;
  for (let i = 0; i < data.length; i += 4 * 97) { seen++; if (data[i] + data[i + 1] + data[i + 2] > 90) bright++; }
  return bright < seen / 50;
}
