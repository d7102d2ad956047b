package app_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func newcomer(edit func(*app.Technician)) app.Technician {
	jpeg := base64.StdEncoding.EncodeToString(append([]byte{0xff, 0xd8, 0xff}, make([]byte, 100)...))
	t := app.Technician{Person: "ming", StaffNo: "A-17", Name: statement.NewOpening("name", [16]byte{1}, "明师傅"), Photo: statement.NewOpening("photo", [16]byte{2}, jpeg)}
	if edit != nil {
		edit(&t)
	}
	return t
}

// The dispatcher puts a newcomer on his list. What the badge has to commit to is what a dispatch commits to;
// he may not be sent before he has the course.
func TestANewcomerIsOnTheList(t *testing.T) {
	d, _ := deploy(t)
	who := as(d.Cast.Dispatcher)
	for range 2 {
		if err := d.App.PutTechnician(t.Context(), who, newcomer(nil)); err != nil {
			t.Fatal(err)
		}
	}
	list, served, err := d.App.Technicians(t.Context(), who)
	if err != nil || served {
		t.Fatal(served, err)
	}
	i := slices.IndexFunc(list, func(s app.Staff) bool { return s.Person == "ming" })
	if i < 0 {
		t.Fatalf("%+v", list)
	}
	s := list[i]
	f, err := d.App.Face(t.Context(), who, "ming")
	if err != nil {
		t.Fatal(err)
	}
	name, errName := f.Name.Commitment()
	photo, errPhoto := f.Photo.Commitment()
	if errName != nil || errPhoto != nil || name != s.Name || photo != s.Photo || s.StaffNo != "A-17" || f.Name.Value != "明师傅" {
		t.Errorf("%+v %+v %v %v", s, f, errName, errPhoto)
	}
	if !s.Blocked() || !s.NoBadge || len(s.NoClass) == 0 {
		t.Errorf("a newcomer without a course may be sent: %+v", s)
	}
	if i := slices.IndexFunc(list, func(s app.Staff) bool { return s.Person == d.Cast.Technician.ID }); i < 0 || list[i].Blocked() {
		t.Errorf("%s may not be sent: %+v", d.Cast.Technician.ID, list)
	}
}

func TestWhoIsPutOnNoList(t *testing.T) {
	d, _ := deploy(t)
	c := d.Cast
	for _, who := range []*scenario.Actor{c.Approver, c.Technician, c.Supervisor, c.Merchant} {
		if err := d.App.PutTechnician(t.Context(), as(who), newcomer(nil)); fault.CodeOf(err) != "access_denied" {
			t.Errorf("%s: %v", who.Role, err)
		}
	}
	rival := app.Actor{Person: "x", Organisation: c.Rival.ID, Role: visit.RoleDispatcher}
	mine := newcomer(func(n *app.Technician) { n.Person = c.Technician.ID })
	if err := d.App.PutTechnician(t.Context(), rival, mine); fault.CodeOf(err) != "person_id_taken" {
		t.Errorf("another's technician: %v", err)
	}
	if err := d.App.PutTechnician(t.Context(), as(c.Dispatcher), newcomer(func(n *app.Technician) { n.Person = c.Dispatcher.ID })); fault.CodeOf(err) != "person_id_taken" {
		t.Errorf("a dispatcher made a technician: %v", err)
	}
	if list, _, err := d.App.Technicians(t.Context(), rival); err != nil || len(list) != 0 {
		t.Errorf("a rival sees %+v, %v", list, err)
	}
	for what, edit := range map[string]func(*app.Technician){
		"no id": func(n *app.Technician) { n.Person = "" }, "staff no": func(n *app.Technician) { n.StaffNo = strings.Repeat("1", 41) },
		"no name": func(n *app.Technician) { n.Name.Value = "" }, "long name": func(n *app.Technician) { n.Name.Value = strings.Repeat("明", 61) }, "spaces": func(n *app.Technician) { n.Name.Value = " 明" },
		"another kind": func(n *app.Technician) { n.Name.Kind = "phone" }, "no photo": func(n *app.Technician) { n.Photo.Value = "" },
		"no picture": func(n *app.Technician) { n.Photo.Value = base64.StdEncoding.EncodeToString([]byte("hello")) },
		"too large": func(n *app.Technician) {
			n.Photo.Value = base64.StdEncoding.EncodeToString(append([]byte{0xff, 0xd8, 0xff}, make([]byte, 30_000)...))
		},
	} {
		if err := d.App.PutTechnician(t.Context(), as(c.Dispatcher), newcomer(edit)); fault.CodeOf(err) != "technician_malformed" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A device goes from the maker to the provider's warehouse, is due to the technician once a visit names it, and
// due back when the visit comes to nothing.
func TestStockAndTransfersDue(t *testing.T) {
	d, p := deploy(t)
	ctx, c := t.Context(), d.Cast
	stock := func() []app.Held {
		t.Helper()
		list, err := d.App.Stock(ctx, as(c.Dispatcher))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if len(stock()) != 0 {
		t.Error("a device from nowhere")
	}
	if err := scenario.Run(ctx, scenario.Until(p.Install(), "ask dispatch")); err != nil {
		t.Fatal(err)
	}
	if got := stock(); len(got) != 1 || got[0].Serial != p.Device.Serial || got[0].Holder != c.Technician.ID || got[0].Due != "" || got[0].Visit != p.ID {
		t.Errorf("with the technician: %+v", got)
	}
	submit(t, d, c.Dispatcher, "visit/"+p.ID, visit.Abort, visit.TypeBrake, visit.Brake{Visit: p.ID, Reason: "appointment"}, "")
	if got := stock(); len(got) != 1 || got[0].Due != "back" {
		t.Errorf("after the visit was called off: %+v", got)
	}
	if err := p.HandOver(ctx, c.Technician, c.Custodian, p.Notice(p.Order.Order), nil); err != nil {
		t.Fatal(err)
	}
	if got := stock(); len(got) != 1 || got[0].Holder != c.Custodian.ID || got[0].Due != "" {
		t.Errorf("back in the warehouse: %+v", got)
	}
	rival := app.Actor{Person: "x", Organisation: c.Rival.ID, Role: visit.RoleDispatcher}
	if list, err := d.App.Stock(ctx, rival); err != nil || len(list) != 0 {
		t.Errorf("a rival sees %+v, %v", list, err)
	}
	for _, who := range []*scenario.Actor{c.Approver, c.Technician, c.Supervisor} {
		if _, err := d.App.Stock(ctx, as(who)); fault.CodeOf(err) != "access_denied" {
			t.Errorf("%s: %v", who.Role, err)
		}
	}
}
