//go:build browser

package pages

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"rsc.io/qr"
)

// drawn is what a camera of width × height sees: a code, as wide as share of the height, spoiled by spoil.
func drawn(t *testing.T, text string, width, height int, share float64, spoil func(*image.Gray)) *image.Gray {
	t.Helper()
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	scale := int(float64(height) * share / float64(code.Size+8))
	if scale < 1 {
		t.Fatalf("%d modules do not fit", code.Size)
	}
	out := image.NewGray(image.Rect(0, 0, width, height))
	left, top := (width-code.Size*scale)/2, (height-code.Size*scale)/2
	for y := range height {
		for x := range width {
			shade := uint8(235)
			if mx, my := x-left, y-top; mx >= 0 && my >= 0 && code.Black(mx/scale, my/scale) {
				shade = 16
			}
			out.SetGray(x, y, color.Gray{Y: shade})
		}
	}
	if spoil != nil {
		spoil(out)
	}
	return out
}

// cutOff hides the right half of what the camera sees.
func cutOff(p *image.Gray) {
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		for x := p.Rect.Dx() / 2; x < p.Rect.Max.X; x++ {
			p.SetGray(x, y, color.Gray{Y: 200})
		}
	}
}

// blurred means each pixel over its neighbourhood, twice as wide as a module.
func blurred(p *image.Gray) {
	const r = 24
	w, h := p.Rect.Dx(), p.Rect.Dy()
	for range 2 {
		for _, across := range []bool{true, false} {
			from := append([]uint8(nil), p.Pix...)
			for y := range h {
				for x := range w {
					sum, n := 0, 0
					for d := -r; d <= r; d += 3 {
						at, in := y*w+x+d, x+d >= 0 && x+d < w
						if !across {
							at, in = (y+d)*w+x, y+d >= 0 && y+d < h
						}
						if in {
							sum, n = sum+int(from[at]), n+1
						}
					}
					p.Pix[y*w+x] = uint8(sum / n)
				}
			}
		}
	}
}

