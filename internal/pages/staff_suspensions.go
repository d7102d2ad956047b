package pages

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/visit"
)

const suspensionsPath = "/staff/suspensions"

// suspensionRoles see what is stopped; the last two can stop and lift.
var suspensionRoles = []string{visit.RoleDispatcher, visit.RoleApprover, visit.RoleRisk, visit.RoleRegulator}

// suspensionReasons are the codes that the form offers.
var suspensionReasons = []string{"fraud", "complaints", "unlicensed", "rating_failed", "other"}

// liftReasons are why a suspension ends, and liftDevice why a device's mark does.
var (
	liftReasons = []string{"cleared", "rating_passed", "mistake"}
	liftDevice  = []string{"inspected", "maker_checked", "mistake"}
)

// deviceMarks are what a device is marked as.
var deviceMarks = []string{visit.MarkLost, visit.MarkQuarantined}

// liftOf gives why what is stopped may go on.
func liftOf(s app.Suspended) []string {
	if s.SubjectKind == visit.StreamDevice {
		return liftDevice
	}
	return liftReasons
}

// SuspensionsView is what is stopped, and whom its viewer is about to stop.
type SuspensionsView struct {
	Rows       []app.Suspended
	After      string
	Next       string
	May        bool // suspend
	Kind, ID   string
	About      *app.Suspendable // nil: nobody was asked for, or nobody is there
	NotThere   bool
	SubjectFor []string
}

func (s *Server) suspensions(w http.ResponseWriter, r *http.Request) error {
	p, err := s.staff(w, r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	v := SuspensionsView{After: listQueryOf(q).After, May: slices.Contains([]string{visit.RoleRisk, visit.RoleRegulator}, p.viewer.Role), Kind: q.Get("kind"), ID: q.Get("id")}
	if v.Rows, v.Next, err = s.Desk.App.AllSuspended(r.Context(), actorOf(p.viewer), v.After, rowsPerPage); err != nil {
		return err
	}
	if v.May && v.ID != "" {
		about, err := s.Desk.App.Suspendable(r.Context(), actorOf(p.viewer), v.Kind, v.ID)
		switch {
		case err == nil:
			v.About = &about
		case fault.KindOf(err) == fault.NotFound:
			v.NotThere, v.ID = true, ""
		default:
			return err
		}
	}
	allow(w, needs{api: true, passkey: true})
	return s.show(r.Context(), w, http.StatusOK, suspensionsPage(p, v))
}

func suspensionsHref(after string) templ.SafeURL {
	u := url.URL{Path: suspensionsPath}
	if after != "" {
		u.RawQuery = url.Values{"after": {after}}.Encode()
	}
	return templ.SafeURL(u.String())
}

// streamsOf are the API's names for the streams of those who can be suspended.
var streamsOf = map[string]string{"organisation": "organisations", "person": "people", "device": "devices"}

// whyStopped is the reason as it is shown: the words for one of ours, else the code itself.
func (p *page) whyStopped(s app.Suspended) string {
	if s.Visit != "" {
		return p.t("risk.matter." + matterKey(s.Matter))
	}
	return p.reasonOf(s.Reason)
}

func (p *page) reasonOf(code string) string {
	if slices.Contains(deviceMarks, code) {
		return p.t("mark." + code)
	}
	if slices.Contains(suspensionReasons, code) {
		return p.t("suspend.reason." + code)
	}
	return code
}
