package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/statement"
)

const peoplePath = "/staff/technicians"

// PeopleQuery is what the address of the list of technicians says.
type PeopleQuery struct {
	Show   string // blocked, lapsing, nokey; "" for all
	Search string
}

// peopleShown are the lists that the page offers, in order.
var peopleShown = []string{"", "blocked", "lapsing", "nokey"}

func peopleQuery(v url.Values) PeopleQuery {
	q := PeopleQuery{}
	if s := v.Get("show"); slices.Contains(peopleShown, s) {
		q.Show = s
	}
	if s := v.Get("q"); len(s) <= 64 && searchable.MatchString(s) {
		q.Search = s
	}
	return q
}

func (q PeopleQuery) href(path string) templ.SafeURL {
	v := url.Values{}
	for key, value := range map[string]string{"show": q.Show, "q": q.Search} {
		if value != "" {
			v.Set(key, value)
		}
	}
	u := url.URL{Path: path, RawQuery: v.Encode()}
	return templ.SafeURL(u.String())
}

func (q PeopleQuery) shows(p *page, s app.Staff) bool {
	if q.Search != "" && !strings.Contains(strings.ToLower(s.Person+" "+s.StaffNo), strings.ToLower(q.Search)) {
		return false
	}
	switch q.Show {
	case "blocked":
		return s.Blocked()
	case "lapsing":
		return slices.ContainsFunc(s.Courses, func(c app.Course) bool { return p.lapses(c) != "" })
	case "nokey":
		return s.Roll != nil && s.Roll.Key == ""
	}
	return true
}

// PeopleView is an organisation's technicians.
type PeopleView struct {
	Query   PeopleQuery
	List    []app.Staff
	All     int
	Served  bool   // the employer's own service answered
	Service string // where its desk is, "" for not known here
}

func (s *Server) people(w http.ResponseWriter, r *http.Request) (*page, PeopleView, error) {
	p, err := s.staff(w, r)
	if err != nil {
		return nil, PeopleView{}, err
	}
	v := PeopleView{Query: peopleQuery(r.URL.Query()), Service: s.Desk.Services[p.viewer.Organisation]}
	list, served, err := s.Desk.App.Technicians(r.Context(), actorOf(p.viewer))
	v.All, v.Served = len(list), served
	for _, t := range list {
		if v.Query.shows(p, t) {
			v.List = append(v.List, t)
		}
	}
	return p, v, err
}

// technicians lists the dispatcher's own people.
func (s *Server) technicians(w http.ResponseWriter, r *http.Request) error {
	p, v, err := s.people(w, r)
	if err != nil {
		return err
	}
	allow(w, needs{api: true, pictures: true})
	return s.show(r.Context(), w, http.StatusOK, techniciansPage(p, v))
}

// peopleColumns are those of the exported list.
var peopleColumns = []string{"person", "staff_no", "may_be_sent", "why_not", "courses", "badge", "status_list_of", "key", "code_until"}

func (s *Server) techniciansCSV(w http.ResponseWriter, r *http.Request) error {
	p, v, err := s.people(w, r)
	if err != nil {
		return err
	}
	rows := [][]string{}
	for _, t := range v.List {
		var courses []string
		for _, c := range t.Courses {
			if !c.Over {
				courses = append(courses, c.Name+" "+c.Until.In(shanghai).Format(time.DateOnly))
			}
		}
		row := []string{t.Person, t.StaffNo, yesNo(!t.Blocked()), p.whyNot(t), strings.Join(courses, "; "), yesNo(!t.NoBadge), iso(t.ListAt), "", ""}
		if t.Roll != nil {
			row[7], row[8] = yesNo(t.Roll.Key != ""), string(t.Roll.CodeUntil)
		}
		rows = append(rows, row)
	}
	return s.sendCSV(w, "menshen-technicians", peopleColumns, rows)
}

func yesNo(yes bool) string { return map[bool]string{true: "yes", false: "no"}[yes] }

// sendCSV answers with a table as a file.
func (s *Server) sendCSV(w http.ResponseWriter, name string, columns []string, rows [][]string) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	return writeTable(w, columns, rows)
}

// whyNot says in one line why nobody may send him, "" where somebody may.
func (p *page) whyNot(t app.Staff) string {
	var out []string
	add := func(yes bool, text string) {
		if yes {
			out = append(out, text)
		}
	}
	add(t.Stopped, p.t("tech.stopped"))
	add(len(t.NoClass) > 0, p.t("against.course")+strings.Join(t.NoClass, p.t("list.comma")))
	if t.Roll != nil {
		add(t.Roll.State == orgapi.Suspended, p.t("tech.roll.suspended"))
		add(t.Roll.State == orgapi.Left, p.t("tech.roll.left"))
	}
	return strings.Join(out, p.t("against.and"))
}