// film writes a picture as what Chromium's fake camera plays: YUV4MPEG2, two frames.
func film(t *testing.T, p *image.Gray) string {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n", p.Rect.Dx(), p.Rect.Dy())
	for range 2 {
		b.WriteString("FRAME\n")
		b.Write(p.Pix)
		b.Write(bytes.Repeat([]byte{128}, p.Rect.Dx()*p.Rect.Dy()/2))
	}
	file := filepath.Join(t.TempDir(), "camera.y4m")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// withCamera is a browser whose camera shows a picture and whose user says yes to the camera.
func withCamera(t *testing.T, p *image.Gray) []chromedp.ExecAllocatorOption {
	return []chromedp.ExecAllocatorOption{chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", film(t, p))}
}

var scannerNeeds = needs{camera: true, scanner: true, pictures: true}

// scanned scans with the camera until a text is taken or a fault comes that ends in wanted.
const scanned = `
	const { startScanner } = await load("scan.mjs"), { Fault } = await load("fault.mjs");
	const video = document.createElement("video");
	document.querySelector("main").append(video);
	const faults = [];
	const scan = (take, enough, options) => new Promise((resolve) => {
		const s = startScanner(video, (text) => { take(text); s.stopped.then(() => resolve({ text, faults, off: video.srcObject === null })); },
			(f) => { faults.push(f.code); if (enough(f)) { s.stop(); s.stopped.then(() => resolve({ text: "", faults, off: video.srcObject === null })); } }, options);
	});`

type scanResult struct {
	Text   string   `json:"text"`
	Faults []string `json:"faults"`
	Off    bool     `json:"off"`
	Loaded []string `json:"loaded"`
}

const longest = "MENSHEN1:" // the rest is filled up to what an offline answer may have

func TestTheCameraReadsWhatWeWrite(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"challenge": "menshen:1:AAECAwQFBgcICQoLDA0ODw:门", "answer": longest + strings.Repeat("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./", 38)} {
		ctx := browser(t, withCamera(t, drawn(t, text, 1280, 720, 0.95, nil))...)
		b := newBench(t, ctx, scannerNeeds, nil)
		var got scanResult
		b.run(scanned+`return { ...await scan(() => {}, () => true, { unclearSeconds: 30 }), loaded: performance.getEntriesByType("resource").map((e) => e.name) };`, &got)
		if got.Text != text || len(got.Faults) != 0 || !got.Off {
			t.Errorf("%s: %+v", name, got)
		}
		if all := strings.Join(got.Loaded, " "); !strings.Contains(all, b.set.href("vendor/barcode-detector/zxing_reader.wasm")) || strings.Count(all, "http") != strings.Count(all, b.origin) {
			t.Errorf("%s loaded %s", name, all)
		}
	}
}

func TestACodeThatCannotBeReadIsSaidSo(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*image.Gray){"cut off": cutOff, "blurred": blurred} {
		ctx := browser(t, withCamera(t, drawn(t, "menshen:1:AAECAwQFBgcICQoLDA0ODw", 1280, 720, 0.9, spoil))...)
		b := newBench(t, ctx, scannerNeeds, nil)
		var got scanResult
		b.run(scanned+`return await scan(() => {}, (f) => f.code === "scan_unclear", { unclearSeconds: 1 });`, &got)
		if got.Text != "" || strings.Join(got.Faults, " ") != "scan_unclear" || !got.Off {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAForeignCodeIsRefusedAndTheCameraLooksOn(t *testing.T) {
	t.Parallel()
	ctx := browser(t, withCamera(t, drawn(t, "https://evil.example/pay", 1280, 720, 0.9, nil))...)
	b := newBench(t, ctx, scannerNeeds, nil)
	var got scanResult
	b.run(scanned+`let asked = 0;
		const first = scan((text) => { asked++; throw new Fault("challenge_foreign", "", ""); }, () => false);
		await new Promise((r) => setTimeout(r, 2500));
		return { faults, text: String(asked), off: video.srcObject === null };`, &got)
	if got.Text != "1" || strings.Join(got.Faults, " ") != "challenge_foreign" || got.Off {
		t.Errorf("%+v", got)
	}
	// A page whose policy does not ask for the camera does not get it, whatever the user says.
	b = newBench(t, ctx, needs{scanner: true}, nil)
	b.run(scanned+`return await scan(() => {}, () => true);`, &got)
	if got.Text != "" || strings.Join(got.Faults, " ") != "camera_refused" {
		t.Errorf("without permission: %+v", got)
	}
}

func TestACameraThatIsNotThere(t *testing.T) {
	t.Parallel()
	ctx := browser(t, chromedp.Flag("use-fake-ui-for-media-stream", true))
	b := newBench(t, ctx, scannerNeeds, nil)
	var codes []string
	b.run(scanned+`const out = [(await scan(() => {}, () => true)).faults.at(-1)];
		for (const name of ["NotAllowedError", "NotReadableError"]) {
			navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", name));
			out.push((await scan(() => {}, () => true)).faults.at(-1));
		}
		Object.defineProperty(navigator, "mediaDevices", { value: undefined });
		return [...out, (await scan(() => {}, () => true)).faults.at(-1)];`, &codes)
	if got := strings.Join(codes, " "); got != "camera_none camera_refused camera_busy camera_insecure" {
		t.Errorf("codes: %s", got)
	}
}

func TestAPictureIsReadToo(t *testing.T) {
	t.Parallel()
	pictures := map[string]*image.Gray{"/clear.png": drawn(t, "menshen:1:x", 600, 600, 0.8, nil), "/cut.png": drawn(t, "menshen:1:x", 600, 600, 0.8, cutOff)}
	routes := map[string]http.HandlerFunc{"/text.png": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("no picture")) }}
	for name, p := range pictures {
		var file bytes.Buffer
		if err := png.Encode(&file, p); err != nil {
			t.Fatal(err)
		}
		routes[name] = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(file.Bytes()) }
	}
	ctx := browser(t)
	b := newBench(t, ctx, scannerNeeds, routes)
	var got []string
	b.run(`const { readPicture } = await load("scan.mjs"), blob = async (n) => (await fetch(n)).blob();
		return [(await readPicture(await blob("/clear.png"))).join(), await code(async () => readPicture(await blob("/cut.png"))), await code(async () => readPicture(await blob("/text.png"))),
			await code(async () => readPicture(new Blob([new Uint8Array(31 << 20)])))];`, &got)
	if strings.Join(got, " ") != "menshen:1:x picture_without_code picture_unreadable picture_too_large" {
		t.Errorf("%v", got)
	}
	// What qr.mjs draws, the reader reads; and a browser's own reader is preferred, unless it fails when used.
	b.run(`const { svg } = await load("qr.mjs"), { readPicture } = await load("scan.mjs");
		const picture = svg("门神 MENSHEN", { label: "x" });
		picture.setAttribute("width", "400"); picture.setAttribute("height", "400");
		const image = new Image(); image.src = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(picture)], { type: "image/svg+xml" }));
		await image.decode();
		const canvas = new OffscreenCanvas(400, 400); canvas.getContext("2d").drawImage(image, 0, 0, 400, 400);
		const blob = await canvas.convertToBlob();
		const out = [(await readPicture(blob)).join(), picture.getAttribute("role")];
		let answer = () => [{ rawValue: "own" }];
		globalThis.BarcodeDetector = class { static async getSupportedFormats() { return ["qr_code"]; } async detect() { return answer(); } };
		out.push((await readPicture(blob)).join());
		answer = () => { throw new DOMException("", "NotSupportedError"); };
		return [...out, (await readPicture(blob)).join()];`, &got)
	if strings.Join(got, "|") != "门神 MENSHEN|img|own|门神 MENSHEN" {
		t.Errorf("%v", got)
	}
}

// Without the wasm there is no scanner, and that is said.
func TestTheScannerWithoutSignal(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	b := newBench(t, ctx, needs{camera: true}, nil) // this page's policy lets the wasm in neither way
	var got string
	b.run(`return await code((await load("scan.mjs")).prepareScanner);`, &got)
	if got != "scanner_unavailable" {
		t.Errorf("got %q", got)
	}
}
