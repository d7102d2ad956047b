package organisation

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strconv"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/service"
)

var (
	errToken = fault.New(fault.Unauthenticated, "organisation_token_wrong", "没有带上机构认识的口令。", "The request carries no token that this organisation knows.")
	errSide  = fault.New(fault.Forbidden, "organisation_token_other_side", "这个口令不能用来做这件事。", "This token belongs to the other side.")
)

// Who may ask.
type side int

const (
	anybody side = iota
	menshen
	desk // the organisation's own
)

type route struct {
	pattern string
	side    side
	serve   func(http.ResponseWriter, *http.Request) error
}

// Server is the service behind HTTP.
type Server struct {
	*Service
	menshenToken [sha256.Size]byte
	deskToken    [sha256.Size]byte
	desk         string // the token itself, which the desk's page signs in with
}

// NewServer reads both sides' tokens.
func NewServer(s *Service) (*Server, error) {
	m, err := s.conf.MenshenToken()
	if err != nil {
		return nil, err
	}
	d, err := s.conf.DeskToken()
	if err != nil {
		return nil, err
	}
	if m == d {
		return nil, errKeyFile.At(deskToken)
	}
	return &Server{Service: s, menshenToken: sha256.Sum256([]byte(m)), deskToken: sha256.Sum256([]byte(d)), desk: d}, nil
}

// routes lists every address of the service.
func (s *Server) routes() []route {
	return []route{
		{"GET /healthz", anybody, func(w http.ResponseWriter, _ *http.Request) error {
			return service.Write(w, "text/plain; charset=utf-8", []byte("ok\n"))
		}},
		{"POST /enrolments", menshen, asked(s.Enrol)},
		{"POST /enrolments/end", menshen, asked(func(a orgapi.KeyEnd) (orgapi.Answer, error) { return s.EndKey(a.Key, a.Reason, a.By) })},
		{"POST /badges", menshen, asked(s.Badge)},
		{"POST /badges/end", menshen, asked(func(a orgapi.BadgeEnd) (orgapi.Answer, error) { return s.EndBadges(a.Holder, a.Reason, a.By) })},
		{"GET /statements", menshen, s.statements},
		{"GET /people", menshen, s.people},
		{"GET /courses/texts/{digest}", menshen, s.courseText},
		{"POST /courses/papers", menshen, answering(s.Paper)},
		{"POST /courses/attempts", menshen, large(s.Attempt)},
		{"POST /courses/standing", menshen, answering(s.Standing)},

		{"GET /desk/people", desk, s.people},
		{"POST /desk/people", desk, asked(s.deskPerson)},
		{"POST /desk/people/leave", desk, asked(func(a DeskAsk) (orgapi.Answer, error) { return s.Leave(a.Holder, a.Role, a.Reason) })},
		{"POST /desk/codes", desk, s.deskCode},
		{"POST /desk/codes/revoke", desk, asked(func(a DeskAsk) (orgapi.Answer, error) { return answerOf(nil), s.RevokeCode(a.Holder, a.Role) })},
		{"POST /desk/keys/end", desk, asked(func(a DeskAsk) (orgapi.Answer, error) { return s.EndKey(a.Key, a.Reason, byDesk) })},
		{"POST /desk/badges/end", desk, asked(func(a DeskAsk) (orgapi.Answer, error) { return s.EndBadges(a.Holder, a.Reason, byDesk) })},
		{"POST /desk/courses", desk, large(s.deskCourse)},
		{"POST /desk/lists", desk, large(s.Publish)},
		{"GET /desk/lists", desk, func(w http.ResponseWriter, _ *http.Request) error { return service.WriteJSON(w, s.Lists()) }},
		{"GET /desk/results", desk, func(w http.ResponseWriter, _ *http.Request) error { return service.WriteJSON(w, s.Results()) }},

		{"GET /{$}", anybody, s.page},
		{"POST /sign-in", anybody, s.pageSignIn},
		{"POST /do", anybody, s.pageDo},
		{"GET /desk.css", anybody, s.pageStyle},
	}
}

