package transparency_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/record/recordtest"
	"github.com/menshen-project/menshen/internal/transparency"
	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// bank is a witness with the log it follows, which can lie.
type bank struct {
	*transparency.Witness
	config transparency.WitnessConfig
	vkey   string
	log    *recordtest.Log
}

func newBank(t testing.TB, leaves int) *bank {
	t.Helper()
	b := &bank{log: recordtest.New(origin, "operator", 1, "bank")}
	for n := range leaves {
		b.log.Add(leaf(n))
	}
	secret, _, err := transparency.GenerateWitnessKey("witness.example/bank")
	if err != nil {
		t.Fatal(err)
	}
	b.config = transparency.WitnessConfig{Dir: t.TempDir(), Logs: []transparency.LogKey{{Origin: origin, VKey: b.log.Signer().VKey()}}}
	if b.config.Signer, b.vkey, err = transparency.ParseWitnessSigner(secret); err != nil {
		t.Fatal(err)
	}
	b.reopen(t)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func (b *bank) reopen(t testing.TB) {
	t.Helper()
	if b.Witness != nil {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if b.Witness, err = transparency.NewWitness(b.config); err != nil {
		t.Fatal(err)
	}
}

func (b *bank) post(body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(body)))
	return w
}

// request is add-checkpoint as a log writes it.
func request(old uint64, proof [][]byte, checkpoint []byte) string {
	body := fmt.Sprintf("old %d\n", old)
	for _, hash := range proof {
		body += base64.StdEncoding.EncodeToString(hash) + "\n"
	}
	return body + "\n" + string(checkpoint)
}

// grow asks the witness to follow log from one size to another.
func (b *bank) grow(log *recordtest.Log, old, size uint64) *httptest.ResponseRecorder {
	return b.post(request(old, log.Consistency(old, size), log.CheckpointBy(size, time.Unix(0, 0))))
}

func (b *bank) mustGrow(t testing.TB, old, size uint64) {
	t.Helper()
	if w := b.grow(b.log, old, size); w.Code != http.StatusOK {
		t.Fatalf("from %d to %d: %d %s", old, size, w.Code, w.Body)
	}
}

// wantRefusal checks status and body, and that no cosignature came with it.
func wantRefusal(t testing.TB, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status || body != "" && w.Body.String() != body {
		t.Fatalf("%d %q, want %d %q", w.Code, w.Body, status, body)
	}
	if strings.Contains(w.Body.String(), "—") {
		t.Fatalf("a refusal carries a signature: %s", w.Body)
	}
	if wantType := map[bool]string{true: "text/x.tlog.size"}[body != "" && body[0] >= '0' && body[0] <= '9']; wantType != "" && w.Header().Get("Content-Type") != wantType {
		t.Fatalf("content type %q, want %q", w.Header().Get("Content-Type"), wantType)
	}
}

func TestWitnessCosignsWhatOnlyGrew(t *testing.T) {
	b := newBank(t, 20)
	verifier, err := f_note.NewVerifierForCosignatureV1(b.vkey)
	if err != nil {
		t.Fatal(err)
	}
	old := uint64(0)
	for _, size := range []uint64{0, 1, 2, 7, 7, 8, 20} {
		before := time.Now().Add(-time.Second)
		w := b.grow(b.log, old, size)
		if w.Code != http.StatusOK {
			t.Fatalf("from %d to %d: %d %s", old, size, w.Code, w.Body)
		}
		checkpoint := append(b.log.CheckpointBy(size, time.Unix(0, 0)), w.Body.Bytes()...)
		n, err := note.Open(checkpoint, note.VerifierList(verifier))
		if err != nil || len(n.Sigs) != 1 || strings.Count(w.Body.String(), "\n") != 1 {
			t.Fatalf("answer %q: %v", w.Body, err)
		}
		if at, err := f_note.CoSigV1Timestamp(n.Sigs[0]); err != nil || at.Before(before.Truncate(time.Second)) || at.After(time.Now()) {
			t.Fatalf("cosigned at %v, %v", at, err)
		}
		old = size
	}
}

func TestWitnessRefusesAFork(t *testing.T) {
	b := newBank(t, 5)
	b.mustGrow(t, 0, 5)
	fork := recordtest.New(origin, "operator", 1, "bank")
	for n := range 9 {
		fork.Add(leaf(100 + n))
	}
	wantRefusal(t, b.grow(fork, 5, 5), http.StatusConflict, "another root was cosigned at this size\n")
	wantRefusal(t, b.grow(fork, 5, 9), http.StatusUnprocessableEntity, "")

	late := b.log.Fork() // the same past, two futures
	late.Add(leaf(200))
	b.log.Add(leaf(5))
	b.mustGrow(t, 5, 6)
	wantRefusal(t, b.grow(late, 6, 6), http.StatusConflict, "")
	late.Add(leaf(201))
	wantRefusal(t, b.grow(late, 5, 7), http.StatusConflict, "6\n")
	wantRefusal(t, b.post(request(6, late.Consistency(5, 7), late.CheckpointBy(7, time.Unix(0, 0)))), http.StatusUnprocessableEntity, "")

	b.log.Add(leaf(6)) // and the honest log goes on
	b.mustGrow(t, 6, 7)
}

