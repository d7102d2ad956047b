package gate_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func oldState(f *gate.Facts) *gate.Fact[visit.TerminalState] { return &f.OldState }
func outage(f *gate.Facts) *gate.Fact[visit.OutageAccepted]  { return &f.Outage }
func ended(f *gate.Facts) *gate.Fact[gate.Ended]             { return &f.Ended }
func consent(f *gate.Facts) *gate.Fact[visit.EndConsent]     { return &f.EndConsent }
func returned(f *gate.Facts) *gate.Fact[gate.Returned]       { return &f.Returned }
func places(f *gate.Facts) *gate.Fact[gate.Places]           { return &f.Places }
func worked(f *gate.Facts) *gate.Fact[visit.DeviceWork]      { return &f.Work }
func listed(f *gate.Facts) *gate.Fact[agreement.ChargeList]  { return &f.Charges }
func noOld(f *gate.Facts)                                    { f.Order.Value.Old = nil }
func oldIs(change func(*visit.OldTerminal)) func(*gate.Facts) {
	return func(f *gate.Facts) { change(f.Order.Value.Old) }
}
func stateIs(state string) func(*gate.Facts) {
	return edit(oldState, func(s *visit.TerminalState) { s.State = state })
}
func both(a, b func(*gate.Facts)) func(*gate.Facts) { return func(f *gate.Facts) { a(f); b(f) } }
func oldLook(change func(*registry.BindingLook)) func(*gate.Facts) {
	return ofLook(func(x *registry.Extract) { change(x.Old) })
}

func TestRollbackReady(t *testing.T) {
	dead := stateIs(visit.TerminalDead)
	walk(t, gate.RollbackReady, visit.AskTrial, gate.Rerun, []way{
		{name: "the old terminal is live", kind: visit.Swap},
		{name: "before any timer is set", kind: visit.Swap, spoil: func(f *gate.Facts) { f.Rollback = time.Time{} }},
		{name: "it is dead, and the merchant signed", kind: visit.Swap, spoil: dead},
		{name: "its keys are gone, and the merchant signed", kind: visit.Relocation},
		{name: "the repaired device itself is live", kind: visit.Repair},
		{name: "the repaired device itself is dead, with a loaner", kind: visit.Repair, spoil: both(dead, edit(outage, func(o *visit.OutageAccepted) { o.Loaner = oldSerial }))},
		kindOf(visit.Swap, absent("the host said nothing", oldState, "old_terminal_state_unknown")),
		kindOf(visit.Swap, unknown("the host's word is none", oldState)),
		{name: "the host spoke of another device", kind: visit.Swap, code: "old_terminal_other", spoil: edit(oldState, func(s *visit.TerminalState) { s.Serial = serial })},
		{name: "the host spoke of another code", kind: visit.Swap, code: "old_terminal_other", spoil: edit(oldState, func(s *visit.TerminalState) { s.Terminal = terminal })},
		{name: "dead, and nobody signed", kind: visit.Swap, code: "outage_not_accepted", spoil: both(dead, func(f *gate.Facts) { f.Outage = gate.Fact[visit.OutageAccepted]{} })},
		{name: "dead, and the signature is none", kind: visit.Swap, code: "why", spoil: both(dead, func(f *gate.Facts) { f.Outage = gate.Unknown[visit.OutageAccepted](errWhy) })},
		{name: "dead, and the merchant signed for another", kind: visit.Swap, code: "outage_of_another", spoil: both(dead, edit(outage, func(o *visit.OutageAccepted) { o.Serial = serial }))},
		{name: "keys gone before the new one is live, and nobody signed", kind: visit.Swap, ask: visit.AskLive, code: "outage_not_accepted",
			spoil: both(stateIs(visit.TerminalEnded), func(f *gate.Facts) { f.Outage = gate.Fact[visit.OutageAccepted]{} })},
		{name: "a word nobody knows is not live", kind: visit.Swap, code: "outage_not_accepted", spoil: both(stateIs("wave"), func(f *gate.Facts) { f.Outage = gate.Fact[visit.OutageAccepted]{} })},
		{name: "live but marked, and the merchant signed", kind: visit.Swap, spoil: marks},
		{name: "live but marked, and nobody signed", kind: visit.Swap, code: "old_terminal_suspect", spoil: both(marks, func(f *gate.Facts) { f.Outage = gate.Fact[visit.OutageAccepted]{} })},
		{name: "live but marked, and the merchant signed for another", kind: visit.Swap, code: "outage_of_another", spoil: both(marks, edit(outage, func(o *visit.OutageAccepted) { o.Serial = serial }))},
		{name: "the timer runs out now", kind: visit.Swap, ask: visit.AskLive, code: "rollback_due", spoil: func(f *gate.Facts) { f.Rollback = noon }},
		{name: "the timer ran out", kind: visit.Swap, code: "rollback_due", spoil: func(f *gate.Facts) { f.Rollback = noon.Add(-time.Hour) }},
		{name: "a swap that names no old terminal", kind: visit.Swap, code: "old_terminal_unnamed", spoil: noOld},
		{name: "a swap for itself", kind: visit.Swap, code: "old_terminal_unnamed", spoil: oldIs(func(o *visit.OldTerminal) { o.Serial = serial })},
		{name: "a swap whose old terminal has no code", kind: visit.Swap, code: "old_terminal_unnamed", spoil: oldIs(func(o *visit.OldTerminal) { o.Terminal = "" })},
		kindOf(visit.Swap, absent("no order", order, "evidence_absent")),
	})
}

