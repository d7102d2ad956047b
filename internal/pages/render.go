package pages

import (
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/visit"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

// levelMind is a sign that warns and is about no visit.
const levelMind = "mind"

// open lists the conditions that a viewer sees at once, folded those behind a fold: at the counter,
// what holds is one line that can be opened.
func open(v VisitView) []ConditionView {
	return pick(v, func(c ConditionView) bool { return !v.Brief || c.Mark != MarkHolds })
}

func folded(v VisitView) []ConditionView {
	return pick(v, func(c ConditionView) bool { return v.Brief && c.Mark == MarkHolds })
}

func pick(v VisitView, wanted func(ConditionView) bool) []ConditionView {
	var out []ConditionView
	for _, c := range v.Conditions {
		if wanted(c) {
			out = append(out, c)
		}
	}
	return out
}

// outcomeClass names how a permit came out; expired is not an answer of the host, but reads as one.
func outcomeClass(v PermitView) string {
	switch {
	case v.Outcome == "" && v.Over:
		return "over"
	case v.Outcome == "":
		return "none"
	case v.Outcome == visit.Loaded || v.Outcome == visit.KeysEnded || v.Outcome == visit.OutcomeRefused || v.Outcome == visit.OutcomeCanceled:
		return v.Outcome
	}
	return visit.OutcomeRefused // an answer nobody knows is no yes
}

func bundleHref(id string) templ.SafeURL { return visitHref(id) + "/bundle" }

// errorKey names an error page's words; a status without any of its own reads as our defect.
func errorKey(status int) string {
	key := "error." + strconv.Itoa(status)
	if _, ok := words[key]; ok {
		return key
	}
	return "error." + strconv.Itoa(http.StatusInternalServerError)
}

// errorLevel: a page that does not exist or moved on is no alarm; being refused or broken is.
func errorLevel(status int) string {
	switch status {
	case http.StatusForbidden, http.StatusInternalServerError, http.StatusServiceUnavailable:
		return LevelStop
	case http.StatusNotFound, http.StatusBadRequest:
		return LevelOver
	}
	return LevelWait
}
