package evidence_test

import (
	"bytes"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// ownFault demands that what was refused was refused with a fault of our own.
func ownFault(t *testing.T, err error) {
	t.Helper()
	if k := fault.KindOf(err); k != fault.Invalid && k != fault.Refused && k != fault.TooLarge {
		t.Fatalf("kind %q: %v", k, err)
	}
}

// FuzzOpen: whatever opens has exactly one form, and is not accepted unless it is the honest bundle.
func FuzzOpen(f *testing.F) {
	p := open(f, visit.Install, 0)
	if err := scenario.Run(f.Context(), scenario.Until(p.Install(), "badge")); err != nil {
		f.Fatal(err)
	}
	honest, err := p.Venue.Bundle(f.Context(), p.Cast.Merchant, p.ID)
	if err != nil {
		f.Fatal(err)
	}
	b, err := evidence.Open(honest)
	if err != nil {
		f.Fatal(err)
	}
	b.Entries, b.Openings = b.Entries[:1], b.Openings[:1]
	small, err := b.Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(small)
	f.Add([]byte(`{"format":"menshen-bundle-v1","visit":"v1","entries":[],"openings":[],"closing":""}`))
	reader := evidence.NewReader(p.Trust)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := evidence.Open(data)
		if err != nil {
			ownFault(t, err)
			return
		}
		again, err := b.Bytes()
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("a second form of one bundle: %v", err)
		}
		if r := reader.Verify(b); r.Accepted() {
			t.Fatal("accepted")
		} else {
			ownFault(t, r.Refusal)
		}
	})
}

// FuzzParseTrust: whatever is believed has exactly one form, named by its fingerprint.
func FuzzParseTrust(f *testing.F) {
	p, err := scenario.InMemoryPlay(visit.Install, 0, began, nil)
	if err != nil {
		f.Fatal(err)
	}
	honest, err := statement.Canonical(p.Trust.File())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(honest)
	f.Add([]byte(`{"format":"menshen-trust-v1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		trust, err := evidence.ParseTrust(data)
		if err != nil {
			ownFault(t, err)
			if trust.OK() {
				t.Fatal("refused and trusted")
			}
			return
		}
		again, err := statement.Canonical(trust.File())
		if err != nil || !bytes.Equal(again, data) || trust.Fingerprint() != statement.Digest(data) || !trust.OK() {
			t.Fatalf("a second form of one trust file: %v", err)
		}
	})
}