func kindOf(kind string, w way) way { w.kind = kind; return w }

func TestKeysEnded(t *testing.T) {
	ways := []way{
		{name: "the old terminal's are gone", kind: visit.Swap},
		{name: "the removed terminal's are gone", kind: visit.Removal},
		{name: "the moved terminal's are gone", kind: visit.Relocation, ask: visit.AskTrial},
		kindOf(visit.Removal, absent("the host said nothing", ended, "keys_not_ended")),
		kindOf(visit.Removal, unknown("the host's word is none", ended)),
		{name: "another device's are gone", kind: visit.Removal, code: "keys_ended_of_another", spoil: edit(ended, func(e *gate.Ended) { e.Serial = oldSerial })},
		{name: "those of another code are gone", kind: visit.Swap, code: "keys_ended_of_another", spoil: edit(ended, func(e *gate.Ended) { e.Terminal = terminal })},
		{name: "no old terminal", kind: visit.Swap, code: "old_terminal_unnamed", spoil: noOld},
		{name: "nobody was sent with a device", kind: visit.Removal, code: "old_terminal_unnamed", spoil: func(f *gate.Facts) { f.Assigned.Serial = "" }},
		{name: "still live at the old place", kind: visit.Relocation, ask: visit.AskTrial, code: "keys_not_ended", spoil: func(f *gate.Facts) { f.Ended = gate.Fact[gate.Ended]{} }},
	}
	walk(t, gate.KeysEnded, visit.AskClose, gate.Rerun, ways)
}

