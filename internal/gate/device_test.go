package gate_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestBindingUnique(t *testing.T) {
	ofBinding := func(change func(*registry.BindingLook)) func(*gate.Facts) {
		return ofLook(func(x *registry.Extract) { change(&x.Binding) })
	}
	walk(t, gate.BindingUnique, visit.AskTrial, gate.Attested, []way{
		{name: "bound nowhere"},
		{name: "bound to this very order", spoil: ofBinding(func(b *registry.BindingLook) { b.SerialBoundTo = orderID })},
		{name: "terminal code on this very serial", spoil: ofBinding(func(b *registry.BindingLook) { b.TerminalOn = serial })},
		absent("no look into the register", looked, "evidence_absent"),
		unknown("a look that is none", looked),
		absent("no order", order, "evidence_absent"),
		unknown("an order that is not one", order),
		{name: "nothing looked up", spoil: ofBinding(func(b *registry.BindingLook) { b.Serial = "" }), code: "binding_not_looked_up"},
		{name: "nothing sent and nothing looked up", spoil: func(f *gate.Facts) {
			f.Extract.Value.Binding.Serial, f.Assigned.Serial = "", ""
		}, code: "binding_not_looked_up"},
		{name: "another serial looked up", spoil: ofBinding(func(b *registry.BindingLook) { b.Serial = "1" }), code: "binding_not_looked_up"},
		{name: "another terminal code looked up", spoil: ofBinding(func(b *registry.BindingLook) { b.Terminal = "1" }), code: "binding_not_looked_up"},
		{name: "serial bound to another order", spoil: ofBinding(func(b *registry.BindingLook) { b.SerialBoundTo = "o-9" }), code: "serial_bound_elsewhere"},
		{name: "terminal code on another serial", spoil: ofBinding(func(b *registry.BindingLook) { b.TerminalOn = "1" }), code: "terminal_code_used"},
		{name: "inspected where it is bound", kind: visit.Inspection, ask: visit.AskClose},
		{name: "inspected, bound at another acquirer", kind: visit.Inspection, ask: visit.AskClose, code: "serial_not_bound_here",
			spoil: ofBinding(func(b *registry.BindingLook) { b.BoundAcquirer = "1" })},
		{name: "inspected, bound to another merchant", kind: visit.Inspection, ask: visit.AskClose, code: "serial_not_bound_here",
			spoil: ofBinding(func(b *registry.BindingLook) { b.BoundMerchant = "1" })},
		{name: "inspected, bound at no acquirer, and the order names none", kind: visit.Inspection, ask: visit.AskClose, code: "serial_not_bound_here",
			spoil: func(f *gate.Facts) { f.Order.Value.Items.AcquirerCode, f.Extract.Value.Binding.BoundAcquirer = "", "" }},
		{name: "inspected, bound to no merchant, and the order names none", kind: visit.Inspection, ask: visit.AskClose, code: "serial_not_bound_here",
			spoil: func(f *gate.Facts) { f.Order.Value.Items.MerchantCode, f.Extract.Value.Binding.BoundMerchant = "", "" }},
	})
}

func TestCustodyUnbroken(t *testing.T) {
	walk(t, gate.CustodyUnbroken, visit.AskTrial, gate.Rerun, []way{
		{name: "from maker to counter"},
		absent("no transfers", carried, "evidence_absent"),
		unknown("a broken seal", carried),
		{name: "not scanned at the counter", spoil: func(f *gate.Facts) { f.Custody = gate.Known(city().atMaker) }, code: "arrival_missing"},
		{name: "another device was sent", spoil: func(f *gate.Facts) { f.Assigned.Serial = "1" }, code: "device_not_dispatched"},
		{name: "in a colleague's hands", spoil: func(f *gate.Facts) { f.Assigned.Technician = "bo" }, code: "custody_with_another"},
	})
}

// ofQuote changes the device's last answer.
func ofQuote(change func(*gate.Attestation)) func(*gate.Facts) {
	return edit(quotes, func(q *[]gate.Attestation) { change(&(*q)[len(*q)-1]) })
}

