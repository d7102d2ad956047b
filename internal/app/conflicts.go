package app

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// How a conflict is settled.
const (
	ConflictStands = "stands" // what is recorded stands
	ConflictLate   = "late"   // the late statement says what was so; what follows is done anew
)

// matterConflict is what an open conflict is among a visit's open matters.
const matterConflict = "conflict"

// maxReason bounds a settlement's reason in characters.
const maxReason = 200

var (
	errNoConflict   = fault.New(fault.NotFound, "conflict_not_found", "没有这处矛盾，或者您无权查看。", "There is no such conflict, or you may not see it.")
	errConflictForm = fault.New(fault.Invalid, "settlement_malformed", "要选哪一份算数，并写明理由（200 字以内）。", "A settlement says which statement counts, and why, in at most 200 characters.")
)

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
}

// Open says whether nobody has settled it.
func (c Conflict) Open() bool { return c.Row.SettledAt == 0 }

// Conflicts lists those that the actor may settle, open ones first: of his provider, or of his acquirer's visits.
func (a *App) Conflicts(ctx context.Context, actor Actor) (out []Conflict, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		var rows []store.Conflict
		switch {
		case access.Decide(access.Role(actor.Role), access.Carry, access.OwnOrganisation).Allowed():
			rows, err = tx.ConflictsOfProvider(ctx, actor.Organisation, maxPage)
		case access.Decide(access.Role(actor.Role), visit.Resume, access.OwnOrganisation).Allowed():
			rows, err = tx.ConflictsOfOrg(ctx, actor.Organisation, maxPage)
		default:
			err = access.Require(access.Role(actor.Role), access.Carry, access.OwnOrganisation)
		}
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

// SettleConflict says which of the two counts, and why. Both stay as they are. Faults: conflict_not_found,
// conflict_settled, settlement_malformed.
func (a *App) SettleConflict(ctx context.Context, actor Actor, id, outcome, reason string) error {
	reason = strings.TrimSpace(reason)
	if !slices.Contains([]string{ConflictStands, ConflictLate}, outcome) || reason == "" || utf8.RuneCountInString(reason) > maxReason || !utf8.ValidString(reason) {
		return errConflictForm
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		c, err := tx.Conflict(ctx, id)
		if fault.KindOf(err) == fault.NotFound {
			return errNoConflict
		}
		if err != nil {
			return err
		}
		role, rel := access.Role(actor.Role), Relation(actor, visit.Order{Acquirer: c.Org, Provider: c.Provider}, visit.Dispatch{})
		if !access.Decide(role, access.Carry, rel).Allowed() && !access.Decide(role, visit.Resume, rel).Allowed() {
			return errNoConflict
		}
		return tx.SettleConflict(ctx, id, actor.Person, outcome, reason, a.Now())
	})
}
