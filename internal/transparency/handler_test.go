package transparency_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/menshen-project/menshen/internal/record"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
)

func get(t testing.TB, url string) (int, string, http.Header) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(data), r.Header
}

// TestMonitorReadsTheWholeLog does what a monitor does: fetch the checkpoint, fetch every entry,
// and compute the root again.
func TestMonitorReadsTheWholeLog(t *testing.T) {
	w := newWorld(t, 1, "bank")
	w.down(true)
	l := w.open(t)
	server := httptest.NewServer(l.Handler())
	t.Cleanup(server.Close)
	var wg sync.WaitGroup
	for n := range 300 {
		wg.Go(func() {
			if _, err := l.Add(within(t), leaf(n)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, path := range []string{"/tile/entries/000", "/tile/0/000", "/tile/0/001.p/44"} {
		if code, _, _ := get(t, server.URL+path); code != http.StatusNotFound {
			t.Fatalf("%s is shown before anybody witnessed it: %d", path, code)
		}
	}
	if code, _, h := get(t, server.URL+"/checkpoint"); code != http.StatusServiceUnavailable || h.Get("Retry-After") == "" {
		t.Fatalf("checkpoint without witnesses: %d", code)
	}
	w.down(false)
	w.proven(t, l, 299, leafAt(t, l, 299, 300))

	root, err := url.Parse(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	monitor, err := client.NewHTTPFetcher(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := monitor.ReadCheckpoint(within(t))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := record.NewPolicy(w.config.Policy)
	c, err := p.VerifyCheckpoint(checkpoint)
	if err != nil || c.Size() != 300 {
		t.Fatalf("%d, %v", c.Size(), err)
	}
	tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for i, want := range []int{256, 44} {
		b, err := client.GetEntryBundle(context.Background(), monitor.ReadEntryBundle, uint64(i), 300)
		if err != nil || len(b.Entries) != want {
			t.Fatalf("bundle %d: %d entries, %v", i, len(b.Entries), err)
		}
		for _, e := range b.Entries {
			if err := tree.Append(rfc6962.DefaultHasher.HashLeaf(e), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, err := tree.GetRootHash(nil); err != nil || [32]byte(got) != c.RootHash() {
		t.Fatalf("the entries do not make the root: %v", err)
	}
	raw, err := monitor.ReadTile(within(t), 1, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if tile := new(api.HashTile); tile.UnmarshalText(raw) != nil || len(tile.Nodes) != 1 {
		t.Fatalf("tile of level 1: %d nodes", len(tile.Nodes))
	}
}

func TestHandlerShowsTilesAndNothingElse(t *testing.T) {
	w := newWorld(t, 1, "bank")
	l := w.open(t)
	index, err := l.Add(within(t), leaf(0))
	if err != nil {
		t.Fatal(err)
	}
	w.proven(t, l, index, leaf(0))
	server := httptest.NewServer(l.Handler())
	t.Cleanup(server.Close)
	code, body, header := get(t, server.URL+"/tile/0/000.p/1")
	if code != http.StatusOK || len(body) != 32 || header.Get("Cache-Control") == "" {
		t.Fatalf("tile: %d, %d bytes", code, len(body))
	}
	code, body, _ = get(t, server.URL+"/tile/entries/000.p/1")
	if want := fmt.Sprintf("\x00%c%s", len(leaf(0)), leaf(0)); code != http.StatusOK || body != want {
		t.Fatalf("entries: %d %q", code, body)
	}
	for _, path := range []string{"/", "/.state/treeState", "/.menshen-lock", "/tile/0/000", "/tile/0/000.p/2", "/tile/0/001.p/1",
		"/tile/00/000.p/1", "/tile/0/000.p/01", "/tile/1/000.p/1", "/tile/64/000", "/tile/8/000.p/1", "/tile/0/x999/x999/999", "/tile/entries/..%2f..%2f.state%2ftreeState",
		"/tile/0/..%2f000.p/1", "/tile/-1/000", "/tile/0/"} {
		if code, body, _ := get(t, server.URL+path); code != http.StatusNotFound {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	r, err := http.Post(server.URL+"/checkpoint", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusMethodNotAllowed {
		t.Fatalf("POST: %d", r.StatusCode)
	}
}
