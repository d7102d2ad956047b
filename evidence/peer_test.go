//go:build openapi

// A second reader of bundles, in testdata/reader: plain Node, written from docs/formats.md, docs/door.md and
// docs/trace-a-visit.md, whose schemas are the tables of formats.md. Whatever one of the two refuses and the other takes
// is a hole in one of them or in the documents.

package evidence_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// file is what both readers are given.
type file struct {
	what          string
	bundle, trust []byte
}

// said is what the second reader says of a file.
type said struct {
	Accepted  bool   `json:"accepted"`
	Broken    bool   `json:"broken"` // it fell over
	Refusal   string `json:"refusal"`
	Visit     string `json:"visit"`
	Order     string `json:"order"`
	Kind      string `json:"kind"`
	Stage     string `json:"stage"`
	TrustFile string `json:"trust_file"`
	Leaves    int    `json:"leaves"`
	LogSize   int64  `json:"log_size"`
	Decisions []struct {
		Ask       string `json:"ask"`
		Statement string `json:"statement"`
		DecidedAt string `json:"decided_at"`
	} `json:"decisions"`
}

// second asks the second reader about many files at once.
func second(t *testing.T, files []file) []said {
	t.Helper()
	var in, complaint bytes.Buffer
	for _, f := range files {
		line, err := json.Marshal(map[string][]byte{"bundle": f.bundle, "trust": f.trust})
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(line, '\n'))
	}
	cmd := exec.CommandContext(t.Context(), "node", "testdata/reader/reader.mjs", "--formats", "../docs/formats.md", "--many")
	cmd.Stdin, cmd.Stderr = &in, &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaint.String())
	}
	answers := make([]said, 0, len(files))
	for line := range strings.Lines(string(out)) {
		var a said
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(files) {
		t.Fatalf("%d answers to %d files", len(answers), len(files))
	}
	for i, a := range answers {
		if a.Broken {
			t.Errorf("%s: the second reader fell over: %s", files[i].what, a.Refusal)
		}
	}
	return answers
}

// first reads a file as menshen-verify does.
func first(f file) (evidence.Result, error) {
	trust, err := evidence.ParseTrust(f.trust)
	if err != nil {
		return evidence.Result{}, err
	}
	b, err := evidence.Open(f.bundle)
	if err != nil {
		return evidence.Result{}, err
	}
	r := evidence.Verify(b, trust)
	return r, r.Refusal
}

func fileOf(t *testing.T, what string, p *scenario.Play, visitID string, by *scenario.Actor) file {
	t.Helper()
	bundle, err := p.Venue.Bundle(t.Context(), by, visitID)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return file{what, bundle, trustOf(t, p)}
}