// age says how old a status list is: what it does not know yet, phones without signal do not know either.
func (p *page) age(at time.Time) string { return p.ago("age", at) }

// ago says in the words under a key how many minutes have passed since, or from two hours on how many hours.
func (p *page) ago(key string, at time.Time) string {
	minutes := max(int(p.now.Sub(at).Minutes()), 0)
	if minutes < 120 {
		return p.n(key+".minutes", minutes)
	}
	return p.n(key+".hours", minutes/60)
}

// newTechnician is what the page's script sends.
type newTechnician struct {
	Person  string            `json:"person"`
	StaffNo string            `json:"staff_no"`
	Name    statement.Opening `json:"name"`
	Photo   statement.Opening `json:"photo"`
}

func (s *Server) putTechnician(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.staff(w, r)
	if err != nil {
		return nil, err
	}
	var in newTechnician
	if err := readForm(w, r, &in); err != nil {
		return nil, err
	}
	err = s.Desk.App.PutTechnician(r.Context(), actorOf(p.viewer), app.Technician{Person: strings.TrimSpace(in.Person), StaffNo: strings.TrimSpace(in.StaffNo), Name: in.Name, Photo: in.Photo})
	return whereTo{Next: string(PeopleQuery{Search: in.Person}.href(peoplePath))}, err
}

// putCommand is what the employer's own service is told, so that its badges commit to the same name and photo.
func putCommand(t app.Staff) string {
	return "menshen organisation put --dir DIR --holder " + t.Person + " --role technician --name-commitment " + t.Name + " --photo-commitment " + t.Photo
}

// rollState is a text key for what the employer's own service says of his key.
func rollState(t app.Staff) string {
	switch {
	case t.Roll == nil:
		return "tech.roll.none"
	case t.Roll.Key != "":
		return "tech.roll.key"
	case t.Roll.CodeState == "live":
		return "tech.roll.code"
	case t.Roll.CodeState == "locked":
		return "tech.roll.locked"
	}
	return "tech.roll.nokey"
}

const stockPath = "/staff/devices"

// StockView is the devices that an organisation's people hold.
type StockView struct {
	Due    bool // only what should change hands
	Search string
	List   []app.Held
	All    int
}

func (v StockView) href(path string, due bool) templ.SafeURL {
	q := url.Values{}
	if due {
		q.Set("due", "1")
	}
	if v.Search != "" {
		q.Set("q", v.Search)
	}
	u := url.URL{Path: path, RawQuery: q.Encode()}
	return templ.SafeURL(u.String())
}

func (s *Server) held(w http.ResponseWriter, r *http.Request) (*page, StockView, error) {
	p, err := s.staff(w, r)
	if err != nil {
		return nil, StockView{}, err
	}
	v := StockView{Due: r.URL.Query().Get("due") == "1"}
	if q := r.URL.Query().Get("q"); len(q) <= 64 && searchable.MatchString(q) {
		v.Search = q
	}
	list, err := s.Desk.App.Stock(r.Context(), actorOf(p.viewer))
	v.All = len(list)
	for _, h := range list {
		if (!v.Due || h.Due != "") && strings.Contains(strings.ToLower(h.Serial+" "+h.Holder+" "+h.Model), strings.ToLower(v.Search)) {
			v.List = append(v.List, h)
		}
	}
	return p, v, err
}

// stock lists devices by custody.
func (s *Server) stock(w http.ResponseWriter, r *http.Request) error {
	p, v, err := s.held(w, r)
	if err != nil {
		return err
	}
	allow(w, needs{api: true, passkey: true})
	return s.show(r.Context(), w, http.StatusOK, stockPage(p, v))
}

func (s *Server) stockCSV(w http.ResponseWriter, r *http.Request) error {
	_, v, err := s.held(w, r)
	if err != nil {
		return err
	}
	rows := [][]string{}
	for _, h := range v.List {
		marks := ""
		for _, m := range h.Marks {
			marks = strings.TrimSpace(marks + " " + m.Matter)
		}
		rows = append(rows, []string{h.Serial, h.Model, h.Holder, h.Role, h.Visit, h.State, h.Due, marks})
	}
	return s.sendCSV(w, "menshen-devices", []string{"serial", "model", "holder", "role", "visit", "stage", "due", "marked"}, rows)
}
