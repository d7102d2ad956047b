package visit_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Whatever body somebody entitled signs, under whatever verb: no panic, no internal error, nothing half
// recorded, and never another visit's.
func FuzzBody(f *testing.F) {
	bases := []*story{at(f, visit.Booked), at(f, visit.Admitted), at(f, visit.Trial), at(f, visit.Closed)}
	rows := visit.Table()
	for i, row := range rows {
		for b, base := range bases {
			if row.Stream != visit.StreamVisit {
				continue
			}
			body, _ := bodyFor(base, row)
			raw, err := statement.Canonical(body)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), uint8(b), raw)
		}
	}
	f.Fuzz(func(t *testing.T, i, b uint8, body []byte) {
		row, base := rows[int(i)%len(rows)], bases[int(b)%len(bases)]
		by := inRole(row.Roles[0])
		data, err := statement.Sign(by.key, statement.Unsigned{Type: row.Type, Subject: stream, Body: json.RawMessage(body),
			Header: statement.Header{Signer: by.name, Organisation: by.organisation, Role: by.role, At: statement.At(noon), Previous: base.state.LastBy(by.thumb)}})
		if err != nil {
			return // nobody can sign it
		}
		v, err := statement.Verify(data, statement.KeyOf(&by.key.PublicKey))
		if err != nil {
			t.Fatal(err)
		}
		next, err := visit.Decide(base.state, row.Verb, v, noon)
		if err != nil {
			if fault.KindOf(err) == fault.Internal || !reflect.DeepEqual(next, visit.State{}) {
				t.Fatalf("%v, state %v", err, next)
			}
			return
		}
		var about struct {
			Visit *string `json:"visit"`
		}
		if json.Unmarshal(body, &about) == nil && about.Visit != nil && *about.Visit != visitID && known(row.Type) {
			t.Fatalf("%s recorded for %q", row.Type, *about.Visit)
		}
		if next.Number() != base.state.Number()+1 || next.ID() != visitID {
			t.Fatalf("number %d, id %q", next.Number(), next.ID())
		}
	})
}

// known says whether this package reads a type's body; the others are read by their own packages.
func known(kind string) bool {
	switch kind {
	case "arrival", "attestation", "acceptance", "charge_list":
		return false
	}
	return true
}