func trustOf(t *testing.T, p *scenario.Play) []byte {
	t.Helper()
	data, err := statement.Canonical(p.Trust.File())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// honestFiles are bundles of every kind of visit, as the merchant gets them and as the host does.
func honestFiles(t *testing.T) []file {
	t.Helper()
	var files []file
	for _, kind := range []string{visit.Install, visit.Inspection} {
		for risk := range 3 {
			p := open(t, kind, risk)
			scenes := p.Install
			if kind == visit.Inspection {
				scenes = p.Inspect
			}
			if err := scenario.Run(t.Context(), scenes()); err != nil {
				t.Fatal(err)
			}
			files = append(files, fileOf(t, kind, p, p.ID, p.Cast.Merchant), fileOf(t, kind+" to the host", p, p.ID, p.Cast.Host))
		}
	}
	for _, later := range []struct {
		kind   string
		scenes func(*scenario.Play) []scenario.Scene
	}{
		{visit.Swap, (*scenario.Play).Swap}, {visit.Relocation, (*scenario.Play).Relocate}, {visit.Repair, (*scenario.Play).Repair},
		{visit.Repair, (*scenario.Play).RepairUntouched}, {visit.Removal, (*scenario.Play).Remove}, {visit.Inspection, (*scenario.Play).InspectAgain},
	} {
		e := laterVisit(t, later.kind, "", nil, later.scenes)
		files = append(files, fileOf(t, later.kind, e.Play, e.ID, e.Cast.Merchant))
	}
	return files
}

func TestASecondReaderAcceptsEveryKindOfVisit(t *testing.T) {
	files := honestFiles(t)
	for i, got := range second(t, files) {
		want, err := first(files[i])
		if err != nil {
			t.Fatalf("%s: %v", files[i].what, err)
		}
		if !got.Accepted {
			t.Errorf("%s: the second reader refuses it: %s", files[i].what, got.Refusal)
			continue
		}
		b, err := evidence.Open(files[i].bundle)
		if err != nil {
			t.Fatal(err)
		}
		if got.Leaves != len(b.Entries) || got.LogSize != want.LogSize || got.Visit != want.Visit || got.Order != want.Order || got.Kind != want.Kind || got.Stage != want.Stage ||
			got.TrustFile != want.Fingerprint {
			t.Errorf("%s: the second reader says %+v, the first %d leaves, %+v", files[i].what, got, len(b.Entries), want)
		}
		var decided, again []string
		for _, d := range want.State().Decisions() {
			decided = append(decided, d.Body.Ask+" "+d.Event.Statement.Digest()+" "+string(d.Body.DecidedAt))
		}
		for _, d := range got.Decisions {
			again = append(again, d.Ask+" "+d.Statement+" "+d.DecidedAt)
		}
		if !slices.Equal(decided, again) || len(again) == 0 {
			t.Errorf("%s: the second reader read %q, the first %q", files[i].what, again, decided)
		}
	}
}

// asItLies is the visit's bundle past every check of an honest export: all that is recorded up to its last decision,
// closed by the platform. Nil where nothing was decided.
func asItLies(t *testing.T, p *scenario.Play, visitID string) []byte {
	t.Helper()
	l := p.Venue.(*scenario.Ledger)
	d := l.Dossier(visitID, 0)
	stream := visit.StreamVisit + "/" + visitID
	last := 0
	for i, r := range l.Stream(stream) {
		if c, err := statement.Parse(r.Envelope); err == nil && c.Type == visit.TypeDecision {
			last = i + 1
		}
	}
	if last == 0 {
		return nil
	}
	b := &evidence.Bundle{Format: evidence.BundleFormat, Visit: visitID, Entries: []evidence.Entry{}, Openings: d.Openings}
	for _, e := range d.Entries {
		if event := eventOf(t, e); event.Stream != stream || event.Number <= last {
			b.Entries = append(b.Entries, e)
		}
	}
	body, err := b.ClosingFor(visit.RoleMerchant, l.Log.Size())
	if err != nil {
		t.Fatal(err)
	}
	b.Closing = base64.StdEncoding.EncodeToString(p.Cast.Platform.Forge(scenario.Draft{Stream: stream, Type: evidence.TypeClosing, At: p.Now(), Body: body}))
	data, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// judgesOnly are the refusals that are the gate's alone. Of its conditions the second reader asks only the bytes under
// technician-admitted, custody-unbroken (of an installation) and device-genuine; not positions, sheets, charges, courses,
// licences, mandates, models, steps and photos, supervision, look-ups, the order of a decision's conditions, a clerk's
// period beside the merchant's, audits and lost minutes. Nor does either look whether two checkpoints fork.
var judgesOnly = []string{"decision_not_supported", "decision_differs"}

// Attacks of the table are played, and what then lies in the log is given to both readers.
func TestASecondReaderOfAttackedVisits(t *testing.T) {
	var files []file
	for _, a := range seeded(scenario.Attacks(), 120) {
		kind := a.Kind
		if kind == "" {
			kind = visit.Install
		}
		p, err := scenario.InMemoryPlay(kind, a.Risk, began, a.Trust)
		if err != nil {
			continue // a trust file that nobody can believe
		}
		if err := p.OpenCity(t.Context()); err != nil {
			continue
		}
		_ = a.Run(t.Context(), p) // another test asks who refused it; here, what is left behind
		for _, id := range []string{"v1", "v2"} {
			if bundle := asItLies(t, p, id); bundle != nil {
				files = append(files, file{a.Name + " " + id, bundle, trustOf(t, p)})
			}
		}
	}
	agree(t, files, 80) // an attack may leave nothing in the log
}

// agree holds both readers to the same verdict of every file.
func agree(t *testing.T, files []file, least int) {
	t.Helper()
	taken, refused, judged := 0, 0, map[string]int{}
	for i, got := range second(t, files) {
		_, err := first(files[i])
		code := fault.CodeOf(err)
		switch {
		case got.Accepted && err == nil:
			taken++
		case !got.Accepted && err != nil:
			refused++
		case got.Accepted && slices.Contains(judgesOnly, code):
			judged[code]++
			t.Logf("the gate alone: %s: %v", files[i].what, err)
		case got.Accepted:
			t.Errorf("%s: the second reader takes what the first refuses: %v", files[i].what, err)
		default:
			t.Errorf("%s: the second reader refuses what the first takes: %s", files[i].what, got.Refusal)
		}
	}
	t.Logf("%d files: both take %d, both refuse %d, the gate's alone %v", len(files), taken, refused, judged)
	if len(files) < least {
		t.Errorf("only %d files", len(files))
	}
}
