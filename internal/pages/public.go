package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"rsc.io/qr"

	"github.com/menshen-project/menshen/internal/fault"
)

const maxShopCode = 64

var (
	errCalls = fault.New(fault.TooMany, "door_calls_too_many", "太多了，等一会儿再试。", "Too many; wait a while.")
	errQR    = fault.New(fault.Internal, "sticker_qr_failed", "二维码做不出来。", "The QR code could not be made.")
)

// public is the page behind the door sticker. It knows no shop: the code from the address only stands in
// the form, and what it says is the same for every code.
func (s *Server) public(w http.ResponseWriter, r *http.Request) error {
	code := r.PathValue("code")
	if code == "" {
		code = r.URL.Query().Get("code")
	}
	if len(code) > maxShopCode || !searchable.MatchString(code) {
		code = ""
	}
	return s.show(r.Context(), w, http.StatusOK, publicPage(s.plain(r), code, r.URL.Query().Get("told") == "1"))
}

// publicTold takes in what was typed and says the sentence. Whether the shop exists shows in nothing:
// not in status, bytes or time, since the answer is worked out after this one is sent.
func (s *Server) publicTold(w http.ResponseWriter, r *http.Request) error {
	if s.CallLimit != nil {
		if _, ok := s.CallLimit(r); !ok {
			return errCalls
		}
	}
	call := ShopCall{Code: formValue(w, r, "code"), Kind: r.PostFormValue("kind")}
	if len(call.Code) > maxShopCode || !searchable.MatchString(call.Code) {
		call.Code = ""
	}
	if !slices.Contains(CallKinds, call.Kind) {
		call.Kind = CallKinds[0]
	}
	if s.Shops != nil {
		if err := s.Shops.Called(r.Context(), call); err != nil {
			return err
		}
	}
	http.Redirect(w, r, toldHref(call.Code), http.StatusSeeOther)
	return nil
}

// toldHref keeps the code that was typed, whatever it is, so that the shop's own people need not type it again.
func toldHref(code string) string {
	u := url.URL{Path: "/s", RawQuery: url.Values{"told": {"1"}, "code": {code}}.Encode()}
	return u.String()
}

// reportShopHref leads to the shop's own page, where the call that was just made waits with its report; who is not
// signed in there gets no further.
func reportShopHref(code string) templ.SafeURL {
	u := url.URL{Path: "/shop", RawQuery: url.Values{"shop": {code}}.Encode(), Fragment: "calls"}
	return templ.SafeURL(u.String())
}

// publicAddress is the address that a sticker prints, "" where the operator did not say what it is: a Host
// header is whatever somebody sent, and paper stays on the door.
func (s *Server) publicAddress(r *http.Request, code string) string {
	site := s.site(r)
	if site == "" {
		return ""
	}
	u := url.URL{Path: "/s/" + code}
	return site + u.String()
}

// qrQuiet is the quiet zone around a code, in modules (ISO/IEC 18004).
const qrQuiet = 4

// qrRows draws a text's QR code, level L, as one SVG path a row, within the quiet zone.
func qrRows(text string) ([]string, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return nil, errQR.Because(err)
	}
	rows := make([]string, code.Size)
	for y := range code.Size {
		var d strings.Builder
		for x := 0; x < code.Size; x++ {
			run := 0
			for x+run < code.Size && code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&d, "M%d %dh%dv1h-%dz", x+qrQuiet, y+qrQuiet, run, run)
				x += run
			}
		}
		rows[y] = d.String()
	}
	return rows, nil
}