func TestWitnessRefusesARollback(t *testing.T) {
	b := newBank(t, 8)
	b.mustGrow(t, 0, 8)
	wantRefusal(t, b.grow(b.log, 0, 5), http.StatusConflict, "8\n")
	wantRefusal(t, b.grow(b.log, 3, 5), http.StatusConflict, "8\n")
	wantRefusal(t, b.post(request(8, nil, b.log.CheckpointBy(5, time.Unix(0, 0)))), http.StatusBadRequest, "")
	wantRefusal(t, b.grow(b.log, 0, 8), http.StatusConflict, "8\n")
}

func TestWitnessRemembersAfterRestart(t *testing.T) {
	b := newBank(t, 8)
	b.mustGrow(t, 0, 5)
	b.reopen(t)
	wantRefusal(t, b.grow(b.log, 0, 4), http.StatusConflict, "5\n")
	fork := recordtest.New(origin, "operator", 1, "bank")
	for n := range 5 {
		fork.Add(leaf(100 + n))
	}
	wantRefusal(t, b.grow(fork, 5, 5), http.StatusConflict, "")
	b.mustGrow(t, 5, 8)
}

func TestWitnessRefusesRequests(t *testing.T) {
	b := newBank(t, 8)
	b.mustGrow(t, 0, 3)
	honest := request(3, b.log.Consistency(3, 8), b.log.CheckpointBy(8, time.Unix(0, 0)))
	replace := func(old, new string) string {
		if !strings.Contains(honest, old) {
			t.Fatalf("test spoils nothing: %q", old)
		}
		return strings.Replace(honest, old, new, 1)
	}
	text := b.log.Head(8).Text()
	stranger := recordtest.NewSigner(origin, "stranger", 1)
	hash := strings.Split(honest, "\n")[1]
	extended := text + "extension\n"
	other := recordtest.New("menshen.example/other", "operator", 1, "bank")
	for _, c := range []struct {
		name, body string
		status     int
	}{
		{"nothing", "", 400},
		{"no old size", strings.TrimPrefix(honest, "old 3\n"), 400},
		{"old size with a zero before", replace("old 3", "old 03"), 400},
		{"old size with a sign", replace("old 3", "old +3"), 400},
		{"old size past 64 bits", replace("old 3", "old 18446744073709551616"), 400},
		{"old size larger than the checkpoint", replace("old 3", "old 9"), 400},
		{"hash that is no base64", replace(hash, "!"), 400},
		{"hash cut", replace(hash, "AAAA"), 400},
		{"64 proof lines", replace(hash+"\n", strings.Repeat(hash+"\n", 64)), 400},
		{"no empty line", strings.Replace(honest, "\n\n", "\n", 2), 400},
		{"extension line, which no monitor can audit", "old 3\n\n" + extended + "\n" + b.log.Signer().Sign(extended), 400},
		{"unknown log", request(0, nil, other.CheckpointBy(0, time.Unix(0, 0))), 404},
		{"no signature", request(3, nil, []byte(text)), 403},
		{"stranger's signature under the log's name", request(3, nil, []byte(text+"\n"+stranger.Sign(text))), 403},
		{"signature over another size", replace(text, b.log.Head(7).Text()), 403},
		{"old size that was never cosigned", request(4, b.log.Consistency(4, 8), b.log.CheckpointBy(8, time.Unix(0, 0))), 409},
		{"proof missing", replace(hash+"\n", ""), 422},
		{"proof of another step", request(3, b.log.Consistency(4, 8), b.log.CheckpointBy(8, time.Unix(0, 0))), 422},
		{"proof where none belongs", request(3, b.log.Consistency(3, 8), b.log.CheckpointBy(3, time.Unix(0, 0))), 422},
		{"over the bound", honest + strings.Repeat(" ", 64<<10), 413},
	} {
		t.Run(c.name, func(t *testing.T) { wantRefusal(t, b.post(c.body), c.status, "") })
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/add-checkpoint", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Fatalf("GET: %d", w.Code)
	}
	w = httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(honest)))
	if w.Code != http.StatusNotFound {
		t.Fatalf("other path: %d", w.Code)
	}
	// After all that, and with signatures it does not know, the witness still follows.
	if w := b.post(honest + stranger.Sign(text)); w.Code != http.StatusOK {
		t.Fatalf("honest request: %d %s", w.Code, w.Body)
	}
}

func TestWitnessWantsNoProofFromNothing(t *testing.T) {
	b := newBank(t, 2)
	wantRefusal(t, b.post(request(0, b.log.Consistency(1, 2), b.log.CheckpointBy(2, time.Unix(0, 0)))), http.StatusUnprocessableEntity, "")
	lie := record.TreeHead{Origin: origin, Size: 0, Root: b.log.Head(1).Root}.Text()
	wantRefusal(t, b.post(request(0, nil, []byte(lie+"\n"+b.log.Signer().Sign(lie)))), http.StatusConflict, "")
}

