//go:build processes

package cli

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/menshen-project/menshen/internal/scenario"
)

// mostFollowed bounds the pages that one role's links are followed to.
const mostFollowed = 120

// Whoever comes in by his link and follows what the pages link to, finds a page each time: after an honest visit,
// and after attacks that left something odd in everybody's lists.
func TestEveryLinkOnAPageLeadsToAPage(t *testing.T) {
	s := newStage(t, staging{})
	s.must(scenario.Run(t.Context(), s.play().Install()))
	fresh := map[string]bool{} // merchants of orders over the API alone, who are on no sheet
	for _, a := range scenario.Attacks() {
		if slices.Contains([]string{"amount-in-another-spelling", "sheet-changed-after-trial", "frozen-before-release", "seal-broken"}, a.Name) {
			s.attack(t.Context(), a)
			fresh[fmt.Sprintf("/staff/merchants/wei-a%d", 1000+s.played)] = true
		}
	}
	for _, g := range s.guests() {
		t.Run(g.en, func(t *testing.T) {
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			w := walker{t: t, site: s.base(), client: &http.Client{Jar: jar}, unregistered: fresh}
			w.follow(w.enters(s.links[g.actor]))
			if len(w.seen) < 2 && g.en != "technician" { // whose app is one page
				t.Errorf("only %v", w.seen)
			}
		})
	}
}

// walker is somebody who follows links.
type walker struct {
	t      *testing.T
	site   string
	client *http.Client
	seen   map[string]bool

	unregistered map[string]bool // pages that say that a merchant is not registered here
}

// enters presses the one button behind a link, and gives where that leads.
func (w *walker) enters(link string) string {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.site+"/enter/"+link, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("the link itself: %s", res.Status)
	}
	return res.Request.URL.RequestURI()
}

func (w *walker) follow(first string) {
	w.seen = map[string]bool{}
	todo := []string{first}
	for len(todo) > 0 && len(w.seen) < mostFollowed {
		path := todo[0]
		todo = todo[1:]
		if w.seen[path] {
			continue
		}
		w.seen[path] = true
		for _, next := range w.page(path) {
			if !w.seen[next] {
				todo = append(todo, next)
			}
		}
	}
}

// page opens one, and gives the addresses of this site that it links to.
func (w *walker) page(path string) []string {
	res, err := w.client.Get(w.site + path)
	if err != nil {
		w.t.Errorf("%s: %v", path, err)
		return nil
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if w.unregistered[path] && err == nil {
		if res.StatusCode != http.StatusNotFound || !bytes.Contains(data, []byte("没有登记")) {
			w.t.Errorf("%s: %s, and does not say that the merchant is not registered", path, res.Status)
		}
		return nil
	}
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Errorf("%s: %s, %v", path, res.Status, err)
		return nil
	}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		return nil
	}
	return w.linked(path, data)
}

func (w *walker) linked(path string, data []byte) []string {
	tree, err := html.Parse(bytes.NewReader(data))
	if err != nil {
		w.t.Errorf("%s: %v", path, err)
		return nil
	}
	var out []string
	for n := range tree.Descendants() {
		if n.Type != html.ElementNode || n.Data != "a" {
			continue
		}
		for _, a := range n.Attr {
			if a.Key != "href" {
				continue
			}
			to, err := url.Parse(a.Val)
			if err != nil {
				w.t.Errorf("%s links to %q: %v", path, a.Val, err)
				continue
			}
			if to.Host == "" && strings.HasPrefix(to.Path, "/") {
				out = append(out, to.RequestURI())
			}
		}
	}
	return out
}
