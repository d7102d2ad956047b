package scenario

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Ledger is a Venue in memory: it numbers events, keeps the log and asks evidence.Judge, without a
// server, a database or Tessera. It refuses nothing that a lying server could also let in, so that
// attacks reach the judge itself.
type Ledger struct {
	Cast  *Cast
	Log   *MemoryLog
	Trust evidence.Trust
	Now   Clock
	Host  *HostCore
	Call  func(ctx context.Context, permit string, bundle []byte) ([]byte, error) // how the host is called; nil for Host itself

	mu       sync.Mutex
	reader   *evidence.Reader // remembers what it verified from ask to ask
	streams  map[string][]Recorded
	openings []statement.Opening
	Extract  func(*registry.Extract) // lets an attack lie in the register's name; nil is honest
	Decide   func(*visit.Decision)   // lets it change a decision before the platform signs it; nil is honest
	Lie      func(Draft) Draft       // lets the platform sign something else than it should; nil is honest
	Hide     func(Told) bool         // lets it leave out what was recorded; nil shows everything
	Photos   map[string]string       // digest → visit that used it first
	Bound    map[string]registry.BindingLook
	Same     map[string][]string
	Settled  map[string]string            // merchant → what his settlement account is on file as
	OnFile   map[string]string            // merchant → which of the five items says who he is; none: he is on no register
	attested map[string]evidence.Attested // visit → what its device proved at the last ask
}

// Recorded is one event as the ledger keeps it.
type Recorded struct {
	Event    []byte
	Envelope []byte
	Salt     [16]byte
	Day      string
	Province string
	Index    int64
	Receipt  string // kept from the first checkpoint that covered it, once asked for
}

// NewLedger makes an empty ledger and the trust file that its readers use.
func NewLedger(c *Cast, f *Foundry, now Clock) (*Ledger, error) { return newLedger(c, f, now, nil) }

func newLedger(c *Cast, f *Foundry, now Clock, edit func(*evidence.TrustFile)) (*Ledger, error) {
	log := NewMemoryLog("menshen.example/log", now, "witness-a", "witness-b")
	file := TrustFileFor(c, f, now())
	log.Trust(&file)
	if edit != nil {
		edit(&file)
	}
	data, err := statement.Canonical(file)
	if err != nil {
		return nil, err
	}
	trust, err := evidence.ParseTrust(data)
	if err != nil {
		return nil, err
	}
	return &Ledger{Cast: c, Log: log, Trust: trust, Now: now, Host: NewHostCore(c.Host, trust, now), reader: evidence.NewReader(trust), streams: map[string][]Recorded{},
		Photos: map[string]string{}, Bound: map[string]registry.BindingLook{}, Same: map[string][]string{}, OnFile: map[string]string{}, Settled: map[string]string{},
		attested: map[string]evidence.Attested{}}, nil
}

// TrustFileFor is the association's trust file without its log part.
func TrustFileFor(c *Cast, f *Foundry, now time.Time) evidence.TrustFile {
	return evidence.TrustFile{
		Format: evidence.TrustFormat, Name: "演示用信任文件", Demonstration: true, Publisher: c.Association.ID, PublishedAt: statement.At(now),
		TrustListKey: c.Association.Public(),
		Witnesses:    []evidence.WitnessTrust{},
		DeviceRoots:  []evidence.DeviceRoot{{Maker: f.Maker, Certificate: b64(f.DER), Demonstration: true}},
		Revocations:  noRevocations(now),
	}
}

// Append records an envelope as the next event of a stream.
func (l *Ledger) Append(stream, verb string, envelope []byte) (Recorded, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.streams[stream]
	e := record.Event{Stream: stream, Number: len(events) + 1, Verb: verb, ReceivedAt: statement.At(l.Now()), Statement: statement.Digest(envelope)}
	if len(events) > 0 {
		e.Previous = statement.Digest(events[len(events)-1].Event)
	}
	if err := e.Check(); err != nil {
		return Recorded{}, err
	}
	data := e.Bytes()
	r := Recorded{Event: data, Envelope: envelope, Salt: Salt(), Day: l.Now().UTC().Format(time.DateOnly), Province: "31"}
	leaf, err := record.LeafFor(data, r.Salt, r.Day, r.Province)
	if err != nil {
		return Recorded{}, err
	}
	r.Index = l.Log.Add(leaf.Bytes())
	l.streams[stream] = append(events, r)
	return r, nil
}