// Handler is the whole service. What a browser sends from another site is refused: the desk's page has
// a cookie.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.pattern, s.only(r.side, service.Answering(r.serve)))
	}
	return http.NewCrossOriginProtection().Handler(service.Routed(mux))
}

// only lets one side in. Tokens are compared by their digests, so that time tells nothing.
func (s *Server) only(who side, inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := sha256.Sum256([]byte(service.Bearer(r)))
		isDesk := subtle.ConstantTimeCompare(given[:], s.deskToken[:]) == 1
		isMenshen := subtle.ConstantTimeCompare(given[:], s.menshenToken[:]) == 1
		switch {
		case who == anybody, who == desk && isDesk, who == menshen && isMenshen:
			inner.ServeHTTP(w, r)
		case isDesk, isMenshen:
			service.WriteProblem(w, errSide)
		default:
			w.Header().Set("WWW-Authenticate", "Bearer")
			service.WriteProblem(w, errToken)
		}
	})
}

// asked makes a handler of an ask that is answered with what was signed.
func asked[A any](do func(A) (orgapi.Answer, error)) func(http.ResponseWriter, *http.Request) error {
	return answering(do)
}

// answering makes a handler of any ask.
func answering[A, B any](do func(A) (B, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		var a A
		if err := service.Decode(r, &a); err != nil {
			return err
		}
		answer, err := do(a)
		if err != nil {
			return err
		}
		return service.WriteJSON(w, answer)
	}
}

// maxLarge bounds a course file, and an attempt with the trust list beside it, in bytes.
const maxLarge = 4 << 20

// large is answering for what is longer than any other ask.
func large[A, B any](do func(A) (B, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		var a A
		if err := service.DecodeLarge(r, &a, maxLarge); err != nil {
			return err
		}
		answer, err := do(a)
		if err != nil {
			return err
		}
		return service.WriteJSON(w, answer)
	}
}

// statements answers ?after=N&wait=SECONDS.
func (s *Server) statements(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	after, errA := strconv.ParseInt(q.Get("after"), 10, 64)
	wait, errW := strconv.Atoi(q.Get("wait"))
	if errA != nil || errW != nil || after < 0 || wait < 0 || wait > 3600 {
		return orgapi.ErrAskForm.At("after, wait")
	}
	answer, err := s.Statements(r.Context(), after, time.Duration(wait)*time.Second)
	if err != nil {
		return err
	}
	return service.WriteJSON(w, answer)
}

func (s *Server) people(w http.ResponseWriter, _ *http.Request) error {
	return service.WriteJSON(w, s.People())
}

// DeskAsk is what the organisation's own side asks for. Which members count depends on the address.
type DeskAsk struct {
	Holder string `json:"holder"`
	Role   string `json:"role"`
	Reason string `json:"reason"`
	Key    string `json:"key"`
	Name   string `json:"name"`  // commitment
	Photo  string `json:"photo"` // commitment
}

// DeskCode is a code that was just made, for the sheet.
type DeskCode struct {
	Code         string `json:"code"`
	Holder       string `json:"holder"`
	Role         string `json:"role"`
	Until        string `json:"until"` // RFC 3339
	Organisation string `json:"organisation"`
	Name         string `json:"name"` // the organisation's, for people
	Site         string `json:"site"`
	Phone        string `json:"phone"`
}

func (s *Server) deskPerson(a DeskAsk) (orgapi.Answer, error) {
	return answerOf(nil), s.PutPerson(a.Holder, a.Role, a.Name, a.Photo)
}

func (s *Server) deskCode(w http.ResponseWriter, r *http.Request) error {
	var a DeskAsk
	if err := service.Decode(r, &a); err != nil {
		return err
	}
	made, err := s.MakeCode(a.Holder, a.Role, a.Reason)
	if err != nil {
		return err
	}
	return service.WriteJSON(w, s.Sheet(made))
}

// Sheet is what stands on the paper that hands a code over.
func (s *Service) Sheet(m MadeCode) DeskCode {
	return DeskCode{Code: m.Code.Printed(), Holder: m.Holder, Role: m.Role, Until: m.Until.UTC().Format(time.RFC3339), Organisation: s.conf.Organisation,
		Name: s.conf.Name, Site: s.conf.Site, Phone: s.conf.Phone}
}
