package registry_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
)

const acquirer = "acq-huaishan"

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	key  = newKey()
)

func newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

// signed gives body as a verified statement of an organisation.
func signed(t testing.TB, organisation, kind string, body any) statement.Verified {
	t.Helper()
	v, err := verified(organisation, kind, body)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func verified(organisation, kind string, body any) (statement.Verified, error) {
	data, err := statement.Sign(key, statement.Unsigned{Type: kind, Subject: "organisation/" + organisation, Body: body,
		Header: statement.Header{Signer: organisation, Organisation: organisation, Role: "organisation", At: statement.At(noon)}})
	if err != nil {
		return statement.Verified{}, err
	}
	return statement.Verify(data, statement.KeyOf(&key.PublicKey))
}

// parameters is an ordinary document: in force since an hour, for thirty days.
func parameters() registry.Parameters {
	return registry.Parameters{
		Acquirer: acquirer, Number: 1, IssuedAt: statement.At(noon.Add(-time.Hour)), NextAt: statement.At(noon.AddDate(0, 0, 30)),
		RadiusMetres: 150, SecurityCourse: "security-2026", TerminalsPerID: 5, TrialMinutes: 30, AuditsPerMille: 50, AuditWitness: "witness-a",
		Steps: []registry.StepRule{
			{Kind: "install", Step: "mount", By: "technician", Photos: 1},
			{Kind: "inspection", Step: "shopfront", By: "technician", Photos: 1},
			{Kind: "install", Step: "check_serial", By: "merchant"},
		},
		Models: []registry.Model{
			{Model: "TD20", Hardware: "2.x", Firmware: "5.3.1", Listing: "4-30432", Expires: statement.At(noon.AddDate(1, 0, 0)), BootState: "verified", Course: "td20"},
			{Model: "TD10", Hardware: "1.0", Firmware: "3.0", Listing: "4-20111", Expires: statement.At(noon.AddDate(-1, 0, 0)), BootState: "self_signed", Course: "td10"},
			{Model: "TD20", Hardware: "1.0", Firmware: "4.0", Listing: "4-30001", Expires: statement.At(noon.AddDate(-1, 0, 0)), BootState: "verified", Course: "td20"},
		},
		SupervisionUnder: []registry.Supervision{{Risk: 0, Mode: registry.WatchedByMerchant}, {Risk: 1, Mode: registry.WatchedRemotely}, {Risk: 2, Mode: registry.WatchedPresent}},
	}
}

// refused checks code and place of an error.
func refused(t *testing.T, err error, code, where string) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Fatalf("code %q, want %q (%v)", got, code, err)
	}
	if got := fault.Of(err); got != nil && !strings.Contains(got.Where, where) {
		t.Fatalf("place %q does not name %q", got.Where, where)
	}
}

