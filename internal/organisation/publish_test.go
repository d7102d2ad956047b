package organisation

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

const (
	honestMandate = `{"provider":"qingluo","from":"2026-11-01T00:00:00Z","until":"2027-11-01T00:00:00Z"}`

	honestParameters = `{"radius_metres":150,"security_course":"security-2026",
		"steps":[{"kind":"install","step":"mount","by":"technician","photos":1}],
		"models":[{"model":"TD20","hardware":"2.0","firmware":"5.3.1","listing":"4-30432","expires":"2028-11-22T01:00:00Z","boot_state":"verified","course":"smart-pos-td20"}],
		"terminals_per_identity":5,"trial_minutes":30,"audits_per_mille":50,"audit_witness":"assoc",
		"supervision_by_risk":[{"risk":0,"mode":"merchant"},{"risk":1,"mode":"remote"},{"risk":2,"mode":"present"}]}`
)

func (s *stage) honestTrustList() string {
	s.Helper()
	key, err := statement.Canonical(statement.KeyOf(&s.keys.Own.PublicKey))
	if err != nil {
		s.Fatal(err)
	}
	return `{"source":"银行卡收单外包机构备案名单","organisations":[{"id":"assoc","name":"示例协会","kinds":["regulator"],"key":` + string(key) + `}]}`
}

// out publishes and gives the statement that menshen will fetch.
func (s *stage) out(a PublishAsk) (Published, statement.Verified) {
	s.Helper()
	done, err := s.Publish(a)
	if err != nil || !done.Published {
		s.Fatalf("%s: %+v, %v", a.List, done, err)
	}
	answer := s.state.recent[len(s.state.recent)-1]
	envelope, err := statement.Base64(answer.Statement)
	if err != nil {
		s.Fatal(err)
	}
	v, err := statement.Verify(envelope, statement.KeyOf(&s.keys.Own.PublicKey))
	if err != nil {
		s.Fatal(err)
	}
	if answer.Verb != visit.Publish || answer.Stream != "organisation/"+s.conf.Organisation || v.Type() != a.List {
		s.Errorf("%s: %s in %s", a.List, answer.Verb, answer.Stream)
	}
	return done, v
}

