package pages

import (
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/visit"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

// outcomeClass names how a permit came out; expired is not an answer of the host, but reads as one.
func outcomeClass(v PermitView) string {
	switch {
	case v.Outcome == "" && v.Over:
		return "over"
	case v.Outcome == "":
		return "none"
	case v.Outcome == visit.Loaded || v.Outcome == visit.OutcomeRefused || v.Outcome == visit.OutcomeCanceled:
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
