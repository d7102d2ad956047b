package pages

import (
	"cmp"
	"net/http"
)

// needs are what a page's scripts may do beyond running from this site. The zero value is what most
// pages get: nothing. Inline script is never allowed, nor anything of another site.
type needs struct {
	api      bool // fetch from this site: connect-src 'self'
	worker   bool // register the service worker
	manifest bool // be installed
	camera   bool // read codes, take photos
	location bool // ask where the phone is
	pictures bool // show pictures out of the browser's own store: blob:
	scanner  bool // compile the vendored scanner where the browser has none of its own
	passkey  bool // make and use passkeys
	verifier bool // compile and run menshen-verify
}

// allow writes what the page that is about to be shown may do.
func allow(w http.ResponseWriter, n needs) {
	h := w.Header()
	h.Set("Content-Security-Policy", n.contentPolicy())
	h.Set("Permissions-Policy", n.permissions())
}

func (n needs) contentPolicy() string {
	out := "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	out += "; script-src 'self'" + when(n.scanner || n.verifier, " 'wasm-unsafe-eval'")
	// No script makes markup or another script out of text, but for trusted.mjs.
	out += "; require-trusted-types-for 'script'; trusted-types " + cmp.Or(when(n.api || n.worker, "menshen"), "'none'")
	out += "; img-src 'self'" + when(n.pictures, " blob:")
	out += when(n.api || n.scanner || n.verifier, "; connect-src 'self'") // scanner and verifier fetch their wasm
	out += when(n.worker, "; worker-src 'self'")
	return out + when(n.manifest, "; manifest-src 'self'")
}

func (n needs) permissions() string {
	out := "microphone=(), payment=(), usb=(), serial=(), hid=(), midi=(), display-capture=(), clipboard-read=()"
	for _, feature := range []struct {
		name    string
		allowed bool
	}{{"camera", n.camera}, {"geolocation", n.location}, {"publickey-credentials-create", n.passkey}, {"publickey-credentials-get", n.passkey}} {
		out += ", " + feature.name + "=(" + when(feature.allowed, "self") + ")"
	}
	return out
}

func when(yes bool, text string) string {
	if yes {
		return text
	}
	return ""
}
