package transparency_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/transparency"
)

func (b *bank) get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// dayOf is the day of the first file that the witness keeps: the cosignature's own, also when a test runs
// over midnight.
func (b *bank) dayOf(t *testing.T) string {
	t.Helper()
	kept, err := filepath.Glob(filepath.Join(b.config.Dir, "*.first-*"))
	if err != nil || len(kept) == 0 {
		t.Fatalf("nothing is kept: %v, %v", kept, err)
	}
	_, day, _ := strings.Cut(filepath.Base(kept[0]), ".first-")
	return day
}

// What draws audits is the first word of a day: a later one, and a restart, change nothing.
func TestAWitnessKeepsTheFirstCheckpointOfADay(t *testing.T) {
	b := newBank(t, 9)
	b.mustGrow(t, 0, 3)
	day := b.dayOf(t)
	first := b.get("/first/" + day)
	if first.Code != http.StatusOK {
		t.Fatalf("%d %s", first.Code, first.Body)
	}
	b.mustGrow(t, 3, 7)
	b.reopen(t)
	b.mustGrow(t, 7, 9)
	if again := b.get("/first/" + day + "?origin=" + origin); again.Code != http.StatusOK || again.Body.String() != first.Body.String() {
		t.Errorf("the day's first checkpoint changed: %d\n%s\n%s", again.Code, first.Body, again.Body)
	}
	config := b.log.Config()
	config.Witnesses[0].VKey = b.vkey
	policy, err := record.NewPolicy(config)
	if err != nil {
		t.Fatal(err)
	}
	d, err := policy.VerifyDraw(first.Body.Bytes(), "bank")
	if err != nil || d.At().Format(time.DateOnly) != day {
		t.Errorf("what it gives out draws nothing: %v, %v", d.At(), err)
	}
}

func TestQuestionsForAFirstCheckpoint(t *testing.T) {
	b := newBank(t, 1)
	b.mustGrow(t, 0, 1)
	day := b.dayOf(t)
	for path, want := range map[string]int{
		"/first/1999-12-31":              http.StatusNotFound,
		"/first/yesterday":               http.StatusBadRequest,
		"/first/":                        http.StatusBadRequest,
		"/first/../" + day:               http.StatusBadRequest,
		"/first/" + day + "?origin=else": http.StatusBadRequest,
		"/first/" + day:                  http.StatusOK,
	} {
		if got := b.get(path); got.Code != want {
			t.Errorf("%s: %d, want %d", path, got.Code, want)
		}
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/first/"+day, nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("a POST: %d", w.Code)
	}
}

// A witness of two logs has to be told which one is meant.
func TestAWitnessOfTwoLogsIsTold(t *testing.T) {
	b := newBank(t, 1)
	b.config.Logs = append(b.config.Logs, transparency.LogKey{Origin: "log.other.example", VKey: b.config.Logs[0].VKey})
	b.reopen(t)
	b.mustGrow(t, 0, 1)
	if got := b.get("/first/" + b.dayOf(t)); got.Code != http.StatusBadRequest {
		t.Errorf("%d", got.Code)
	}
	if got := b.get("/first/" + b.dayOf(t) + "?origin=" + origin); got.Code != http.StatusOK {
		t.Errorf("%d", got.Code)
	}
}

// A witness that cannot keep the first checkpoint gives out no cosignature: somebody could choose among those.
func TestNoCosignatureBeforeTheFirstIsKept(t *testing.T) {
	b := newBank(t, 2)
	b.mustGrow(t, 0, 1)
	kept, err := filepath.Glob(filepath.Join(b.config.Dir, "*.first-*"))
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	if err := os.Remove(kept[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(b.config.Dir, b.config.Dir+"-gone"); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, b.grow(b.log, 1, 2), http.StatusInternalServerError, "cannot store the checkpoint\n")
}
