package organisation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// listing says who publishes a list and for how long it may hold. What it holds is nobody's rule here: a list
// is signed only if the reader that everybody else uses takes it.
type listing struct {
	kind string // which organisations sign it
	role string // in which role
	days int    // how long it holds at most; 0: it says so itself
	body func(data []byte) (any, error)
	read func(v statement.Verified, by string, now time.Time) error
	sets []string // members that the service writes
}

var listings = map[string]listing{
	credential.TypeTrustList: {credential.KindRegulator, visit.RoleRegulator, 31, bodyOf[credential.TrustList], readTrustList, []string{"number", "issued_at", "next_at"}},
	registry.TypeParameters:  {credential.KindAcquirer, visit.RoleOrganisation, 100, bodyOf[registry.Parameters], readParameters, []string{"acquirer", "number", "issued_at", "next_at"}},
	registry.TypeMandate:     {credential.KindAcquirer, visit.RoleOrganisation, 0, bodyOf[registry.Mandate], readMandate, nil},
}

// bodyOf reads a body strictly; signed is what was read, in its own order.
func bodyOf[B any](data []byte) (any, error) {
	var b B
	err := statement.Decode(data, &b)
	return b, err
}

func readTrustList(v statement.Verified, _ string, now time.Time) error {
	_, err := credential.VerifyTrustList(v, now)
	return err
}

func readParameters(v statement.Verified, by string, _ time.Time) error {
	_, err := registry.ReadParameters(v, by)
	return err
}

func readMandate(v statement.Verified, _ string, _ time.Time) error {
	var m registry.Mandate
	if err := v.Body(registry.TypeMandate, &m); err != nil {
		return err
	}
	if err := checkID(m.Provider, "provider"); err != nil {
		return err
	}
	_, err := registry.Period(m.From, m.Until)
	return fault.At(err, "from, until")
}

var (
	errListUnknown = fault.New(fault.Invalid, "organisation_list_unknown", "没有这种名单：trust_list、parameters、mandate 里选一个。", "There is no such list: one of trust_list, parameters, mandate.")
	errListOther   = fault.New(fault.Refused, "organisation_list_not_its", "这家机构不能签这种名单：信任名单由监管一方（regulator）签，参数和委托由收单机构签。", "This organisation does not sign that list: the trust list is a regulator's, parameters and mandates are an acquirer's.")
	errListSet     = fault.New(fault.Invalid, "organisation_list_member_set", "这一项由服务自己写，文件里别写。", "The service writes this member itself; leave it out of the file.")
	errListBody    = fault.New(fault.Invalid, "organisation_list_malformed", "名单的内容读不懂。", "What the list holds cannot be read.")
	errListDays    = fault.New(fault.Invalid, "organisation_list_days", "有效天数超出了范围：信任名单最多 31 天，参数最多 100 天，委托自己写起止。", "That many days are out of range: a trust list holds at most 31, parameters 100; a mandate says its own time.")
	errListNumber  = fault.New(fault.Conflict, "organisation_list_number", "编号要比上一份大。", "The number must be higher than the last one's.")
)

// PublishAsk is the desk's: sign and publish a list.
type PublishAsk struct {
	List   string `json:"list"`   // trust_list, parameters or mandate
	Body   string `json:"body"`   // JSON: the members of docs/formats.md, without those that the service writes
	Days   int    `json:"days"`   // how long it holds; 0: as long as it may
	Number int    `json:"number"` // its number, where earlier ones were published elsewhere; 0: one more than the last
	Renew  bool   `json:"renew"`  // also when nothing changed
	DryRun bool   `json:"dry_run"`
}

// publishedRow is a published list as the journal keeps it: what is asked for next time, not the list.
type publishedRow struct {
	List    string         `json:"list"`
	Of      string         `json:"of,omitempty"` // a mandate's provider
	Number  int            `json:"number,omitempty"`
	At      statement.Time `json:"at"`
	Until   statement.Time `json:"until"`
	Content string         `json:"content"` // digest of the body as asked for
}

// Published is a list for people: what is out, and until when it holds.
type Published struct {
	List      string         `json:"list"`
	Of        string         `json:"of,omitempty"`
	Number    int            `json:"number,omitempty"`
	At        statement.Time `json:"at"`
	Until     statement.Time `json:"until"`
	Published bool           `json:"published"` // false: nothing changed, or a dry run
}

// Lists is everything that is out.
type Lists struct {
	Lists []Published `json:"lists"`
}

