package evidence

import (
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Commitments lists the commitments among entries whose openings the gate reads, so that a server
// can fetch them from its vault. It reads without proving; a commitment that is not one opens
// nothing, and a statement that cannot be read is refused where it stands.
func Commitments(entries []Entry) ([]string, error) { return NewReader(Trust{}).Commitments(entries) }

// Commitments is the function of this name, with the reader's memory.
func (r *Reader) Commitments(entries []Entry) ([]string, error) {
	items, err := r.parse(entries)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var out []string
	for _, it := range items {
		positions, err := it.positions()
		if err != nil {
			return nil, fault.At(err, it.place)
		}
		for _, c := range positions {
			if statement.IsDigest(c) && !seen[c] {
				seen[c] = true
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// positions are the commitments to positions, and on a relocation to addresses, that one statement holds.
func (it item) positions() ([]string, error) {
	switch it.claims.Type {
	case visit.TypeOrder:
		var o visit.Order
		err := it.claims.UntrustedBody(&o)
		return append([]string{o.Position}, addresses(o)...), err
	case visit.TypeAdmission:
		var a visit.Admission
		err := it.claims.UntrustedBody(&a)
		return []string{a.Position, credential.Committed(a.Presentation)[0]}, err
	case visit.TypeStep:
		var s visit.Step
		err := it.claims.UntrustedBody(&s)
		return []string{s.Position}, err
	}
	return nil, nil
}

// committedIn collects everything in the statements that may be a commitment: each run of 64
// hexadecimal digits, and what a badge's presentation commits to. More is taken than is one;
// nobody finds an opening for a digest that is none.
func committedIn(items []item) map[string]bool {
	out := map[string]bool{}
	for _, it := range items {
		digestsIn(it.claims.Payload(), out)
		if it.claims.Type != visit.TypeAdmission {
			continue
		}
		var a visit.Admission
		_ = it.claims.UntrustedBody(&a) // unreadable: it commits to nothing
		for _, c := range credential.Committed(a.Presentation) {
			out[c] = true
		}
	}
	return out
}

// digestsIn finds the runs of exactly 64 lower-case hexadecimal digits.
func digestsIn(data []byte, out map[string]bool) {
	start := 0
	for i := 0; i <= len(data); i++ {
		if i < len(data) && (data[i] >= '0' && data[i] <= '9' || data[i] >= 'a' && data[i] <= 'f') {
			continue
		}
		if i-start == 64 {
			out[string(data[start:i])] = true
		}
		start = i + 1
	}
}
