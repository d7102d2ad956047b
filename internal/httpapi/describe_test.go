package httpapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/ticket"
	"github.com/menshen-project/menshen/internal/visit"
)

// spec is the description as a client reads it.
type spec struct {
	OpenAPI    string
	Paths      map[string]map[string]specOperation
	Components struct {
		Schemas         map[string]json.RawMessage
		SecuritySchemes map[string]struct{ Type, Scheme string }
	}
}

type specOperation struct {
	OperationID string
	Summary     string
	Tags        []string
	Security    []map[string][]string
	Parameters  []struct {
		Name, In, Description string
		Required              bool
		Schema                struct{ Type, Pattern string }
	}
	RequestBody *struct {
		Required bool
		Content  map[string]specMedia
	}
	Responses map[string]struct {
		Description string
		Headers     map[string]any
		Content     map[string]specMedia
	}
}

type specMedia struct {
	Schema  map[string]any
	Example json.RawMessage
}

func served(t *testing.T) spec {
	t.Helper()
	w := get(New(Config{App: &app.App{}}), "/openapi.json")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/openapi+json" {
		t.Fatalf("status %d, type %q", w.Code, w.Header().Get("Content-Type"))
	}
	var s spec
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s spec) each(f func(path, method string, op specOperation)) {
	for path, item := range s.Paths {
		for method, op := range item {
			f(path, method, op)
		}
	}
}