func TestParametersWithinBounds(t *testing.T) {
	for name, edit := range map[string]func(*registry.Parameters){
		"ordinary":                func(*registry.Parameters) {},
		"smallest radius":         func(p *registry.Parameters) { p.RadiusMetres = 20 },
		"largest radius":          func(p *registry.Parameters) { p.RadiusMetres = 1000 },
		"one terminal":            func(p *registry.Parameters) { p.TerminalsPerID = 1 },
		"200 terminals":           func(p *registry.Parameters) { p.TerminalsPerID = 200 },
		"one minute":              func(p *registry.Parameters) { p.TrialMinutes = 1 },
		"one audit in a thousand": func(p *registry.Parameters) { p.AuditsPerMille = 1 },
		"every visit audited":     func(p *registry.Parameters) { p.AuditsPerMille = 1000 },
		"a hundred days":          func(p *registry.Parameters) { p.NextAt = statement.At(noon.Add(-time.Hour).Add(100 * 24 * time.Hour)) },
		"ten photos":              func(p *registry.Parameters) { p.Steps[0].Photos = 10 },
		"every visit watched inside": func(p *registry.Parameters) {
			p.SupervisionUnder[0].Mode, p.SupervisionUnder[1].Mode = "present", "present"
		},
		"one step by both": func(p *registry.Parameters) { p.Steps[2].Step = "mount" },
	} {
		t.Run(name, func(t *testing.T) {
			want := parameters()
			edit(&want)
			p, err := registry.ReadParameters(signed(t, acquirer, registry.TypeParameters, want), acquirer)
			if err != nil || p.Number != 1 || p.Fresh(noon) != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

// bound is one way in which a document breaks a bound.
type bound struct {
	edit        func(*registry.Parameters)
	code, where string
}

const absurd, empty = "parameters_out_of_bounds", "parameters_empty"

// outOfBounds reads an ordinary document after each edit.
func outOfBounds(t *testing.T, bounds map[string]bound) {
	t.Helper()
	for name, c := range bounds {
		t.Run(name, func(t *testing.T) {
			p := parameters()
			c.edit(&p)
			got, err := registry.ReadParameters(signed(t, acquirer, registry.TypeParameters, p), acquirer)
			refused(t, err, c.code, c.where)
			if got.Acquirer != "" || got.Fresh(noon) == nil {
				t.Error("refused and yet read")
			}
		})
	}
}

func TestParametersOutOfBounds(t *testing.T) {
	type P = registry.Parameters
	outOfBounds(t, map[string]bound{
		"of another acquirer":     {func(p *P) { p.Acquirer = "acq-linjiang" }, "parameters_of_another", ""},
		"no number":               {func(p *P) { p.Number = 0 }, empty, "number"},
		"no security course":      {func(p *P) { p.SecurityCourse = "" }, empty, "security_course"},
		"no steps":                {func(p *P) { p.Steps = []registry.StepRule{} }, empty, "steps"},
		"no models":               {func(p *P) { p.Models = []registry.Model{} }, empty, "models"},
		"nobody draws audits":     {func(p *P) { p.AuditWitness = "" }, empty, "audit_witness"},
		"no issue date":           {func(p *P) { p.IssuedAt = "" }, "period_malformed", "next_at"},
		"no next date":            {func(p *P) { p.NextAt = "soon" }, "period_malformed", "next_at"},
		"ends as it begins":       {func(p *P) { p.NextAt = p.IssuedAt }, "period_malformed", "next_at"},
		"a second over 100 days":  {func(p *P) { p.NextAt = statement.At(noon.Add(-time.Hour).Add(100*24*time.Hour + time.Second)) }, absurd, "next_at"},
		"radius 19 m":             {func(p *P) { p.RadiusMetres = 19 }, absurd, "radius_metres"},
		"radius 1001 m":           {func(p *P) { p.RadiusMetres = 1001 }, absurd, "radius_metres"},
		"no terminal allowed":     {func(p *P) { p.TerminalsPerID = 0 }, absurd, "terminals_per_identity"},
		"201 terminals":           {func(p *P) { p.TerminalsPerID = 201 }, absurd, "terminals_per_identity"},
		"no trial":                {func(p *P) { p.TrialMinutes = 0 }, absurd, "trial_minutes"},
		"trial of 31 minutes":     {func(p *P) { p.TrialMinutes = 31 }, absurd, "trial_minutes"},
		"no audits":               {func(p *P) { p.AuditsPerMille = 0 }, absurd, "audits_per_mille"},
		"more audits than visits": {func(p *P) { p.AuditsPerMille = 1001 }, absurd, "audits_per_mille"},
	})
}

func TestListsOutOfBounds(t *testing.T) {
	type P = registry.Parameters
	outOfBounds(t, map[string]bound{
		"step of no kind":           {func(p *P) { p.Steps[0].Kind = "" }, absurd, "steps"},
		"step without a name":       {func(p *P) { p.Steps[0].Step = "" }, absurd, "steps"},
		"step by nobody":            {func(p *P) { p.Steps[0].By = "" }, absurd, "steps"},
		"fewer photos than none":    {func(p *P) { p.Steps[0].Photos = -1 }, absurd, "steps"},
		"eleven photos":             {func(p *P) { p.Steps[0].Photos = 11 }, absurd, "steps"},
		"a step twice":              {func(p *P) { p.Steps[2] = p.Steps[0]; p.Steps[2].Photos = 9 }, absurd, "steps"},
		"model without a name":      {func(p *P) { p.Models[0].Model = "" }, absurd, "models"},
		"model without hardware":    {func(p *P) { p.Models[0].Hardware = "" }, absurd, "models"},
		"model without firmware":    {func(p *P) { p.Models[0].Firmware = "" }, absurd, "models"},
		"model without a listing":   {func(p *P) { p.Models[0].Listing = "" }, absurd, "models"},
		"model without a boot":      {func(p *P) { p.Models[0].BootState = "" }, absurd, "models"},
		"unlocked boot approved":    {func(p *P) { p.Models[0].BootState = "unlocked" }, absurd, "models"},
		"failed boot approved":      {func(p *P) { p.Models[0].BootState = "failed" }, absurd, "models"},
		"model without a course":    {func(p *P) { p.Models[1].Course = "" }, absurd, "models"},
		"security course twice":     {func(p *P) { p.Models[1].Course = p.SecurityCourse }, absurd, "models"},
		"two courses for one model": {func(p *P) { p.Models[2].Course = "td20-old" }, absurd, "models"},
		"a listing twice": {func(p *P) {
			p.Models[2] = p.Models[0]
			p.Models[2].BootState = "self_signed"
		}, absurd, "models"},
		"listing without end":   {func(p *P) { p.Models[0].Expires = "never" }, "time_malformed", "models"},
		"any hardware approved": {func(p *P) { p.Models[0].Hardware = "x.x" }, "version_pattern_open", "models"},
		"any firmware approved": {func(p *P) { p.Models[0].Firmware = "xxx" }, "version_pattern_open", "models"},
		"risk 2 not said":       {func(p *P) { p.SupervisionUnder = p.SupervisionUnder[:2] }, absurd, "supervision_by_risk"},
		"a risk 3": {func(p *P) {
			p.SupervisionUnder = append(p.SupervisionUnder, registry.Supervision{Risk: 3, Mode: "present"})
		}, absurd, "supervision_by_risk"},
		"risks out of order":       {func(p *P) { p.SupervisionUnder[0].Risk = 1 }, absurd, "supervision_by_risk"},
		"a mode that is none":      {func(p *P) { p.SupervisionUnder[0].Mode = "cameras" }, absurd, "supervision_by_risk"},
		"risk 1 left to merchants": {func(p *P) { p.SupervisionUnder[1].Mode = registry.WatchedByMerchant }, absurd, "supervision_by_risk"},
		"risk 2 watched from afar": {func(p *P) { p.SupervisionUnder[2].Mode = registry.WatchedRemotely }, absurd, "supervision_by_risk"},
	})
}

func TestParametersFromTheWrongHand(t *testing.T) {
	_, err := registry.ReadParameters(statement.Verified{}, acquirer)
	refused(t, err, "statement_unverified", "")
	_, err = registry.ReadParameters(signed(t, acquirer, registry.TypeMandate, parameters()), acquirer)
	refused(t, err, "statement_type_differs", "")
	_, err = registry.ReadParameters(signed(t, "acq-linjiang", registry.TypeParameters, parameters()), acquirer)
	refused(t, err, "parameters_of_another", "")
}

func TestParametersFreshness(t *testing.T) {
	p := parameters()
	issued, next := noon.Add(-time.Hour), noon.AddDate(0, 0, 30)
	for name, c := range map[string]struct {
		now  time.Time
		code string
	}{
		"a second early":     {issued.Add(-time.Second), "parameters_stale"},
		"at issue":           {issued, ""},
		"in its last second": {next.Add(-time.Second), ""},
		"at its end":         {next, "parameters_stale"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, p.Fresh(c.now), c.code, "") })
	}
	refused(t, registry.Parameters{}.Fresh(noon), "parameters_empty", "")
	refused(t, registry.Parameters{}.Fresh(time.Time{}), "parameters_empty", "")
}

func TestStepsAndSupervision(t *testing.T) {
	p := parameters()
	steps := p.StepsFor("install")
	if len(steps) != 2 || steps[0].Step != "mount" || steps[1].Step != "check_serial" || p.StepsFor("swap") != nil {
		t.Errorf("steps %v", steps)
	}
	for risk, want := range map[int]string{-1: "", 0: "merchant", 1: "remote", 2: "present", 3: ""} {
		if got := p.Supervise(risk); got != want {
			t.Errorf("risk %d: %q, want %q", risk, got, want)
		}
	}
	if got := (registry.Parameters{}).Supervise(0); got != "" {
		t.Errorf("no parameters: %q", got)
	}
	if p.CourseFor("TD20") != "td20" || p.CourseFor("TD10") != "td10" || p.CourseFor("TD99") != "" {
		t.Errorf("courses %q %q %q", p.CourseFor("TD20"), p.CourseFor("TD10"), p.CourseFor("TD99"))
	}
}

func TestApprovedListings(t *testing.T) {
	end := noon.AddDate(1, 0, 0)
	for name, c := range map[string]struct {
		model, hardware, firmware string
		now                       time.Time
		code                      string
	}{
		"listed":                      {"TD20", "2.0", "5.3.1", noon, ""},
		"another letter of the x":     {"TD20", "2.A", "5.3.1", noon, ""},
		"last second":                 {"TD20", "2.0", "5.3.1", end.Add(-time.Second), ""},
		"expired":                     {"TD20", "2.0", "5.3.1", end, "model_listing_expired"},
		"expired long ago":            {"TD10", "1.0", "3.0", noon, "model_listing_expired"},
		"another model":               {"TD99", "2.0", "5.3.1", noon, "model_not_approved"},
		"another hardware":            {"TD20", "3.0", "5.3.1", noon, "model_not_approved"},
		"another firmware":            {"TD20", "2.0", "5.3.2", noon, "model_not_approved"},
		"firmware of an old hardware": {"TD20", "2.0", "4.0", noon, "model_not_approved"},
		"nothing":                     {"", "", "", noon, "model_not_approved"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := parameters().Approved(c.model, c.hardware, c.firmware, c.now)
			refused(t, err, c.code, "")
			if (m.Listing == "4-30432") != (c.code == "") {
				t.Errorf("listing %q", m.Listing)
			}
		})
	}
	broken := parameters() // never passed ReadParameters
	broken.Models[0].Expires = "never"
	_, err := broken.Approved("TD20", "2.0", "5.3.1", noon)
	refused(t, err, "model_listing_expired", "")
	broken.Models[0].Hardware = ""
	_, err = broken.Approved("TD20", "", "5.3.1", noon)
	refused(t, err, "model_not_approved", "")
	_, err = registry.Parameters{}.Approved("TD20", "2.0", "5.3.1", noon)
	refused(t, err, "model_not_approved", "")
}

func TestPeriods(t *testing.T) {
	from, until := statement.At(noon), statement.At(noon.Add(time.Hour))
	span, err := registry.Period(from, until)
	if err != nil || !span.Until().Equal(noon.Add(time.Hour)) {
		t.Fatalf("%v, %v", span.Until(), err)
	}
	for at, want := range map[time.Duration]bool{-time.Second: false, 0: true, time.Hour - time.Second: true, time.Hour: false} {
		if span.Holds(noon.Add(at)) != want {
			t.Errorf("%v: %v", at, !want)
		}
	}
	for name, p := range map[string][2]statement.Time{
		"no start": {"", until}, "no end": {from, ""}, "reversed": {until, from}, "empty": {from, from}, "date only": {"2026-11-22", until},
	} {
		span, err := registry.Period(p[0], p[1])
		refused(t, err, "period_malformed", "")
		if span != (registry.Span{}) {
			t.Errorf("%s: refused and yet a span", name)
		}
	}
	var zero registry.Span
	for _, at := range []time.Time{{}, noon, time.Unix(0, 0)} {
		if zero.Holds(at) || !zero.Until().IsZero() {
			t.Errorf("the zero span holds %v", at)
		}
	}
}

func extract() registry.Extract {
	return registry.Extract{Visit: "v1", Ask: "trial", LookedAt: statement.At(noon), LogSize: 40,
		Lists: []registry.ListNumber{
			{List: registry.ListTrust, Issuer: "assoc", Number: 3},
			{List: registry.ListStatus, Issuer: "urn:s:1", Number: 7},
			{List: registry.ListTrust, Issuer: "assoc", Number: 4},
			{List: registry.ListTrust, Issuer: "assoc", Number: 2},
		},
		People: []registry.Person{{Holder: "wei", Same: []string{}}}, Open: []registry.OpenMatter{}, Photos: []registry.PhotoLook{}}
}

func TestReadingAnExtract(t *testing.T) {
	x, err := registry.ReadExtract(signed(t, "menshen", registry.TypeExtract, extract()), "v1", "trial")
	if err != nil || x.LogSize != 40 || x.People[0].Holder != "wei" {
		t.Fatalf("%v, %v", x, err)
	}
	for name, c := range map[string]struct {
		kind string
		edit func(*registry.Extract)
		code string
	}{
		"of an empty log":       {registry.TypeExtract, func(x *registry.Extract) { x.LogSize = 0 }, ""},
		"of another visit":      {registry.TypeExtract, func(x *registry.Extract) { x.Visit = "v2" }, "extract_other_visit"},
		"for another ask":       {registry.TypeExtract, func(x *registry.Extract) { x.Ask = "live" }, "extract_other_visit"},
		"without a time":        {registry.TypeExtract, func(x *registry.Extract) { x.LookedAt = "today" }, "time_malformed"},
		"of a log without size": {registry.TypeExtract, func(x *registry.Extract) { x.LogSize = -1 }, "extract_log_size"},
		"of another type":       {registry.TypeParameters, func(*registry.Extract) {}, "statement_type_differs"},
	} {
		t.Run(name, func(t *testing.T) {
			x := extract()
			c.edit(&x)
			got, err := registry.ReadExtract(signed(t, "menshen", c.kind, x), "v1", "trial")
			refused(t, err, c.code, "")
			if (got.Visit == "v1") != (c.code == "") {
				t.Errorf("visit %q", got.Visit)
			}
		})
	}
}

// The highest number of a list counts, wherever a careless or hostile extract puts a lower one.
func TestNumbersOfLists(t *testing.T) {
	x := extract()
	for _, c := range []struct {
		list, issuer string
		number       int
		known        bool
	}{
		{registry.ListTrust, "assoc", 4, true},
		{registry.ListStatus, "urn:s:1", 7, true},
		{registry.ListStatus, "assoc", 0, false},
		{registry.ListParameters, acquirer, 0, false},
	} {
		if n, ok := x.Number(c.list, c.issuer); n != c.number || ok != c.known {
			t.Errorf("%s of %s: %d %v", c.list, c.issuer, n, ok)
		}
	}
	below := registry.Extract{Lists: []registry.ListNumber{{List: registry.ListTrust, Issuer: "assoc", Number: -3}}}
	if n, ok := below.Number(registry.ListTrust, "assoc"); n != -3 || !ok {
		t.Errorf("%d %v", n, ok)
	}
}

// Whatever body an acquirer signs: no panic, no internal error, and nothing out of bounds accepted.
func FuzzParametersBody(f *testing.F) {
	good, err := statement.Canonical(parameters())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(strings.Replace(string(good), `"radius_metres":150`, `"radius_metres":999999`, 1)))
	f.Add([]byte(strings.Replace(string(good), `"mode":"remote"`, `"mode":"merchant"`, 1)))
	f.Add([]byte(strings.Replace(string(good), `"boot_state":"verified"`, `"boot_state":"failed"`, 1)))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := verified(acquirer, registry.TypeParameters, json.RawMessage(body))
		if err != nil {
			return // nobody can sign it
		}
		p, err := registry.ReadParameters(v, acquirer)
		if err != nil {
			if fault.KindOf(err) == fault.Internal || p.Number != 0 {
				t.Fatalf("%v, number %d", err, p.Number)
			}
			return
		}
		within := p.RadiusMetres >= 20 && p.RadiusMetres <= 1000 && p.TerminalsPerID >= 1 && p.TerminalsPerID <= 200 &&
			p.TrialMinutes >= 1 && p.TrialMinutes <= 30 && p.AuditsPerMille >= 1 && len(p.SupervisionUnder) == 3 && p.Supervise(2) == "present"
		if !within || p.SecurityCourse == "" || len(p.Steps) == 0 || len(p.Models) == 0 {
			t.Fatalf("accepted %v", p)
		}
		for _, m := range p.Models {
			if m.BootState != "verified" && m.BootState != "self_signed" || m.Course == p.SecurityCourse || p.CourseFor(m.Model) != m.Course {
				t.Fatalf("accepted %v", m)
			}
		}
	})
}

