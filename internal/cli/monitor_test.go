package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
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

// told is a judging over events that a test makes up.
type told struct {
	judging
	t    *testing.T
	last map[string]string
	at   time.Time
}

// event records what an actor signed in a stream and gives its opening.
func (j *told) event(by *scenario.Actor, stream, verb, kind string, body any) {
	j.t.Helper()
	j.at = j.at.Add(time.Minute)
	envelope, err := statement.Sign(by.Key, statement.Unsigned{Type: kind, Subject: stream, Body: body,
		Header: statement.Header{Signer: by.ID, Organisation: by.Organisation, Role: by.Role, At: statement.At(j.at)}})
	if err != nil {
		j.t.Fatal(err)
	}
	k, id, _ := strings.Cut(stream, "/")
	number := len(j.leaves) + 1
	previous := j.last[stream]
	if previous == "" {
		number = 1
	}
	e := record.Event{Stream: stream, Number: number, Previous: previous, Verb: verb, ReceivedAt: statement.At(j.at), Statement: statement.Digest(envelope)}
	leaf, err := record.LeafFor(e.Bytes(), [16]byte{7}, "2026-11-28", "31")
	if err != nil {
		j.t.Fatal(err)
	}
	index := int64(len(j.leaves))
	j.leaves = append(j.leaves, sha256.Sum256(leaf.Bytes()))
	j.envelopes[e.Statement], j.last[stream] = envelope, e.Digest()
	o := opened{Kind: k, ID: id, Number: int64(number), Verb: verb, Statement: e.Statement, Day: "2026-11-28", Province: "31", Index: &index}
	o.Bytes.Bytes, o.Salt.Bytes = e.Bytes(), append([]byte{7}, make([]byte, 15)...)
	if err := j.judge(o); err != nil {
		j.t.Fatal(err)
	}
	o.Province = "32"
	if err := j.judge(o); err != nil {
		j.t.Fatal(err)
	}
}

// What the openings tell: each event is where it says, nobody was enrolled or badged behind the
// organisation's back, and nothing was loaded after a freeze.
func TestMonitorReadsItsOpenings(t *testing.T) {
	cast := scenario.NewCast()
	j := &told{judging: judging{watchedLog: &watchedLog{}, envelopes: map[string][]byte{}, organisation: cast.Provider.ID, ordered: map[string]bool{}, frozen: map[string]time.Time{}},
		t: t, last: map[string]string{}, at: time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)}
	want := func(name string, codes ...string) {
		t.Helper()
		var got []string
		for _, a := range j.Alarms {
			got = append(got, a.Code)
		}
		j.Alarms = nil
		if !slices.Equal(got, codes) {
			t.Errorf("%s: %v, want %v", name, got, codes)
		}
	}
	own, stream := "organisation/"+cast.Provider.ID, "visit/v1"
	j.event(cast.Provider, own, visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(cast.Technician, j.at))
	want("an enrolment that nobody ordered, and its leaf elsewhere", "enrolment_not_ordered", "event_not_in_log")
	j.ordered = nil
	j.event(cast.Provider, own, visit.Enrol, statement.TypeEnrolment, scenario.Enrolment(cast.Technician, j.at))
	want("a monitor that knows no list", "event_not_in_log")
	loaded := visit.Outcome{Outcome: visit.Loaded}
	j.event(cast.Host, stream, visit.ReleasePermit, visit.TypeOutcome, loaded)
	want("keys before any freeze", "event_not_in_log")
	j.event(cast.Merchant, stream, visit.Freeze, visit.TypeBrake, visit.Brake{Visit: "v1", Reason: "asked_for_money"})
	want("a freeze", "event_not_in_log")
	j.event(cast.Host, stream, visit.ReleasePermit, visit.TypeOutcome, loaded)
	want("keys after it", "release_after_freeze", "event_not_in_log")
	j.event(cast.Approver, stream, visit.Resume, visit.TypeResumption, visit.Resumption{Visit: "v1", Reason: "checked", Closes: []string{}})
	j.event(cast.Host, stream, visit.ReleasePermit, visit.TypeOutcome, loaded)
	want("keys after it was lifted", "event_not_in_log", "event_not_in_log")
}