// File records a statement, after the same checks of stage and role that the server makes.
func (l *Ledger) File(_ context.Context, by *Actor, f Filing) error {
	if l.recorded(f) {
		return nil // a lost answer, asked for again
	}
	if strings.HasPrefix(f.Stream, visit.StreamVisit+"/") {
		if err := l.decide(by, f); err != nil {
			return err
		}
	}
	if _, err := l.Append(f.Stream, f.Verb, f.Envelope); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range f.Openings {
		if !slices.Contains(l.openings, o) { // a person's likeness is committed to once, and sent with each dispatch
			l.openings = append(l.openings, o)
		}
	}
	return nil
}

func (l *Ledger) recorded(f Filing) bool {
	return slices.ContainsFunc(l.Stream(f.Stream), func(r Recorded) bool { return bytes.Equal(r.Envelope, f.Envelope) })
}

// decide asks the state machine whether the statement may be recorded now. Where what was recorded
// so far cannot even be read, it lets the statement in, so that the judge is the one to refuse.
func (l *Ledger) decide(by *Actor, f Filing) error {
	id := strings.TrimPrefix(f.Stream, visit.StreamVisit+"/")
	state, err := l.reader.Stand(l.Dossier(id, 0), l.Now())
	if err != nil {
		return nil
	}
	v, err := statement.Verify(f.Envelope, by.Public())
	if err != nil {
		return err
	}
	_, err = visit.Decide(state, f.Verb, v, l.Now())
	return err
}

// platform signs in the platform's name.
func (l *Ledger) platform(d Draft) []byte {
	if l.Lie != nil {
		d = l.Lie(d)
	}
	return l.Cast.Platform.Forge(d)
}

// Challenge records a nonce in the platform's name.
func (l *Ledger) Challenge(_ context.Context, _ *Actor, visitID, purpose string) (Challenge, error) {
	salt := Salt()
	return l.challenge(visitID, purpose, b64(salt[:]))
}

func (l *Ledger) challenge(visitID, purpose, nonce string) (Challenge, error) {
	envelope := l.platform(Draft{Stream: visit.StreamVisit + "/" + visitID, Type: visit.TypeChallenge, At: l.Now(),
		Body: visit.Challenge{Visit: visitID, Purpose: purpose, Nonce: nonce, Until: statement.At(l.Now().Add(90 * time.Second))}})
	_, err := l.Append(visit.StreamVisit+"/"+visitID, visit.ChallengeVerb, envelope)
	return Challenge{Digest: statement.Digest(envelope), Nonce: nonce}, err
}

// Attest records a device's answer in the platform's name.
func (l *Ledger) Attest(_ context.Context, visitID string, d *Device, c Challenge) error {
	stream := visit.StreamVisit + "/" + visitID
	_, err := l.Append(stream, visit.AttestDevice, l.platform(Draft{Stream: stream, Type: attest.TypeAttestation, Answers: c.Digest, At: l.Now(),
		Body: d.Attestation(c.Digest, visit.PurposeDevice, c.Nonce)}))
	return err
}

// Dossier gathers the visit's own streams and every event of organisations and people.
func (l *Ledger) Dossier(visitID string, logSize int64) evidence.Dossier {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := evidence.Dossier{Visit: visitID, LogSize: logSize, Openings: slices.Clone(l.openings)}
	order, serial := l.names(visitID)
	old := l.oldSerial(order)
	for _, stream := range l.sortedStreams() {
		kind, id, _ := strings.Cut(stream, "/")
		own := kind == visit.StreamPerson || kind == visit.StreamOrganisation || (kind == visit.StreamVisit && id == visitID) ||
			(kind == visit.StreamOrder && id == order) || (kind == visit.StreamDevice && (id == serial || id == old))
		if !own {
			continue
		}
		for i := range l.streams[stream] {
			if l.Hide != nil && l.Hide(l.told(stream, i)) {
				continue
			}
			d.Entries = append(d.Entries, l.entry(&l.streams[stream][i]))
		}
	}
	return d
}

// Leaves gives every entry that has been logged, by its leaf's place.
func (l *Ledger) Leaves() map[int64]evidence.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[int64]evidence.Entry{}
	for _, stream := range l.sortedStreams() {
		for i := range l.streams[stream] {
			r := &l.streams[stream][i]
			out[r.Index] = l.entry(r)
		}
	}
	return out
}