func TestEveryOperationIsDescribedWhole(t *testing.T) {
	s := served(t)
	if s.OpenAPI != "3.1.0" || s.Components.SecuritySchemes[securityBearer].Scheme != "bearer" {
		t.Errorf("OpenAPI %q, security %v", s.OpenAPI, s.Components.SecuritySchemes)
	}
	plainID := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	seen := map[string]bool{}
	s.each(func(path, method string, op specOperation) {
		at := method + " " + path
		if !plainID.MatchString(op.OperationID) || seen[op.OperationID] {
			t.Errorf("%s: operation id %q is taken or not plain", at, op.OperationID)
		}
		seen[op.OperationID] = true
		zh, en, two := strings.Cut(op.Summary, " · ")
		if !two || !strings.ContainsFunc(zh, isHan) || strings.ContainsFunc(en, isHan) || en == "" {
			t.Errorf("%s: summary %q is not in both languages", at, op.Summary)
		}
		if len(op.Tags) != 1 || op.Security == nil {
			t.Errorf("%s: %d tags, security %v", at, len(op.Tags), op.Security)
		}
		if open := len(op.Security) == 0; open != (!strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/v1/phone_") || path == "/v1/enrolments" || strings.HasPrefix(path, "/v1/clerks/{id}/")) { // a new phone is nobody yet
			t.Errorf("%s: open is %v", at, open)
		}
		checkAnswers(t, at, op)
		checkParameters(t, at, path, op)
		if method == "post" {
			checkWriting(t, at, op)
		}
	})
	if len(seen) < 30 {
		t.Errorf("only %d operations", len(seen))
	}
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

// checkAnswers wants an example of every answer, and a problem's for every error.
func checkAnswers(t *testing.T, at string, op specOperation) {
	good := 0
	for code, r := range op.Responses {
		if strings.HasPrefix(code, "2") {
			good++
			if m := r.Content[contentJSON]; len(m.Example) == 0 || m.Schema == nil {
				t.Errorf("%s %s: no example or no schema", at, code)
			}
			continue
		}
		var p Problem
		m := r.Content[contentProblem]
		if err := json.Unmarshal(m.Example, &p); err != nil || p.Code == "" || p.Zh == "" || p.En == "" || p.Type != problemType+p.Code {
			t.Errorf("%s %s: the example is no problem: %s", at, code, m.Example)
		}
		if m.Schema["$ref"] != "#/components/schemas/Problem" {
			t.Errorf("%s %s: schema %v", at, code, m.Schema)
		}
	}
	wanted := []string{"400", "429", "500"}
	if len(op.Security) > 0 {
		wanted = append(wanted, "401", "403", "404", "503")
	}
	for _, code := range wanted {
		if _, ok := op.Responses[code]; !ok {
			t.Errorf("%s does not describe %s", at, code)
		}
	}
	if good == 0 || op.Responses["429"].Headers["Retry-After"] == nil {
		t.Errorf("%s: %d good answers, headers of 429 %v", at, good, op.Responses["429"].Headers)
	}
}

func checkParameters(t *testing.T, at, path string, op specOperation) {
	for _, p := range op.Parameters {
		if p.Schema.Type == "" || p.Description == "" || (p.In == "path" && (p.Schema.Pattern == "" || !p.Required)) {
			t.Errorf("%s: parameter %s is not bounded or not described", at, p.Name)
		}
		if p.In == "path" {
			path = strings.Replace(path, "{"+p.Name+"}", "", 1)
		}
	}
	if strings.Contains(path, "{") {
		t.Errorf("%s: a part of the path is not described: %s", at, path)
	}
}

// checkWriting wants an idempotency key, a body with an example, and the answers that go with them.
func checkWriting(t *testing.T, at string, op specOperation) {
	key := slices.ContainsFunc(op.Parameters, func(p struct {
		Name, In, Description string
		Required              bool
		Schema                struct{ Type, Pattern string }
	}) bool {
		return p.Name == headerKey && p.In == "header" && p.Required
	})
	if !key || op.RequestBody == nil || !op.RequestBody.Required || len(op.RequestBody.Content[contentJSON].Example) == 0 || op.RequestBody.Content[contentJSON].Schema == nil {
		t.Errorf("%s: no idempotency key or no body", at)
	}
	for _, code := range []string{"408", "409", "413", "415", "422"} {
		if _, ok := op.Responses[code]; !ok {
			t.Errorf("%s does not describe %s", at, code)
		}
	}
}

// The bodies shown are bodies that the operations take.
func TestExampleBodiesAreReadStrictly(t *testing.T) {
	forms := map[string]any{"visit_challenge": &ChallengeRequest{}, "visit_attest_device": &AttestRequest{}, "visit_asks": &AskRequest{}, "visit_release_permit": &ReleaseRequest{},
		"visit_photos": &PhotoFiling{}, "carry": &CarryRequest{},
		"enrol": &EnrolRequest{}, "badges": &BadgeRequest{}, "person_revoke_badge": &EndBadges{}, "organisation_end_enrolment": &EndKey{}, ticket.Open: &OpenTicketRequest{},
		"clerks_invite": &InviteRequest{}, "clerk_key": &ClerkKey{}, "clerk_session": &ClerkProof{}, "challenge_phone": &nothing{}, "sign_phone_in": &PhoneSession{},
		"register_merchant": &NewMerchant{}, "save_sheet": &SaveSheet{}, "send_sheet": &SendSheet{}, "drop_sheet": &nothing{},
		"course_papers": &nothing{}, "course_attempts": &CourseAttempt{}, access.SettleDeadLetter: &DeadLetterRequest{},
		"answer_door": &DoorAnswerRequest{}, "speak_door": &DoorDigitsRequest{}}
	for _, act := range ticketActs {
		forms[act.verb] = &TicketAct{}
	}
	read := 0
	served(t).each(func(path, method string, op specOperation) {
		if method != "post" {
			return
		}
		form := forms[op.OperationID]
		if form == nil {
			form = &Filing{}
		}
		if err := statement.Decode(op.RequestBody.Content[contentJSON].Example, form); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		switch b := form.(type) {
		case *Filing:
			if _, err := statement.Base64(b.Statement); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		case *AttestRequest:
			if err := attest.Attestation(*b).Check(); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		read++
	})
	if read < 25 {
		t.Errorf("only %d bodies", read)
	}
}

// Every row that somebody files is reached under its verb, and nothing else is.
func TestTheVerbTableAndTheOperationsAreOneList(t *testing.T) {
	want := map[string]bool{}
	for _, r := range Filed() {
		want[PathOf(r.Stream, "{id}", r.Verb)] = true
		if _, ok := sayings[r.Stream+"/"+r.Verb]; !ok {
			t.Errorf("nothing says what %s/%s does", r.Stream, r.Verb)
		}
	}
	for name := range sayings {
		stream, verb, _ := strings.Cut(name, "/")
		if !want[PathOf(stream, "{id}", verb)] {
			t.Errorf("%s is described and not in the table", name)
		}
	}
	for _, own := range []string{visit.ChallengeVerb, visit.AttestDevice, "asks", visit.ReleasePermit} {
		want[PathOf(visit.StreamVisit, "{id}", own)] = true
	}
	want["/v1/visits/{id}/photos"], want["/v1/carried"] = true, true // bytes and files beside the statements
	want["/v1/enrolments"], want["/v1/badges"] = true, true          // asked of an organisation's own service
	want["/v1/door/answers"], want["/v1/visits/{id}/door/digits"] = true, true
	want["/v1/tickets"] = true // after-sales service signs nothing
	for _, act := range ticketActs {
		want["/v1/tickets/{id}/"+act.verb] = true
	}
	want["/v1/sheets/{id}/save"], want["/v1/sheets/{id}/send"], want["/v1/sheets/{id}/drop"] = true, true, true // drafts: nobody signed them
	want["/v1/merchants"] = true                                                                                // the registers are nobody's statements
	want["/v1/clerks"], want["/v1/clerks/{id}/key"], want["/v1/clerks/{id}/session"] = true, true, true         // between two phones
	want["/v1/courses/{issuer}/{course}/papers"], want["/v1/courses/{issuer}/{course}/attempts"] = true, true   // asked of the issuer's own service
	want["/v1/operations/"+access.SettleDeadLetter] = true                                                      // the deployment's own queues
	want["/v1/phone_challenges"], want["/v1/phone_sessions"] = true, true
	got := map[string]bool{}
	served(t).each(func(path, method string, _ specOperation) {
		if method == "post" {
			got[path] = true
		}
	})
	if !maps.Equal(got, want) {
		t.Errorf("operations %v\nwant %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	for _, r := range visit.Table() {
		filed := slices.ContainsFunc(Filed(), func(f visit.Row) bool { return f.Stream == r.Stream && f.Verb == r.Verb && f.Type == r.Type })
		if row := verbRow(r); (row.Path != "") != filed || row.Sort == "" {
			t.Errorf("%s %s: path %q, sort %q", r.Verb, r.Type, row.Path, row.Sort)
		}
		platformOnly := slices.Equal(r.Roles, []string{visit.RolePlatform})
		if filed && platformOnly {
			t.Errorf("%s %s is filed by the platform alone", r.Verb, r.Type)
		}
	}
}

func TestNoSchemaHasANull(t *testing.T) {
	for name, schema := range served(t).Components.Schemas {
		if strings.Contains(string(schema), `"null"`) {
			t.Errorf("%s may be null somewhere: %s", name, schema)
		}
	}
}

// Huma's own deadline on a body would end a request that waits for the log.
func TestHumaSetsNoDeadline(t *testing.T) {
	writes := 0
	for path, item := range New(Config{App: &app.App{}}).huma.OpenAPI().Paths {
		if item.Post == nil {
			continue
		}
		writes++
		if item.Post.BodyReadTimeout != noReadTimeout {
			t.Errorf("%s: %v", path, item.Post.BodyReadTimeout)
		}
	}
	if writes == 0 {
		t.Error("nothing writes")
	}
}
