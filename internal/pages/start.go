package pages

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/visit"
)

const rowsPerPage = 25

// searchable is what an order, a visit or a serial may look like. Names are not searched for: they
// would stand in the address.
var searchable = regexp.MustCompile(`^[A-Za-z0-9._-]{0,64}$`)

const maxCursor = 512

// start says what menshen is and, to somebody known, lists what he may see.
func (s *Server) start(w http.ResponseWriter, r *http.Request) error {
	p, err := s.look(w, r)
	if err != nil {
		return err
	}
	view, err := s.Source.Start(r.Context(), p.viewer)
	if err != nil {
		return err
	}
	p.demo = view.Demonstration
	view.SignIn = s.Desk.App != nil
	if s.Shops != nil && (p.viewer.Role == visit.RoleMerchant || p.viewer.Role == roleClerk) {
		http.Redirect(w, r, "/shop", http.StatusSeeOther)
		return nil
	}
	if !p.viewer.SignedIn() {
		return s.show(r.Context(), w, http.StatusOK, welcomePage(p, view))
	}
	f, sound := filterOf(r.URL.Query())
	var list VisitList
	if sound {
		if list, err = s.Source.Visits(r.Context(), p.viewer, f); err != nil {
			return err
		}
	}
	return s.show(r.Context(), w, http.StatusOK, listPage(p, view, list, f, sound))
}

// filterOf reads the filter from the address; false when the search can match nothing. What it cannot
// read it leaves out, so that no odd byte travels further.
func filterOf(q url.Values) (Filter, bool) {
	f := Filter{Limit: rowsPerPage}
	if state := q.Get("state"); slices.Contains(FilterStates, state) {
		f.State = state
	}
	if cursor := q.Get("after"); len(cursor) <= maxCursor {
		f.Cursor = cursor
	}
	search := q.Get("q")
	if !searchable.MatchString(search) {
		return f, false
	}
	f.Search = search
	return f, true
}

// filtered is the list's address with a filter in it.
func filtered(f Filter) templ.SafeURL {
	q := url.Values{}
	for key, value := range map[string]string{"state": f.State, "q": f.Search, "after": f.Cursor} {
		if value != "" {
			q.Set(key, value)
		}
	}
	u := url.URL{Path: "/", RawQuery: q.Encode()}
	return templ.SafeURL(u.String())
}

// withState and withCursor change one thing of a filter and begin again at the first page.
func (f Filter) withState(state string) Filter {
	f.State, f.Cursor = state, ""
	return f
}

func (f Filter) withCursor(cursor string) Filter {
	f.Cursor = cursor
	return f
}

func (f Filter) empty() bool { return f.State == "" && f.Search == "" && f.Cursor == "" }

// visitHref is a visit's page.
func visitHref(id string) templ.SafeURL {
	u := url.URL{Path: "/visits/" + id}
	return templ.SafeURL(u.String())
}

// rowLevel is how a row looks: only what is finished is green, since the list asks no conditions.
func rowLevel(r VisitRow) string {
	switch {
	case r.Stage == "closed":
		return LevelGood
	case r.Stage == "refused" || r.Stage == "aborted" || r.Stage == "rolled_back":
		return LevelOver
	case r.Frozen:
		return LevelStop
	}
	return LevelWait
}

// rowState is its word.
func rowState(r VisitRow) Text {
	if rowLevel(r) == LevelStop {
		return say("stand.frozen")
	}
	return say("stand." + r.Stage)
}