// An acquirer publishes its parameters and whom it commissions. The same file again changes nothing while it
// is young, also after a restart; a change takes the next number.
func TestAnAcquirerPublishesItsParameters(t *testing.T) {
	s := acquirerStage(t)
	first, v := s.out(PublishAsk{List: registry.TypeParameters, Body: honestParameters})
	p, err := registry.ReadParameters(v, "jianghe")
	if err != nil || p.Number != 1 || p.Acquirer != "jianghe" || p.IssuedAt != statement.At(s.time) || p.NextAt != statement.At(s.time.AddDate(0, 0, 100)) {
		t.Fatalf("%+v, %v", p, err)
	}
	again := func(a PublishAsk) Published {
		t.Helper()
		done, err := s.Publish(a)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	s.reopen()
	otherOrder := strings.Replace(honestParameters, `{"radius_metres":150,`, `{ "trial_minutes" : 30, "radius_metres":150,`, 1)
	otherOrder = strings.Replace(otherOrder, `"terminals_per_identity":5,"trial_minutes":30,`, `"terminals_per_identity":5,`, 1)
	for _, body := range []string{honestParameters, otherOrder} {
		if done := again(PublishAsk{List: registry.TypeParameters, Body: body}); done.Published || done.Number != 1 || done.Until != first.Until {
			t.Errorf("the same again: %+v", done)
		}
	}
	wider := strings.Replace(honestParameters, "150", "200", 1)
	if done := again(PublishAsk{List: registry.TypeParameters, Body: wider, DryRun: true}); done.Published || done.Number != 2 {
		t.Errorf("a dry run: %+v", done)
	}
	if done := again(PublishAsk{List: registry.TypeParameters, Body: wider, Days: 30}); !done.Published || done.Number != 2 || done.Until != statement.At(s.time.AddDate(0, 0, 30)) {
		t.Errorf("a change: %+v", done)
	}
	if done := again(PublishAsk{List: registry.TypeParameters, Body: wider, Renew: true}); !done.Published || done.Number != 3 {
		t.Errorf("renewed: %+v", done)
	}
	s.wait(51 * 24 * time.Hour)
	if done := again(PublishAsk{List: registry.TypeParameters, Body: wider}); !done.Published || done.Number != 4 {
		t.Errorf("past half its time: %+v", done)
	}
	if done := again(PublishAsk{List: registry.TypeParameters, Body: wider, Number: 12}); !done.Published || done.Number != 12 {
		t.Errorf("a number of one's own: %+v", done)
	}
}

// A mandate stands beside those of other providers, and one that ends now takes it back.
func TestAnAcquirerCommissionsAndTakesBack(t *testing.T) {
	s := acquirerStage(t)
	other := strings.Replace(honestMandate, "qingluo", "anzhuang", 1)
	s.out(PublishAsk{List: registry.TypeMandate, Body: honestMandate})
	s.out(PublishAsk{List: registry.TypeMandate, Body: other})
	ended := strings.Replace(honestMandate, "2027-11-01", "2026-11-22", 1)
	_, v := s.out(PublishAsk{List: registry.TypeMandate, Body: ended})
	var m registry.Mandate
	if err := v.Body(registry.TypeMandate, &m); err != nil || m.Provider != "qingluo" || m.Until != "2026-11-22T00:00:00Z" {
		t.Errorf("%+v, %v", m, err)
	}
	s.reopen()
	want := []string{"mandate anzhuang 2027-11-01T00:00:00Z", "mandate qingluo 2026-11-22T00:00:00Z"}
	var got []string
	for _, l := range s.Lists().Lists {
		got = append(got, l.List+" "+l.Of+" "+string(l.Until))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestARegulatorPublishesTheTrustList(t *testing.T) {
	s := opened(t, "assoc", credential.KindRegulator)
	done, v := s.out(PublishAsk{List: credential.TypeTrustList, Body: s.honestTrustList()})
	trust, err := credential.VerifyTrustList(v, s.time)
	if err != nil || done.Until != statement.At(s.time.AddDate(0, 0, 31)) || v.Header().Role != visit.RoleRegulator {
		t.Fatalf("%+v, %v, %v", done, trust, err)
	}
}

// What no reader would take is not signed, and the reason is the reader's own.
func TestAListThatNobodyWouldTakeIsNotSigned(t *testing.T) {
	acquirer, regulator := acquirerStage(t), opened(t, "assoc", credential.KindRegulator)
	regulator.out(PublishAsk{List: credential.TypeTrustList, Body: regulator.honestTrustList()})
	signed := regulator.state.numbers
	parameters := func(old, new string) PublishAsk {
		return PublishAsk{List: registry.TypeParameters, Body: strings.Replace(honestParameters, old, new, 1)}
	}
	mandate := func(old, new string) PublishAsk {
		return PublishAsk{List: registry.TypeMandate, Body: strings.Replace(honestMandate, old, new, 1)}
	}
	list := func(old, new string) PublishAsk {
		return PublishAsk{List: credential.TypeTrustList, Body: strings.Replace(regulator.honestTrustList(), old, new, 1)}
	}
	for _, r := range []struct {
		name string
		by   *stage
		ask  PublishAsk
		code string
	}{
		{"no such list", acquirer, PublishAsk{List: "wishes", Body: "{}"}, "organisation_list_unknown"},
		{"a status list by hand", acquirer, PublishAsk{List: registry.TypeStatusList, Body: "{}"}, "organisation_list_unknown"},
		{"an acquirer's trust list", acquirer, list("", ""), "organisation_list_not_its"},
		{"a regulator's parameters", regulator, parameters("", ""), "organisation_list_not_its"},
		{"not JSON", acquirer, PublishAsk{List: registry.TypeMandate, Body: "provider: x"}, "organisation_list_malformed"},
		{"null", acquirer, PublishAsk{List: registry.TypeMandate, Body: "null"}, "organisation_list_malformed"},
		{"a list of lists", acquirer, PublishAsk{List: registry.TypeMandate, Body: "[]"}, "organisation_list_malformed"},
		{"its own number", acquirer, parameters("{", `{"number":7,`), "organisation_list_member_set"},
		{"another's parameters", acquirer, parameters("{", `{"acquirer":"other",`), "organisation_list_member_set"},
		{"a name twice", acquirer, parameters("{", `{"radius_metres":150,`), "json_duplicate_name"},
		{"an unknown name", acquirer, parameters("{", `{"colour":1,`), "json_unknown_name"},
		{"nothing in it", acquirer, PublishAsk{List: registry.TypeParameters, Body: " {\n } "}, "json_missing_name"},
		{"too wide", acquirer, parameters("150", "5000"), "parameters_out_of_bounds"},
		{"a fraction", acquirer, parameters("150", "150.5"), "json_not_integer"},
		{"watched less than the rules say", acquirer, parameters(`"mode":"present"`, `"mode":"merchant"`), "parameters_out_of_bounds"},
		{"a mandate that ends before it begins", acquirer, mandate("2027", "2025"), "period_malformed"},
		{"no id", acquirer, mandate("qingluo", "青萝"), "organisation_ask_malformed"},
		{"a mandate with days", acquirer, PublishAsk{List: registry.TypeMandate, Body: honestMandate, Days: 1}, "organisation_list_days"},
		{"too many days", acquirer, PublishAsk{List: registry.TypeParameters, Body: honestParameters, Days: 101}, "organisation_list_days"},
		{"fewer than none", acquirer, PublishAsk{List: registry.TypeParameters, Body: honestParameters, Days: -1}, "organisation_list_days"},
		{"a lower number", regulator, PublishAsk{List: credential.TypeTrustList, Body: regulator.honestTrustList(), Number: 1}, "organisation_list_number"},
		{"no source", regulator, list("银行卡收单外包机构备案名单", ""), "trust_list_source"},
		{"an unknown kind", regulator, list(`"regulator"`, `"wizard"`), "trust_kind_unknown"},
	} {
		t.Run(r.name, func(t *testing.T) {
			if done, err := r.by.Publish(r.ask); fault.CodeOf(err) != r.code || done.Published {
				t.Errorf("got %+v, %v, want %s", done, err, r.code)
			}
		})
	}
	if acquirer.state.numbers != 0 || regulator.state.numbers != signed {
		t.Error("something was signed")
	}
}
