package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// Work is what a technician's phone keeps of a visit, to go on with it where there is no signal: what
// has to be done, what was done, what the parcel must say. It decides nothing; the gate does.
type Work struct {
	Visit     string         `json:"visit"`
	Order     string         `json:"order"`
	Kind      string         `json:"kind"`
	Stage     string         `json:"stage"`
	Frozen    bool           `json:"frozen"`
	Ask       string         `json:"ask"` // the next ask, "" for none
	Shop      string         `json:"shop"`
	Merchant  string         `json:"merchant"` // holder id
	Acquirer  string         `json:"acquirer"`
	Serial    string         `json:"serial"`
	Model     string         `json:"model"`
	Terminal  string         `json:"terminal"`
	Watched   string         `json:"watched"` // merchant, remote or present
	From      statement.Time `json:"from"`
	Until     statement.Time `json:"until"`
	Parcel    *Parcel        `json:"parcel,omitempty"`
	Steps     []WorkStep     `json:"steps" nullable:"false"`
	Done      []WorkDone     `json:"done" nullable:"false"`
	Attested  []WorkAttested `json:"attested" nullable:"false"` // device nonces that were answered
	Permits   []WorkPermit   `json:"permits" nullable:"false"`
	Reported  []WorkReport   `json:"reported" nullable:"false"` // the acceptance script, as the host signed it
	ReportAt  statement.Time `json:"reported_at"`               // "" for no report
	UpdatedAt statement.Time `json:"updated_at"`                // by the server's clock
	Tag       string         `json:"tag"`                       // of all the rest: the same tag, the same work

	Old        *WorkOld       `json:"old,omitempty"`
	Said       *WorkSaid      `json:"said,omitempty"`
	Touched    bool           `json:"touched"`     // of a repair: opened, changed or tried; nobody un-says it
	Charges    bool           `json:"charges"`     // the host listed what was charged, on a visit without a script
	RollbackAt statement.Time `json:"rollback_at"` // when it goes back to the old terminal unless live; "" for no timer
	Lost       *WorkLost      `json:"lost,omitempty"`
	SilentAt   statement.Time `json:"host_silent_at"` // since when the host, which has a permit, answers no call; "" while it does

	found []custody.Notice // what each arrival scanned, in order
	fresh []string         // nonces made since the report, by their challenge's digest
}

// Parcel is the last hand-over's notice, which the counter must find again.
type Parcel struct {
	Transfer string         `json:"transfer"` // digest; what an arrival answers
	To       string         `json:"to"`       // who holds the device by it
	Notice   custody.Notice `json:"notice"`
}

// WorkStep is a step that the acquirer requires for this kind of visit.
type WorkStep struct {
	Step   string `json:"step"`
	By     string `json:"by"`
	Photos int64  `json:"photos"`
}

// WorkDone is a statement of work that was received.
type WorkDone struct {
	Type      string         `json:"type"`
	Step      string         `json:"step"` // of a step, else ""
	By        string         `json:"by"`   // role
	Statement string         `json:"statement"`
	At        statement.Time `json:"at"`
	Good      bool           `json:"good"`   // it says that all is well
	Photos    int64          `json:"photos"` // how many pictures it names
}

// WorkAttested is a device's answer to one of this visit's nonces.
type WorkAttested struct {
	At          statement.Time `json:"at"`
	AfterReport bool           `json:"after_report"` // the nonce was made after the acceptance report that stands: it counts at live
}

// WorkPermit is a permit and what the host made of it.
type WorkPermit struct {
	Ask       string         `json:"ask"`
	Statement string         `json:"statement"`
	Until     statement.Time `json:"until"`
	Outcome   string         `json:"outcome"` // "" while the host has not answered
	At        statement.Time `json:"at"`      // when it did, by its clock
	Reason    string         `json:"reason"`
}

// WorkReport is one line of the host's report.
type WorkReport struct {
	Step   string `json:"step"`
	Result string `json:"result"`
}

// Work gives a visit's work to somebody who may read it.
func (a *App) Work(ctx context.Context, actor Actor, visitID string) (Work, error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadVisit); err != nil {
		return Work{}, err
	}
	var w Work
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		s, err := a.standing(ctx, tx, visitID)
		if err != nil {
			return err
		}
		g := a.gather(ctx, tx)
		if w, err = workOf(g, s, visitID); err != nil {
			return err
		}
		return w.required(g, s.order)
	})
	if err == nil {
		err = a.lose(ctx, &w)
	}
	if err != nil {
		return Work{}, err
	}
	if silent := a.HostSilentAt(w.Acquirer); !silent.IsZero() && w.atHost() {
		w.SilentAt = statement.At(silent)
	}
	return w.stamped(a.Now())
}

// atHost says whether the last permit waits for the host.
func (w Work) atHost() bool { return len(w.Permits) > 0 && w.Permits[len(w.Permits)-1].Outcome == "" }

// stamped gives the work its tag and the time.
func (w Work) stamped(now time.Time) (Work, error) {
	all, err := json.Marshal(w)
	sum := sha256.Sum256(all)
	w.Tag, w.UpdatedAt = hex.EncodeToString(sum[:8]), statement.At(now)
	return w, err
}