func TestTheMerchantConsentsToTheEnd(t *testing.T) {
	walk(t, gate.MerchantConfirmed, visit.AskEnd, gate.Rerun, []way{
		{name: "of the swapped terminal", kind: visit.Swap},
		{name: "of the removed terminal", kind: visit.Removal},
		{name: "of the moved terminal", kind: visit.Relocation},
		kindOf(visit.Removal, absent("nobody signed", consent, "end_not_consented")),
		kindOf(visit.Removal, unknown("a signature that is none", consent)),
		{name: "of another serial", kind: visit.Swap, code: "end_consent_of_another", spoil: edit(consent, func(c *visit.EndConsent) { c.Serial = serial })},
		{name: "of another code", kind: visit.Removal, code: "end_consent_of_another", spoil: edit(consent, func(c *visit.EndConsent) { c.Terminal = oldTerminal })},
		{name: "a relocation that names no old place", kind: visit.Relocation, code: "old_terminal_unnamed", spoil: noOld},
		{name: "a relocation of another device", kind: visit.Relocation, code: "old_terminal_unnamed", spoil: oldIs(func(o *visit.OldTerminal) { o.Serial = oldSerial })},
		{name: "a relocation to another code", kind: visit.Relocation, code: "old_terminal_unnamed", spoil: oldIs(func(o *visit.OldTerminal) { o.Terminal = oldTerminal })},
		{name: "a relocation without its old address", kind: visit.Relocation, code: "old_terminal_unnamed", spoil: oldIs(func(o *visit.OldTerminal) { o.Address = "" })},
	})
	walk(t, gate.MerchantConfirmed, visit.AskClose, gate.Rerun, []way{
		{name: "a removal leaves nothing to be shown or protected", kind: visit.Removal, spoil: edit(confirmed, func(c *visit.Confirmation) { c.StaffShown, c.RefundsProtected = false, false })},
		{name: "a removal that is not done", kind: visit.Removal, code: "merchant_says_not_working", spoil: edit(confirmed, func(c *visit.Confirmation) { c.Works = false })},
	})
}

func TestWhatIsTakenAway(t *testing.T) {
	walk(t, gate.CustodyUnbroken, visit.AskClose, gate.Rerun, []way{
		{name: "a swap's old device", kind: visit.Swap},
		{name: "a removed device", kind: visit.Removal},
		kindOf(visit.Removal, absent("no transfers", returned, "device_not_handed_back")),
		kindOf(visit.Removal, unknown("a broken chain", returned)),
		{name: "a chain that nobody verified", kind: visit.Removal, code: "evidence_unverified", spoil: edit(returned, func(r *gate.Returned) { r.Chain = custody.Verified{} })},
		{name: "another device", kind: visit.Swap, code: "device_not_dispatched", spoil: edit(returned, func(r *gate.Returned) { r.Chain = city().returned[serial] })},
		{name: "taken without the merchant's signature", kind: visit.Removal, code: "device_not_handed_back", spoil: edit(returned, func(r *gate.Returned) { r.Given = false })},
		{name: "taken while its keys lived", kind: visit.Removal, code: "device_left_before_keys_ended", spoil: edit(returned, func(r *gate.Returned) { r.Early = true })},
		{name: "lost, and signed so by whose word counts", kind: visit.Removal, spoil: edit(returned, func(r *gate.Returned) { *r = gate.Returned{Chain: city().atShop, Lost: true} })},
		{name: "called lost while it is in the technician's hands", kind: visit.Removal, code: "device_not_handed_back", spoil: edit(returned, func(r *gate.Returned) { r.Given, r.Lost = false, true })},
		{name: "called lost after it was taken while its keys lived", kind: visit.Removal, code: "device_left_before_keys_ended", spoil: edit(returned, func(r *gate.Returned) { r.Early, r.Lost = true, true })},
		{name: "handed to somebody else's people", kind: visit.Removal, code: "device_returned_to_another", spoil: func(f *gate.Facts) { f.Order.Value.Provider = unfiled }},
		{name: "no old terminal", kind: visit.Swap, code: "old_terminal_unnamed", spoil: noOld},
	})
	walk(t, gate.CustodyUnbroken, visit.AskTrial, gate.Rerun, []way{
		{name: "a repair that came back from the workshop", kind: visit.Repair},
		{name: "a repair at the counter", kind: visit.Repair, spoil: func(f *gate.Facts) {
			f.Custody = gate.Known(city().atShop)
		}},
		{name: "a repair at the counter of another shop", kind: visit.Repair, code: "arrival_missing", spoil: func(f *gate.Facts) {
			f.Custody, f.Order.Value.Merchant = gate.Known(city().atShop), "zhao"
		}},
		{name: "a relocation that the technician never scanned", kind: visit.Relocation, code: "arrival_missing", spoil: func(f *gate.Facts) {
			f.Custody = gate.Known(city().atShop)
		}},
	})
}

