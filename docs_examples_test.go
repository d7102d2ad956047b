package menshen_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
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
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/scenario"
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
	if *remake || *update {
		if err := errors.Join(updateAttacks(), rewriteDocuments()); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// maker plays the example visits and keeps what they sign.
type maker struct {
	play   *scenario.Play
	ledger *scenario.Ledger
	files  map[string][]byte // by path below docs/examples
}

func makeExamples() error {
	p, err := scenario.InMemoryPlay(visit.Install, 1, exampleBegins, nil)
	if err != nil {
		return err
	}
	m := &maker{play: p, ledger: p.Venue.(*scenario.Ledger), files: map[string][]byte{}}
	ctx := context.Background()
	for _, step := range []func(context.Context) error{p.OpenCity, m.install, m.keepBundle, m.second, m.keepStatements, m.passkey} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(filepath.Join(examples, "statements")); err != nil {
		return err
	}
	for name, data := range m.files {
		name = filepath.Join(examples, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// install plays the honest installation, a minute and a quarter between scenes.
func (m *maker) install(ctx context.Context) error {
	m.play.Wait(5 * time.Hour)
	m.play.NewOrder(visit.Install, 1)
	for _, s := range m.play.Install() {
		if err := s.Run(ctx); err != nil {
			return err
		}
		m.ledger.Dossier(m.play.ID, 0) // has the witnesses cosign now, as they do within a second
		m.play.Wait(75 * time.Second)
	}
	return nil
}

// keepBundle exports the installation as the server does for its merchant: only positions are opened.
func (m *maker) keepBundle(context.Context) error {
	p, l := m.play, m.ledger
	d := l.Dossier(p.ID, l.Log.Size())
	d.Openings = slices.DeleteFunc(d.Openings, func(o statement.Opening) bool { return o.Kind != evidence.KindPosition })
	bundle, err := evidence.Export(d, visit.RoleMerchant, l.Log.Size(), func(c evidence.Closing) ([]byte, error) {
		return p.Cast.Platform.Forge(scenario.Draft{Stream: p.VisitStream(), Type: evidence.TypeClosing, At: p.Now(), Body: c}), nil
	})
	if err != nil {
		return err
	}
	trust, err := statement.Canonical(p.Trust.File())
	m.files["bundle.json"], m.files["trust.json"] = bundle, trust
	return err
}

// second plays what an honest installation does not have: an inspection's list of charges, brakes,
// a backup, and what ends keys and badges.
func (m *maker) second(ctx context.Context) error {
	q, c := m.play.Another("v2", "00005704280117028127", "W1489725"), m.play.Cast
	if err := scenario.Run(ctx, scenario.Until(q.Install(), "nothing to keep")); err != nil {
		return err
	}
	list, err := q.Host.ListCharges(ctx, q)
	if err != nil {
		return err
	}
	if err := q.FileReport(ctx, list); err != nil {
		return err
	}
	copied := statement.Digest([]byte("example: the till's data"))
	stream := q.VisitStream()
	file := func(by *scenario.Actor, verb, stream, kind string, body any) (string, error) {
		q.Wait(time.Minute)
		signed := by.Sign(scenario.Draft{Stream: stream, Type: kind, Body: body, At: q.Now()})
		return statement.Digest(signed), q.Venue.File(ctx, by, scenario.Filing{Stream: stream, Verb: verb, Envelope: signed})
	}
	note := scenario.Hide("note", "他要我再刷一笔 2000 元")
	if _, err := file(c.Technician, visit.BackUp, stream, visit.TypeBackup, visit.Backup{Visit: q.ID, Manifest: copied, Restored: copied}); err != nil {
		return err
	}
	incident, err := file(c.Merchant, visit.ReportIncident, stream, visit.TypeIncident, visit.Incident{Visit: q.ID, Kind: "asked_for_money", Note: note.Commitment})
	if err != nil {
		return err
	}
	frozen, err := file(c.Merchant, visit.Freeze, stream, visit.TypeBrake, visit.Brake{Visit: q.ID, Reason: "asked_for_money"})
	if err != nil {
		return err
	}
	for _, f := range []struct {
		by                 *scenario.Actor
		verb, stream, kind string
		body               any
	}{
		{c.Risk, visit.Resume, stream, visit.TypeResumption, visit.Resumption{Visit: q.ID, Reason: "technician_replaced", Appeal: "12363", Closes: []string{incident, frozen}}},
		{c.Merchant, visit.Refuse, stream, visit.TypeRefusal, visit.Refusal{Visit: q.ID, Reason: "asked_for_money"}},
		{c.Merchant, visit.ReviewVerb, m.play.VisitStream(), visit.TypeReview, visit.Review{Visit: m.play.ID, Stars: 5}},
		{c.Provider, visit.RevokeBadge, "person/" + c.Stranger.ID, registry.TypeBadgeRevoked,
			registry.BadgeRevoked{Holder: c.Stranger.ID, StatusURI: c.StatusURI, StatusIndex: 9, Reason: "left", From: statement.At(q.Now())}},
		{c.Provider, visit.EndEnrolment, "organisation/" + c.Provider.ID, statement.TypeEnrolmentEnd,
			statement.EnrolmentEnd{Key: c.Stranger.Public().Thumbprint(), From: statement.At(q.Now()), Reason: "left"}},
	} {
		if _, err := file(f.by, f.verb, f.stream, f.kind, f.body); err != nil {
			return err
		}
	}
	return nil
}

// keepStatements keeps one statement of each type, and the smaller forms around them.
func (m *maker) keepStatements(context.Context) error {
	for _, visitID := range []string{m.play.ID, "v2"} {
		for _, e := range m.ledger.Dossier(visitID, 0).Entries {
			envelope, err := statement.Base64(e.Statement)
			if err != nil {
				return err
			}
			c, err := statement.Parse(envelope)
			if err != nil {
				return err
			}
			name := "statements/" + c.Type + ".json"
			if _, kept := m.files[name]; !kept && m.chosen(c) {
				m.files[name] = envelope
				if c.Type == visit.TypeAdmission {
					if err := m.keepAround(e, c); err != nil {
						return err
					}
				}
			}
		}
	}
	bundle, err := evidence.Open(m.files["bundle.json"])
	if err != nil {
		return err
	}
	if m.files["statements/"+evidence.TypeClosing+".json"], err = statement.Base64(bundle.Closing); err != nil {
		return err
	}
	c, err := statement.Parse(m.files["statements/"+registry.TypeStatusList+".json"])
	if err != nil {
		return err
	}
	var list registry.StatusList
	err = c.UntrustedBody(&list)
	m.files["status_token.txt"] = []byte(list.Token)
	return err
}

// chosen prefers, of several statements of a type, the one that shows most.
func (m *maker) chosen(c statement.Claims) bool {
	switch c.Type {
	case agreement.TypeAgreement, statement.TypeEnrolment:
		var e statement.Enrolment
		return c.Header.Role == visit.RoleMerchant || c.UntrustedBody(&e) == nil && e.Role == visit.RoleMerchant
	case visit.TypeDecision:
		var d visit.Decision
		return c.UntrustedBody(&d) == nil && d.Ask == visit.AskTrial
	case registry.TypeExtract:
		var x registry.Extract
		return c.UntrustedBody(&x) == nil && x.Ask == visit.AskLive
	case custody.TypeTransfer:
		var t custody.Transfer
		return c.UntrustedBody(&t) == nil && t.First != nil
	}
	return true
}

// keepAround keeps what one entry of the log is made of, and what the badge of the door check is.
func (m *maker) keepAround(e evidence.Entry, c statement.Claims) error {
	event, errE := statement.Base64(e.Event)
	salt, errS := statement.Base64(e.Salt)
	if errE != nil || errS != nil {
		return errors.Join(errE, errS)
	}
	leaf, err := record.LeafFor(event, [16]byte(salt), e.Day, e.Province)
	if err != nil {
		return err
	}
	_, checkpoint, _ := strings.Cut(e.Receipt, "\n\n")
	var a visit.Admission
	if err := c.UntrustedBody(&a); err != nil {
		return err
	}
	m.files["event.json"], m.files["salt.txt"], m.files["leaf.txt"] = event, []byte(e.Salt), leaf.Bytes()
	m.files["receipt.txt"], m.files["checkpoint.txt"] = []byte(e.Receipt), []byte(checkpoint)
	m.files["presentation.txt"] = []byte(a.Presentation)
	m.files["badge.txt"] = []byte(a.Presentation[:strings.LastIndexByte(a.Presentation, '~')+1])
	bundle, err := evidence.Open(m.files["bundle.json"])
	if err != nil {
		return err
	}
	for _, o := range bundle.Openings {
		if found, err := o.Commitment(); err == nil && found == a.Position {
			m.files["opening.json"], err = statement.Canonical(o)
			return err
		}
	}
	return errNoExample
}

// passkey has the merchant sign with a passkey, as an authenticator and a browser do it (WebAuthn
// Level 3 §5.8.1, §6.1). Nothing of the play is used but names.
func (m *maker) passkey(context.Context) error {
	c := m.play.Cast
	wei := scenario.NewActor("wei", c.Acquirer.ID, visit.RoleMerchant)
	key := wei.Public()
	key.Kind, key.RPID, key.Origins = statement.WebAuthn, site, []string{site443}
	enrolment := scenario.Enrolment(wei, m.play.Now())
	enrolment.Key = key
	m.files["statements/enrolment_passkey.json"] = c.Acquirer.Forge(scenario.Draft{Stream: "organisation/" + c.Acquirer.ID,
		Type: statement.TypeEnrolment, At: m.play.Now(), Body: enrolment})
	payload, err := statement.Unsigned{Type: visit.TypeNothingToKeep, Subject: "visit/v2", Body: visit.NothingToKeep{Visit: "v2"},
		Header: statement.Header{Signer: wei.ID, Organisation: wei.Organisation, Role: wei.Role, At: statement.At(m.play.Now())}}.Payload(key)
	if err != nil {
		return err
	}
	assertion, err := assertWith(wei.Key, statement.AssertionChallenge(statement.PAE(statement.PayloadType, payload)))
	if err != nil {
		return err
	}
	m.files["statements/nothing_to_keep_passkey.json"], err = statement.Seal(payload, key, assertion)
	return err
}

func assertWith(priv *ecdsa.PrivateKey, challenge [32]byte) ([]byte, error) {
	client := []byte(`{"type":"webauthn.get","challenge":"` + base64.RawURLEncoding.EncodeToString(challenge[:]) +
		`","origin":"` + site443 + `","crossOrigin":false}`)
	rp, hash := sha256.Sum256([]byte(site)), sha256.Sum256(client)
	const presentAndVerified = 0x05
	auth := binary.BigEndian.AppendUint32(append(rp[:], presentAndVerified), 7)
	sum := sha256.Sum256(append(bytes.Clone(auth), hash[:]...))
	der, err := ecdsa.SignASN1(rand.Reader, priv, sum[:])
	if err != nil {
		return nil, err
	}
	enc := base64.StdEncoding.EncodeToString
	return statement.Canonical(statement.Assertion{AuthenticatorData: enc(auth), ClientDataJSON: enc(client), Signature: enc(der)})
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
