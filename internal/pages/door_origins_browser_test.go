//go:build browser

package pages

import (
	"net/http/httptest"
	"strings"
	"testing"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// named serves the merchant's pages under whatever names a browser is made to believe.
func named(t *testing.T) (port string) {
	t.Helper()
	_, s := shop(t)
	server := httptest.NewServer(s.Routes())
	t.Cleanup(server.Close)
	return server.URL[strings.LastIndexByte(server.URL, ':'):]
}

// A page at an address without TLS has no WebCrypto, and a browser may lack it elsewhere: the door says so before anybody
// taps in vain, what to do, and whom to call.
func TestABrowserThatCannotCheckSaysSo(t *testing.T) {
	t.Parallel()
	port := named(t)
	ctx := browser(t, chromedp.Flag("host-resolver-rules", "MAP shop.example 127.0.0.1"))
	for _, c := range []struct{ name, origin, before, says string }{
		{"no TLS", "http://shop.example" + port, "", "不是 https 开头"},
		{"no WebCrypto", "http://localhost" + port, `Object.defineProperty(Crypto.prototype, "subtle", { value: undefined })`, "换一个浏览器"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := chromedp.Do(ctx, asViewer("wei"), send(cdpage.AddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: c.before}), chromedp.Navigate(c.origin+"/shop/visits/door/door")); err != nil {
				t.Fatal(err)
			}
			said := evaluate[string](t, ctx, `(async () => {
				const shown = () => document.querySelector(".screen:not([hidden])");
				await `+until+`(() => shown().dataset.state === "cannot");
				return document.getElementById("lacking").innerText + shown().innerText + [...shown().querySelectorAll("a")].map((a) => a.href).join();
			})()`)
			for _, want := range []string{c.says, "在这里核对不了", "别让任何人碰 POS 机", "打订单上的电话", "tel:110", "tel:0529-65550001"} {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %s: %s", want, said)
				}
			}
		})
	}
}

// A look-alike site has a copy of every page and script, and the phone itself with its passkeys in hand: none of them
// signs there, by any name that it asks under. On the shop's own site the same passkey signs before and after.
func TestAPasskeyRefusesAnotherOrigin(t *testing.T) {
	t.Parallel()
	port := named(t)
	shop, evil := "http://shop.localhost"+port, "http://evil.localhost"+port
	ctx := browser(t)
	addAuthenticator(t, ctx)
	at := func(origin, script string) string {
		t.Helper()
		if err := chromedp.Do(ctx, asViewer(""), chromedp.Navigate(origin+PhoneAddress("wei", "acq-huaishan"))); err != nil {
			t.Fatal(err)
		}
		return evaluate[string](t, ctx, `(async () => {
			const keys = await import(new URL("keys.mjs", document.querySelector("script[type=module][src]").src).href);
			const code = async (work) => { try { return await work(); } catch (e) { return e instanceof DOMException ? e.name : e.code; } };
			`+script+`
		})()`)
	}
	const signs = `return code(async () => (await (await keys.loadSigner("merchant:wei")).sign(new Uint8Array(32))).length > 100 ? "signed" : "short");`
	id := at(shop, `return (await keys.newPasskey({ name: "merchant:wei", rpName: "menshen", userName: "wei" })).credential;`)
	if got := at(shop, signs); got != "signed" {
		t.Fatalf("on its own site: %s", got)
	}
	if got := at(evil, signs); got != "key_absent" {
		t.Errorf("what the shop's site keeps is there on another: %s", got)
	}
	for name, want := range map[string]string{"shop.localhost": "SecurityError", "evil.localhost": "NotAllowedError", "localhost": "SecurityError"} {
		got := at(evil, `const id = Uint8Array.from(atob("`+id+`".replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
			return code(async () => { await navigator.credentials.get({ publicKey: { challenge: new Uint8Array(32), rpId: "`+name+`", timeout: 2000, allowCredentials: [{ type: "public-key", id }] } }); return "signed"; });`)
		if got != want {
			t.Errorf("asked on another origin as %s: %s, want %s", name, got, want)
		}
	}
	if got := at(shop, signs); got != "signed" {
		t.Errorf("on its own site, afterwards: %s", got)
	}
}
