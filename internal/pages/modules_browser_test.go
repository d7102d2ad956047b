//go:build browser

package pages

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/chromedp/cdproto/cdp"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// bench is a page of our own origin and policy whose scripts a test writes.
type bench struct {
	t      *testing.T
	ctx    context.Context
	set    *assets
	origin string
}

// newBench serves an empty page that may do what n says, the assets, and whatever routes says, on localhost:
// passkeys need a name, no address in digits.
func newBench(t *testing.T, ctx context.Context, n needs, routes map[string]http.HandlerFunc) *bench {
	t.Helper()
	_, s := city(t)
	mux := http.NewServeMux()
	mux.Handle("/assets/", s.Routes())
	mux.Handle("/bench", s.page(func(w http.ResponseWriter, _ *http.Request) error {
		allow(w, n)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, err := w.Write([]byte(`<!DOCTYPE html><html lang="zh"><title>bench</title><main></main>`))
		return err
	}))
	for pattern, h := range routes {
		mux.HandleFunc(pattern, h)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b := &bench{t: t, ctx: ctx, set: s.assets, origin: strings.Replace(server.URL, "127.0.0.1", "localhost", 1)}
	b.open()
	return b
}

func (b *bench) open() {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/bench")); err != nil {
		b.t.Fatal(err)
	}
}

// run evaluates the body of an async function in the page; load(name) imports a module, code(f) gives the
// fault's code that f ends in, "" for none.
func (b *bench) run(body string, out any) {
	b.t.Helper()
	script := `(async () => {
		const load = (name) => import(` + "`" + b.set.href("") + "${name}`" + `);
		const code = async (f) => { try { await f(); return ""; } catch (e) { return e.code ?? String(e); } };
		` + body + `
	})().then((v) => JSON.stringify(v ?? null), (e) => JSON.stringify({ thrown: String(e?.stack ?? e) + " " + String(e?.cause ?? "") }))`
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	var thrown struct {
		Thrown string `json:"thrown"`
	}
	if json.Unmarshal([]byte(text), &thrown) == nil && thrown.Thrown != "" {
		b.t.Fatal(thrown.Thrown)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(text), out); err != nil {
			b.t.Fatalf("%v in %.300s", err, text)
		}
	}
}

// authenticator gives the browser a phone's passkey keeper that says yes to everything.
func (b *bench) authenticator(verifies bool) webauthn.AuthenticatorID {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, send(webauthn.Enable, webauthn.EnableParams{})); err != nil {
		b.t.Fatal(err)
	}
	added, err := chromedp.Run(b.ctx, func(ctx context.Context, t *chromedp.Target) (webauthn.AddVirtualAuthenticatorResult, error) {
		return cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: verifies, AutomaticPresenceSimulation: true}})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return added.AuthenticatorID
}

const noteJS = `{ type: "note", subject: "visit/v1", signer: "wei", organisation: "bank-a", role: "merchant", at: "2026-11-22T12:00:00Z", previous: "", answers: "", body: { text: "门" } }`

type jsSigned struct {
	Key    statement.Key `json:"key"`
	Signed struct {
		Envelope string `json:"envelope"`
		Digest   string `json:"digest"`
	} `json:"signed"`
	Codes []string `json:"codes"`
}

func (s jsSigned) mustVerify(t *testing.T, kind string) {
	t.Helper()
	v, err := statement.Verify([]byte(s.Signed.Envelope), s.Key)
	if err != nil || v.KeyKind() != kind || v.Digest() != s.Signed.Digest || v.Header().Signer != "wei" {
		t.Errorf("%s: %v", kind, err)
	}
}

func TestAPhoneKeepsItsKeys(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	b := newBench(t, ctx, needs{api: true, passkey: true}, nil)
	var page jsSigned
	b.run(`const keys = await load("keys.mjs"), { sign } = await load("statement.mjs");
		const signer = await keys.newPageKey("merchant/o1");
		const codes = [await code(() => keys.newPageKey("merchant/o1")), await code(() => keys.loadSigner("other")), await code(() => keys.newPageKey("no such name"))];
		return { key: keys.signerPublicKey(signer), signed: await sign(signer, `+noteJS+`), codes };`, &page)
	page.mustVerify(t, statement.ES256)
	if got := strings.Join(page.Codes, " "); got != "key_exists key_absent key_name_malformed" {
		t.Errorf("codes: %s", got)
	}
	first := page.Key
	b.open() // a new page finds the same key, and cannot read it
	var again jsSigned
	b.run(`const keys = await load("keys.mjs"), { sign } = await load("statement.mjs"), idb = await load("idb.mjs");
		const signer = await keys.loadSigner("merchant/o1");
		const kept = await idb.transact("menshen-keys", { signers: { keyPath: "name" } }, "readonly", (s) => idb.done(s.signers.get("merchant/o1")));
		const codes = [String(kept.privateKey.extractable), (await keys.signerNames()).join()];
		const out = { key: keys.signerPublicKey(signer), signed: await sign(signer, `+noteJS+`), codes };
		await keys.forget("merchant/o1");
		codes.push(await code(() => keys.loadSigner("merchant/o1")));
		return out;`, &again)
	again.mustVerify(t, statement.ES256)
	if got := strings.Join(again.Codes, " "); got != "false merchant/o1 key_absent" || again.Key.Thumbprint() != first.Thumbprint() {
		t.Errorf("kept: %s", got)
	}
}

