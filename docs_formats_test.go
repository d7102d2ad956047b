package menshen_test

import (
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
	visit.TypeReview:           visit.Review{},
	evidence.TypeClosing:       evidence.Closing{},
}

// forms are the other JSON forms, by the heading under which they are described.
var forms = map[string]any{
	"key":        statement.Key{},
	"opening":    statement.Opening{},
	"assertion":  statement.Assertion{},
	"event":      record.Event{},
	"x509 proof": attest.X509Proof{},
	"quote":      attest.Quote{},
	"bundle":     evidence.Bundle{},
	"trust file": evidence.TrustFile{},
}

// seen are forms whose Go types are not to be had from here: their names are read off an example.
var seen = map[string]string{
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

// Every JSON name of every form stands in the table of its own section, and no other name does.
func TestFormatsDescribeEveryName(t *testing.T) {
	sections := sectionsOf(read(t, formats))
	check := func(heading string, leaves, containers []string) {
		described, ok := sections[heading]
		if !ok {
			t.Errorf("%s has no section %q", formats, heading)
			return
		}
		for _, name := range leaves {
			if !slices.Contains(described, name) {
				t.Errorf("%s, section %s: %s is not described", formats, heading, name)
			}
		}
		for _, name := range described {
			if !slices.Contains(leaves, name) && !slices.Contains(containers, name) {
				t.Errorf("%s, section %s: there is no %s", formats, heading, name)
			}
		}
	}
	for kind, body := range bodies {
		leaves, containers := namesOf(reflect.TypeOf(body), "")
		check(kind, leaves, containers)
	}
	for heading, form := range forms {
		leaves, containers := namesOf(reflect.TypeOf(form), "")
		check(heading, leaves, containers)
	}
	for heading, ref := range seen {
		leaves, containers := namesIn(t, ref)
		check(heading, leaves, containers)
	}
}

var (
	nameRow = regexp.MustCompile("^\\| *((?:`[A-Za-z0-9_.\\[\\]]+` *)+)\\|")
	quoted  = regexp.MustCompile("`([^`]+)`")
)

// sectionsOf collects, for each heading, the names in the first column of the tables below it.
// Headings read "### `type`: words" or "### words".
func sectionsOf(text string) map[string][]string {
	found := map[string][]string{}
	var now string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "#") {
			now = headingOf(line)
			found[now] = []string{}
		}
		if m := nameRow.FindStringSubmatch(line); m != nil {
			for _, q := range quoted.FindAllStringSubmatch(m[1], -1) {
				found[now] = append(found[now], q[1])
			}
		}
	}
	return found
}

func headingOf(line string) string {
	title, _, _ := strings.Cut(strings.ToLower(strings.TrimLeft(line, "# ")), ":")
	return strings.Trim(title, "` ")
}

var keyType = reflect.TypeFor[statement.Key]()

// namesOf walks a type and gives the paths of its values, and those of the objects and lists that
// hold them. A key is described once.
func namesOf(t reflect.Type, prefix string) (leaves, containers []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		p, ft := prefix+name, f.Type
		for ft.Kind() == reflect.Pointer || ft.Kind() == reflect.Slice {
			if ft.Kind() == reflect.Slice {
				p += "[]"
				containers = append(containers, prefix+name)
			}
			ft = ft.Elem()
		}
		if ft.Kind() == reflect.Struct && (ft != keyType || t == keyType) {
			below, inside := namesOf(ft, p+".")
			leaves, containers = append(leaves, below...), append(append(containers, p), inside...)
			continue
		}
		leaves = append(leaves, p)
	}
	return leaves, containers
}

// namesIn gives the same of an example document.
func namesIn(t *testing.T, ref string) (leaves, containers []string) {
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
			for name, member := range x {
				walk(member, strings.TrimPrefix(at+"."+name, "."))
			}
			containers = append(containers, at)
		case []any:
			containers = append(containers, at)
			for _, member := range x {
				walk(member, at+"[]")
			}
		default:
			found[at] = true
		}
	}
	walk(document, "")
	return slices.Sorted(maps.Keys(found)), containers
}
