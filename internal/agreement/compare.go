package agreement

import "slices"

// Kinds of change between two sheets.
const (
	ChangeAdded   = "added"
	ChangeRemoved = "removed"
	ChangeOther   = "changed"
)

// Change is one difference between two sheets. Old and New are places in the earlier and the later sheet, such as
// items[0]; "" where there is none. Dearer says that the shop pays more, or gets back or gets less, than before.
type Change struct {
	Kind   string `json:"kind"`
	Part   string `json:"part"` // items, rates, clauses, responsibility, or the name of a single member
	Code   string `json:"code"` // of the line; "" for single members
	Old    string `json:"old"`
	New    string `json:"new"`
	Dearer bool   `json:"dearer"`
}

// Compare finds what changed from an earlier sheet to a later one, line by line: fees by code, rates by card,
// clauses by their whole text, duties by step. Whether a change is allowed is not its question; a shop is shown
// all of it (条例 art. 20: 30 days' notice of change).
func Compare(old, new Sheet) []Change {
	out := append([]Change{}, compareLines("items", old.Items, new.Items, func(i Item) string { return i.Code }, itemDearer)...)
	out = append(out, compareLines("rates", old.Rates, new.Rates, func(r Rate) string { return r.Card }, rateDearer)...)
	out = append(out, compareLines("clauses", old.Clauses, new.Clauses, func(c Clause) string { return c.Code + "\x00" + c.Text }, nil)...)
	out = append(out, compareLines("responsibility", old.Responsibility, new.Responsibility, func(r Responsible) string { return r.Step }, nil)...)
	for i := range out {
		if out[i].Part == "clauses" {
			out[i].Code = "" // its text is no code
		}
	}
	return append(out, compareMembers(old, new)...)
}

// compareLines pairs the lines of two lists by key. dearer compares two lines of one key, nil never does.
func compareLines[T comparable](part string, old, new []T, key func(T) string, dearer func(old, new T) bool) []Change {
	var out []Change
	find := func(list []T, k string) int {
		return slices.IndexFunc(list, func(l T) bool { return key(l) == k })
	}
	var none T
	for i, was := range old {
		c := Change{Kind: ChangeOther, Part: part, Code: key(was), Old: place(part, i)}
		j := find(new, c.Code)
		switch {
		case j < 0:
			c.Kind = ChangeRemoved
			c.Dearer = dearer != nil && dearer(was, none)
		case new[j] == was:
			continue
		default:
			c.New = place(part, j)
			c.Dearer = dearer != nil && dearer(was, new[j])
		}
		out = append(out, c)
	}
	for j, is := range new {
		if find(old, key(is)) < 0 {
			out = append(out, Change{Kind: ChangeAdded, Part: part, Code: key(is), New: place(part, j), Dearer: dearer != nil && dearer(none, is)})
		}
	}
	return out
}

// itemDearer compares a fee. Another rhythm, another receiver or another condition for getting money back counts
// as dearer: what is cheaper needs no watching.
func itemDearer(old, new Item) bool {
	if new.Code == "" {
		return false // a fee that is gone
	}
	return new.AmountFen > old.AmountFen || old.Code != "" && (new.Per != old.Per || new.When != old.When || new.PaidTo != old.PaidTo || new.ReturnCondition != old.ReturnCondition)
}

// rateDearer compares a rate. One that is gone is not free: the sheet no longer says what such a card costs.
func rateDearer(old, new Rate) bool {
	capped := old.CapFen > 0 && (new.CapFen == 0 || new.CapFen > old.CapFen)
	return new.Card == "" || new.RatePPM > old.RatePPM || capped
}

func compareMembers(old, new Sheet) []Change {
	var out []Change
	add := func(changed bool, part string, dearer bool) {
		if changed {
			out = append(out, Change{Kind: ChangeOther, Part: part, Old: part, New: part, Dearer: dearer})
		}
	}
	add(old.Terms != new.Terms, "terms", false)
	add(old.Acquirer != new.Acquirer, "acquirer", false)
	add(old.Provider != new.Provider, "provider", false)
	add(old.SettledBy != new.SettledBy, "settled_by", false)
	add(old.Scope != new.Scope, "scope", false)
	add(old.WarrantyMonths != new.WarrantyMonths, "warranty_months", new.WarrantyMonths < old.WarrantyMonths)
	add(old.ResponseHours != new.ResponseHours, "response_hours", slower(old.ResponseHours, new.ResponseHours))
	add(old.ResolutionHours != new.ResolutionHours, "resolution_hours", slower(old.ResolutionHours, new.ResolutionHours))
	return out
}

// slower says whether a promise of hours got worse; 0 promises nothing.
func slower(old, new int) bool { return old > 0 && (new == 0 || new > old) }
