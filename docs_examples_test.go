package menshen_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// remake makes docs/examples anew from a play in memory, with fresh keys that are then forgotten.
// update writes what the documents show of files and tables into them:
//
//	go test -run TestExamples . -remake
//	go test . -update
var (
	remake = flag.Bool("remake", false, "make docs/examples anew, and update")
	update = flag.Bool("update", false, "write what documents show of files and tables into them")
)

const (
	examples = "docs/examples"
	site     = "menshen.example"
	site443  = "https://" + site
)

var errNoExample = errors.New("the play made no such example")

var exampleBegins = time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC) // nine in the morning at the shop

// TestMain updates before anything is tested, so that one run is enough.
func TestMain(m *testing.M) {
	flag.Parse()
	if *remake {
		if err := makeExamples(); err != nil {
			panic(err)
		}
	}
	if *remakeDoor {
		if err := makeDoorVectors(); err != nil {
			panic(err)
		}
	}
	if *remake || *update {
		if err := errors.Join(updateAttacks(), rewriteDocuments()); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// example reads a file of docs/examples.
func example(t *testing.T, name string) []byte {
	t.Helper()
	return []byte(read(t, examples+"/"+name))
}

// exampleBundle verifies the example bundle with the example trust file.
func exampleBundle(t *testing.T) (*evidence.Bundle, evidence.Trust, evidence.Result) {
	t.Helper()
	trust, err := evidence.ParseTrust(example(t, "trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := evidence.Open(example(t, "bundle.json"))
	if err != nil {
		t.Fatal(err)
	}
	result := evidence.Verify(bundle, trust)
	if !result.Accepted() || result.NotOpened != 0 {
		t.Fatalf("the example bundle: %v, %d not opened", result.Refusal, result.NotOpened)
	}
	return bundle, trust, result
}

func TestExamplesBundleIsAccepted(t *testing.T) {
	_, _, result := exampleBundle(t)
	if result.Stage != string(visit.Closed) || result.Kind != visit.Install || len(result.Decisions) != 5 {
		t.Errorf("%s, %s, %d decisions", result.Kind, result.Stage, len(result.Decisions))
	}
}

// exampleKeys finds every key that the example bundle vouches for, and the passkey beside it.
func exampleKeys(t *testing.T) map[string]statement.Key {
	t.Helper()
	bundle, trust, _ := exampleBundle(t)
	keys := map[string]statement.Key{}
	add := func(k statement.Key) { keys[k.Thumbprint()] = k }
	add(trust.File().TrustListKey)
	take := func(c statement.Claims) {
		var e statement.Enrolment
		var l credential.TrustList
		if c.Type == statement.TypeEnrolment && c.UntrustedBody(&e) == nil {
			add(e.Key)
		}
		if c.Type == credential.TypeTrustList && c.UntrustedBody(&l) == nil {
			for _, o := range l.Organisations {
				add(o.Key)
			}
		}
	}
	for _, entry := range bundle.Entries {
		envelope, err := statement.Base64(entry.Statement)
		if err != nil {
			t.Fatal(err)
		}
		c, err := statement.Parse(envelope)
		if err != nil {
			t.Fatal(err)
		}
		take(c)
	}
	c, err := statement.Parse(example(t, "statements/enrolment_passkey.json"))
	if err != nil {
		t.Fatal(err)
	}
	take(c)
	return keys
}

// Each statement's signature holds under a key that somebody vouches for, and its body is read by the
// type that the code uses.
func TestExamplesOfStatementsVerify(t *testing.T) {
	keys := exampleKeys(t)
	files, err := filepath.Glob(examples + "/statements/*.json")
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	for _, file := range files {
		data := []byte(read(t, file))
		c, err := statement.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		v, err := statement.Verify(data, keys[c.Header.Key])
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		body := reflect.New(reflect.TypeOf(bodies[v.Type()])).Interface()
		if err := v.Body(v.Type(), body); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		covered[v.Type()] = true
		if wantKey := map[bool]string{true: statement.WebAuthn, false: statement.ES256}[strings.HasPrefix(path.Base(file), "nothing_to_keep_passkey")]; v.KeyKind() != wantKey {
			t.Errorf("%s: signed with a key of kind %s", file, v.KeyKind())
		}
	}
	for kind := range bodies {
		if !covered[kind] {
			t.Errorf("no example of %s", kind)
		}
	}
}

// The small forms fit together: opening and commitment, event and statement, leaf, receipt, badge.
func TestExamplesOfSmallFormsFitTogether(t *testing.T) {
	bundle, trust, _ := exampleBundle(t)
	admission, err := statement.Parse(example(t, "statements/admission.json"))
	if err != nil {
		t.Fatal(err)
	}
	var body visit.Admission
	if err := admission.UntrustedBody(&body); err != nil {
		t.Fatal(err)
	}
	var o statement.Opening
	if err := statement.DecodeCanonical(example(t, "opening.json"), &o); err != nil {
		t.Fatal(err)
	}
	if c, err := o.Commitment(); err != nil || c != body.Position {
		t.Errorf("the opening opens %s, not the admission's position (%v)", c, err)
	}
	event, err := record.ParseEvent(example(t, "event.json"))
	if err != nil || event.Statement != admission.Digest() {
		t.Errorf("the event names %s (%v)", event.Statement, err)
	}
	salt, err := statement.Base64(string(example(t, "salt.txt")))
	if err != nil || len(salt) != 16 {
		t.Fatal(err)
	}
	leaf := example(t, "leaf.txt")
	parsed, err := record.ParseLeaf(leaf)
	if err != nil {
		t.Fatal(err)
	}
	again, err := record.LeafFor(event.Bytes(), [16]byte(salt), parsed.Day, parsed.Province)
	if err != nil || again != parsed {
		t.Errorf("the leaf is not the event's: %v", err)
	}
	for _, e := range bundle.Entries {
		if e.Event != base64.StdEncoding.EncodeToString(event.Bytes()) {
			continue
		}
		if e.Receipt != string(example(t, "receipt.txt")) {
			t.Error("the receipt is not the one in the bundle")
		}
		if cosigned, err := evidence.Cosigned(e, trust); err != nil || len(cosigned) != 2 {
			t.Errorf("cosigned by %v: %v", cosigned, err)
		}
	}
	if !bytes.HasSuffix(example(t, "receipt.txt"), append([]byte("\n\n"), example(t, "checkpoint.txt")...)) {
		t.Error("the receipt does not end in the checkpoint")
	}
	if body.Presentation != string(example(t, "presentation.txt")) || body.Answer != statement.Digest(example(t, "presentation.txt")) {
		t.Error("the presentation is not the admission's")
	}
	if !strings.HasPrefix(body.Presentation, string(example(t, "badge.txt"))) {
		t.Error("the badge is not the one that was presented")
	}
}

func TestExamplesOfCredentialsVerify(t *testing.T) {
	badge, token := example(t, "badge.txt"), example(t, "status_token.txt")
	var list credential.TrustList
	c, err := statement.Parse(example(t, "statements/trust_list.json"))
	if err != nil || c.UntrustedBody(&list) != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(list.Organisations, func(o credential.Organisation) bool { return o.BadgeKey != nil })
	issuer := list.Organisations[at]
	asked := exampleBegins.Add(5*time.Hour + 10*time.Minute)
	b, err := credential.VerifyBadge(badge, *issuer.BadgeKey, issuer.ID, asked)
	if err != nil {
		t.Fatal(err)
	}
	l, err := credential.VerifyStatusList(token, credential.StatusExpectation{Issuer: *issuer.BadgeKey, IssuerID: issuer.ID, URI: b.StatusURI(), Now: asked})
	if err != nil || l.Admits(b) != nil {
		t.Errorf("%v, %v", err, l.Admits(b))
	}
}

// Nobody can sign with what is committed here.
func TestExamplesHoldNoPrivateKey(t *testing.T) {
	for _, p := range allFiles(t) {
		if !strings.HasPrefix(p, "docs/") {
			continue
		}
		if text := read(t, p); strings.Contains(text, "PRIVATE KEY") || strings.Contains(text, "PRIVATE+KEY") || strings.Contains(text, `"d":`) {
			t.Errorf("%s holds a private key", p)
		}
	}
}