// Publish signs a list and hands it to menshen with the next statements. The same content again, while the
// last one holds for more than half its time, changes nothing unless it is to be renewed. Faults:
// organisation_list_*, and those of the list's own reader.
func (s *Service) Publish(a PublishAsk) (Published, error) {
	l, known := listings[a.List]
	if !known {
		return Published{}, errListUnknown
	}
	if !slices.Contains(s.conf.Kinds, l.kind) {
		return Published{}, errListOther.At(a.List)
	}
	if a.Days < 0 || a.Days > l.days {
		return Published{}, errListDays.At(a.List)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UTC().Truncate(time.Second)
	row, body, err := s.drafted(a, l, now)
	if err != nil {
		return Published{}, err
	}
	last := s.state.published[row.name()]
	if last != nil && last.Content == row.Content && last.young(now) && !a.Renew && a.Number == 0 {
		return last.told(false), nil
	}
	signed, err := s.signAs(now, l.role, s.ownStream(), visit.Publish, a.List, body)
	if err == nil {
		err = s.readable(signed, l, now)
	}
	if err != nil {
		return Published{}, err
	}
	if a.DryRun {
		return row.told(false), nil
	}
	return row.told(true), s.record(change{Kind: changePublished, At: statement.At(now), By: byDesk, Published: &row, Signed: []orgapi.Signed{signed}})
}

// drafted completes the body that was asked for, and says how it will be remembered.
func (s *Service) drafted(a PublishAsk, l listing, now time.Time) (publishedRow, any, error) {
	row := publishedRow{List: a.List, At: statement.At(now)}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(a.Body), &members); err != nil || members == nil {
		return row, nil, errListBody.Because(err)
	}
	for _, name := range l.sets {
		if _, there := members[name]; there {
			return row, nil, errListSet.At(name)
		}
	}
	content, err := statement.Canonical(members) // sorted, so that a file written in another order is the same
	if err != nil {
		return row, nil, errListBody.Because(err)
	}
	row.Content = statement.Digest(content)
	if a.List != registry.TypeMandate {
		if row.Number, err = s.numberFor(a); err != nil {
			return row, nil, err
		}
		days := a.Days
		if days == 0 {
			days = l.days
		}
		row.Until = statement.At(now.AddDate(0, 0, days))
	}
	body, err := l.body(completed(a.Body, l.sets, map[string]any{"acquirer": s.conf.Organisation, "number": row.Number, "issued_at": row.At, "next_at": row.Until}))
	if m, ok := body.(registry.Mandate); ok {
		row.Of, row.Until = m.Provider, m.Until
	}
	return row, body, fault.At(err, a.List)
}

// completed puts the service's members before the others, in the text itself: so a name that stands there
// twice is still there for the strict reader to refuse.
func completed(body string, names []string, values map[string]any) []byte {
	out := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, "%q:", name)
		value, err := json.Marshal(values[name])
		if err != nil {
			panic(err) // texts and numbers of our own
		}
		out = append(out, value...)
	}
	rest := strings.TrimLeft(strings.TrimLeft(body, " \t\r\n")[1:], " \t\r\n")
	if len(names) > 0 && rest[0] != '}' {
		out = append(out, ',')
	}
	return append(out, rest...)
}

// numberFor is one more than the last, or a higher one that was asked for.
func (s *Service) numberFor(a PublishAsk) (int, error) {
	last := 0
	if p := s.state.published[(publishedRow{List: a.List}).name()]; p != nil {
		last = p.Number
	}
	switch {
	case a.Number == 0:
		return last + 1, nil
	case a.Number <= last:
		return 0, errListNumber.Atf("%d", last)
	}
	return a.Number, nil
}

// readable asks the list's own reader before the list leaves the house.
func (s *Service) readable(signed orgapi.Signed, l listing, now time.Time) error {
	envelope, err := statement.Base64(signed.Statement)
	if err != nil {
		return err
	}
	v, err := statement.Verify(envelope, statement.KeyOf(&s.keys.Own.PublicKey))
	if err != nil {
		return err
	}
	return l.read(v, s.conf.Organisation, now)
}

func (r publishedRow) name() string { return r.List + "/" + r.Of }

// young says whether more than half of its time is left.
func (r publishedRow) young(now time.Time) bool {
	at, errA := r.At.Parse()
	until, errU := r.Until.Parse()
	return errA == nil && errU == nil && now.Before(at.Add(until.Sub(at)/2))
}

func (r publishedRow) told(published bool) Published {
	return Published{List: r.List, Of: r.Of, Number: r.Number, At: r.At, Until: r.Until, Published: published}
}

// Lists gives what is out, sorted by list and provider.
func (s *Service) Lists() Lists {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Lists{Lists: []Published{}}
	for _, r := range s.state.published {
		out.Lists = append(out.Lists, r.told(true))
	}
	for i, l := range s.state.lists {
		out.Lists = append(out.Lists, Published{List: registry.TypeStatusList, Of: s.uri(i), Number: l.number, At: statement.At(l.signedAt), Until: statement.At(l.until), Published: true})
	}
	slices.SortFunc(out.Lists, func(a, b Published) int { return strings.Compare(a.List+"/"+a.Of, b.List+"/"+b.Of) })
	return out
}

// warnDue tells the log once an hour which lists end within a week: nobody but people may say that what is on
// them still holds.
func (s *Service) warnDue(now time.Time) {
	if now.Sub(s.warned) < time.Hour {
		return
	}
	for _, r := range s.state.published {
		if until, err := r.Until.Parse(); err == nil && now.After(until.Add(-7*24*time.Hour)) {
			s.warned = now
			s.log.Warn("list ends soon, publish it again", "list", r.List, "of", r.Of, "number", r.Number, "until", string(r.Until))
		}
	}
}
