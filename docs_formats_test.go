package menshen_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

const formats = "docs/formats.md"

// bodies are the signed bodies, by statement type.
var bodies = map[string]any{
	credential.TypeTrustList:   credential.TrustList{},
	registry.TypeParameters:    registry.Parameters{},
	registry.TypeMandate:       registry.Mandate{},
	registry.TypeStatusList:    registry.StatusList{},
	registry.TypeCertificate:   registry.Certificate{},
	registry.TypeCourse:        registry.Course{},
	registry.TypeAttempt:       registry.Attempt{},
	registry.TypeBadgeIssued:   registry.BadgeIssued{},
	registry.TypeBadgeRevoked:  registry.BadgeRevoked{},
	registry.TypeExtract:       registry.Extract{},
	statement.TypeEnrolment:    statement.Enrolment{},
	statement.TypeEnrolmentEnd: statement.EnrolmentEnd{},
	custody.TypeTransfer:       custody.Transfer{},
	custody.TypeArrival:        custody.Arrival{},
	attest.TypeAttestation:     attest.Attestation{},
	agreement.TypeAgreement:    agreement.Agreement{},
	agreement.TypeAcceptance:   agreement.Acceptance{},
	agreement.TypeChargeList:   agreement.ChargeList{},
	visit.TypeOrder:            visit.Order{},
	visit.TypeOpened:           visit.Opened{},
	visit.TypeDispatch:         visit.Dispatch{},
	visit.TypeChallenge:        visit.Challenge{},
	visit.TypeAdmission:        visit.Admission{},
	visit.TypeRefusal:          visit.Refusal{},
	visit.TypeStep:             visit.Step{},
	visit.TypeBackup:           visit.Backup{},
	visit.TypeNothingToKeep:    visit.NothingToKeep{},
	visit.TypeSignOff:          visit.SignOff{},
	visit.TypeConfirmation:     visit.Confirmation{},
	visit.TypeDecision:         visit.Decision{},
	visit.TypeIntent:           visit.Intent{},
	visit.TypeOutcome:          visit.Outcome{},
	visit.TypeBrake:            visit.Brake{},
	visit.TypeIncident:         visit.Incident{},
	visit.TypeResumption:       visit.Resumption{},
	visit.TypeRuling:           visit.Ruling{},
	visit.TypeReview:           visit.Review{},
	visit.TypeSuspension:       visit.Suspension{},
	visit.TypeReinstatement:    visit.Reinstatement{},
	visit.TypeDeviceWork:       visit.DeviceWork{},
	visit.TypeTerminalState:    visit.TerminalState{},
	visit.TypeEndConsent:       visit.EndConsent{},
	visit.TypeOutageAccepted:   visit.OutageAccepted{},
	evidence.TypeClosing:       evidence.Closing{},
}

// forms are the other JSON forms, by the heading under which they are described.
var forms = map[string]any{
	"key":        statement.Key{},
	"opening":    statement.Opening{},
	"assertion":  statement.Assertion{},
	"event":      record.Event{},
	"x509 proof": attest.X509Proof{},

	"enrolling":         credential.Enrolling{},
	"enrolment request": registry.EnrolmentRequest{},
	"badge request":     registry.BadgeRequest{},

	"quote":      attest.Quote{},
	"bundle":     evidence.Bundle{},
	"trust file": evidence.TrustFile{},
}

// seen are forms whose Go types are not to be had from here: their names are read off an example.
var seen = map[string]string{
	"exported file":       "examples/outbox.json",
	"envelope":            "examples/statements/nothing_to_keep.json",
	"payload":             "examples/statements/nothing_to_keep.json#payload",
	"badge header":        "examples/badge.txt#header",
	"badge claims":        "examples/badge.txt#claims",
	"key binding header":  "examples/presentation.txt#kb-header",
	"key binding claims":  "examples/presentation.txt#kb-claims",
	"status token header": "examples/status_token.txt#header",
	"status token claims": "examples/status_token.txt#claims",
}

func TestEveryStatementTypeHasItsBody(t *testing.T) {
	want := map[string]bool{evidence.TypeClosing: true}
	for _, row := range visit.Table() {
		want[row.Type] = true
	}
	for kind := range want {
		if _, ok := bodies[kind]; !ok {
			t.Errorf("the verb table takes %s; give its body here and describe it in %s", kind, formats)
		}
	}
	for kind := range bodies {
		if !want[kind] {
			t.Errorf("no verb takes %s", kind)
		}
	}
}

// Every JSON name of every form stands in the table of its own section, and no other name does, in
// the order in which it is written; what may be absent is called optional.
func TestFormatsDescribeEveryName(t *testing.T) {
	sections := sectionsOf(read(t, formats))
	types := maps.Clone(forms)
	maps.Copy(types, bodies)
	for heading, form := range types {
		leaves := namesOf(reflect.TypeOf(form), "", false)
		for _, complaint := range complaints(sections, heading, leaves) {
			t.Errorf("%s: %s", formats, complaint)
		}
		if order := rowNames(sections[heading]); !t.Failed() && !slices.Equal(order, leafNames(leaves)) {
			t.Errorf("%s, section %s: described as %q, written as %q", formats, heading, order, leafNames(leaves))
		}
	}
	for heading, ref := range seen {
		for _, complaint := range complaints(sections, heading, namesIn(t, ref)) {
			t.Errorf("%s: %s", formats, complaint)
		}
	}
}

