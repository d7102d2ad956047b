package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// served is a log as its operator shows it, honest or not.
type served struct {
	log    *scenario.MemoryLog
	leaves [][]byte
}

func (s *served) add(leaf []byte) {
	s.log.Add(leaf)
	s.leaves = append(s.leaves, leaf)
}

func (s *served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/checkpoint" {
		_, checkpoint := s.log.Latest()
		_, _ = w.Write(checkpoint)
		return
	}
	n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/tile/entries/000.p/"))
	if err != nil || n > len(s.leaves) {
		http.NotFound(w, r)
		return
	}
	var out []byte
	for _, l := range s.leaves[:n] {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(l))), l...)
	}
	_, _ = w.Write(out)
}

func leafOf(t *testing.T, n int) []byte {
	t.Helper()
	l, err := record.LeafFor([]byte(strconv.Itoa(n)), [16]byte{1}, "2026-11-28", "31")
	if err != nil {
		t.Fatal(err)
	}
	return l.Bytes()
}

// A monitor of the acquirer's, with a trust file and a memory of its own, watches a log that lies.
func TestMonitorFindsALyingLog(t *testing.T) {
	dir, now := t.TempDir(), func() time.Time { return time.Now() }
	cast := scenario.NewCast()
	log := &served{log: scenario.NewMemoryLog("menshen.example/log", now, "witness-a", "witness-b")}
	for n := range 5 {
		log.add(leafOf(t, n))
	}
	file := scenario.TrustFileFor(cast, scenario.NewFoundry(cast.Maker.ID, now()), now())
	log.log.Trust(&file)
	data, err := statement.Canonical(file)
	if err != nil {
		t.Fatal(err)
	}
	trust, state := filepath.Join(dir, "trust.json"), filepath.Join(dir, "state.json")
	if err := os.WriteFile(trust, data, 0o600); err != nil {
		t.Fatal(err)
	}
	shown := log
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { shown.ServeHTTP(w, r) }))
	defer server.Close()
	look := func() (int, string) {
		var out, errs bytes.Buffer
		code := Run(t.Context(), []string{"monitor", "--once", "--json", "--trust", trust, "--log", server.URL, "--state", state}, nil, &out, &errs)
		return code, out.String() + errs.String()
	}
	for _, c := range []struct {
		name string
		lie  func()
		code int
		says string
	}{
		{"an honest log", func() {}, exitDone, `"size":5,"new":5`},
		{"that grew", func() { log.add(leafOf(t, 5)) }, exitDone, `"size":6,"new":1`},
		{"shown shorter to us", func() {
			shown = &served{log: scenario.NewMemoryLog(log.log.Origin, now)}
			shown.log.Key, shown.log.Witnesses = log.log.Key, log.log.Witnesses
			shown.add(leafOf(t, 0))
		}, exitRefused, "log_rolled_back"},
		{"forked for us", func() {
			for n := range 8 {
				shown.add(leafOf(t, n+100))
			}
		}, exitRefused, "log_forked"},
		{"with another leaf than was signed", func() {
			shown = &served{log: log.log, leaves: slices.Clone(log.leaves)}
			shown.add(leafOf(t, 6))
			shown.leaves[6] = leafOf(t, 7)
		}, exitRefused, "log_forked"},
		{"without its witnesses", func() {
			shown.leaves[6] = leafOf(t, 6)
			shown.log.Witnesses = shown.log.Witnesses[:1]
			shown.add(leafOf(t, 8))
		}, exitRefused, "receipt_quorum_missing"},
		{"that does not answer", server.Close, exitUnavailable, "log_not_readable"},
	} {
		c.lie()
		if code, says := look(); code != c.code || !strings.Contains(says, c.says) {
			t.Errorf("%s: exit %d, %s", c.name, code, says)
		}
	}
	if code, _ := look(); code != exitUnavailable {
		t.Error("a look that failed was remembered")
	}
}

// opening is a city whose regulator's monitor has every leaf opened.
type opening struct {
	*scenario.Play
	t      *testing.T
	ledger *scenario.Ledger
}