// workOf reads what happened. Everything here was proven when it came in.
func workOf(g *gather, s cachedState, visitID string) (Work, error) {
	o, d := s.order, s.state.Dispatched()
	w := Work{Visit: visitID, Order: o.Order, Kind: o.Kind, Stage: string(s.state.Stage()), Frozen: s.state.Frozen(), Ask: NextAsk(o, s.state),
		Shop: o.Shop, Merchant: o.Merchant, Acquirer: o.Acquirer, Serial: d.Serial, Model: o.Model, Terminal: o.Terminal, From: d.From, Until: d.Until,
		Steps: []WorkStep{}, Done: []WorkDone{}, Attested: []WorkAttested{}, Permits: []WorkPermit{}, Reported: []WorkReport{}}
	if d.Visit == "" {
		w.From, w.Until = o.WindowFrom, o.WindowUntil
	}
	for _, r := range s.state.Decisions() {
		if r.Body.Permit == nil {
			continue
		}
		p := WorkPermit{Ask: r.Body.Ask, Statement: r.Event.Statement.Digest(), Until: r.Body.Permit.Until}
		if out, answered := s.state.Outcome(p.Statement); answered {
			p.Outcome, p.Reason, p.At = out.Body.Outcome, out.Body.Reason, out.Body.At
		}
		w.Permits = append(w.Permits, p)
	}
	w.oldOf(s)
	claims, err := g.stream(visit.StreamVisit, visitID)
	if err != nil {
		return Work{}, err
	}
	for i, c := range claims {
		if err := w.happened(c, statement.At(g.events[i].ReceivedAt.Time())); err != nil {
			return Work{}, err
		}
	}
	if err := w.parcel(g); err != nil {
		return Work{}, err
	}
	return w, w.returned(g)
}

// happened notes one statement of the visit.
func (w *Work) happened(c statement.Claims, at statement.Time) error {
	if special, err := w.kinds(c); special || err != nil {
		return err
	}
	done := WorkDone{Type: c.Type, By: c.Header.Role, Statement: c.Digest(), At: at, Good: true}
	switch c.Type {
	case visit.TypeStep:
		var b visit.Step
		if err := c.UntrustedBody(&b); err != nil {
			return err
		}
		done.Step, done.Good, done.Photos = b.Step, b.Done, int64(len(b.Photos))
	case custody.TypeArrival:
		var b custody.Arrival
		if err := c.UntrustedBody(&b); err != nil {
			return err
		}
		done.Good = b.SealsIntact
		w.found = append(w.found, b.Notice)
	case visit.TypeBackup:
		var b visit.Backup
		if err := c.UntrustedBody(&b); err != nil {
			return err
		}
		done.Good = b.Manifest == b.Restored
	case visit.TypeSignOff:
		var b visit.SignOff
		if err := c.UntrustedBody(&b); err != nil {
			return err
		}
		done.Good = b.Satisfied
	case visit.TypeNothingToKeep, visit.TypeConfirmation, visit.TypeAdmission, visit.TypeIncident:
	case "attestation":
		w.Attested = append(w.Attested, WorkAttested{At: at, AfterReport: slices.Contains(w.fresh, c.Header.Answers)})
		return nil
	case visit.TypeChallenge:
		if w.ReportAt != "" {
			w.fresh = append(w.fresh, c.Digest())
		}
		return nil
	case agreement.TypeAcceptance:
		w.ReportAt, w.fresh = at, nil
		for i := range w.Attested {
			w.Attested[i].AfterReport = false
		}
		return w.report(c)
	default:
		return nil
	}
	w.Done = append(w.Done, done)
	return nil
}

// report keeps the last report's lines.
func (w *Work) report(c statement.Claims) error {
	var b agreement.Acceptance
	if err := c.UntrustedBody(&b); err != nil {
		return err
	}
	w.Reported = []WorkReport{}
	for _, s := range b.Steps {
		w.Reported = append(w.Reported, WorkReport{Step: s.Name, Result: s.Result})
	}
	return nil
}

// parcel takes the last hand-over of the visit's device.
func (w *Work) parcel(g *gather) error {
	claims, err := g.stream(visit.StreamDevice, w.Serial)
	if err != nil {
		return err
	}
	for _, c := range claims {
		var t custody.Transfer
		if c.Type != custody.TypeTransfer {
			continue
		}
		if err := c.UntrustedBody(&t); err != nil {
			return err
		}
		w.Parcel = &Parcel{Transfer: c.Digest(), To: t.ToHolder, Notice: t.Notice}
	}
	w.compare()
	return nil
}

// compare says of each arrival whether its four numbers are the notice's; where nobody announced
// anything, none is.
func (w *Work) compare() {
	n := 0
	for i, d := range w.Done {
		if d.Type == custody.TypeArrival {
			w.Done[i].Good = d.Good && w.Parcel != nil && w.found[n] == w.Parcel.Notice
			n++
		}
	}
}

// required reads from the acquirer's newest parameters which steps this kind has, and who watches.
func (w *Work) required(g *gather, o visit.Order) error {
	before := len(g.events)
	if err := g.newest(refParameters, o.Acquirer); err != nil {
		return err
	}
	for _, e := range g.events[before:] {
		claims, err := g.add(e)
		if err != nil {
			return err
		}
		var p registry.Parameters
		if err := claims.UntrustedBody(&p); err != nil {
			return err
		}
		w.Watched, w.Steps = p.Supervise(o.Risk), []WorkStep{}
		for _, s := range p.StepsFor(o.Kind) {
			w.Steps = append(w.Steps, WorkStep{Step: s.Step, By: s.By, Photos: int64(s.Photos)})
		}
	}
	return nil
}