// complaints holds a section's rows to the names of a form.
func complaints(sections map[string][]row, heading string, leaves []leaf) []string {
	rows, ok := sections[heading]
	if !ok {
		return []string{"no section " + heading}
	}
	var out []string
	for _, l := range leaves {
		i := slices.IndexFunc(rows, func(r row) bool { return r.name == l.name })
		if i < 0 {
			out = append(out, "section "+heading+" does not describe "+l.name)
		} else if l.optional && !strings.Contains(rows[i].text, "optional") {
			out = append(out, "section "+heading+" does not say that "+l.name+" is optional")
		}
	}
	for _, r := range rows {
		if !slices.ContainsFunc(leaves, func(l leaf) bool { return l.name == r.name }) {
			out = append(out, "section "+heading+" describes "+r.name+", which the form does not have")
		}
	}
	return out
}

func TestFormatsTableIsTheVerbTable(t *testing.T) {
	var want, got []string
	for _, r := range visit.Table() {
		stages := "any"
		if r.From != nil {
			var names []string
			for _, s := range r.From {
				names = append(names, cmp.Or(string(s), "none"))
			}
			stages = strings.Join(names, ", ")
		}
		want = append(want, strings.Join([]string{"", " `" + r.Type + "` ", " " + r.Stream + " ", " `" + r.Verb + "` ", " " + strings.Join(r.Roles, ", ") + " ",
			" " + stages + " ", " " + []string{"gives", "evidence", "takes"}[r.Sort] + " ", ""}, "|"))
	}
	for _, r := range sectionsOf(read(t, formats))["statement types"] {
		got = append(got, r.text)
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s lacks the row %s", formats, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s has a row that the verb table has not: %s", formats, line)
		}
	}
}

// row is one line of a table whose first column is a name.
type row struct{ name, text string }

var nameRow = regexp.MustCompile("^\\| *`([A-Za-z0-9_.\\[\\]]+)` *\\|")

func rowNames(rows []row) []string {
	var out []string
	for _, r := range rows {
		out = append(out, r.name)
	}
	return out
}

// sectionsOf collects, for each heading, the rows of the tables below it. Headings read "### `type`"
// or "### Words".
func sectionsOf(text string) map[string][]row {
	found := map[string][]row{}
	var now string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "#") {
			now = strings.ToLower(strings.Trim(line, "#` "))
			found[now] = []row{}
		}
		if m := nameRow.FindStringSubmatch(line); m != nil {
			found[now] = append(found[now], row{m[1], line})
		}
	}
	return found
}

// leaf is the path of a value in a JSON form.
type leaf struct {
	name     string
	optional bool // it, or what holds it, may be absent
}

func leafNames(leaves []leaf) []string {
	var out []string
	for _, l := range leaves {
		out = append(out, l.name)
	}
	return out
}

var keyType = reflect.TypeFor[statement.Key]()

// namesOf walks a type and gives the paths of its values. A key is described once. Of an optional
// object the first name is called optional.
func namesOf(t reflect.Type, prefix string, optional bool) []leaf {
	var leaves []leaf
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		p, ft := prefix+name, f.Type
		for ft.Kind() == reflect.Pointer || ft.Kind() == reflect.Slice {
			if ft.Kind() == reflect.Slice {
				p += "[]"
			}
			ft = ft.Elem()
		}
		absent := options == "omitempty" || optional && i == 0
		if ft.Kind() == reflect.Struct && (ft != keyType || t == keyType) {
			leaves = append(leaves, namesOf(ft, p+".", absent)...)
			continue
		}
		leaves = append(leaves, leaf{p, absent})
	}
	return leaves
}

// namesIn gives the same of an example document. What a statement says is described elsewhere.
func namesIn(t *testing.T, ref string) []leaf {
	t.Helper()
	text, err := shown(ref)
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(ref, err)
	}
	found := map[string]bool{}
	var walk func(v any, at string)
	walk = func(v any, at string) {
		switch x := v.(type) {
		case map[string]any:
			if at == "predicate.body" {
				found[at] = true
				return
			}
			for name, member := range x {
				walk(member, strings.TrimPrefix(at+"."+name, "."))
			}
		case []any:
			for _, member := range x {
				walk(member, at+"[]")
			}
		default:
			found[at] = true
		}
	}
	walk(document, "")
	var leaves []leaf
	for _, name := range slices.Sorted(maps.Keys(found)) {
		leaves = append(leaves, leaf{name: name})
	}
	return leaves
}

func TestFormatsTablesCanFail(t *testing.T) {
	sections := sectionsOf("### `brake`\n| `visit` | id | x |\n| `spare` | id | y |\n| `permit` | digest | z |\n")
	found := complaints(sections, "brake", namesOf(reflect.TypeFor[visit.Brake](), "", false))
	if len(found) != 3 { // reason missing, permit not called optional, spare too many
		t.Errorf("%q", found)
	}
	if len(complaints(sections, "freeze", nil)) != 1 {
		t.Error("a missing section is no complaint")
	}
}
