package gate_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

func agreed(f *gate.Facts) *gate.Fact[agreement.Verified] { return &f.Agreement }
func door(f *gate.Facts) *gate.Fact[gate.Admission]       { return &f.Admission }
func place(f *gate.Facts) *gate.Fact[gate.Place]          { return &f.Place }
func carried(f *gate.Facts) *gate.Fact[custody.Verified]  { return &f.Custody }
func quotes(f *gate.Facts) *gate.Fact[[]gate.Attestation] { return &f.Quotes }
func backup(f *gate.Facts) *gate.Fact[gate.Backup]        { return &f.Backup }
func tried(f *gate.Facts) *gate.Fact[gate.Acceptance]     { return &f.Acceptance }

func ofDoor(change func(*gate.Admission)) func(*gate.Facts) { return edit(door, change) }

// Admits is the condition alone, for a screen.
func TestAdmitsIsTheCondition(t *testing.T) {
	f := honest(visit.Install, visit.AskAdmit)
	if err := gate.Admits(f, noon); err != nil {
		t.Error(err)
	}
	f.Admission.Value.SameFace = false
	if got := fault.CodeOf(gate.Admits(f, noon)); got != "door_other_face" {
		t.Errorf("got %q", got)
	}
}

func TestTechnicianAdmitted(t *testing.T) {
	walk(t, gate.TechnicianAdmitted, visit.AskAdmit, gate.Rerun, []way{
		{name: "checked online"},
		{name: "confirmed offline", spoil: ofDoor(func(a *gate.Admission) { a.Mode = "offline" })},
		absent("nobody checked", door, "evidence_absent"),
		unknown("an answer to no challenge", door),
		absent("no technician", technician, "evidence_absent"),
		unknown("a technician whose key ended", technician),
		{name: "badge not genuine", spoil: ofDoor(func(a *gate.Admission) { a.Genuine = false }), code: "door_not_genuine"},
		{name: "only six digits", spoil: ofDoor(func(a *gate.Admission) { a.Mode = "weak" }), code: "door_only_weak"},
		{name: "no mode", spoil: ofDoor(func(a *gate.Admission) { a.Mode = "" }), code: "door_only_weak"},
		{name: "another face", spoil: ofDoor(func(a *gate.Admission) { a.SameFace = false }), code: "door_other_face"},
		{name: "badge of another issuer than dispatched", spoil: ofDoor(func(a *gate.Admission) { a.StaffOf = unfiled }), code: "badge_issuer_not_dispatched"},
		{name: "dispatched on a badge of no employer of his", spoil: func(f *gate.Facts) {
			f.Admission.Value.StaffOf, f.Assigned.Issuer = unfiled, unfiled
		}, code: "badge_issuer_not_employer"},
		{name: "badge in another name", spoil: ofDoor(func(a *gate.Admission) { a.Name = "another" }), code: "badge_name_differs"},
		{name: "badge with another photo", spoil: ofDoor(func(a *gate.Admission) { a.Photo = "another" }), code: "badge_photo_differs"},
		{name: "badge on a key of the day", spoil: ofDoor(func(a *gate.Admission) { a.BadgeKey = city().gu.thumb() })},
		{name: "badge of a colleague", spoil: ofDoor(func(a *gate.Admission) { a.BadgeFor = "bo" }), code: "badge_of_another"},
		{name: "badge of a colleague without a record", spoil: ofDoor(func(a *gate.Admission) { a.BadgeFor, a.BadgeKey = "", city().gu.thumb() }), code: "badge_of_another"},
		{name: "his own key, and no record", spoil: ofDoor(func(a *gate.Admission) { a.BadgeFor, a.Status = "", errWhy }), code: "why"},
		{name: "his own key, no record, and nobody says so", spoil: ofDoor(func(a *gate.Admission) { a.BadgeFor = "" }), code: "badge_of_another"},
		{name: "checked this second", later: -time.Hour},
		{name: "checked a second from now", later: -time.Hour - time.Second, code: "admission_from_future"},
		{name: "exactly four hours ago", spoil: ofDoor(func(a *gate.Admission) { a.At = noon.Add(-4 * time.Hour) })},
		{name: "a second over four hours ago", spoil: ofDoor(func(a *gate.Admission) { a.At = noon.Add(-4*time.Hour - time.Second) }), code: "admission_too_old"},
		{name: "four hours and a second before live", ask: visit.AskLive, spoil: ofDoor(func(a *gate.Admission) { a.At = noon.Add(-4*time.Hour - time.Second) }), code: "admission_too_old"},
		{name: "badge revoked since", ask: visit.AskTrial, spoil: ofDoor(func(a *gate.Admission) { a.Status = errWhy }), code: "why"},
		{name: "employment ended since", ask: visit.AskTrial, spoil: ofDoor(func(a *gate.Admission) { a.TechnicianIn = errWhy }), code: "why"},
	})
}