// marks has the old terminal marked in its own stream.
func marks(f *gate.Facts) {
	f.OldMarks = []visit.Mark{{Reason: visit.MarkQuarantined, Statement: "m1"}}
}

// gone is a look at an old terminal whose keys the acquirer ended by itself.
func gone(b *registry.BindingLook) {
	b.LastAcquirer, b.LastMerchant = b.BoundAcquirer, b.BoundMerchant
	b.SerialBoundTo, b.BoundAcquirer, b.BoundMerchant, b.TerminalOn = "", "", "", ""
}

func goneBut(change func(*registry.BindingLook)) func(*registry.BindingLook) {
	return func(b *registry.BindingLook) { gone(b); change(b) }
}

// Who could swap an ended terminal again and again would have as many as he likes under one identity.
func TestASwapOfWhatIsGoneCountsTowardsTheLimit(t *testing.T) {
	many := ofLook(func(x *registry.Extract) { x.Identity.Terminals = 1 << 20 })
	walk(t, gate.MerchantVerified, visit.AskDispatch, gate.Attested, []way{
		{name: "the old one lives", kind: visit.Swap, spoil: many},
		{name: "the old one is gone, within the limit", kind: visit.Swap, spoil: oldLook(gone)},
		{name: "the old one is gone, beyond it", kind: visit.Swap, code: "identity_used_too_often", spoil: both(oldLook(gone), many)},
	})
}

