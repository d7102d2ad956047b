package gate_test

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// stageOf is the stage at which an ask may be put to a kind.
func stageOf(kind, ask string) visit.Stage {
	if ask == visit.AskClose && slices.Contains([]string{visit.Inspection, visit.Removal, gate.RepairUntouched}, kind) {
		return visit.Admitted
	}
	if ask == visit.AskEnd && kind != visit.Swap {
		return visit.Admitted
	}
	return map[string]visit.Stage{visit.AskDispatch: visit.Booked, visit.AskAdmit: visit.Dispatched, visit.AskTrial: visit.Admitted,
		visit.AskLive: visit.Trial, visit.AskEnd: visit.Live, visit.AskClose: visit.Live}[ask]
}

// honest is every fact of an honest visit of risk 1, as of the ask. Each call gives fresh slices.
// gate.RepairUntouched is a kind here: a repair that opened nothing.
func honest(kind, ask string) gate.Facts {
	w := city()
	column := kind
	if kind == gate.RepairUntouched {
		kind = visit.Repair
	}
	f := gate.Facts{
		Kind: kind, Opened: column == visit.Repair, Stage: stageOf(column, ask),
		Order: gate.Known(visit.Order{Order: orderID, Kind: kind, Acquirer: acquirer, Provider: provider, Merchant: w.wei.name, Province: "31", Business: business,
			Risk: 1, Model: "TD20", Terminal: terminal, Items: visit.FiveItems{AcquirerCode: "48021234", MerchantCode: mid, CreditCode: "a code"}, Identity: visit.IdentityCheck{Accepted: true}}, "order"),
		Assigned:     visit.Dispatch{Visit: "v1", Technician: w.lan.name, Issuer: provider, Serial: serial, Supervisor: w.gu.name},
		Trust:        gate.Known(w.trust, "trust"),
		Parameters:   gate.Known(w.parameters, "parameters"),
		Mandate:      gate.Known(gate.Mandate{SignedBy: acquirer, Span: must(registry.Period(at(-time.Hour), at(time.Hour)))}, "mandate"),
		Certificates: gate.Known([]registry.Certificate{certificate("security"), certificate("smart-pos")}, "certificates"),
		Merchant:     gate.Known(party(w.wei), "merchant"),
		Approver:     gate.Known(party(w.chen), "approver"),
		Technician:   gate.Known(party(w.lan), "technician"),
		Supervisor:   gate.Known(party(w.gu), "supervisor"),
		Extract:      gate.Known(extract(), "extract"),
		Admission: gate.Known(gate.Admission{At: noon.Add(-time.Hour), Genuine: true, SameFace: true, Mode: "online",
			BadgeKey: w.lan.thumb(), BadgeFor: "lan", StaffOf: provider}, "admission"),
		Place:        gate.Known(gate.Place{Readings: []gate.Reading{{Source: "merchant", Metres: 20}, {Source: "technician", Metres: 60}}}, "place"),
		Custody:      gate.Known(w.custody, "custody"),
		Quotes:       gate.Known([]gate.Attestation{{Quote: w.quotes[0], AskedAt: noon.Add(-26 * time.Minute), AnswerAt: noon.Add(-25 * time.Minute), Number: 12}}, "quotes"),
		Backup:       gate.Known(gate.Backup{NothingToKeep: true}, "backup"),
		Steps:        gate.Known(stepsFor(column), "steps"),
		SignOff:      gate.Known(visit.SignOff{Visit: "v1", Mode: "remote", Satisfied: true}, "sign-off"),
		Confirmation: gate.Known(visit.Confirmation{Visit: "v1", Works: true, StaffShown: true, RefundsProtected: true, PaidNothingBeside: true}, "confirmation"),
	}
	ofItsKind(&f, column)
	if column == visit.Inspection || column == gate.RepairUntouched {
		f.Charges = gate.Known(agreement.ChargeList{Visit: "v1", Charges: []agreement.Charge{}}, "charges")
		return f
	}
	f.Agreement = gate.Known(w.sheet, "agreement")
	f.TrialPermit = gate.Known(w.trial, "trial")
	f.Acceptance = gate.Known(gate.Acceptance{Report: w.report, Number: 15}, "acceptance")
	if ask == visit.AskLive {
		f.Quotes.Value = append(f.Quotes.Value, gate.Attestation{Quote: w.quotes[1], AskedAt: noon.Add(-2 * time.Minute), AnswerAt: noon.Add(-time.Minute), Number: 16})
	}
	return f
}

