package scenario

import (
	"fmt"
	"time"

	"github.com/menshen-project/menshen/examples/city"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// City is a cast drawn from the example city, with its shops and devices.
type City struct {
	Cast      *Cast
	Merchants map[string]*Actor
	Shops     map[string]Shop // by merchant
	Model     city.Row
	staff     map[string]city.Row
}

// sheetsOf reads the city's sheets that a play needs.
func sheetsOf(names ...string) (map[string][]city.Row, error) {
	out := map[string][]city.Row{}
	for _, n := range names {
		rows, err := city.Rows(n + ".csv")
		if err != nil {
			return nil, err
		}
		out[n] = rows
	}
	return out, nil
}

// NewCity draws the cast from the sheets: the acquirer of merchant wei's order, its provider, and
// the people who work for them.
func NewCity(now time.Time) (*City, error) {
	s, err := sheetsOf("institutions", "providers", "makers", "course_issuers", "supervisors", "staff", "merchants", "shops", "models", "orders")
	if err != nil {
		return nil, err
	}
	c := &City{Merchants: map[string]*Actor{}, Shops: map[string]Shop{}, staff: map[string]city.Row{}}
	for _, r := range s["staff"] {
		c.staff[r["编号"]] = r
	}
	c.Cast = c.organisations(s)
	if err := c.people(s); err != nil {
		return nil, err
	}
	c.shops(s)
	return c, c.model(s["models"], now)
}

// organisations fills the cast's institutions from the sheets, first come first.
func (c *City) organisations(s map[string][]city.Row) *Cast {
	names := map[string]string{"assoc": "明桥支付行业协会", "menshen": "门神运营方"}
	for _, sheet := range []string{"institutions", "providers", "makers", "course_issuers", "supervisors"} {
		for _, r := range s[sheet] {
			names[r["编号"]] = r["名称"]
		}
	}
	org := func(sheet string, i int) *Actor {
		return NewActor(s[sheet][i]["编号"], s[sheet][i]["编号"], visit.RoleOrganisation)
	}
	k := &Cast{
		Association: NewActor("assoc", "assoc", visit.RoleRegulator),
		Platform:    NewActor("menshen", "menshen", visit.RolePlatform),
		Acquirer:    org("institutions", 0), Other: org("institutions", 1),
		Provider: org("providers", 0), Rival: org("providers", 1), Unfiled: org("providers", 2),
		Maker: org("makers", 0), School: org("course_issuers", 0), Watch: org("supervisors", 0),
		Names: names, Numbers: map[string]string{},
	}
	for _, r := range s["institutions"] {
		k.Numbers[r["编号"]] = r["支付业务许可证"]
	}
	for _, r := range s["providers"] {
		k.Numbers[r["编号"]] = r["备案编号"]
	}
	k.Maker.Role, k.School.Role = visit.RoleMaker, visit.RoleCourseIssuer
	k.BadgeKey = NewActor(k.Provider.ID, k.Provider.ID, visit.RoleOrganisation)
	k.StatusURI = "urn:menshen:status:" + k.Provider.ID + ":1"
	k.Statuses = freshStatuses()
	return k
}

// people fills the cast's persons from the staff sheet, by role and employer.
func (c *City) people(s map[string][]city.Row) error {
	k := c.Cast
	taken := map[string]bool{}
	pick := func(org *Actor, word, role string) (*Actor, error) {
		for _, r := range s["staff"] {
			if r["所属机构"] == org.ID && r["角色"] == word && !taken[r["编号"]] {
				taken[r["编号"]] = true
				k.Names[r["编号"]] = r["姓名"]
				return NewActor(r["编号"], org.ID, role), nil
			}
		}
		return nil, fmt.Errorf("the city has no %s at %s", word, org.ID)
	}
	for _, want := range []struct {
		into **Actor
		org  *Actor
		word string
		role string
	}{
		{&k.Approver, k.Acquirer, "审核员", visit.RoleApprover}, {&k.Risk, k.Acquirer, "风控员", visit.RoleRisk},
		{&k.Dispatcher, k.Provider, "调度员", visit.RoleDispatcher}, {&k.Technician, k.Provider, "上门人员", visit.RoleTechnician},
		{&k.Stranger, k.Provider, "上门人员", visit.RoleTechnician}, {&k.Supervisor, k.Watch, "监督员", visit.RoleSupervisor},
	} {
		a, err := pick(want.org, want.word, want.role)
		if err != nil {
			return err
		}
		*want.into = a
	}
	k.Host = NewActor("host-"+k.Acquirer.ID, k.Acquirer.ID, visit.RoleHost)
	k.Custodian = NewActor("store-"+k.Provider.ID, k.Provider.ID, visit.RoleCustodian)
	return nil
}

// shops draws every merchant of the acquirer, with the terminal code of his order.
func (c *City) shops(s map[string][]city.Row) {
	codes := map[string]string{}
	for _, r := range s["institutions"] {
		codes[r["编号"]] = r["收单机构代码"]
	}
	terminals := map[string]string{}
	for _, r := range s["orders"] {
		terminals[r["商户"]] = r["终端号"]
	}
	rows := map[string]city.Row{}
	for _, r := range s["merchants"] {
		if r["收单机构"] == c.Cast.Acquirer.ID {
			rows[r["编号"]] = r
		}
	}
	for _, r := range s["shops"] {
		m, ok := rows[r["商户"]]
		if !ok {
			continue
		}
		id := m["编号"]
		c.Merchants[id] = NewActor(id, c.Cast.Acquirer.ID, visit.RoleMerchant)
		c.Shops[id] = Shop{ID: r["编号"], Province: r["省级代码"], Position: r["位置"], Address: r["地址"], Name: m["名称"], CreditCode: m["统一社会信用代码"],
			Account: m["结算账户"], Principal: m["负责人身份证号"], AcquirerCode: codes[m["收单机构"]], MerchantCode: m["商户编码"], Terminal: terminals[id]}
		if c.Cast.Merchant == nil {
			c.Cast.Merchant = c.Merchants[id]
		}
	}
}

// model takes the maker's first listing that has not expired.
func (c *City) model(models []city.Row, now time.Time) error {
	for _, r := range models {
		expires, err := time.Parse(time.DateOnly, r["批准到期"])
		if err != nil {
			return err
		}
		if r["厂商"] != c.Cast.Maker.ID || !now.Before(expires) {
			continue
		}
		c.Model = r
		c.Cast.Model = &registry.Model{Model: r["型号"], Hardware: r["硬件版本"], Firmware: r["固件版本"], Listing: r["PCI PTS 批准号"],
			Expires: statement.At(expires), BootState: "verified", Course: r["机型课程"]}
		return nil
	}
	return fmt.Errorf("the city has no approved model of %s", c.Cast.Maker.ID)
}

// Fit gives a device the city's model, as it leaves the factory: a version the listing covers.
func (c *City) Fit(d *Device) *Device {
	d.Model, d.Hardware, d.Firmware = c.Cast.Model.Model, filled(c.Cast.Model.Hardware), filled(c.Cast.Model.Firmware)
	return d
}

// filled puts a 1 where a listing leaves a digit open.
func filled(pattern string) string {
	out := []byte(pattern)
	for i, b := range out {
		if b == 'x' {
			out[i] = '1'
		}
	}
	return string(out)
}

// Serial makes a serial of the city's maker; n tells devices apart.
func (c *City) Serial(n int) string { return fmt.Sprintf("9999010426T9%07d", n) }