func TestBindingOfWhatIsThere(t *testing.T) {
	walk(t, gate.BindingUnique, visit.AskTrial, gate.Attested, []way{
		{name: "a swap", kind: visit.Swap},
		{name: "a repair", kind: visit.Repair},
		{name: "a relocation", kind: visit.Relocation},
		{name: "a repair of somebody else's", kind: visit.Repair, code: "serial_not_bound_here", spoil: ofLook(func(x *registry.Extract) { x.Binding.BoundMerchant = "1" })},
		{name: "a swap with the old code", kind: visit.Swap, code: "terminal_code_of_old", spoil: oldIs(func(o *visit.OldTerminal) { o.Terminal = terminal })},
		{name: "a swap that names no old terminal", kind: visit.Swap, code: "old_terminal_unnamed", spoil: noOld},
		{name: "nobody looked at the old one", kind: visit.Swap, code: "binding_not_looked_up", spoil: ofLook(func(x *registry.Extract) { x.Old = nil })},
		{name: "another old one was looked at", kind: visit.Swap, code: "binding_not_looked_up", spoil: oldLook(func(b *registry.BindingLook) { b.Serial = "1" })},
		{name: "another old code was looked at", kind: visit.Swap, code: "binding_not_looked_up", spoil: oldLook(func(b *registry.BindingLook) { b.Terminal = "1" })},
		{name: "the old one is another shop's", kind: visit.Swap, code: "old_terminal_not_bound_here", spoil: oldLook(func(b *registry.BindingLook) { b.BoundMerchant = "1" })},
		{name: "the old code is on another device", kind: visit.Swap, code: "old_terminal_not_bound_here", spoil: oldLook(func(b *registry.BindingLook) { b.TerminalOn = "1" })},
		{name: "the old one's keys are gone, and it was this shop's", kind: visit.Swap, spoil: oldLook(gone)},
		{name: "the old one's keys are gone, and it was another shop's", kind: visit.Swap, code: "old_terminal_not_bound_here", spoil: oldLook(goneBut(func(b *registry.BindingLook) { b.LastMerchant = "1" }))},
		{name: "the old one's keys are gone, and it was another acquirer's", kind: visit.Swap, code: "old_terminal_not_bound_here", spoil: oldLook(goneBut(func(b *registry.BindingLook) { b.LastAcquirer = "1" }))},
		{name: "the old one was never live", kind: visit.Swap, code: "old_terminal_not_bound_here", spoil: oldLook(goneBut(func(b *registry.BindingLook) { b.LastAcquirer, b.LastMerchant = "", "" }))},
		{name: "the old one's keys are gone, and its code is another's now", kind: visit.Swap, code: "old_terminal_not_bound_here", spoil: oldLook(goneBut(func(b *registry.BindingLook) { b.TerminalOn = "1" }))},
		{name: "the old one is bound again", kind: visit.Swap, code: "old_terminal_not_bound_here", spoil: oldLook(goneBut(func(b *registry.BindingLook) { b.SerialBoundTo = "o-9" }))},
		{name: "the register says that it is gone, and the host did not", kind: visit.Swap, code: "old_terminal_not_bound_here", spoil: both(oldLook(gone), func(f *gate.Facts) { f.Ended = gate.Fact[gate.Ended]{} })},
		{name: "the host said it of another code", kind: visit.Swap, code: "old_terminal_not_bound_here", spoil: both(oldLook(gone), edit(ended, func(e *gate.Ended) { e.Terminal = terminal }))},
		{name: "a swap to a device that is bound", kind: visit.Swap, code: "serial_bound_elsewhere", spoil: ofLook(func(x *registry.Extract) { x.Binding.SerialBoundTo = "o-9" })},
		{name: "a relocation that names no old place", kind: visit.Relocation, code: "old_terminal_unnamed", spoil: noOld},
		{name: "a relocation to the same commitment", kind: visit.Relocation, code: "relocation_same_address", spoil: func(f *gate.Facts) {
			f.Order.Value.Items.Address = f.Order.Value.Old.Address
		}},
		{name: "a relocation to the same address", kind: visit.Relocation, code: "relocation_same_address", spoil: edit(places, func(p *gate.Places) { p.Same = true })},
		{name: "addresses that were not opened", kind: visit.Relocation, code: "not_opened", basis: gate.Unopened, spoil: edit(places, func(p *gate.Places) { p.Unopened = true })},
		kindOf(visit.Relocation, absent("no addresses", places, "evidence_absent")),
		kindOf(visit.Relocation, unknown("addresses that are none", places)),
	})
}

// The key that went live is the one that must answer later: a swapped or re-flashed device has another.
func TestTheBindingsKey(t *testing.T) {
	other := ofLook(func(x *registry.Extract) { x.Binding.DeviceKey = "another" })
	none := ofLook(func(x *registry.Extract) { x.Binding.DeviceKey = "" })
	walk(t, gate.DeviceGenuine, visit.AskTrial, gate.Rerun, []way{
		{name: "a repair of the same device", kind: visit.Repair},
		{name: "a repair that the register knows no key of", kind: visit.Repair, spoil: none},
		{name: "a repair of another device", kind: visit.Repair, code: "device_key_not_the_bindings", spoil: other},
		{name: "a relocation of another device", kind: visit.Relocation, code: "device_key_not_the_bindings", spoil: other},
		{name: "a swap's new device has a key of its own", kind: visit.Swap, spoil: other},
		{name: "an inspection finds another key", kind: visit.Inspection, ask: visit.AskClose, code: "device_key_not_the_bindings", spoil: other},
	})
}

