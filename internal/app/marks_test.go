package app_test

import (
	"slices"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func mark(p *scenario.Play, reason string) visit.Suspension {
	return visit.Suspension{Subject: p.Device.Serial, Reason: reason, Appeal: "0529-65550001"}
}

// The dispatcher whose technician lost a device says so; nothing goes on with it until the acquirer's risk desk has
// looked and signed. He cannot lift it himself, nor can whoever has nothing to do with the device mark or lift it.
func TestALostDeviceStopsUntilTheRiskDeskHasLooked(t *testing.T) {
	d, p := sent(t)
	c, stream := d.Cast, p.DeviceStream()
	rong := enrolled(t, d, c.Other, "rong", visit.RoleRisk)
	rival := enrolled(t, d, c.Rival, "rui", visit.RoleDispatcher)
	for _, who := range []*scenario.Actor{rong, rival, c.Supervisor} {
		submit(t, d, who, stream, visit.Freeze, visit.TypeSuspension, mark(p, visit.MarkLost), "access_denied")
	}
	submit(t, d, c.Dispatcher, "device/00005704280117020000", visit.Freeze, visit.TypeSuspension, visit.Suspension{Subject: "00005704280117020000", Reason: visit.MarkLost, Appeal: "a"}, "access_denied")
	submit(t, d, c.Dispatcher, stream, visit.Freeze, visit.TypeSuspension, mark(p, "fraud"), "device_mark_unknown")
	lost := submit(t, d, c.Dispatcher, stream, visit.Freeze, visit.TypeSuspension, mark(p, visit.MarkLost), "")
	nothingOpen(t, p, "device_lost")

	found := visit.Reinstatement{Subject: p.Device.Serial, Reason: "inspected", Closes: []string{lost}}
	for who, want := range map[*scenario.Actor]string{c.Dispatcher: "access_denied", rong: "access_denied", c.Approver: "access_denied"} {
		submit(t, d, who, stream, visit.Resume, visit.TypeReinstatement, found, want)
	}
	submit(t, d, c.Risk, stream, visit.Resume, visit.TypeReinstatement, visit.Reinstatement{Subject: p.Device.Serial, Reason: "inspected", Closes: []string{statement.Digest([]byte("x"))}}, "reinstatement_names_nothing")
	submit(t, d, c.Risk, stream, visit.Resume, visit.TypeReinstatement, found, "")
	nothingOpen(t, p, "")
}

// Everybody who has the device, or whose it is to have, may say that it is gone: its technician, his dispatcher, the
// approver, the risk desk, the regulator. What the risk desk itself marked, a colleague lifts.
func TestWhoMayMarkADevice(t *testing.T) {
	d, p := sent(t)
	c, stream := d.Cast, p.DeviceStream()
	for _, who := range []*scenario.Actor{c.Technician, c.Dispatcher, c.Approver, c.Risk, c.Association} {
		submit(t, d, who, stream, visit.Freeze, visit.TypeSuspension, mark(p, visit.MarkQuarantined), "")
	}
	nothingOpen(t, p, "device_quarantined")
	list, _, err := d.App.AllSuspended(t.Context(), as(c.Risk), "", 0)
	if err != nil || len(list) != 5 {
		t.Fatalf("%+v, %v", list, err)
	}
	fu := enrolled(t, d, c.Acquirer, "fu", visit.RoleRisk)
	for _, s := range list {
		code := ""
		switch {
		case s.Role == visit.RoleRegulator:
			code = "device_mark_lifted_by_another"
		case s.Signer == c.Risk.ID:
			code = "device_mark_lifted_by_marker"
		}
		if s.MayLift != (code == "") || s.SubjectKind != "device" || s.Appeal == "" {
			t.Errorf("%+v", s)
		}
		lift := visit.Reinstatement{Subject: p.Device.Serial, Reason: "mistake", Closes: []string{s.Statement}}
		submit(t, d, c.Risk, stream, visit.Resume, visit.TypeReinstatement, lift, code)
		if s.Signer == c.Risk.ID {
			submit(t, d, fu, stream, visit.Resume, visit.TypeReinstatement, lift, "")
		}
	}
	nothingOpen(t, p, "device_quarantined") // the regulator's
	if list, _, err = d.App.AllSuspended(t.Context(), as(c.Dispatcher), "", 0); err != nil || len(list) != 1 {
		t.Errorf("the dispatcher sees %+v, %v", list, err)
	}
	other := app.Actor{Person: "x", Organisation: c.Other.ID, Role: visit.RoleApprover}
	if list, _, err = d.App.AllSuspended(t.Context(), other, "", 0); err != nil || slices.ContainsFunc(list, func(s app.Suspended) bool { return s.Role != visit.RoleRegulator }) {
		t.Errorf("another acquirer sees %+v, %v", list, err)
	}
}

// A permit that was granted before the device was reported lost is withdrawn and not brought to the host.
func TestAPermitForADeviceMarkedSinceIsWithdrawn(t *testing.T) {
	d, p := deploy(t)
	ctx := t.Context()
	if err := scenario.Run(ctx, scenario.Until(p.Install(), "release trial")); err != nil {
		t.Fatal(err)
	}
	submit(t, d, d.Cast.Dispatcher, p.DeviceStream(), visit.Freeze, visit.TypeSuspension, mark(p, visit.MarkLost), "")
	o, err := d.App.ReleasePermit(ctx, as(d.Cast.Dispatcher), p.ID)
	if err != nil || o.Outcome != visit.OutcomeCanceled {
		t.Errorf("%+v, %s, %v", o, fault.CodeOf(err), err)
	}
}
