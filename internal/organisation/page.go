package organisation

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/service"
)

//go:embed desk.html
var deskHTML string

//go:embed desk.css
var deskCSS []byte

var deskPage = template.Must(template.New("desk").Funcs(template.FuncMap{
	"day": func(t any) string { return dayOf(t) }, "zh": func(role string) string { return roleWords[role][0] },
}).Parse(deskHTML))

// deskCookie holds a MAC under the desk's token over the time until which somebody is signed in: nothing
// to keep, and a new token signs everybody out.
const (
	deskCookie = "organisation_desk"
	deskHolds  = 8 * time.Hour
)

func dayOf(t any) string {
	s, _ := t.(interface{ Parse() (time.Time, error) })
	if s == nil {
		return ""
	}
	at, err := s.Parse()
	if err != nil {
		return ""
	}
	return at.In(chinaTime).Format("2006-01-02 15:04")
}

func (s *Server) deskMAC(until string) string {
	mac := hmac.New(sha256.New, s.deskToken[:])
	mac.Write([]byte("desk " + until))
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *Server) signedIn(r *http.Request) bool {
	c, err := r.Cookie(deskCookie)
	if err != nil {
		return false
	}
	until, mac, ok := strings.Cut(c.Value, "|")
	at, err := time.Parse(time.RFC3339, until)
	return ok && err == nil && s.now().Before(at) && hmac.Equal([]byte(mac), []byte(s.deskMAC(until)))
}

// deskView is what the page shows.
type deskView struct {
	Name     string
	SignedIn bool
	People   []orgapi.Person
	Lacking  int // active people without a key
	Roles    []string
	Problem  *fault.Text
	Issues   bool
	Wrong    bool
	Holder   string // whom a link from menshen is about, "" for nobody
	Role     string
}

// about is whom a link is about: an id and a role that this organisation enrols, nothing for anything else.
func (s *Server) about(r *http.Request) (holder, role string) {
	holder, role = r.URL.Query().Get("holder"), r.URL.Query().Get("role")
	if identifier.CheckID(holder) != nil || s.enrols(role) != nil {
		return "", ""
	}
	return holder, role
}

func (s *Server) view(r *http.Request) deskView {
	v := deskView{Name: s.conf.Name, SignedIn: s.signedIn(r), Issues: s.Issues()}
	v.Holder, v.Role = s.about(r)
	if !v.SignedIn {
		return v
	}
	v.People = s.People().People
	for _, p := range v.People {
		if p.State == orgapi.Active && p.Key == "" {
			v.Lacking++
		}
	}
	for _, role := range []string{"merchant", "approver", "risk", "host", "technician", "dispatcher", "custodian", "supervisor"} {
		if s.enrols(role) == nil {
			v.Roles = append(v.Roles, role)
		}
	}
	return v
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) error { return s.show(w, s.view(r)) }

func (s *Server) show(w http.ResponseWriter, v deskView) error {
	var b bytes.Buffer
	if err := deskPage.Execute(&b, v); err != nil {
		return err
	}
	return html(w, b.Bytes())
}

func html(w http.ResponseWriter, data []byte) error {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	return service.Write(w, "text/html; charset=utf-8", data)
}

func (s *Server) pageStyle(w http.ResponseWriter, _ *http.Request) error {
	return service.Write(w, "text/css; charset=utf-8", deskCSS)
}

// pageSignIn takes the desk's token once and gives a cookie for a working day.
func (s *Server) pageSignIn(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, service.MaxBody)
	given := sha256.Sum256([]byte(strings.TrimSpace(r.PostFormValue("token"))))
	if !hmac.Equal(given[:], s.deskToken[:]) {
		v := s.view(r)
		v.Wrong = true
		return s.show(w, v)
	}
	until := s.now().Add(deskHolds).UTC().Format(time.RFC3339)
	http.SetCookie(w, &http.Cookie{Name: deskCookie, Value: until + "|" + s.deskMAC(until), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil, MaxAge: int(deskHolds.Seconds())})
	to := url.URL{Path: "/"}
	if holder, role := s.about(r); holder != "" {
		to.RawQuery = url.Values{"holder": {holder}, "role": {role}}.Encode()
	}
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
	return nil
}

// pageDo does one thing for one person and shows the list again, or the sheet of a new code.
func (s *Server) pageDo(w http.ResponseWriter, r *http.Request) error {
	if !s.signedIn(r) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, service.MaxBody)
	holder, role := strings.TrimSpace(r.PostFormValue("holder")), r.PostFormValue("role")
	var err error
	switch r.PostFormValue("what") {
	case "code":
		var made MadeCode
		if made, err = s.MakeCode(holder, role, r.PostFormValue("reason")); err == nil {
			return s.showSheet(w, made)
		}
	case "take_code":
		err = s.RevokeCode(holder, role)
	case "end_key":
		_, err = s.EndKey(r.PostFormValue("key"), reasonLost, byDesk)
	case "end_badges":
		_, err = s.EndBadges(holder, reasonLost, byDesk)
	case reasonLeft, reasonSuspended:
		_, err = s.Leave(holder, role, r.PostFormValue("what"))
	case "put":
		err = s.PutPerson(holder, role, r.PostFormValue("name"), r.PostFormValue("photo"))
	default:
		err = orgapi.ErrAskForm
	}
	if err != nil {
		v := s.view(r)
		text := fault.Of(err).Text
		v.Problem = &text
		return s.show(w, v)
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func (s *Server) showSheet(w http.ResponseWriter, made MadeCode) error {
	var b bytes.Buffer
	if err := s.Sheet(made).HTML(&b); err != nil {
		return err
	}
	return html(w, b.Bytes())
}