func TestPlaceMatches(t *testing.T) {
	readings := func(metres ...int) func(*gate.Facts) {
		return edit(place, func(p *gate.Place) {
			p.Readings = nil
			for _, m := range metres {
				p.Readings = append(p.Readings, gate.Reading{Metres: m})
			}
		})
	}
	walk(t, gate.PlaceMatches, visit.AskAdmit, gate.Rerun, []way{
		{name: "both at the counter"},
		{name: "on the doorstep", spoil: readings(0)},
		{name: "exactly at the radius", spoil: readings(150)},
		{name: "a metre outside", spoil: readings(151), code: "place_outside"},
		{name: "one inside, one outside", spoil: readings(10, 4000), code: "place_outside"},
		{name: "a distance that is none", spoil: readings(-1), code: "place_outside"},
		{name: "no reading", spoil: readings(), code: "place_no_reading"},
		absent("no place", place, "evidence_absent"),
		unknown("a position that cannot be read", place),
		absent("no parameters", params, "evidence_absent"),
		unknown("parameters that are none", params),
		{name: "one reading not opened", basis: gate.Unopened, spoil: edit(place, func(p *gate.Place) { p.Unopened = 1 }), code: "not_opened"},
		{name: "no reading opened", basis: gate.Unopened, spoil: edit(place, func(p *gate.Place) { p.Readings, p.Unopened = nil, 2 }), code: "not_opened"},
		{name: "one outside, one not opened", spoil: func(f *gate.Facts) {
			readings(4000)(f)
			f.Place.Value.Unopened = 1
		}, code: "place_outside"},
	})
}

// says gives a way in which the device's last answer says something else of itself.
func says(change func(*attest.Quote)) func(*gate.Facts) {
	return edit(quotes, func(q *[]gate.Attestation) { (*q)[len(*q)-1].Quote = city().quote(change) })
}

func TestModelApproved(t *testing.T) {
	walk(t, gate.ModelApproved, visit.AskTrial, gate.Rerun, []way{
		{name: "on the list"},
		{name: "another fix level of the listing", spoil: says(func(q *attest.Quote) { q.Firmware = "5.3.9" })},
		absent("no parameters", params, "evidence_absent"),
		unknown("parameters that are none", params),
		{name: "parameters past their date", later: 30 * days, code: "parameters_stale"},
		absent("no order", order, "evidence_absent"),
		unknown("an order that is not one", order),
		absent("the device said nothing", quotes, "evidence_absent"),
		unknown("a proof that does not fit", quotes),
		{name: "no proof", spoil: edit(quotes, func(q *[]gate.Attestation) { *q = nil }), code: "attestation_missing"},
		{name: "the order is for another model", spoil: ofOrder(func(o *visit.Order) { o.Model = "TD30" }), code: "model_differs"},
		{name: "the device claims another approved model than its maker shipped", spoil: func(f *gate.Facts) {
			f.Order.Value.Model = "TD30"
			says(func(q *attest.Quote) { q.Model = "TD30" })(f)
		}, code: "model_not_the_makers"},
		{name: "whose maker nobody asked for yet", spoil: func(f *gate.Facts) { without(f, "Custody", true) }},
		{name: "old hardware", spoil: says(func(q *attest.Quote) { q.Hardware = "1.0" }), code: "model_not_the_makers"},
		{name: "hardware that is not listed", spoil: func(f *gate.Facts) {
			without(f, "Custody", true)
			says(func(q *attest.Quote) { q.Hardware = "1.0" })(f)
		}, code: "model_not_approved"},
		{name: "old firmware", spoil: says(func(q *attest.Quote) { q.Firmware = "4.9.0" }), code: "model_not_approved"},
		{name: "listing expired", spoil: ofParams(func(p *registry.Parameters) {
			p.Models = parameters().Models
			p.Models[0].Expires = at(0)
		}), code: "model_listing_expired"},
	})
}