func TestDeviceGenuine(t *testing.T) {
	w := city()
	demo := newFoundry(true)
	counterfeit := func(f *gate.Facts) { ofQuote(func(a *gate.Attestation) { a.Quote = w.stranger(w.devices) })(f) }
	simulated := func(demonstration bool) func(*gate.Facts) {
		return func(f *gate.Facts) {
			f.Demo = demonstration
			f.Custody = gate.Known(w.arrived("", "TD20")) // the maker leaves the key to the attestation
			ofQuote(func(a *gate.Attestation) { a.Quote = w.stranger(demo) })(f)
		}
	}
	walk(t, gate.DeviceGenuine, visit.AskTrial, gate.Rerun, []way{
		{name: "by the maker's key, as listed"},
		absent("no attestation", quotes, "evidence_absent"),
		unknown("a proof that does not fit", quotes),
		{name: "no proof", spoil: edit(quotes, func(q *[]gate.Attestation) { *q = []gate.Attestation{} }), code: "attestation_missing"},
		absent("no maker's word", carried, "evidence_absent"),
		unknown("a chain without its maker", carried),
		absent("no parameters", params, "evidence_absent"),
		unknown("parameters that are none", params),
		{name: "another device than dispatched", spoil: func(f *gate.Facts) { f.Assigned.Serial = "1" }, code: "device_not_dispatched"},
		{name: "another key than the maker's", spoil: counterfeit, code: "device_key_differs"},
		{name: "key left to the attestation", spoil: func(f *gate.Facts) { f.Custody = gate.Known(w.arrived("", "TD20")) }},
		{name: "answered after exactly ten minutes", spoil: ofQuote(func(a *gate.Attestation) { a.AskedAt = a.AnswerAt.Add(-10 * time.Minute) })},
		{name: "answered a second late", spoil: ofQuote(func(a *gate.Attestation) { a.AskedAt = a.AnswerAt.Add(-10*time.Minute - time.Second) }), code: "attestation_answered_late"},
		{name: "answered at once", spoil: ofQuote(func(a *gate.Attestation) { a.AskedAt = a.AnswerAt })},
		{name: "answered before it was asked", spoil: ofQuote(func(a *gate.Attestation) { a.AskedAt = a.AnswerAt.Add(time.Second) }), code: "attestation_before_challenge"},
		{name: "exactly half an hour old", later: 5 * time.Minute},
		{name: "a second over half an hour old", later: 5*time.Minute + time.Second, code: "attestation_too_old"},
		{name: "answered this second", spoil: ofQuote(func(a *gate.Attestation) { a.AnswerAt, a.AskedAt = noon, noon })},
		{name: "answered a second from now", spoil: ofQuote(func(a *gate.Attestation) { a.AnswerAt = noon.Add(time.Second); a.AskedAt = noon }), code: "attestation_from_future"},
		{name: "a simulated device", spoil: simulated(false), code: "device_simulated"},
		{name: "a simulated device in a demonstration", spoil: simulated(true)},
		{name: "firmware on no list", spoil: says(func(q *attest.Quote) { q.Firmware = "6.0.0" }), code: "model_not_approved"},
		{name: "boot loader open", spoil: says(func(q *attest.Quote) { q.BootState = attest.BootUnlocked }), code: "device_boot_state"},
		{name: "the last answer counts", spoil: edit(quotes, func(q *[]gate.Attestation) {
			bad := (*q)[0]
			bad.Quote = w.quote(func(q *attest.Quote) { q.BootState = attest.BootFailed })
			*q = append(*q, bad)
		}), code: "device_boot_state"},
		{name: "an earlier bad answer does not", spoil: edit(quotes, func(q *[]gate.Attestation) {
			bad := (*q)[0]
			bad.Quote = w.quote(func(q *attest.Quote) { q.BootState = attest.BootFailed })
			*q = append([]gate.Attestation{bad}, *q...)
		})},
		{name: "at trial the acceptance does not matter yet", spoil: func(f *gate.Facts) {
			f.Acceptance, f.TrialPermit = gate.Fact[gate.Acceptance]{}, gate.Fact[trialFact]{}
		}},
	})
}

// trialFact spares a line its length.
type trialFact = visit.Recorded[visit.Decision]

func permit(f *gate.Facts) *gate.Fact[trialFact] { return &f.TrialPermit }

// Live asks for an answer to a nonce that was made after the acceptance report came in, by the key that
// the trial was run with.
func TestDeviceGenuineAgainAtLive(t *testing.T) {
	w := city()
	walk(t, gate.DeviceGenuine, visit.AskLive, gate.Rerun, []way{
		{name: "attested after the report"},
		{name: "not since the report", spoil: edit(quotes, func(q *[]gate.Attestation) { *q = (*q)[:1] }), code: "attestation_before_acceptance"},
		{name: "nonce made with the report", spoil: ofQuote(func(a *gate.Attestation) { a.Number = 15 }), code: "attestation_before_acceptance"},
		absent("no report", tried, "evidence_absent"),
		unknown("a report that did not pass", tried),
		absent("no trial", permit, "trial_not_loaded"),
		unknown("a trial that was cancelled", permit),
		{name: "the trial was run with another key", spoil: func(f *gate.Facts) {
			f.TrialPermit = gate.Known(w.trialPermit("another key", -20*time.Minute, 10*time.Minute))
		}, code: "device_key_not_the_trials"},
		{name: "a permit without its permit", spoil: edit(permit, func(d *trialFact) { d.Body.Permit = nil }), code: "trial_not_loaded"},
	})
}

func TestDataBackedUp(t *testing.T) {
	walk(t, gate.DataBackedUp, visit.AskTrial, gate.Rerun, []way{
		{name: "nothing to keep"},
		{name: "proven by a restore", spoil: edit(backup, func(b *gate.Backup) { *b = gate.Backup{Restored: true} })},
		absent("nobody said anything", backup, "evidence_absent"),
		unknown("a backup that cannot be read", backup),
		{name: "a copy that nobody restored", spoil: edit(backup, func(b *gate.Backup) { *b = gate.Backup{} }), code: "backup_not_proven"},
	})
}

// What a listing may ask of the boot is what devices can say of it.
func TestListingsAndDevicesShareTheirWords(t *testing.T) {
	for state, approvable := range map[string]bool{attest.BootVerified: true, attest.BootSelfSigned: true, attest.BootUnlocked: false, attest.BootFailed: false} {
		p := parameters()
		p.Models[0].BootState = state
		signer := newPerson(acquirer, acquirer, visit.RoleOrganisation)
		if _, err := registry.ReadParameters(signer.says(registry.TypeParameters, "organisation/"+acquirer, 0, "", p), acquirer); (err == nil) != approvable {
			t.Errorf("%s: %v", state, err)
		}
	}
	for here, there := range map[string]string{visit.RoleMaker: custody.RoleMaker, visit.AskTrial: string(visit.Trial)} {
		if here != there {
			t.Errorf("%q is not %q", here, there)
		}
	}
}