func opens(t *testing.T, kind string) *opening {
	t.Helper()
	p, err := scenario.InMemoryPlay(kind, 1, time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &opening{Play: p, t: t, ledger: p.Venue.(*scenario.Ledger)}
}

func (w *opening) play(scenes []scenario.Scene) {
	w.t.Helper()
	if err := scenario.Run(w.t.Context(), scenes); err != nil {
		w.t.Fatal(err)
	}
}

// put records what an actor signed where a page would not let him.
func (w *opening) put(by *scenario.Actor, stream, verb, kind string, body any) {
	w.t.Helper()
	w.Wait(time.Minute)
	if _, err := w.ledger.Append(stream, verb, by.Sign(scenario.Draft{Stream: stream, Type: kind, Body: body, At: w.Now()})); err != nil {
		w.t.Fatal(err)
	}
}

// judge has a monitor read everything; edit changes what it is given.
func (w *opening) judge(edit func(*judging, map[int64]feedLine)) []string {
	w.t.Helper()
	j := &judging{watchedLog: &watchedLog{}, trust: w.Trust}
	given := map[int64]feedLine{}
	leaves := w.ledger.Leaves()
	for at := range int64(len(leaves)) {
		given[at] = feedLine{Index: at, Entry: leaves[at]}
		e := leaves[at]
		event, errE := statement.Base64(e.Event)
		salt, errS := statement.Base64(e.Salt)
		leaf, errL := record.LeafFor(event, [16]byte(salt), e.Day, e.Province)
		if err := errors.Join(errE, errS, errL); err != nil {
			w.t.Fatal(err)
		}
		j.leaves = append(j.leaves, sha256.Sum256(leaf.Bytes()))
	}
	if edit != nil {
		edit(j, given)
	}
	for at := range int64(len(leaves)) {
		if line, ok := given[at]; ok {
			if err := j.take(line); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	if err := j.tell(true); err != nil {
		w.t.Fatal(err)
	}
	var got []string
	for _, a := range j.Alarms {
		got = append(got, a.Code)
	}
	return got
}

func (w *opening) want(name string, edit func(*judging, map[int64]feedLine), codes ...string) {
	w.t.Helper()
	if got := w.judge(edit); !slices.Equal(got, codes) {
		w.t.Errorf("%s: %v, want %v", name, got, codes)
	}
}

// An honest installation, read leaf by leaf: nothing is found. Then the operator hides a leaf, and shows another
// event than was logged.
func TestMonitorReadsEveryLeaf(t *testing.T) {
	w := opens(t, visit.Install)
	w.play(w.Install())
	w.want("an honest visit", nil)
	w.want("a leaf that is not opened", func(_ *judging, given map[int64]feedLine) { delete(given, 0) }, "leaf_not_opened", "decision_not_verified")
	w.want("another province than was logged", func(_ *judging, given map[int64]feedLine) {
		line := given[0]
		line.Entry.Province = "32"
		given[0] = line
	}, "event_not_in_log", "leaf_not_opened", "decision_not_verified")
}

// Nobody is enrolled or badged behind the organisation's back.
func TestMonitorFindsWhatWasNotOrdered(t *testing.T) {
	w := opens(t, visit.Install)
	w.play(scenario.Until(w.Install(), "door"))
	ordered := func(but string) func(*judging, map[int64]feedLine) {
		return func(j *judging, given map[int64]feedLine) {
			j.organisation, j.ordered = w.Cast.Provider.ID, map[string]bool{}
			for _, line := range given {
				event, _ := statement.Base64(line.Entry.Event)
				if e, err := record.ParseEvent(event); err == nil && e.Verb != but {
					j.ordered[e.Statement] = true
				}
			}
		}
	}
	w.want("everything was ordered", ordered(""))
	w.want("a badge", ordered(visit.IssueBadge), "badge_not_ordered")
	if got := w.judge(ordered(visit.Enrol)); len(got) == 0 || slices.ContainsFunc(got, func(c string) bool { return c != "enrolment_not_ordered" }) {
		t.Errorf("enrolments: %v", got)
	}
}

// Nothing is loaded after a freeze that nobody lifted.
func TestMonitorFindsKeysAfterAFreeze(t *testing.T) {
	w := opens(t, visit.Install)
	w.play(scenario.Until(w.Install(), "ask trial"))
	stream, loaded := "visit/"+w.ID, visit.Outcome{Outcome: visit.Loaded}
	w.put(w.Cast.Host, stream, visit.ReleasePermit, visit.TypeOutcome, loaded)
	w.want("keys before any freeze", nil)
	w.put(w.Cast.Merchant, stream, visit.Freeze, visit.TypeBrake, visit.Brake{Visit: w.ID, Reason: "asked_for_money"})
	w.want("a freeze", nil)
	w.put(w.Cast.Host, stream, visit.ReleasePermit, visit.TypeOutcome, loaded)
	w.want("keys after it", nil, "release_after_freeze")
	w.put(w.Cast.Risk, stream, visit.Resume, visit.TypeResumption, visit.Resumption{Visit: w.ID, Reason: "checked", Closes: []string{}})
	w.put(w.Cast.Host, stream, visit.ReleasePermit, visit.TypeOutcome, loaded)
	w.want("keys after it was lifted", nil, "release_after_freeze") // the one above, no other
}

// A server that signs what its evidence does not support, or looks away from a newer list, is found by whoever
// reads the log, though no host ever saw the permit.
func TestMonitorJudgesDecisionsAgain(t *testing.T) {
	w := opens(t, visit.Install)
	w.play(scenario.Until(w.Install(), "ask trial"))
	w.ledger.Decide = func(d *visit.Decision) { d.Conditions = d.Conditions[1:] }
	w.play([]scenario.Scene{{Name: "ask trial", Run: func(ctx context.Context) error { return w.MustAsk(ctx, visit.AskTrial) }}})
	w.want("a condition left out", nil, "decision_not_verified")

	w = opens(t, visit.Install)
	w.play(scenario.Until(w.Install(), "ask trial"))
	newer := w.Cast.Parameters
	newer.Number++
	since := w.ledger.Log.Size()
	w.put(w.Cast.Acquirer, "organisation/"+w.Cast.Acquirer.ID, visit.Publish, registry.TypeParameters, newer)
	w.ledger.Hide = func(e scenario.Told) bool { return e.Index >= since && e.Type == registry.TypeParameters }
	w.play([]scenario.Scene{{Name: "ask trial", Run: func(ctx context.Context) error { return w.MustAsk(ctx, visit.AskTrial) }}})
	w.want("an older list", nil, "list_used_after_newer")
}
