package menshen_test

import (
	"context"
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// secondVectors are what merchants' keys signed at one door, one verdict after the other, and what a judge says of
// technician-admitted after each.
type secondVectors struct {
	Trust    string           `json:"trust"` // the trust file, as a publisher writes it
	Visit    string           `json:"visit"`
	Merchant statement.Key    `json:"merchant"`
	Clerk    statement.Key    `json:"clerk"`
	Entries  []evidence.Entry `json:"entries"` // recorded before anybody stood at the door
	Checks   []secondCheck    `json:"checks"`
}

type secondCheck struct {
	Name    string           `json:"name"`
	Entries []evidence.Entry `json:"entries"` // recorded since the check before
	Now     int64            `json:"now"`     // when it is judged
	Code    string           `json:"code"`    // "" where the condition holds
}

func TestDoorSecondJudgementVectors(t *testing.T) {
	var v secondVectors
	readVectors(t, "second.json", &v)
	trust, err := evidence.ParseTrust([]byte(v.Trust))
	if err != nil {
		t.Fatal(err)
	}
	judge := evidence.NewReader(trust)
	d := evidence.Dossier{Visit: v.Visit, Entries: v.Entries}
	signed, names := map[string]int{}, []string{}
	for _, c := range v.Checks {
		d.Entries = slices.Concat(d.Entries, c.Entries)
		if code := admittedBy(judge, d, c.Now); code != c.Code {
			t.Errorf("%s: got %q, want %q", c.Name, code, c.Code)
		}
		if slices.Contains(names, c.Name) {
			t.Errorf("%s: named twice", c.Name)
		}
		names = append(names, c.Name)
		for _, e := range c.Entries {
			envelope := decoded(t, e.Statement)
			said, err := statement.Parse(envelope)
			if err != nil {
				t.Fatal(err)
			}
			if said.Type != visit.TypeAdmission {
				continue
			}
			key := map[string]statement.Key{visit.RoleMerchant: v.Merchant, visit.RoleClerk: v.Clerk}[said.Header.Role]
			if _, err := said.Verify(key); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
			var body visit.Admission
			if err := said.UntrustedBody(&body); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
			signed[body.Mode]++
		}
	}
	if signed[visit.ModeOnline] < 3 || signed[visit.ModeOffline] < 10 {
		t.Errorf("the verdicts are %v", signed)
	}
}

// admittedBy is a judge's answer to whether the technician was let in, as of a moment.
func admittedBy(judge *evidence.Reader, d evidence.Dossier, now int64) string {
	r := judge.Preview(d, visit.AskAdmit, time.Unix(now, 0).UTC())
	if r.Refusal != nil {
		return "no judgement: " + fault.CodeOf(r.Refusal)
	}
	c, there := r.Condition(gate.TechnicianAdmitted)
	switch {
	case !there:
		return "not asked"
	case c.Verdict == string(gate.Holds):
		return ""
	}
	return c.Code
}

// secondMaker plays the verdicts.
type secondMaker struct {
	p     *scenario.Play
	anna  *scenario.Actor
	known map[string]bool
	out   secondVectors
}

// fresh are the entries that were not there before, without receipts: nobody asks for one at the door.
func (m *secondMaker) fresh() []evidence.Entry {
	var out []evidence.Entry
	for _, e := range m.p.Venue.(*scenario.Ledger).Dossier(m.p.ID, 0).Entries {
		if !m.known[e.Event] {
			m.known[e.Event], e.Receipt = true, ""
			out = append(out, e)
		}
	}
	return out
}

// signs has the shop sign a check's verdict; change has the last word on it.
func (m *secondMaker) signs(d *scenario.Door, change func(*visit.Admission)) []byte {
	shown, err := d.Present(m.p)
	if err != nil {
		panic(err)
	}
	body := visit.Admission{Challenge: d.Challenge.Digest, Answer: statement.Digest([]byte(shown)), Presentation: shown, Genuine: d.Genuine, SameFace: d.SameFace, Mode: d.Mode, Offline: d.Transcript}
	if change != nil {
		change(&body)
	}
	answers := d.Challenge.Digest
	if d.Transcript != nil {
		answers = d.Transcript.Dispatch
	}
	return d.Signer.Sign(scenario.Draft{Stream: m.p.VisitStream(), Type: visit.TypeAdmission, Answers: answers, At: m.p.Now(), Body: body})
}

func (m *secondMaker) files(by *scenario.Actor, envelope []byte) {
	if err := m.p.Venue.File(context.Background(), by, scenario.Filing{Stream: m.p.VisitStream(), Verb: visit.Admit, Envelope: envelope}); err != nil {
		panic(err)
	}
}

func (m *secondMaker) check(name string, d *scenario.Door, change func(*visit.Admission)) {
	m.files(d.Signer, m.signs(d, change))
	m.judged(name)
}

func (m *secondMaker) judged(name string) {
	m.out.Checks = append(m.out.Checks, secondCheck{Name: name, Entries: m.fresh(), Now: m.p.Now().Unix()})
	m.p.Wait(time.Minute)
}

func (m *secondMaker) online() *scenario.Door {
	d, err := m.p.HonestDoor(context.Background())
	if err != nil {
		panic(err)
	}
	return d
}

func makeSecondVectors() (secondVectors, error) {
	ctx := context.Background()
	p, err := scenario.InMemoryPlay(visit.Install, 1, exampleBegins, nil)
	if err != nil {
		return secondVectors{}, err
	}
	if err := p.OpenCity(ctx); err != nil {
		return secondVectors{}, err
	}
	m := &secondMaker{p: p, anna: scenario.NewActor(p.Cast.Merchant.ID+".anna", p.Cast.Acquirer.ID, visit.RoleClerk), known: map[string]bool{}}
	if err := p.LetIn(ctx, m.anna); err != nil {
		return secondVectors{}, err
	}
	if err := scenario.Run(ctx, scenario.Until(p.Install(), "door")); err != nil {
		return secondVectors{}, err
	}
	trust, err := statement.Canonical(p.Trust.File())
	if err != nil {
		return secondVectors{}, err
	}
	m.out = secondVectors{Trust: string(trust), Visit: p.ID, Merchant: p.Cast.Merchant.Public(), Clerk: m.anna.Public(), Entries: m.fresh()}
	m.plays()
	if err := p.RevokeBadge(ctx, p.Cast.Technician, 7); err != nil {
		return secondVectors{}, err
	}
	m.judged("the badge is revoked")
	m.check("without signal, before the page hears of that", p.Offline(), nil)
	judge, d := evidence.NewReader(p.Trust), evidence.Dossier{Visit: p.ID, Entries: m.out.Entries}
	for i, c := range m.out.Checks {
		d.Entries = slices.Concat(d.Entries, c.Entries)
		m.out.Checks[i].Code = admittedBy(judge, d, c.Now)
	}
	return m.out, nil
}

// plays are the verdicts, in the order in which they come in.
func (m *secondMaker) plays() {
	p := m.p
	m.check("with signal", m.online(), nil)
	m.check("without signal", p.Offline(), nil)
	clerks := p.Offline()
	clerks.Signer = m.anna
	m.check("without signal, on the clerk's phone", clerks, nil)
	m.check("with signal, of another answer than the one beside it", m.online(), func(a *visit.Admission) { a.Answer = statement.Digest([]byte("another")) })
	m.check("the badge was not genuine", m.online(), func(a *visit.Admission) { a.Genuine, a.SameFace = false, false })
	m.check("less than a check", m.online(), func(a *visit.Admission) { a.Mode = "weak" })
	late := m.online()
	shown, err := late.Present(p)
	if err != nil {
		panic(err)
	}
	late.Replay = shown
	p.Wait(time.Hour)
	m.check("with signal, the face an hour later", late, nil)
	for _, c := range []struct {
		name   string
		change func(*visit.Transcript)
	}{
		{"read three minutes after the question", func(t *visit.Transcript) {
			p.Wait(3 * time.Minute)
			t.AnsweredAt = statement.At(p.Now())
		}},
		{"read a second later than that", func(t *visit.Transcript) {
			p.Wait(3*time.Minute + time.Second)
			t.AnsweredAt = statement.At(p.Now())
		}},
		{"read before the question", func(t *visit.Transcript) { t.AnsweredAt = statement.At(p.Now().Add(-time.Minute)) }},
		{"signed an hour after the answer", func(*visit.Transcript) { p.Wait(time.Hour) }},
		{"signed before the answer", func(t *visit.Transcript) {
			t.MadeAt, t.AnsweredAt = statement.At(p.Now().Add(time.Minute)), statement.At(p.Now().Add(time.Minute))
		}},
		{"trust list fetched 24 h before", func(t *visit.Transcript) { t.TrustListAt = statement.At(p.Now().Add(-24 * time.Hour)) }},
		{"trust list older", func(t *visit.Transcript) { t.TrustListAt = statement.At(p.Now().Add(-24*time.Hour - time.Second)) }},
		{"status list older", func(t *visit.Transcript) { t.StatusListAt = statement.At(p.Now().Add(-24*time.Hour - time.Second)) }},
		{"lists of tomorrow", func(t *visit.Transcript) { t.TrustListAt = statement.At(p.Now().Add(time.Hour)) }},
		{"a trust list that does not exist yet", func(t *visit.Transcript) { t.TrustList += 1000 }},
		{"by another dispatch", func(t *visit.Transcript) { t.Dispatch = statement.Digest([]byte("reassigned")) }},
		{"a nonce that is guessed", func(t *visit.Transcript) { t.Nonce = "MTIzNA==" }},
		{"another nonce than was answered", func(t *visit.Transcript) { t.Nonce = base64.StdEncoding.EncodeToString(make([]byte, 16)) }},
	} {
		d := p.Offline()
		shown, err := d.Present(p)
		if err != nil {
			panic(err)
		}
		d.Replay = shown
		c.change(d.Transcript)
		m.check("without signal, "+c.name, d, nil)
	}
	copied := p.Offline()
	copied.Holder = p.Cast.Stranger
	m.check("without signal, a copied badge", copied, nil)
	clerks = p.Offline()
	clerks.Signer = m.anna
	yes := m.signs(clerks, nil)
	p.Wait(10 * time.Minute)
	m.check("with signal, another face", m.online(), func(a *visit.Admission) { a.SameFace = false })
	m.files(m.anna, yes)
	m.judged("the clerk's yes of before that comes in")
	m.check("checked again", m.online(), nil)
}
