package evidence_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// edge is an honest play that was stopped somewhere, into whose ledger a test records what no page
// would send: the ledger refuses nothing, so that evidence is the one to refuse.
type edge struct {
	*scenario.Play
	t      *testing.T
	ledger *scenario.Ledger
}

// upTo plays the honest scenes before the named one; "" plays none, in a city that is open.
func upTo(t *testing.T, kind string, risk int, scene string) *edge {
	t.Helper()
	p := open(t, kind, risk)
	e := &edge{Play: p, t: t, ledger: p.Venue.(*scenario.Ledger)}
	scenes := p.Install
	if kind == visit.Inspection {
		scenes = p.Inspect
	}
	if scene != "" {
		if err := scenario.Run(context.Background(), scenario.Until(scenes(), scene)); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// nonsense is a body that no statement type has.
var nonsense = map[string]string{"nonsense": "1"}

// put records a statement and gives its place, as a fault names it.
func (e *edge) put(by *scenario.Actor, verb, stream, kind string, body any, edits ...func(*scenario.Draft)) string {
	e.t.Helper()
	d := scenario.Draft{Stream: stream, Type: kind, Body: body, At: e.Now()}
	for _, edit := range edits {
		edit(&d)
	}
	return e.record(stream, verb, by.Sign(d))
}

func (e *edge) record(stream, verb string, envelope []byte) string {
	e.t.Helper()
	if _, err := e.ledger.Append(stream, verb, envelope); err != nil {
		e.t.Fatal(err)
	}
	return place(stream, len(e.ledger.Stream(stream)))
}

func (e *edge) dossier() evidence.Dossier { return e.ledger.Dossier(e.ID, e.ledger.Log.Size()) }

func org(a *scenario.Actor) string    { return visit.StreamOrganisation + "/" + a.ID }
func person(a *scenario.Actor) string { return visit.StreamPerson + "/" + a.ID }

// hide leaves every statement of a type out of the dossier.
func (e *edge) hide(kind string) {
	e.ledger.Hide = func(told scenario.Told) bool { return told.Type == kind }
}

// hideSoFar leaves out the statements of a type that are there already.
func (e *edge) hideSoFar(kind string) {
	size := e.ledger.Log.Size()
	e.ledger.Hide = func(told scenario.Told) bool { return told.Type == kind && told.Index < size }
}

// fails previews an ask and demands that one condition fails for a reason of its own.
func (e *edge) fails(ask, condition, code string) {
	e.t.Helper()
	e.failsOn(e.dossier(), ask, condition, code)
}

func (e *edge) failsOn(d evidence.Dossier, ask, condition, code string) {
	e.t.Helper()
	r := evidence.Preview(d, e.Trust, ask, e.Now())
	c, ok := r.Condition(condition)
	if !ok || c.Verdict != "fails" || c.Code != code {
		e.t.Errorf("%s: %s %q, want %q (refusal %v)", condition, c.Verdict, c.Code, code, r.Refusal)
	}
}

// refused previews an ask and demands that the evidence is not judged at all.
func (e *edge) refused(code, where string) {
	e.t.Helper()
	r := evidence.Preview(e.dossier(), e.Trust, visit.AskDispatch, e.Now())
	if r.Granted || len(r.Conditions) > 0 {
		e.t.Errorf("judged all the same: %v", r.Conditions)
	}
	isFault(e.t, "preview", r.Refusal, code, where)
}

// isFault demands a code and the beginning of a place.
func isFault(t testing.TB, what string, err error, code, where string) {
	t.Helper()
	f := fault.Of(err)
	if f == nil || f.Code != code || !strings.HasPrefix(f.Where, where) {
		t.Errorf("%s: %v, want %s at %q", what, err, code, where)
	}
}

func place(stream string, number int) string { return stream + " event " + strconv.Itoa(number) }
