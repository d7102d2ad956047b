//go:build browser

package pages

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
)

// post is a server that takes what the queue sends, each key once, and can be made to fail.
type post struct {
	mu     sync.Mutex
	taken  []string          // last part of the path, in order of arrival
	keys   map[string]string // by idempotency key
	double int
	fail   map[string]int // last part of the path → status
	bodies map[string][]byte
}

func (p *post) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	verb, key := r.PathValue("verb"), r.Header.Get("Idempotency-Key")
	if status := p.fail[verb]; status != 0 {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"code":"made_to_fail","zh":"不行","en":"no"}`))
		return
	}
	if _, again := p.keys[key]; again {
		p.double++
	}
	data, _ := io.ReadAll(r.Body)
	p.keys[key], p.bodies[verb] = verb, data
	p.taken = append(p.taken, verb)
	w.WriteHeader(201)
	_, _ = w.Write([]byte(receiptFor(data)))
}

// receiptFor names what came by its digest, as the server does.
func receiptFor(data []byte) string {
	var filed struct{ Statement string }
	if json.Unmarshal(data, &filed) != nil {
		return `{"digest":"` + statement.Digest(data) + `"}`
	}
	envelope, _ := statement.Base64(filed.Statement)
	return `{"statement":"` + statement.Digest(envelope) + `"}`
}

func (p *post) set(fail map[string]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = fail
}

func (p *post) order() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := strings.Join(p.taken, " ")
	p.taken = nil
	return out
}

// signing signs in a chain: step(path, importance) signs and enqueues.
const signing = `
	const q = await load("queue.mjs"), keys = await load("keys.mjs"), st = await load("statement.mjs"), chain = await load("chain.mjs");
	const signer = (await keys.signerNames()).length ? await keys.loadSigner("lan") : await keys.newPageKey("lan");
	const key = await st.thumbprint(signer.key);
	const step = async (verb, rank, visit = "v1") => {
		const previous = await chain.nextPrevious(visit, key);
		const signed = await st.sign(signer, { type: "note", subject: "visit/" + visit, signer: "lan", organisation: "p", role: "technician", at: "2026-11-22T12:00:00Z", previous, answers: "", body: { text: verb } });
		await q.enqueueStatement({ owner: "lan", visit, key, previous, path: "/v1/visits/" + visit + "/" + verb, signed, importance: rank, label: verb });
		return signed;
	};
	const photo = (verb, names) => q.enqueuePhoto({ owner: "lan", visit: "v1", path: "/v1/visits/v1/" + verb, photo: new Blob([new Uint8Array([1, 2, 3])], { type: "image/jpeg" }), label: verb, names });
	const states = async () => (await q.list("lan")).map((i) => i.label + ":" + i.state).join(" ");`

func TestTheQueueBringsEverythingOnceAndInOrder(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	p := &post{keys: map[string]string{}, bodies: map[string][]byte{}}
	b := newBench(t, ctx, needs{api: true}, map[string]http.HandlerFunc{
		"POST /v1/visits/{id}/{verb}":        p.serve,
		"GET /v1/visits/{id}/previous/{key}": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"previous":""}`)) },
	})
	var got []string
	// Made without signal: a photo first, then two statements and a brake.
	p.set(map[string]int{"photo": 503, "step_one": 503, "step_two": 503, "freeze": 503})
	b.run(signing+`
		await photo("photo"); await step("step_one", q.importance.signature); await step("step_two", q.importance.status); await step("freeze", q.importance.brake);
		await q.sendAll("lan");
		return [await states(), JSON.stringify(await q.counts("lan")), String((await q.list("lan")).filter((i) => i.nextAt > Date.now() && i.tries === 1).length)];`, &got)
	// step_two follows step_one, and a photo waits for its visit's statements: neither was tried.
	if want := `freeze:waiting step_two:waiting step_one:waiting photo:waiting|{"waiting":4,"sent":0,"conflict":0}|2`; strings.Join(got, "|") != want {
		t.Errorf("without signal: %v", got)
	}
	// The browser was closed, signal is back; somebody else is signed in at first.
	p.set(nil)
	b.open()
	b.run(signing+`
		await q.hurry("lan");
		await q.sendAll("other");
		const before = await states();
		const [one, two] = await Promise.all([q.sendAll("lan"), q.sendAll("lan")]);
		return [before, await states(), String(one.busy !== two.busy), String(await q.sendAll("lan").then((s) => s.nextAt)), await chain.nextPrevious("v1", key)];`, &got)
	if got[0] != "freeze:waiting step_two:waiting step_one:waiting photo:waiting" || got[1] != "freeze:sent step_two:sent step_one:sent photo:sent" || got[2] != "true" || got[3] != "0" {
		t.Errorf("with signal: %v", got)
	}
	if order := p.order(); order != "freeze step_one step_two photo" || p.double != 0 || string(p.bodies["photo"]) != "\x01\x02\x03" {
		t.Errorf("arrived %s, %d twice", order, p.double)
	}
	var filed struct {
		Statement string `json:"statement"`
	}
	if err := json.Unmarshal(p.bodies["step_two"], &filed); err != nil {
		t.Fatal(err)
	}
	raw, err := statement.Base64(filed.Statement)
	if err != nil {
		t.Fatal(err)
	}
	c, err := statement.Parse(raw)
	if err != nil || c.Header.Previous == "" {
		t.Errorf("step two names %q before it, %v", c.Header.Previous, err)
	}
}