func (l *Ledger) told(stream string, i int) Told {
	r := l.streams[stream][i]
	c, err := statement.Parse(r.Envelope)
	must(err)
	return Told{Stream: stream, Number: i + 1, Type: c.Type, Index: r.Index}
}

func (l *Ledger) entry(r *Recorded) evidence.Entry {
	if r.Receipt == "" {
		r.Receipt = l.Log.Receipt(r.Index)
	}
	return evidence.EntryOf(r.Event, r.Envelope, r.Salt, r.Day, r.Province, r.Receipt)
}

func (l *Ledger) sortedStreams() []string {
	out := make([]string, 0, len(l.streams))
	for s := range l.streams {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// names reads which order and device a visit is about, from its own statements.
func (l *Ledger) names(visitID string) (order, serial string) {
	for _, r := range l.streams[visit.StreamVisit+"/"+visitID] {
		c, err := statement.Parse(r.Envelope)
		if err != nil {
			continue
		}
		var o visit.Opened
		var d visit.Dispatch
		if c.Type == visit.TypeOpened && c.UntrustedBody(&o) == nil {
			order = o.Order
		}
		if c.Type == visit.TypeDispatch && c.UntrustedBody(&d) == nil {
			serial = d.Serial
		}
	}
	return order, serial
}

// Ask looks into the registers, judges, and records the decision if it was granted.
func (l *Ledger) Ask(_ context.Context, _ *Actor, visitID, ask string) (Answer, error) {
	began := time.Now()
	if err := l.publishExtract(visitID, ask); err != nil {
		return Answer{}, err
	}
	report := l.reader.Judge(l.Dossier(visitID, l.Log.Size()), ask, l.Now())
	answer := AnswerOf(report)
	l.attested[visitID] = report.Attested()
	if report.Granted {
		stream := visit.StreamVisit + "/" + visitID
		decision := report.Decision()
		if l.Decide != nil {
			l.Decide(&decision)
		}
		envelope := l.platform(Draft{Stream: stream, Type: visit.TypeDecision, At: l.Now(), Body: decision})
		if _, err := l.Append(stream, visit.VerbOf(ask), envelope); err != nil {
			return Answer{}, err
		}
		answer.Decision = statement.Digest(envelope)
		if err := l.reportFailures(visitID, decision); err != nil {
			return Answer{}, err
		}
	}
	answer.Took = time.Since(began)
	return answer, nil
}

// Bundle exports the visit up to its last decision and the outcomes after it.
func (l *Ledger) Bundle(_ context.Context, by *Actor, visitID string) ([]byte, error) {
	return evidence.Export(l.Dossier(visitID, l.Log.Size()), by.Role, l.Log.Size(), func(c evidence.Closing) ([]byte, error) {
		return l.platform(Draft{Stream: visit.StreamVisit + "/" + visitID, Type: evidence.TypeClosing, At: l.Now(), Body: c}), nil
	})
}

// Release exports the visit and hands it to the host with the last permit.
func (l *Ledger) Release(ctx context.Context, by *Actor, visitID string) (string, error) {
	state, err := l.reader.Stand(l.Dossier(visitID, 0), l.Now())
	if err != nil {
		return "", err
	}
	decisions := state.Decisions()
	if len(decisions) == 0 || decisions[len(decisions)-1].Body.Permit == nil {
		return "", errNothingToRelease
	}
	permit := decisions[len(decisions)-1].Event.Statement.Digest()
	bundle, err := l.Bundle(ctx, l.Cast.Host, visitID)
	if err != nil {
		return "", err
	}
	stream := visit.StreamVisit + "/" + visitID
	intent := l.platform(Draft{Stream: stream, Type: visit.TypeIntent, At: l.Now(), Body: visit.Intent{Visit: visitID, Permit: permit}})
	if err := l.File(ctx, l.Cast.Platform, Filing{Stream: stream, Verb: visit.ReleasePermit, Envelope: intent}); err != nil {
		return "", err
	}
	signed, err := l.call(ctx, permit, bundle)
	if err != nil {
		return "", err
	}
	if err := l.File(ctx, l.Cast.Host, Filing{Stream: stream, Verb: visit.ReleasePermit, Envelope: signed}); err != nil {
		return "", err
	}
	l.bind(visitID, decisions[len(decisions)-1].Body, OutcomeOf(signed))
	return OutcomeOf(signed), nil
}

func (l *Ledger) call(ctx context.Context, permit string, bundle []byte) ([]byte, error) {
	if l.Call != nil {
		return l.Call(ctx, permit, bundle)
	}
	return l.Host.Release(bundle, permit)
}

// publishExtract looks into the ledger's registers in the platform's name.
func (l *Ledger) publishExtract(visitID, ask string) error {
	report := l.reader.Preview(l.Dossier(visitID, 0), ask, l.Now())
	o, d := report.Order(), report.State().Dispatched()
	x := registry.Extract{Visit: visitID, Ask: ask, LookedAt: statement.At(l.Now()), LogSize: l.Log.Size(),
		Lists: []registry.ListNumber{
			{List: registry.ListTrust, Issuer: l.Cast.Association.ID, Number: l.Cast.TrustNumber},
			{List: registry.ListParameters, Issuer: l.Cast.Acquirer.ID, Number: l.Cast.Parameters.Number},
			{List: registry.ListStatus, Issuer: l.Cast.StatusURI, Number: l.Cast.ListNumber},
		},
		People:   []registry.Person{},
		Identity: registry.IdentityUse{Merchant: o.Merchant, Terminals: 0, Item: l.OnFile[o.Merchant], Account: l.Settled[o.Merchant]},
		Binding:  registry.BindingLook{Serial: d.Serial, Terminal: o.Terminal},
		Open:     []registry.OpenMatter{}, Photos: []registry.PhotoLook{},
	}
	x.Lists = append(x.Lists, l.coursesPublished()...)
	if b, ok := l.Bound[d.Serial]; ok {
		x.Binding.SerialBoundTo, x.Binding.BoundAcquirer, x.Binding.BoundMerchant = b.SerialBoundTo, b.BoundAcquirer, b.BoundMerchant
		x.Binding.DeviceKey, x.Binding.Firmware = b.DeviceKey, b.Firmware
	}
	l.lookAtTerminals(&x, o)
	for _, who := range append([]string{o.Merchant, l.Cast.Approver.ID, d.Technician, d.Supervisor}, l.approved(visitID, o.Order)...) {
		if who != "" && !slices.ContainsFunc(x.People, func(p registry.Person) bool { return p.Holder == who }) {
			x.People = append(x.People, registry.Person{Holder: who, Same: append([]string{}, l.Same[who]...)})
		}
	}
	l.lookAtPhotos(&x, visitID)
	if l.Extract != nil {
		l.Extract(&x)
	}
	stream := visit.StreamVisit + "/" + visitID
	_, err := l.Append(stream, visit.Publish, l.platform(Draft{Stream: stream, Type: registry.TypeExtract, At: l.Now(), Body: x}))
	return err
}

// approved are those who signed an order's sheet or opened its visit for the acquirer.
func (l *Ledger) approved(visitID, order string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, r := range slices.Concat(l.streams[visit.StreamVisit+"/"+visitID], l.streams[visit.StreamOrder+"/"+order]) {
		if c, err := statement.Parse(r.Envelope); err == nil && c.Header.Role == visit.RoleApprover {
			out = append(out, c.Header.Signer)
		}
	}
	return out
}

func (l *Ledger) lookAtPhotos(x *registry.Extract, visitID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.streams[visit.StreamVisit+"/"+visitID] {
		c, err := statement.Parse(r.Envelope)
		var s visit.Step
		if err != nil || c.Type != visit.TypeStep || c.UntrustedBody(&s) != nil {
			continue
		}
		for _, p := range s.Photos {
			first, used := l.Photos[p.Digest]
			if !used {
				l.Photos[p.Digest], first = visitID, visitID
			}
			look := registry.PhotoLook{Digest: p.Digest}
			if first != visitID {
				look.SeenIn = first
			}
			x.Photos = append(x.Photos, look)
		}
	}
}

// boundTo is what the binding register holds once an order's terminal is live.
func boundTo(o visit.Order) registry.BindingLook {
	return registry.BindingLook{SerialBoundTo: o.Order, BoundAcquirer: o.Items.AcquirerCode, BoundMerchant: o.Items.MerchantCode}
}

// leaf gives a recorded event's leaf.
func (l *Ledger) leaf(r Recorded) []byte {
	leaf, err := record.LeafFor(r.Event, r.Salt, r.Day, r.Province)
	must(err)
	return leaf.Bytes()
}
