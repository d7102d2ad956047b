//go:build browser

package pages

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A page that somebody leaves at once, while it opens its databases for the first time, is kept by the browser for the back
// button, openings and all: the next page must not wait for it. Each round leaves at another moment of thirty openings.
func TestAPageThatWasLeftDoesNotHoldTheStore(t *testing.T) {
	t.Parallel()
	b := newBench(t, browser(t), needs{api: true}, nil)
	for round := range 4 {
		n := strconv.Itoa(round)
		if err := chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/bench")); err != nil {
			t.Fatal(err)
		}
		b.run(`const { open } = await load("idb.mjs");
			addEventListener("pagehide", (e) => { localStorage.setItem("frozen", e.persisted); });
			for (let i = 0; i < 30; i++) open("left-`+n+`-" + i, { s: {} }).then((db) => db.close(), () => {});
			setTimeout(() => { location.href = "/bench?`+n+`"; }, 3 * `+n+`);
			return null;`, nil)
		for range 100 {
			if at, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`location.search === "?`+n+`" && document.readyState === "complete"`)); err == nil && at {
				break
			}
		}
		var got []string
		b.run(`const { open } = await load("idb.mjs");
			const late = new Promise((tell) => { setTimeout(() => tell("never"), 9000); });
			const one = (i) => Promise.race([late, open("left-`+n+`-" + i, { s: {} }).then((db) => { const made = db.objectStoreNames.contains("s"); db.close(); return made ? "" : "empty"; }, (e) => e.code ?? String(e))]);
			return [localStorage.getItem("frozen"), ...(await Promise.all(Array.from({ length: 30 }, (_, i) => one(i)))).filter(Boolean)];`, &got)
		if len(got) != 1 || got[0] != "true" {
			t.Errorf("round %d: frozen, and of thirty databases: %q", round, got)
		}
	}
}

// Half of what the phone kept is gone, or a release that came and went left its own behind: what is there is used, what lacks is
// made anew, and the chain of what was signed goes on from what is unsent.
func TestAStoreThatIsHalfGoneIsMended(t *testing.T) {
	t.Parallel()
	p := &post{keys: map[string]string{}, bodies: map[string][]byte{}}
	b := newBench(t, browser(t), needs{api: true}, map[string]http.HandlerFunc{
		"POST /v1/visits/{id}/{verb}":        p.serve,
		"GET /v1/visits/{id}/previous/{key}": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"previous":""}`)) },
	})
	const raw = `
		const at = (name, version, change) => new Promise((resolve, reject) => { const r = indexedDB.open(name, version); r.onupgradeneeded = () => change(r.result); r.onsuccess = () => { r.result.close(); resolve(r.result.version); }; r.onerror = () => reject(r.error); r.onblocked = () => reject(new Error("blocked")); });`
	var got []string
	b.run(signing+raw+`
		const one = await step("step_one", 2);
		await at("menshen-outbox", 7, (db) => { db.deleteObjectStore("last"); db.createObjectStore("of a newer release"); });
		const goesOn = await chain.nextPrevious("v1", key) === one.digest;
		await step("step_two", 2);
		await at("menshen-keys", 3, (db) => db.deleteObjectStore("signers"));
		return [String(goesOn), await states(), await code(() => keys.loadSigner("lan"))];`, &got)
	if strings.Join(got, "|") != "true|step_one:waiting step_two:waiting|key_absent" {
		t.Errorf("%v", got)
	}
	// Two tabs: one still has a database open as it was while the other mends it.
	b.run(signing+raw+`
		const { open } = await load("idb.mjs");
		const there = await open("shared", { one: {} });
		const mended = await open("shared", { one: {}, two: {} });
		mended.close();
		await q.sendAll("lan");
		return [[...mended.objectStoreNames].join(), await states()];`, &got)
	if strings.Join(got, "|") != "one,two|step_one:sent step_two:sent" || p.order() != "step_one step_two" {
		t.Errorf("%v", got)
	}
}

// The phone fills up between a statement and its photos: neither is kept, and it says why.
func TestAFullPhoneKeepsNoStatementWithoutItsPhotos(t *testing.T) {
	t.Parallel()
	b := newBench(t, browser(t), needs{api: true}, map[string]http.HandlerFunc{
		"GET /v1/visits/{id}/previous/{key}": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"previous":""}`)) },
	})
	var got []string
	b.run(signing+`return [await chain.nextPrevious("v1", key)];`, &got)
	work := signing + `
		const work = async (bytes) => {
			const previous = await chain.nextPrevious("v1", key);
			const signed = await st.sign(signer, { type: "note", subject: "visit/v1", signer: "lan", organisation: "p", role: "technician", at: "2026-11-22T12:00:00Z", previous, answers: "", body: { text: "x" } });
			const noise = new Uint8Array(bytes); for (let i = 0; i < bytes; i += 65536) crypto.getRandomValues(noise.subarray(i, i + 65536));
			return q.enqueueWork({ owner: "lan", visit: "v1", key, previous, path: "/v1/visits/v1/record_step", signed, label: "x" }, [new Blob([noise], { type: "image/jpeg" })], "/v1/visits/v1/photos");
		};`
	b.run(work+`
		const add = IDBObjectStore.prototype.add;
		IDBObjectStore.prototype.add = function (item) { if (item.photo) throw new DOMException("", "QuotaExceededError"); return add.call(this, item); };
		const said = await code(() => work(100000));
		IDBObjectStore.prototype.add = add;
		return [said, await states(), await chain.nextPrevious("v1", key)];`, &got)
	if strings.Join(got, "|") != "storage_full||" {
		t.Errorf("%v", got)
	}
	b.run(work+`return [await code(() => work(100000)), String((await q.list("lan")).length)];`, &got)
	if strings.Join(got, "|") != "|2" {
		t.Errorf("with room: %v", got)
	}
}

// A point that is cut at another place is no key, though its bytes are laid together to one.
func TestAKeyOfOddCoordinatesIsNone(t *testing.T) {
	t.Parallel()
	b := newBench(t, browser(t), needs{}, nil)
	var got []string
	b.run(`const st = await load("statement.mjs"), by = await load("bytes.mjs");
		const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
		const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)).slice(1);
		const cut = (at) => code(() => st.verifierOf({ x: by.base64url(point.slice(0, at)), y: by.base64url(point.slice(at)) }));
		return [await cut(32), await cut(31), await cut(33), await cut(0)];`, &got)
	if strings.Join(got, "|") != "|key_malformed|key_malformed|key_malformed" {
		t.Errorf("%q", got)
	}
}