func TestAContradictionIsKeptForAPerson(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	p := &post{keys: map[string]string{}, bodies: map[string][]byte{}, fail: map[string]int{"step_one": 409}}
	b := newBench(t, ctx, needs{api: true}, map[string]http.HandlerFunc{
		"POST /v1/visits/{id}/{verb}":        p.serve,
		"GET /v1/visits/{id}/previous/{key}": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"previous":""}`)) },
	})
	var got []string
	b.run(signing+`
		await step("step_one", 2); await step("step_two", 2); await photo("photo");
		await q.sendAll("lan");
		await q.forgetSent(Date.now() + 1000);
		const one = (await q.list("lan"))[0];
		return [await states(), one.problem.code, (await q.storageState("lan")).danger];`, &got)
	if strings.Join(got, "|") != "step_one:conflict step_two:waiting photo:waiting|made_to_fail|evictable" {
		t.Errorf("%v", got)
	}
	p.order()
	p.set(nil)
	b.run(signing+`await q.retry((await q.list("lan"))[0].number); await q.sendAll("lan"); return [await states()];`, &got)
	if got[0] != "step_one:sent step_two:sent photo:sent" || p.order() != "step_one step_two photo" {
		t.Errorf("after a person looked: %v", got)
	}
	// Signed out in the middle: nothing is lost, and it says so.
	p.set(map[string]int{"step_three": 401})
	b.run(signing+`await step("step_three", 2); const s = await q.sendAll("lan"); return [await states(), s.stopped, String(s.nextAt > Date.now())];`, &got)
	if strings.Join(got, "|") != "step_one:sent step_two:sent step_three:waiting photo:sent|signed_out|true" {
		t.Errorf("signed out: %v", got)
	}
	// Two tabs sign at once: the second is told, and nothing of it is kept.
	b.run(signing+`
		const signed = await st.sign(signer, { type: "note", subject: "visit/v1", signer: "lan", organisation: "p", role: "technician", at: "2026-11-22T12:00:00Z", previous: "", answers: "", body: { text: "x" } });
		return [await code(() => q.enqueueStatement({ owner: "lan", visit: "v1", key, previous: "", path: "/v1/visits/v1/x", signed, label: "x" })), String((await q.list("lan")).length)];`, &got)
	if strings.Join(got, "|") != "previous_taken|4" {
		t.Errorf("two tabs: %v", got)
	}
}

func TestTheQueueGoesIntoAFileAndBack(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	p := &post{keys: map[string]string{}, bodies: map[string][]byte{}, fail: map[string]int{"step_two": 409}}
	b := newBench(t, ctx, needs{api: true}, map[string]http.HandlerFunc{
		"POST /v1/visits/{id}/{verb}":        p.serve,
		"GET /v1/visits/{id}/previous/{key}": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"previous":""}`)) },
	})
	var got []string
	b.run(signing+`
		const one = await step("step_one", 2), two = await step("step_two", 2); await photo("photo", one.digest); await photo("photo_two", two.digest); await photo("photo_any");
		const file = await q.exportAll("lan"), text = await file.text();
		const known = await q.importAll(file);
		await new Promise((resolve) => { indexedDB.deleteDatabase("menshen-outbox").onsuccess = resolve; }); // the browser threw it away
		const gone = await states(), back = await q.importAll(file);
		const bad = async (edit) => { const f = JSON.parse(text); edit(f); return code(() => q.importAll(new Blob([JSON.stringify(f)]))); };
		const faults = [await bad((f) => { f.format = "x"; }), await bad((f) => { f.items[0].path = "/v1/visits/v1/ask?x"; }), await bad((f) => { f.items[0].path = "/v1/tokens"; }), await bad((f) => { f.items[0].digest = "0".repeat(64); }),
			await bad((f) => { f.items[2].photo.base64 = "AAAA"; }), await bad((f) => { f.items[2].photo.type = "text/html"; }), await bad((f) => { f.items[2].names = "step_one"; }), await bad((f) => { f.items[0].body.more = 1; }), await bad((f) => { f.items[0].state = "sent"; }), await code(() => q.importAll(new Blob(["{"])))];
		await q.sendAll("lan");
		return [JSON.stringify(known), gone, JSON.stringify(back), [...new Set(faults)].join(), await states()];`, &got)
	// A photo goes once its own statement is there; the one that says not whose it is waits for all of them.
	want := `{"added":0,"known":5}||{"added":5,"known":0}|queue_file_malformed|step_one:sent step_two:conflict photo:sent photo_two:waiting photo_any:waiting`
	if strings.Join(got, "|") != want || p.double != 0 || p.order() != "step_one photo" {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
}

// The example that docs/formats.md describes is taken in as it stands, and goes out again with the same bytes.
func TestTheQueueTakesTheExampleIn(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../../docs/examples/outbox.json")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, browser(t), needs{api: true}, nil)
	var got []string
	b.run(`const q = await load("queue.mjs"), text = `+strconv.Quote(string(example))+`;
		const taken = await q.importAll(new Blob([text])), again = await q.importAll(new Blob([text]));
		const items = JSON.parse(await (await q.exportAll()).text()).items, want = JSON.parse(text).items;
		const same = items.every((i, n) => i.digest === want[n].digest && JSON.stringify(i.body) === JSON.stringify(want[n].body) && JSON.stringify(i.photo) === JSON.stringify(want[n].photo));
		const names = (list) => list.map((i) => Object.keys(i).sort().join()).join(" ");
		return [JSON.stringify(taken), JSON.stringify(again), String(same), names(items) === names(want) ? "" : names(items)];`, &got)
	if strings.Join(got, "|") != `{"added":2,"known":0}|{"added":0,"known":2}|true|` {
		t.Errorf("%v", got)
	}
}