func TestAPhoneSignsWithAPasskey(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	b := newBench(t, ctx, needs{api: true, passkey: true}, nil)
	var able []bool
	b.run(`return [(await load("keys.mjs")).canSign(), await (await load("keys.mjs")).canPasskey()];`, &able)
	if !able[0] || able[1] {
		t.Errorf("without a keeper: %v", able)
	}
	id := b.authenticator(true)
	var got jsSigned
	make := `{ name: "merchant/o1", rpName: "menshen", userName: "门店" }`
	b.run(`const keys = await load("keys.mjs"), { sign } = await load("statement.mjs");
		const able = await keys.canPasskey();
		await keys.newPasskey(`+make+`);
		const signer = await keys.loadSigner("merchant/o1");
		const codes = [String(able), await code(() => keys.newPasskey(`+make+`)), await code(() => keys.newPasskey({ name: "x", rpName: "x", userName: "x", rpId: "menshen.example" })),
			await code(() => keys.newPasskey({ name: "y", rpName: "x", userName: "x", exclude: [signer.credential] }))];
		return { key: keys.signerPublicKey(signer), signed: await sign(signer, `+noteJS+`), codes };`, &got)
	got.mustVerify(t, statement.WebAuthn)
	if codes := strings.Join(got.Codes, " "); codes != "true key_exists passkey_wrong_site passkey_exists" {
		t.Errorf("codes: %s", codes)
	}
	if got.Key.RPID != "localhost" || len(got.Key.Origins) != 1 || got.Key.Origins[0] != b.origin {
		t.Errorf("key: %+v", got.Key)
	}
	other := got.Key
	other.Origins = []string{"https://menshen.example"}
	if _, err := statement.Verify([]byte(got.Signed.Envelope), other); fault.CodeOf(err) != "assertion_origin" {
		t.Errorf("another origin: %v", err)
	}
	// The keeper no longer knows the person: nothing is signed.
	if err := chromedp.Do(ctx, send(webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: id, IsUserVerified: false})); err != nil {
		t.Fatal(err)
	}
	var refused string
	b.run(`const keys = await load("keys.mjs"), { sign } = await load("statement.mjs");
		const signer = await keys.loadSigner("merchant/o1");
		return await code(() => sign(signer, `+noteJS+`));`, &refused)
	if refused != "passkey_cancelled" {
		t.Errorf("not verified: %q", refused)
	}
}

func TestTheChainAndTheServer(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	server := statement.Digest([]byte("server's"))
	asked, down := 0, false
	var sent []string
	b := newBench(t, ctx, needs{api: true}, map[string]http.HandlerFunc{
		"GET /v1/visits/{id}/previous/{key}": func(w http.ResponseWriter, r *http.Request) {
			asked++
			switch {
			case down:
				w.WriteHeader(503)
			case r.PathValue("id") == "foreign":
				w.WriteHeader(403)
				_, _ = w.Write([]byte(`{"code":"not_yours","zh":"不是您的。","en":"Not yours."}`))
			default:
				_, _ = w.Write([]byte(`{"previous":"` + server + `"}`))
			}
		},
		"POST /v1/x": func(w http.ResponseWriter, r *http.Request) {
			sent = append(sent, r.Header.Get("Idempotency-Key")+" "+r.Header.Get("Content-Type"))
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(429)
			_, _ = w.Write([]byte(`{"code":"rate_limited","zh":"太快","en":"too fast"}`))
		},
	})
	var got []string
	mine := statement.Digest([]byte("mine"))
	b.run(`const chain = await load("chain.mjs");
		const out = [await code(() => chain.nextPrevious("foreign", "k")), await chain.nextPrevious("v1", "k")];
		await chain.rememberSigned("v1", "k", "`+mine+`");
		out.push(await chain.nextPrevious("v1", "k"));
		await chain.rememberSent("v1", "k", "`+mine+`");
		return [...out, await chain.nextPrevious("v1", "k")];`, &got)
	if want := []string{"not_yours", server, mine, server}; strings.Join(got, " ") != strings.Join(want, " ") || asked != 3 {
		t.Errorf("%v, asked %d times", got, asked)
	}
	down = true
	b.run(`const chain = await load("chain.mjs"), { call } = await load("api.mjs");
		const first = await call("POST", "/v1/x", { a: 1 }, { idempotencyKey: "one" }), away = await call("GET", "/v1/none", undefined, { tries: 1 });
		return [await chain.nextPrevious("v1", "k"), await code(() => chain.nextPrevious("v2", "k")), first.body.code + first.body.retry_after_seconds + first.status, away.body.code];`, &got)
	if want := []string{server, "previous_unknown", "rate_limited7429", "answer_unreadable"}; strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%v", got)
	}
	if len(sent) != 1 || sent[0] != "one application/json" {
		t.Errorf("sent %v", sent)
	}
}
