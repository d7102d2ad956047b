package access

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
)

type question struct {
	role     Role
	verb     string
	relation Relation
}

// golden reads testdata/access.txt and refuses a line that names something unknown or a permission
// that stands there twice.
func golden(t *testing.T) map[question]bool {
	t.Helper()
	file, err := os.Open("testdata/access.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	allowed := map[question]bool{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		role, relation := Role(words[0]), Relation(words[1])
		if !slices.Contains(Roles(), role) || !slices.Contains(Relations(), relation) {
			t.Fatalf("unknown role or relation: %s %s", role, relation)
		}
		for _, verb := range words[2:] {
			q := question{role, verb, relation}
			if !slices.Contains(Verbs(), verb) || allowed[q] {
				t.Fatalf("unknown or repeated: %v", q)
			}
			allowed[q] = true
		}
	}
	if lines.Err() != nil || len(allowed) == 0 {
		t.Fatalf("the list is unreadable or empty: %v", lines.Err())
	}
	return allowed
}

func TestEveryRoleVerbAndRelation(t *testing.T) {
	allowed := golden(t)
	asked := 0
	for _, role := range Roles() {
		for _, verb := range Verbs() {
			for _, relation := range Relations() {
				asked++
				want := allowed[question{role, verb, relation}]
				if got := Decide(role, verb, relation).Allowed(); got != want {
					t.Errorf("%s %s as %s: allowed %v, list says %v", role, verb, relation, got, want)
				}
				if got := Require(role, verb, relation) == nil; got != want {
					t.Errorf("%s %s as %s: Require disagrees", role, verb, relation)
				}
			}
		}
	}
	if want := 15 * 66 * 6; asked != want {
		t.Errorf("%d questions, want %d", asked, want)
	}
}

func TestUnknownIsDenied(t *testing.T) {
	for _, q := range []question{
		{"", "", ""},
		{"", "admit", PartyMerchant},
		{Merchant, "", PartyMerchant},
		{Merchant, "admit", ""},
		{"Merchant", "admit", PartyMerchant},
		{"owner", "admit", PartyMerchant},
		{Merchant, "Admit", PartyMerchant},
		{Merchant, "bypass", PartyMerchant},
		{Merchant, "admit", "friend"},
		{Merchant, "admit", "party_merchant "},
		{"admin", "release_permit", Self},
		{Risk, "freeze*", OwnOrganisation},
	} {
		if Decide(q.role, q.verb, q.relation) != Deny {
			t.Errorf("%v is allowed", q)
		}
	}
}

func TestZeroDecisionDenies(t *testing.T) {
	var d Decision
	if d.Allowed() || d != Deny || Decision(2).Allowed() {
		t.Error("something other than Allow is allowed")
	}
}

func TestRefusalNamesTheVerbOnlyIfItIsOurs(t *testing.T) {
	err := Require(Technician, "agree", Assigned)
	if f := fault.Of(err); f.Code != "access_denied" || f.Kind != fault.Forbidden || f.Where != "agree" {
		t.Errorf("refused with %v", err)
	}
	err = Require(Technician, "360426199101010071", Assigned)
	if f := fault.Of(err); f.Code != "access_denied" || f.Where != "" {
		t.Errorf("refused with %v", err)
	}
}

// 条例 art. 21–22: whatever his relation, the field role approves nobody and signs for no institution.
func TestFieldRoleNeverActsForTheInstitution(t *testing.T) {
	for _, relation := range Relations() {
		for _, verb := range []string{"book", "agree", "confirm", "admit", "sign_off", "report_acceptance", "release_permit", "train", "enrol",
			"publish", PublishOrganisation, "dispatch", "reassign", "resume", ResumeOrganisation, ReadOpenings} {
			if Decide(Technician, verb, relation).Allowed() {
				t.Errorf("technician may %s as %s", verb, relation)
			}
		}
	}
}

func TestProviderNeverSeesTheOrderLink(t *testing.T) {
	for _, role := range []Role{Technician, Dispatcher, Organisation, Custodian, Supervisor, Clerk} {
		for _, relation := range Relations() {
			if Decide(role, ReadOrderLink, relation).Allowed() {
				t.Errorf("%s sees the order link as %s", role, relation)
			}
		}
	}
}

func TestClerkHasDoorAndTillOnly(t *testing.T) {
	got := []string{}
	for _, verb := range Verbs() {
		for _, relation := range Relations() {
			if Decide(Clerk, verb, relation).Allowed() {
				got = append(got, verb)
			}
		}
	}
	const want = "admit challenge freeze list_visits open_ticket read_door read_package read_tickets read_visit record_step refuse report_incident take_test"
	if strings.Join(got, " ") != want {
		t.Errorf("clerk may %v", got)
	}
}

var onOthers = map[string]bool{FreezeOrganisation: true, ResumeOrganisation: true}

// A colleague of the technician, of the same provider, has nothing to do with the visit; and who
// stands in no relation may nothing, except the regulator, whoever trains other people's staff, and a risk
// desk that suspends a provider for its own acquirer's orders (visit.SuspendsFor).
func TestRelationsDoNotStretch(t *testing.T) {
	for _, verb := range Verbs() {
		if Decide(Technician, verb, OwnOrganisation).Allowed() {
			t.Errorf("a technician who was not sent may %s", verb)
		}
		for _, role := range Roles() {
			exempt := role == Regulator || (role == CourseIssuer && verb == "train") || (role == Risk && onOthers[verb])
			if Decide(role, verb, None).Allowed() && !exempt {
				t.Errorf("%s, who is nobody here, may %s", role, verb)
			}
		}
	}
}

func TestVerbsOfStreams(t *testing.T) {
	for _, c := range []struct{ stream, verb, want string }{
		{"visit", "freeze", "freeze"},
		{"organisation", "freeze", FreezeOrganisation},
		{"organisation", "resume", ResumeOrganisation},
		{"person", "freeze", FreezeOrganisation},
		{"person", "publish", ""},
		{"organisation", "publish", PublishOrganisation},
		{"visit", "publish", "publish"},
		{"organisation", "enrol", "enrol"},
		{"device", "freeze", FreezeDevice},
		{"device", "resume", ResumeDevice},
		{"device", "transfer", "transfer"},
		{"device", "cancel", ""},
		{"visit", "freeze_organisation", ""},
		{"visit", "read_visit", ""},
		{"kitchen", "freeze", ""},
	} {
		if got := On(c.stream, c.verb); got != c.want {
			t.Errorf("%s on %s is %q, want %q", c.verb, c.stream, got, c.want)
		}
	}
	// Every verb of every stream is decided somewhere, and nothing else but reading and carrying is.
	named := []string{ReadVisit, ReadBundle, ReadOpenings, ReadOrderLink, ListVisits, ReadRoll, ReadRegistry, DraftSheet, ImportSheets, CompareCharges, ReadCharges, ReadUnsent, ReadOperations, SettleDeadLetter, ReadFeed, ReadPhotos, Carry, ReadDoor, ReadPackage, AnswerDoor, ReadTickets, "open_ticket", "answer_ticket", "pause_ticket",
		"continue_ticket", "resolve_ticket", "reopen_ticket", "close_ticket"}
	for stream, verbs := range streams {
		for _, verb := range verbs {
			named = append(named, On(stream, verb))
		}
	}
	slices.Sort(named)
	if got := slices.Compact(named); !slices.Equal(got, Verbs()) {
		t.Errorf("streams and reading name %v, the table has %v", got, Verbs())
	}
}
