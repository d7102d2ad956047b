//go:build browser

package pages

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// noPages are the routes that answer a browser with something else than a page of their own.
var noPages = []string{
	"GET /assets/{path...}", "GET /app.webmanifest", "GET /sw.js", "GET /visits/{id}/bundle", "GET /visits/{id}/pack", "GET /visits/{id}/photos/{digest}", "GET /staff/technicians/{id}/face", "GET /verify/{name}",
	"GET /verify/menshen-verify.html", // one saved file: its page is /verify's
	"GET /staff/devices.csv", "GET /staff/merchants.csv", "GET /staff/orders.csv", "GET /staff/settlements.csv", "GET /staff/settlements/template.csv",
	"GET /staff/technicians.csv", "GET /staff/terminals.csv", "GET /staff/visits.csv", "GET /staff/visits.json", "GET /staff/import/{name}",
	"GET /staff/visits/{id}/news", // what a page that is open asks for
}

// axed are the paths of the pages that axe was asked about, by whichever test.
var axed sync.Map

// TestMain holds the whole run to "axe finds nothing on any page": a page that no test has shown to axe fails it. A run of
// some tests, or one that failed anyway, is not asked. With "^$" gotestsum runs a package again that failed without a test
// that did: that stays failed.
func TestMain(m *testing.M) {
	code := m.Run()
	only := flag.Lookup("test.run").Value.String()
	if code == 0 && (only == "" || only == "^$") && flag.Lookup("test.skip").Value.String() == "" && flag.Lookup("test.bench").Value.String() == "" {
		for _, pattern := range unseenByAxe() {
			fmt.Printf("axe was never asked about %s: show it in a test, or list it in noPages\n", pattern)
			code = 1
		}
	}
	os.Exit(code)
}

func unseenByAxe() []string {
	unseen := map[string]bool{}
	mux := http.NewServeMux()
	for pattern := range New(Config{}).routes() {
		mux.HandleFunc(pattern, http.NotFound)
		unseen[pattern] = strings.HasPrefix(pattern, "GET ") && !slices.Contains(noPages, pattern)
	}
	axed.Range(func(path, _ any) bool {
		r, err := http.NewRequest(http.MethodGet, path.(string), nil)
		if err == nil {
			_, pattern := mux.Handler(r)
			unseen[pattern] = false
		}
		return true
	})
	var out []string
	for pattern, yes := range unseen {
		if yes {
			out = append(out, pattern)
		}
	}
	slices.Sort(out)
	return out
}