// An acquirer that lost its licence, or was struck off, can still take back its own keys and devices;
// nothing that gives power passes.
func TestWindingUp(t *testing.T) {
	lapsed := func(f *gate.Facts) { f.Order.Value.Province = "44" } // its licence does not reach there
	off := func(f *gate.Facts) { f.Order.Value.Acquirer = provider }
	walk(t, gate.InstitutionLicensed, visit.AskDispatch, gate.Rerun, []way{
		{name: "a removal", kind: visit.Removal},
		{name: "a removal under a licence that is gone", kind: visit.Removal, spoil: lapsed},
		{name: "the end of a swap's old keys", kind: visit.Swap, ask: visit.AskEnd, spoil: lapsed},
		{name: "a swap", kind: visit.Swap, code: "licence_region", spoil: lapsed},
		{name: "a swap's live", kind: visit.Swap, ask: visit.AskLive, code: "licence_region", spoil: lapsed},
		{name: "a removal for no acquirer", kind: visit.Removal, code: "institution_not_acquirer", spoil: off},
		{name: "a removal for nobody on the list", kind: visit.Removal, code: "institution_not_listed", spoil: func(f *gate.Facts) { f.Order.Value.Acquirer = "acq-nobody" }},
		{name: "a removal without a list", kind: visit.Removal, code: "trust_list_unverified", spoil: func(f *gate.Facts) { f.Trust = gate.Known(credential.Trust{}) }},
	})
}

func TestFeesOfARemoval(t *testing.T) {
	charged := func(code string, fen int64) func(*gate.Facts) {
		return edit(listed, func(l *agreement.ChargeList) {
			l.Charges = append(l.Charges, agreement.Charge{At: statement.At(noon), Code: code, AmountFen: fen, Kind: agreement.ChargeSheet, Reference: "r1"})
		})
	}
	walk(t, gate.FeesWithinSheet, visit.AskClose, gate.Rerun, []way{
		{name: "nothing was charged", kind: visit.Removal},
		{name: "what stands on the sheet", kind: visit.Removal, spoil: charged(agreement.ItemDeposit, 29900)},
		{name: "an exit fee that nobody agreed", kind: visit.Removal, code: "fees_outside_sheet", spoil: charged(agreement.ItemExit, 100)},
		kindOf(visit.Removal, absent("no list", listed, "evidence_absent")),
		kindOf(visit.Removal, unknown("a list that is none", listed)),
		{name: "a sheet that is none", kind: visit.Removal, code: "sheet_terms_malformed", spoil: func(f *gate.Facts) { zeroed(&f.Agreement) }},
		{name: "a repair that opened nothing", kind: gate.RepairUntouched},
		{name: "a repair that opened nothing and cost something", kind: gate.RepairUntouched, code: "charge_without_sheet", spoil: charged(agreement.ItemRepair, 100)},
	})
}

func TestARepairSaysWhatItDid(t *testing.T) {
	walk(t, gate.StepsComplete, visit.AskClose, gate.Rerun, []way{
		{name: "untouched, and signed so", kind: gate.RepairUntouched},
		kindOf(gate.RepairUntouched, absent("nobody signed", worked, "device_work_unsaid")),
		kindOf(gate.RepairUntouched, unknown("a word that is none", worked)),
	})
	f := honest(gate.RepairUntouched, visit.AskClose)
	f.Opened = true // said after the fact: the stricter column, which was never tried
	notJudged(t, "opened after the fact", gate.Decide(f, visit.AskClose, noon), "stage_not_fitting")
}

// The one open incident that an order names as its reason is no obstacle to it; every other one is.
func TestAnOrderBecauseOfAnIncident(t *testing.T) {
	because := func(reason string, open ...registry.OpenMatter) func(*gate.Facts) {
		return func(f *gate.Facts) {
			f.Order.Value.Reason = reason
			x := f.Extract.Value
			x.Open = open
			f.Extract = gate.Known(x, "extract")
		}
	}
	mine, other := registry.OpenMatter{Kind: "incident", Statement: "i1"}, registry.OpenMatter{Kind: "incident", Statement: "i2"}
	for _, kind := range []string{visit.Swap, visit.Removal, visit.Inspection, visit.Repair} {
		walk(t, gate.NothingOpen, visit.AskDispatch, gate.Attested, []way{
			{name: "this incident", kind: kind, spoil: because("i1", mine)},
			{name: "another incident", kind: kind, code: "matter_open", spoil: because("i1", other)},
			{name: "this and another", kind: kind, code: "matter_open", spoil: because("i1", mine, other)},
			{name: "a freeze of that name", kind: kind, code: "matter_open", spoil: because("i1", registry.OpenMatter{Kind: "freeze", Statement: "i1"})},
			{name: "no reason", kind: kind, code: "matter_open", spoil: because("", mine)},
		})
	}
}