// TestWitnessCosignsOneFuture sends two futures of one past at the same time.
func TestWitnessCosignsOneFuture(t *testing.T) {
	for range 20 {
		b := newBank(t, 3)
		b.mustGrow(t, 0, 3)
		futures := []*recordtest.Log{b.log.Fork(), b.log.Fork()}
		codes := make([]int, len(futures))
		var wg sync.WaitGroup
		for i, f := range futures {
			f.Add(leaf(50 + i))
			wg.Go(func() { codes[i] = b.grow(f, 3, 4).Code })
		}
		wg.Wait()
		if codes[0]+codes[1] != http.StatusOK+http.StatusConflict {
			t.Fatalf("answers %v, want one 200 and one 409", codes)
		}
	}
}

func TestWitnessFollowsSeveralLogsAndKeys(t *testing.T) {
	b := newBank(t, 3)
	other := recordtest.New("menshen.example/other", "operator", 1, "bank")
	other.Add(leaf(9))
	next := recordtest.NewSigner(origin, "next key of the log", 1)
	b.config.Logs = append(b.config.Logs,
		transparency.LogKey{Origin: "menshen.example/other", VKey: other.Signer().VKey()},
		transparency.LogKey{Origin: origin, VKey: next.VKey()})
	b.reopen(t)
	b.mustGrow(t, 0, 2)
	if w := b.grow(other, 0, 1); w.Code != http.StatusOK {
		t.Fatalf("other log: %d %s", w.Code, w.Body)
	}
	text := b.log.Head(3).Text()
	if w := b.post(request(2, b.log.Consistency(2, 3), []byte(text+"\n"+next.Sign(text)))); w.Code != http.StatusOK {
		t.Fatalf("second key of one log: %d %s", w.Code, w.Body)
	}
	b.reopen(t)
	wantRefusal(t, b.grow(other, 0, 1), http.StatusConflict, "1\n")
	wantRefusal(t, b.grow(b.log, 0, 1), http.StatusConflict, "3\n")
}

func TestWitnessDoesNotStartOnWhatItCannotTrust(t *testing.T) {
	b := newBank(t, 3)
	b.mustGrow(t, 0, 3)
	if _, err := transparency.NewWitness(b.config); fault.CodeOf(err) != "log_folder_in_use" {
		t.Fatalf("two witnesses in one folder: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(b.config.Dir, "*.checkpoint"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	stored, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	foreign := recordtest.New("menshen.example/other", "operator", 1, "bank").Head(0).Text()
	bySelf, err := note.Sign(&note.Note{Text: foreign}, b.config.Signer)
	if err != nil {
		t.Fatal(err)
	}
	noHead, err := note.Sign(&note.Note{Text: origin + "\nthree\nroot\n"}, b.config.Signer)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty":                        {},
		"cut":                          stored[:len(stored)-1],
		"edited":                       bytes.Replace(stored, []byte("\n3\n"), []byte("\n2\n"), 1),
		"never cosigned":               b.log.CheckpointBy(3, time.Unix(0, 0)),
		"of another log":               bySelf,
		"signed, but not a checkpoint": noHead,
	} {
		if err := os.WriteFile(files[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := transparency.NewWitness(b.config); fault.CodeOf(err) != "witness_state_unreadable" {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(files[0], 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := transparency.NewWitness(b.config); fault.CodeOf(err) != "witness_state_unreadable" {
		t.Fatalf("folder in the place of the file: %v", err)
	}
	for _, l := range []transparency.LogKey{{Origin: origin, VKey: "key"}, {Origin: "", VKey: b.log.Signer().VKey()}} {
		config := b.config
		config.Logs = []transparency.LogKey{l}
		if _, err := transparency.NewWitness(config); fault.CodeOf(err) != "witness_log_key" {
			t.Fatalf("log %+v: %v", l, err)
		}
	}
}

// TestWitnessThatCannotStoreDoesNotCosign takes the folder away.
func TestWitnessThatCannotStoreDoesNotCosign(t *testing.T) {
	b := newBank(t, 3)
	b.mustGrow(t, 0, 2)
	moved := b.config.Dir + "-moved"
	if err := os.Rename(b.config.Dir, moved); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, b.grow(b.log, 2, 3), http.StatusInternalServerError, "")
	if err := os.Rename(moved, b.config.Dir); err != nil {
		t.Fatal(err)
	}
	b.mustGrow(t, 2, 3)
}

func FuzzAddCheckpoint(f *testing.F) {
	b := newBank(f, 4)
	b.mustGrow(f, 0, 2)
	f.Add(request(2, b.log.Consistency(2, 4), b.log.CheckpointBy(4, time.Unix(0, 0))))
	f.Add(request(2, nil, b.log.CheckpointBy(2, time.Unix(0, 0))))
	f.Fuzz(func(t *testing.T, body string) {
		w := b.post(body)
		if w.Code == http.StatusOK && !strings.Contains(body, b.log.Head(2).Text()) && !strings.Contains(body, b.log.Head(4).Text()) {
			t.Fatalf("cosigned %q", body)
		}
	})
}
