//go:build browser

package pages

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/visit"
)

// A phone changes hands while the shop's session lives on in its stores: the first page that the server gives to somebody else
// takes what was kept of the one before, and without signal nothing of his opens. So it is when nobody is signed in any more.
func TestAPhoneThatChangesHandsKeepsNothingOfTheShop(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	wei, _ := s.atTheCounter()
	session := wei.session()
	wei.holdsTheShop(true)

	secret := func(person, organisation, role string) string {
		_, secret, err := s.App.IssueToken(t.Context(), app.TokenGrant{Kind: "session", Person: person, Organisation: organisation, Role: role, Label: "page", Until: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	wei.as(secret("lan", "svc-anzhuang", visit.RoleTechnician))
	wei.open("/account")
	wei.holdsTheShop(false)

	wei.as(session)
	wei.open("/shop/visits/v1")
	wei.until(`document.body.dataset.kept === "whole"`)
	wei.holdsTheShop(true)
	wei.as("nobody's")
	wei.open("/shop")
	wei.holdsTheShop(false)

	s.cut()
	wei.open("/shop/visits/v1")
	wei.sees("这一页没有存在手机里")
}

// holdsTheShop says whether the browser keeps pages and papers of the shop.
func (h *handset) holdsTheShop(yes bool) {
	h.t.Helper()
	all := h.js(atRest)
	for _, what := range []string{"cache/GET /shop/visits/v1", "cache/GET /shop/packages/v1"} {
		if strings.Contains(all, what) != yes {
			h.t.Errorf("%s: %v, not %v, in\n%.2000s", what, !yes, yes, all)
		}
	}
}

// Who signed out and hands the phone on does not lie behind its back button.
func TestTheBackButtonShowsNobodyWhoSignedOut(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	s.opensShop()
	wei := s.merchant
	wei.open("/shop")
	wei.sees("老槐树下")
	wei.open("/shop/phone")
	wei.sees("老槐树下")
	wei.until(`!document.querySelector('#phone [data-state="has"]').hidden && !document.querySelector("form[data-enrol] button").disabled`)
	wei.js(`(() => { window.confirm = () => true; document.querySelector('[data-act="forget"]').click(); })()`)
	wei.until(`location.pathname !== "/shop/phone" || location.search !== ""`)
	for range 4 {
		wei.js(`history.back()`)
		wei.until(`document.readyState === "complete"`)
		if text := wei.js(`document.body.innerText`); strings.Contains(text, "老槐树下") {
			t.Errorf("back at %s: %.200s", wei.js(`location.pathname`), text)
		}
	}
}

// A phone that is neither set up nor has a phrase is asked for one thing: one green button, and it sets the phone up.
func TestANewPhoneIsAskedForOneThing(t *testing.T) {
	t.Parallel()
	_, s := shop(t)
	s.Shops.(*shopSource).home.Phrase = ""
	server := httptest.NewServer(s.Routes())
	defer server.Close()
	ctx := browser(t)
	if err := chromedp.Do(ctx, asViewer("wei"), chromedp.Navigate(strings.Replace(server.URL, "127.0.0.1", "localhost", 1)+"/shop/phone")); err != nil {
		t.Fatal(err)
	}
	const green = `[...document.querySelectorAll("main button.wide:not(.plain), main a.button.wide:not(.plain)")].filter((b) => b.checkVisibility()).map((b) => b.textContent.trim()).join()`
	if !evaluate[bool](t, ctx, until+`(() => !document.querySelector("form[data-enrol] button").disabled && `+green+` === "开通")`) {
		t.Errorf("green are %q", evaluate[string](t, ctx, green))
	}
}

// Somebody who is no technician signs in on a technician's phone, by whatever way: her day does not lie there for him.
func TestSomebodyElseOnATechniciansPhone(t *testing.T) {
	t.Parallel()
	f := newVisitor(t)
	values := f.personal()
	if found, _ := f.kept(values); len(found) != len(values) {
		t.Fatalf("on shift the phone keeps only %q; this test would see nothing", found)
	}
	_, secret, err := f.App.IssueToken(t.Context(), app.TokenGrant{Kind: "session", Person: "qiu", Organisation: "svc-anzhuang", Role: visit.RoleDispatcher, Label: "page", Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	f.as(secret)
	f.open("/app")
	f.sees("请先登录")
	if found, all := f.kept(values); len(found) > 0 || strings.Contains(f.js(`document.querySelector("main").innerText`), values["the shop"]) {
		t.Errorf("of lan's there is still %q:\n%.2000s", found, all)
	}
}