// A removal goes on whatever is open against the terminal or its merchant, however much of it; what is open against the
// visit, the technician or his employer stops it, and so does what does not say whom it is against.
func TestARemovalInFrontOfWhatIsOpenAtTheShop(t *testing.T) {
	open := func(kind string, against ...string) func(*gate.Facts) {
		return func(f *gate.Facts) {
			x := f.Extract.Value
			for i, a := range against {
				x.Open = append(x.Open, registry.OpenMatter{Kind: kind, Statement: "i" + string(rune('1'+i)), Against: a})
			}
			f.Extract = gate.Known(x, "extract")
		}
	}
	for _, matter := range []string{"incident", "freeze", "suspension"} {
		for kind, code := range map[string]string{visit.Removal: "", visit.Inspection: "matter_open", visit.Swap: "matter_open", visit.Repair: "matter_open", visit.Relocation: "matter_open"} {
			walk(t, gate.NothingOpen, visit.AskDispatch, gate.Attested, []way{
				{name: "nothing", kind: kind},
				{name: "against the device", kind: kind, code: code, spoil: open(matter, "device", "device")},
				{name: "against the merchant", kind: kind, code: code, spoil: open(matter, "merchant")},
				{name: "against the visit", kind: kind, code: "matter_open", spoil: open(matter, "device", "visit")},
				{name: "against the technician", kind: kind, code: "matter_open", spoil: open(matter, "device", "technician")},
				{name: "against the provider", kind: kind, code: "matter_open", spoil: open(matter, "merchant", "provider")},
				{name: "against nobody named", kind: kind, code: "matter_open", spoil: open(matter, "")},
			})
		}
	}
}

// A terminal that is marked must not have to stay on the counter: it may be taken away, whoever marked it and whenever; an
// order that names one of the marks may look at it; nothing gives it power again.
func TestAnOrderBecauseOfADevicesMark(t *testing.T) {
	because := func(reason, mark string) func(*gate.Facts) {
		return func(f *gate.Facts) {
			f.Order.Value.Reason = reason
			x := f.Extract.Value
			x.Open = []registry.OpenMatter{{Kind: mark, Statement: "m1"}}
			f.Extract = gate.Known(x, "extract")
			f.Marks = []visit.Mark{{Reason: mark, Statement: "m1"}}
		}
	}
	for mark, code := range map[string]string{visit.MarkLost: "device_lost", visit.MarkQuarantined: "device_quarantined"} {
		for kind, want := range map[string][2]string{visit.Removal: {"", ""}, visit.Inspection: {"", code}, visit.Swap: {code, code},
			visit.Repair: {code, code}, visit.Relocation: {code, code}, visit.Install: {code, code}} {
			walk(t, gate.NothingOpen, visit.AskDispatch, gate.Attested, []way{
				{name: "no mark", kind: kind},
				{name: "this mark", kind: kind, code: want[0], spoil: because("m1", mark)},
				{name: "this mark and one more", kind: kind, code: want[0], spoil: both(because("m1", mark), func(f *gate.Facts) {
					f.Marks = append(f.Marks, visit.Mark{Reason: mark, Statement: "m3"})
				})},
				{name: "another mark", kind: kind, code: want[1], spoil: because("m2", mark)},
				{name: "no reason", kind: kind, code: want[1], spoil: because("", mark)},
			})
		}
	}
}