// Whatever body the platform signs as an extract: it is read for this visit and ask, or refused.
func FuzzExtractBody(f *testing.F) {
	good, err := statement.Canonical(extract())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(strings.Replace(string(good), `"visit":"v1"`, `"visit":"v2"`, 1)))
	f.Add([]byte(strings.Replace(string(good), `"number":7`, `"number":7.5`, 1)))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := verified("menshen", registry.TypeExtract, json.RawMessage(body))
		if err != nil {
			return // nobody can sign it
		}
		x, err := registry.ReadExtract(v, "v1", "trial")
		if err != nil {
			if fault.KindOf(err) == fault.Internal || x.Visit != "" {
				t.Fatalf("%v, visit %q", err, x.Visit)
			}
			return
		}
		if _, bad := x.LookedAt.Parse(); x.Visit != "v1" || x.Ask != "trial" || x.LogSize < 0 || bad != nil {
			t.Fatalf("accepted %v", x)
		}
		for _, l := range x.Lists {
			if n, ok := x.Number(l.List, l.Issuer); !ok || n < l.Number {
				t.Fatalf("%v counts as %d", l, n)
			}
		}
	})
}

func TestTheAuditRuleIsPublished(t *testing.T) {
	p := registry.Parameters{AuditsPerMille: 50, AuditWitness: "bank"}
	if got := p.Audits(); got != (registry.AuditRule{PerMille: 50, Witness: "bank"}) {
		t.Errorf("%+v", got)
	}
}
