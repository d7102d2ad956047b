package custody

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"slices"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"pgregory.net/rapid"
)

const serial = "00005704LAN0001"

// party is somebody who can hold a device.
type party struct {
	id, organisation, role string
	key                    *ecdsa.PrivateKey
}

func newParty(id, organisation, role string) party {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return party{id, organisation, role, key}
}

var (
	factory   = newParty("factory", "maker-a", "maker")
	warehouse = newParty("warehouse", "warehouse-b", "custodian")
	provider  = newParty("desk", "provider-c", "dispatcher")
	lan       = newParty("lan", "provider-c", "technician")
	mallory   = newParty("mallory", "provider-x", "technician")
)

var thumb = statement.KeyOf(&factory.key.PublicKey).Thumbprint()

func announced() Notice {
	return Notice{Tracking: "SF1029384756", BagSeal: "B-771", BoxSerial: "BOX-9", DeviceSerial: serial}
}

func made() *Origin {
	return &Origin{Model: "N5 智能终端", Hardware: "N5-1.02", Firmware: "3.1.7", DeviceKey: thumb}
}

// step is one statement before it is signed: tests spoil one field of it.
type step struct {
	by      party
	typ     string
	subject string
	answers string
	body    any
}

func (s step) sign(t testing.TB) statement.Verified {
	t.Helper()
	data, err := statement.Sign(s.by.key, statement.Unsigned{Type: s.typ, Subject: s.subject, Body: s.body,
		Header: statement.Header{Signer: s.by.id, Organisation: s.by.organisation, Role: s.by.role,
			At: "2026-11-22T12:00:00Z", Answers: s.answers}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := statement.Verify(data, statement.KeyOf(&s.by.key.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// journey is a chain in the making; spoil may change the statement with that index (arrival is last).
type journey struct {
	holders []party
	arrives bool
	spoil   func(i int, s *step)
}

func (j journey) sign(t testing.TB) ([]statement.Verified, *statement.Verified) {
	t.Helper()
	var chain []statement.Verified
	answers := ""
	for i := range len(j.holders) - 1 {
		from, to := j.holders[i], j.holders[i+1]
		body := Transfer{Serial: serial, FromHolder: from.id, ToHolder: to.id, ToOrganisation: to.organisation,
			Notice: announced(), SealsIntact: true}
		if i == 0 {
			body.First = made()
		}
		s := step{from, TypeTransfer, "device/" + serial, answers, &body}
		j.spoilt(i, &s)
		chain = append(chain, s.sign(t))
		answers = chain[i].Digest()
	}
	if !j.arrives {
		return chain, nil
	}
	s := step{j.holders[len(j.holders)-1], TypeArrival, "visit/v1", answers,
		&Arrival{Serial: serial, Notice: announced(), SealsIntact: true}}
	j.spoilt(len(chain), &s)
	arrival := s.sign(t)
	return chain, &arrival
}

func (j journey) spoilt(i int, s *step) {
	if j.spoil != nil {
		j.spoil(i, s)
	}
}

// usual is the way of most devices: three transfers (0, 1, 2) and the arrival (3).
func usual(spoil func(i int, s *step)) journey {
	return journey{[]party{factory, warehouse, provider, lan}, true, spoil}
}

func TestADeviceArrivesUnbroken(t *testing.T) {
	chain, arrival := usual(nil).sign(t)
	v, err := Verify(chain, arrival)
	if err != nil {
		t.Fatal(err)
	}
	if !v.OK() || v.Serial() != serial || v.Maker() != "maker-a" || v.Model() != "N5 智能终端" ||
		v.Hardware() != "N5-1.02" || v.Firmware() != "3.1.7" || v.DeviceKey() != thumb || v.AttestationSerial() ||
		v.Holder() != "lan" || v.HolderOrganisation() != "provider-c" || !v.Arrived() || v.ArrivedWith() != announced() {
		t.Errorf("got %+v", v)
	}
	want := []string{chain[0].Digest(), chain[1].Digest(), chain[2].Digest(), arrival.Digest()}
	if !slices.Equal(v.Digests(), want) {
		t.Errorf("digests %v, want %v", v.Digests(), want)
	}
	v.Digests()[0] = "changed"
	if v.Digests()[0] != want[0] {
		t.Error("a reader changed the evidence list")
	}
}

func TestADeviceUnderWayHasNotArrived(t *testing.T) {
	j := journey{holders: []party{factory, warehouse}, spoil: func(_ int, s *step) {
		*s.body.(*Transfer).First = Origin{Model: "A", Hardware: "B", Firmware: "C", AttestationSerial: true}
	}}
	chain, _ := j.sign(t)
	v, err := Verify(chain, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !v.OK() || v.Arrived() || v.ArrivedWith() != (Notice{}) || v.Holder() != "warehouse" || v.DeviceKey() != "" || !v.AttestationSerial() {
		t.Errorf("got %+v", v)
	}
}

func TestTheZeroValueRefuses(t *testing.T) {
	var v Verified
	if v.OK() || v.Arrived() || v.Serial() != "" || v.Holder() != "" || v.Maker() != "" || v.DeviceKey() != "" ||
		v.AttestationSerial() || len(v.Digests()) != 0 {
		t.Errorf("the zero value says something: %+v", v)
	}
	if _, err := Verify([]statement.Verified{{}}, nil); fault.CodeOf(err) != "statement_unverified" {
		t.Errorf("an unverified transfer: %v", err)
	}
	chain, _ := usual(nil).sign(t)
	if _, err := Verify(chain, &statement.Verified{}); fault.CodeOf(err) != "statement_unverified" {
		t.Errorf("an unverified arrival: %v", err)
	}
}

func transferOf(s *step) *Transfer { return s.body.(*Transfer) }
func arrivalOf(s *step) *Arrival   { return s.body.(*Arrival) }

// Every rule, by the one statement that breaks it.
func TestVerifyRefuses(t *testing.T) {
	tests := []struct {
		name  string
		at    int // which statement is spoilt; 3 is the arrival
		spoil func(s *step)
		want  string
		where string
	}{
		{"chain starts at a warehouse", 0, func(s *step) { s.by.role = "custodian" }, "custody_not_from_maker", "transfer 1"},
		{"maker's statement follows another", 0, func(s *step) { s.answers = statement.Digest(nil) }, "custody_transfer_missing", "transfer 1"},
		{"maker says nothing of the device", 0, func(s *step) { transferOf(s).First = nil }, "custody_not_first", "transfer 1"},
		{"maker has no organisation", 0, func(s *step) { s.by.organisation = "" }, "custody_id_malformed", "transfer 1"},
		{"neither key nor serial attestation", 0, func(s *step) { transferOf(s).First.DeviceKey = "" }, "custody_origin_missing", "transfer 1"},
		{"key and serial attestation", 0, func(s *step) { transferOf(s).First.AttestationSerial = true }, "custody_origin_ambiguous", "transfer 1"},
		{"key is no thumbprint", 0, func(s *step) { transferOf(s).First.DeviceKey = "abc" }, "custody_origin_malformed", "transfer 1"},
		{"key is padded", 0, func(s *step) { transferOf(s).First.DeviceKey = thumb + "=" }, "custody_origin_malformed", "transfer 1"},
		{"no model", 0, func(s *step) { transferOf(s).First.Model = "" }, "custody_origin_malformed", "transfer 1"},
		{"hardware with a line break", 0, func(s *step) { transferOf(s).First.Hardware = "a\nb" }, "custody_origin_malformed", "transfer 1"},
		{"firmware too long", 0, func(s *step) { transferOf(s).First.Firmware = longID(101) }, "custody_origin_malformed", "transfer 1"},
		{"origin told again", 1, func(s *step) { transferOf(s).First = made() }, "custody_origin_repeated", "transfer 2"},
		{"another device's transfer in the stream", 1, func(s *step) {
			transferOf(s).Serial, transferOf(s).Notice.DeviceSerial, s.subject = "other", "other", "device/other"
		}, "custody_other_device", "transfer 2"},
		{"transfer from another stream", 1, func(s *step) { s.subject = "visit/v1" }, "custody_stream_other", "transfer 2"},
		{"transfer answers nothing", 1, func(s *step) { s.answers = "" }, "custody_transfer_missing", "transfer 2"},
		{"transfer answers something else", 2, func(s *step) { s.answers = statement.Digest([]byte("else")) }, "custody_transfer_missing", "transfer 3"},
		{"signed by a stranger", 1, func(s *step) { s.by = mallory; transferOf(s).FromHolder = "mallory" }, "custody_holder_other", "transfer 2"},
		{"signed for another company", 1, func(s *step) { s.by.organisation = "provider-x" }, "custody_organisation_other", "transfer 2"},
		{"signer hands over another's", 0, func(s *step) { transferOf(s).FromHolder = "mallory" }, "custody_from_differs", "transfer 1"},
		{"signer hands over for another", 1, func(s *step) { transferOf(s).FromHolder = "mallory" }, "custody_from_differs", "transfer 2"},
		{"handed to oneself with new seals", 1, func(s *step) { transferOf(s).ToHolder = "warehouse" }, "custody_holder_same", "transfer 2"},
		{"to nobody", 2, func(s *step) { transferOf(s).ToHolder = "" }, "custody_id_malformed", "transfer 3"},
		{"to no organisation", 2, func(s *step) { transferOf(s).ToOrganisation = "" }, "custody_id_malformed", "transfer 3"},
		{"serial with a slash", 0, func(s *step) { transferOf(s).Serial = "a/b" }, "custody_id_malformed", "transfer 1"},
		{"holder begins with a dot", 1, func(s *step) { transferOf(s).FromHolder = ".lan" }, "custody_id_malformed", "transfer 2"},
		{"holder too long", 1, func(s *step) { transferOf(s).FromHolder = longID(65) }, "custody_id_malformed", "transfer 2"},
		{"notice without bag seal", 2, func(s *step) { transferOf(s).Notice.BagSeal = "" }, "custody_notice_malformed", "transfer 3"},
		{"notice of another device", 2, func(s *step) { transferOf(s).Notice.DeviceSerial = "other" }, "custody_serial_differs", "transfer 3"},
		{"handed over with a broken seal", 1, func(s *step) { transferOf(s).SealsIntact = false }, "custody_seal_broken", "transfer 2"},
		{"not a transfer", 1, func(s *step) { s.typ = TypeArrival }, "statement_type_differs", "transfer 2: transfer"},

		{"arrival of another device", 3, func(s *step) { arrivalOf(s).Serial = "other" }, "custody_other_device", "arrival"},
		{"arrival without a serial", 3, func(s *step) { arrivalOf(s).Serial = "" }, "custody_id_malformed", "arrival"},
		{"yesterday's arrival", 3, func(s *step) { s.answers = statement.Digest([]byte("yesterday")) }, "custody_arrival_answers_other", "arrival"},
		{"arrival signed by a stranger", 3, func(s *step) { s.by = mallory }, "custody_arrival_holder_other", "arrival"},
		{"arrival signed for another company", 3, func(s *step) { s.by.organisation = "provider-x" }, "custody_arrival_organisation_other", "arrival"},
		{"another parcel", 3, func(s *step) { arrivalOf(s).Notice.Tracking = "SF0" }, "custody_tracking_differs", "arrival"},
		{"bag sealed anew", 3, func(s *step) { arrivalOf(s).Notice.BagSeal = "B-772" }, "custody_seal_differs", "arrival"},
		{"another box", 3, func(s *step) { arrivalOf(s).Notice.BoxSerial = "BOX-8" }, "custody_box_differs", "arrival"},
		{"another device in the box", 3, func(s *step) { arrivalOf(s).Notice.DeviceSerial = "other" }, "custody_serial_differs", "arrival"},
		{"seal broken on arrival", 3, func(s *step) { arrivalOf(s).SealsIntact = false }, "custody_seal_broken", "arrival"},
		{"arrival without box serial", 3, func(s *step) { arrivalOf(s).Notice.BoxSerial = "" }, "custody_notice_malformed", "arrival"},
		{"a transfer for an arrival", 3, func(s *step) { s.typ = TypeTransfer }, "statement_type_differs", "arrival: arrival"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			chain, arrival := usual(func(i int, s *step) {
				if i == test.at {
					test.spoil(s)
				}
			}).sign(t)
			v, err := Verify(chain, arrival)
			if got := fault.CodeOf(err); got != test.want {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			if got := fault.Of(err).Where; got != test.where {
				t.Errorf("place %q, want %q", got, test.where)
			}
			if v.OK() || v.Holder() != "" {
				t.Error("a refused chain left something behind")
			}
		})
	}
}

func longID(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a'
	}
	return string(b)
}

func TestBoundsAreInclusive(t *testing.T) {
	if !isID(longID(64)) || isID(longID(65)) || !isText(longID(100)) || isText(longID(101)) {
		t.Error("ids have up to 64 bytes, names up to 100")
	}
}

func TestNoTransfersIsNoCustody(t *testing.T) {
	if _, err := Verify(nil, nil); fault.CodeOf(err) != "custody_transfer_missing" {
		t.Errorf("got %v", err)
	}
}

// A broken seal must reach the record: the form is fine, only Verify refuses it.
func TestCheckLooksAtTheFormOnly(t *testing.T) {
	a := Arrival{Serial: serial, Notice: announced(), SealsIntact: false}
	a.Notice.DeviceSerial = "other"
	if err := a.Check(); err != nil {
		t.Errorf("a mismatch at the counter could not be recorded: %v", err)
	}
	tr := Transfer{Serial: serial, FromHolder: "lan", ToHolder: "lan", ToOrganisation: "provider-c", Notice: announced(), First: &Origin{Model: "a", Hardware: "b", Firmware: "c"}}
	if err := tr.Check(); err != nil {
		t.Errorf("a bad transfer could not be recorded: %v", err)
	}
	if err := (Transfer{}).Check(); fault.CodeOf(err) != "custody_id_malformed" {
		t.Errorf("the zero transfer: %v", err)
	}
	if err := (Arrival{}).Check(); fault.CodeOf(err) != "custody_id_malformed" {
		t.Errorf("the zero arrival: %v", err)
	}
}

// Whatever the way, the whole chain in order passes, and no other selection or order of the same
// statements does, except a beginning of it.
func TestOnlyTheWholeChainInOrderPasses(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom([]party{warehouse, provider, lan, mallory}), 1, 6).Draw(r, "holders")
		j := journey{holders: []party{factory}}
		for _, p := range names {
			if p.id != j.holders[len(j.holders)-1].id {
				j.holders = append(j.holders, p)
			}
		}
		j.arrives = rapid.Bool().Draw(r, "arrives")
		chain, arrival := j.sign(t)
		v, err := Verify(chain, arrival)
		if err != nil || v.Holder() != j.holders[len(j.holders)-1].id || v.Arrived() != j.arrives {
			r.Fatalf("honest chain: %v", err)
		}
		pick := rapid.SliceOfN(rapid.IntRange(0, len(chain)-1), 0, len(chain)+1).Draw(r, "pick")
		var other []statement.Verified
		beginning := len(pick) > 0
		for i, p := range pick {
			other = append(other, chain[p])
			beginning = beginning && p == i
		}
		if _, err := Verify(other, nil); (err == nil) != beginning {
			r.Fatalf("selection %v of %d transfers: %v", pick, len(chain), err)
		}
	})
}

// FuzzBodies signs whatever bytes it is given as the bodies: nothing panics, and what passes is a
// chain whose parts agree.
func FuzzBodies(f *testing.F) {
	first, _ := json.Marshal(Transfer{Serial: serial, FromHolder: "factory", ToHolder: "lan", ToOrganisation: "provider-c", Notice: announced(), First: made(), SealsIntact: true})
	arrived, _ := json.Marshal(Arrival{Serial: serial, Notice: announced(), SealsIntact: true})
	f.Add(first, arrived)
	f.Add([]byte(`{"serial":"x"}`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, first, arrived []byte) {
		sign := func(s step) (statement.Verified, bool) {
			data, err := statement.Sign(s.by.key, statement.Unsigned{Type: s.typ, Subject: s.subject, Body: s.body,
				Header: statement.Header{Signer: s.by.id, Organisation: s.by.organisation, Role: s.by.role, At: "2026-11-22T12:00:00Z", Answers: s.answers}})
			if err != nil {
				return statement.Verified{}, false
			}
			v, err := statement.Verify(data, statement.KeyOf(&s.by.key.PublicKey))
			return v, err == nil
		}
		a, ok := sign(step{factory, TypeTransfer, "device/" + serial, "", json.RawMessage(first)})
		b, ok2 := sign(step{lan, TypeArrival, "visit/v1", a.Digest(), json.RawMessage(arrived)})
		if !ok || !ok2 {
			return
		}
		v, err := Verify([]statement.Verified{a}, &b)
		if (err == nil) != v.OK() {
			t.Fatal("error and OK disagree")
		}
		if v.OK() && (v.Serial() != serial || v.ArrivedWith().DeviceSerial != serial || v.Holder() != "lan" || (v.DeviceKey() == "") != v.AttestationSerial()) {
			t.Fatalf("accepted %+v", v)
		}
	})
}
