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
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

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
// a backup, what other kinds of visit say of a terminal, and what ends keys and badges.
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
	suspended, err := file(c.Risk, visit.Freeze, "organisation/"+c.Rival.ID, visit.TypeSuspension,
		visit.Suspension{Subject: c.Rival.ID, Reason: "rating_failed", Appeal: "12363"})
	if err != nil {
		return err
	}
	if err := m.school(file); err != nil {
		return err
	}
	for _, f := range []struct {
		by                 *scenario.Actor
		verb, stream, kind string
		body               any
	}{
		{c.Technician, visit.RecordStep, stream, visit.TypeDeviceWork, visit.DeviceWork{Visit: q.ID, Serial: q.Device.Serial, Opened: true}},
		{c.Host, visit.ReportTerminal, stream, visit.TypeTerminalState,
			visit.TerminalState{Visit: q.ID, Serial: q.Device.Serial, Terminal: q.Order.Terminal, State: visit.TerminalDead, At: statement.At(q.Now())}},
		{c.Merchant, visit.Confirm, stream, visit.TypeOutageAccepted,
			visit.OutageAccepted{Visit: q.ID, Serial: q.Device.Serial, Loaner: m.play.Device.Serial}},
		{c.Merchant, visit.Confirm, stream, visit.TypeEndConsent, visit.EndConsent{Visit: q.ID, Serial: q.Device.Serial, Terminal: q.Order.Terminal}},
		{c.Risk, visit.Resume, stream, visit.TypeResumption, visit.Resumption{Visit: q.ID, Reason: "technician_replaced", Appeal: "12363", Closes: []string{incident, frozen}}},
		{c.Risk, visit.Settle, stream, visit.TypeRuling, visit.Ruling{Visit: q.ID, Signer: c.Technician.ID, Stands: statement.Digest([]byte("example: the recorded step")),
			Late: statement.Digest([]byte("example: the step that came later")), Outcome: visit.RuledStands, Reason: "two_phones"}},
		{c.Risk, visit.Resume, "organisation/" + c.Rival.ID, visit.TypeReinstatement,
			visit.Reinstatement{Subject: c.Rival.ID, Reason: "rating_passed", Closes: []string{suspended}}},
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

// school publishes the course of shops, whose test the merchant takes and passes.
func (m *maker) school(file func(by *scenario.Actor, verb, stream, kind string, body any) (string, error)) error {
	c := m.play.Cast
	written, err := scenario.CourseFile("till")
	if err != nil {
		return err
	}
	published, err := file(c.School, visit.Publish, "organisation/"+c.School.ID, registry.TypeCourse,
		written.Published(scenario.Hide("course_questions", "every question with its key").Commitment))
	if err != nil {
		return err
	}
	person := "person/" + c.Merchant.ID
	attempt, err := file(c.Merchant, visit.TakeTest, person, registry.TypeAttempt, registry.Attempt{Issuer: c.School.ID, Course: written.Course, Version: written.Version,
		Published: published, Paper: statement.Digest([]byte("example: the paper")), Answers: scenario.Hide(registry.KindAnswers, "[[0],[1],[0]]").Commitment})
	if err != nil {
		return err
	}
	_, err = file(c.School, visit.Train, person, registry.TypeCertificate, registry.Certificate{Holder: c.Merchant.ID, Course: written.Course,
		From: statement.At(m.play.Now()), Until: statement.At(m.play.Now().AddDate(0, 0, written.Days)), Version: written.Version, Attempt: attempt})
	return err
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