func party(p person) gate.Party {
	return gate.Party{Holder: p.name, Organisation: p.organisation, Key: p.thumb()}
}

func certificate(course string) registry.Certificate {
	return registry.Certificate{Holder: "lan", Course: course, From: at(-time.Hour), Until: at(time.Hour)}
}

func photo(name string) visit.Photo {
	return visit.Photo{Digest: statement.Digest([]byte(name)), Source: visit.PageCamera}
}

func stepsFor(kind string) []gate.StepDone {
	if kind == visit.Inspection || kind == visit.Removal {
		return []gate.StepDone{{Step: visit.Step{Step: "shopfront", Done: true, Photos: []visit.Photo{photo("shop")}}, Role: visit.RoleTechnician}}
	}
	return []gate.StepDone{
		{Step: visit.Step{Step: "mount", Done: true, Photos: []visit.Photo{photo("left"), photo("right")}}, Role: visit.RoleTechnician},
		{Step: visit.Step{Step: "check_serial", Done: true}, Role: visit.RoleMerchant},
	}
}

// extract is a look that found nothing wrong: four different people, nothing open, nothing bound.
func extract() registry.Extract {
	x := registry.Extract{Visit: "v1", Identity: registry.IdentityUse{Merchant: "wei"}, Binding: registry.BindingLook{Serial: serial, Terminal: terminal}}
	for _, name := range []string{"wei", "chen", "lan", "gu"} {
		x.People = append(x.People, registry.Person{Holder: name})
	}
	for _, name := range []string{"left", "right", "shop"} {
		x.Photos = append(x.Photos, registry.PhotoLook{Digest: photo(name).Digest})
	}
	return x
}

const (
	oldSerial   = "00005704280117028127"
	oldTerminal = "W1489701"
)

// ofItsKind adds what only some kinds have: a terminal that is at the shop already, and what happens to it.
func ofItsKind(f *gate.Facts, column string) {
	w := city()
	x := extract()
	old, order := visit.OldTerminal{Serial: serial, Terminal: terminal}, &f.Order.Value
	order.Items.Address = statement.Digest([]byte("new"))
	switch column {
	case visit.Install:
		return
	case visit.Swap:
		old = visit.OldTerminal{Serial: oldSerial, Terminal: oldTerminal}
		order.Old = &old
		x.Old = &registry.BindingLook{Serial: oldSerial, Terminal: oldTerminal, SerialBoundTo: "o-0", BoundAcquirer: "48021234", BoundMerchant: mid, TerminalOn: oldSerial}
	case visit.Relocation:
		order.Old = &visit.OldTerminal{Serial: serial, Terminal: terminal, Address: statement.Digest([]byte("old"))}
		f.Places = gate.Known(gate.Places{}, "places")
	default:
		x.Binding.SerialBoundTo, x.Binding.BoundAcquirer, x.Binding.BoundMerchant = "o-0", "48021234", mid
	}
	x.Binding.DeviceKey = w.quotes[0].Key()
	f.Extract = gate.Known(x, "extract")
	f.EndConsent = gate.Known(visit.EndConsent{Visit: "v1", Serial: old.Serial, Terminal: old.Terminal}, "consent")
	f.Outage = gate.Known(visit.OutageAccepted{Visit: "v1", Serial: old.Serial}, "outage")
	f.Ended = gate.Known(gate.Ended{Serial: old.Serial, Terminal: old.Terminal}, "ended")
	f.OldState = gate.Known(visit.TerminalState{Visit: "v1", Serial: old.Serial, Terminal: old.Terminal, State: visit.TerminalLive}, "state")
	f.Returned = gate.Known(gate.Returned{Chain: w.returned[old.Serial], Given: true}, "returned")
	f.Work = gate.Known(visit.DeviceWork{Visit: "v1", Serial: serial, SealsIntact: true}, "work")
	f.Rollback = noon.Add(time.Hour)
	f.Charges = gate.Known(agreement.ChargeList{Visit: "v1", Charges: []agreement.Charge{}}, "charges")
	if column == visit.Relocation {
		f.OldState.Value.State = visit.TerminalEnded
	}
}
