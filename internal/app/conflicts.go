package app

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// matterConflict is what an open conflict is among a visit's open matters.
const matterConflict = "conflict"

// refRuling finds the ruling on a kept statement by that statement's digest.
const refRuling = "ruling"

var errNoConflict = fault.New(fault.NotFound, "conflict_not_found", "没有这处矛盾，或者您无权查看。", "There is no such conflict, or you may not see it.")

// keepConflict keeps a technician's proven statement that was refused because another of his stands in its place:
// both name the same one before. One that only waits for a statement still under way is no conflict. What is kept is in no stream; it
// holds up the visit until a person settles it (design §4).
func (w *writing) keepConflict(ctx context.Context, refused error) error {
	h := w.claims.Header
	against := map[string]func(context.Context, *store.Tx) (string, error){"signer_chain_broken": w.rivalOf, errFormer.Code: w.dispatchNow}[fault.CodeOf(refused)]
	if against == nil || h.Role != visit.RoleTechnician || !w.envelope.OK() {
		return nil
	}
	return w.app.Store.Write(ctx, func(tx *store.Tx) error {
		stands, err := against(ctx, tx)
		if err != nil || stands == "" {
			return err
		}
		o := w.before.order
		return tx.AddConflict(ctx, store.Conflict{Statement: w.claims.Digest(), Org: o.Acquirer, Provider: o.Provider, Visit: w.id, Signer: h.Signer, Verb: w.in.Verb,
			Stands: stands, Envelope: w.in.Envelope, FoundAt: store.At(w.now)})
	})
}

// mostLate bounds what one visit keeps for a person of those who were on it before.
const mostLate = 16

var errFormer = fault.New(fault.Conflict, "statement_of_former_technician", "这次上门已经换了人。您签的收下了，派单的人会看；不用再发。", "Somebody else is on this visit now. What you signed was kept, and the dispatcher looks at it; do not send it again.")

// formerly says whether the actor is a technician who was sent on this visit before somebody else was. What he signed
// meanwhile without signal is evidence: it is kept for a person and not refused as a stranger's (design §4).
func (w *writing) formerly(ctx context.Context) (former bool, err error) {
	if w.kind != visit.StreamVisit || w.actor == nil || w.actor.Role != visit.RoleTechnician || w.claims.Header.Signer != w.actor.Person || w.claims.Header.Organisation != w.actor.Organisation {
		return false, nil
	}
	err = w.app.Store.Read(ctx, func(tx *store.Tx) error {
		open, err := tx.OpenConflicts(ctx, w.id, mostLate)
		if err != nil || len(open) == mostLate {
			return err
		}
		sent, err := w.dispatches(ctx, tx)
		for i, d := range sent {
			if d.body.Technician == w.actor.Person && d.body.Issuer == w.actor.Organisation {
				former = i < len(sent)-1 // not who is on the visit now: he is refused what is not his as anybody is
			}
		}
		return err
	})
	return former, err
}

// sent is one dispatch of a visit, with its statement.
type sent struct {
	statement string
	body      visit.Dispatch
}

func (w *writing) dispatches(ctx context.Context, tx *store.Tx) (out []sent, err error) {
	list, err := w.app.gather(ctx, tx).stream(w.kind, w.id)
	for _, c := range list {
		if c.Type != visit.TypeDispatch || err != nil {
			continue
		}
		d := sent{statement: c.Digest()}
		if err = c.UntrustedBody(&d.body); err == nil { // it was proven as it came in
			out = append(out, d)
		}
	}
	return out, err
}

// dispatchNow is the statement that sent whoever is on the visit now.
func (w *writing) dispatchNow(ctx context.Context, tx *store.Tx) (string, error) {
	list, err := w.dispatches(ctx, tx)
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[len(list)-1].statement, nil
}

// rivalOf finds the recorded statement of the same key that names the same one before, "" for none.
func (w *writing) rivalOf(ctx context.Context, tx *store.Tx) (string, error) {
	list, err := w.app.gather(ctx, tx).stream(w.kind, w.id)
	if err != nil {
		return "", err
	}
	for _, c := range list {
		if c.Header.Key == w.claims.Header.Key && c.Header.Previous == w.claims.Header.Previous {
			return c.Digest(), nil
		}
	}
	return "", nil
}

// Side is one of two statements that contradict each other, as a person reads it: commitments stay commitments.
type Side struct {
	Statement string // digest
	Type      string
	At        statement.Time // as its signer wrote
	Body      string         // indented JSON
}

// Conflict is two statements of one signer for one place, and what became of it.
type Conflict struct {
	Row    store.Conflict
	Stands Side
	Late   Side
	Ruling string // digest of the event that settled it; "" while open, or when it was settled before rulings were signed
}

// Open says whether nobody has settled it.
func (c Conflict) Open() bool { return c.Row.SettledAt == 0 }

// Conflicts lists those that the actor may settle, open ones first: of his provider, or of his acquirer's visits.
func (a *App) Conflicts(ctx context.Context, actor Actor) (out []Conflict, err error) {
	if err := access.Require(access.Role(actor.Role), visit.Settle, access.OwnOrganisation); err != nil {
		return nil, err
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		list := tx.ConflictsOfOrg
		if actor.Role == visit.RoleDispatcher {
			list = tx.ConflictsOfProvider
		}
		rows, err := list(ctx, actor.Organisation, maxPage)
		if err != nil {
			return err
		}
		for _, row := range rows {
			c := Conflict{Row: row}
			stands, err := tx.Statement(ctx, row.Stands)
			if err != nil {
				return err
			}
			if c.Stands, err = sideOf(stands); err != nil {
				return err
			}
			if c.Late, err = sideOf(row.Envelope); err != nil {
				return err
			}
			ruled, err := tx.Refs(ctx, refRuling, row.Statement, 1)
			if err != nil {
				return err
			}
			if len(ruled) > 0 {
				c.Ruling = ruled[0]
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

func sideOf(envelope []byte) (Side, error) {
	c, err := statement.Parse(envelope)
	if err != nil {
		return Side{}, err
	}
	var signed struct {
		Predicate struct {
			Body json.RawMessage `json:"body"`
		} `json:"predicate"`
	}
	if err := json.Unmarshal(c.Payload(), &signed); err != nil { // strict reading is behind us: this only shows
		return Side{}, err
	}
	var text bytes.Buffer
	err = json.Indent(&text, signed.Predicate.Body, "", "  ")
	return Side{Statement: c.Digest(), Type: c.Type, At: c.Header.At, Body: text.String()}, err
}

// indexRuling settles the conflict that a ruling names, in the transaction that records it. What is ruled on must be
// kept here as the ruling says: whose statements, in which visit, against which. A recorded ruling that is replayed finds
// no kept statements beside it.
func (w *writing) indexRuling(ctx context.Context, tx *store.Tx) error {
	r, err := body[visit.Ruling](w)
	if err != nil {
		return err
	}
	if err := w.ref(ctx, tx, refRuling, r.Late, w.entry.Number); err != nil || w.fixed != nil {
		return err
	}
	c, err := tx.Conflict(ctx, r.Late)
	if fault.KindOf(err) == fault.NotFound || err == nil && (c.Visit != w.id || c.Signer != r.Signer || c.Stands != r.Stands) {
		return errNoConflict
	}
	if err != nil {
		return err
	}
	return tx.SettleConflict(ctx, r.Late, w.claims.Header.Signer, r.Outcome, r.Reason, w.now)
}
