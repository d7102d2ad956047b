package scenario

import (
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Business is what the cast's acquirer is licensed for.
const Business = "bank_card_acquiring"

// Courses of the cast.
const (
	SecurityCourse = "security-2026"
	FamilyCourse   = "smart-pos-td20"
)

// Cast is one small city's organisations and people, each with keys of their own.
type Cast struct {
	Association *Actor // compiles and signs the trust list
	Platform    *Actor
	Acquirer    *Actor
	Other       *Actor // a second acquirer
	Provider    *Actor
	Rival       *Actor // another provider, filed
	Unfiled     *Actor // a provider that is on the list without a filing
	Maker       *Actor
	School      *Actor // course issuer
	Watch       *Actor // third-party supervisors' organisation

	Approver   *Actor // chen
	Risk       *Actor // fang
	Host       *Actor
	Merchant   *Actor // wei
	Dispatcher *Actor // qiu
	Custodian  *Actor // the provider's warehouse
	Technician *Actor // lan
	Stranger   *Actor // bo, a technician of the same provider who was not sent
	Supervisor *Actor // gu

	BadgeKey    *Actor // the provider's badge issuer key
	TrustNumber int
	Parameters  registry.Parameters
	StatusURI   string
	Statuses    []credential.Status
	ListNumber  int
	Names       map[string]string // public names of organisations, and of people for the vault; ids where absent
	Numbers     map[string]string // licence and filing numbers, by organisation; made-up ones where absent
	Model       *registry.Model   // the listing of the devices used; nil is the ordinary one
}

// NameOf is an actor's name for people, his id where none is known.
func (c *Cast) NameOf(a *Actor) string {
	if n := c.Names[a.ID]; n != "" {
		return n
	}
	return a.ID
}

// Family is the course for the model of the devices used.
func (c *Cast) Family() string {
	if c.Model != nil {
		return c.Model.Course
	}
	return FamilyCourse
}

// NewCast makes everybody's keys.
func NewCast() *Cast {
	c := &Cast{
		Association: NewActor("assoc", "assoc", visit.RoleRegulator),
		Platform:    NewActor("menshen", "menshen", visit.RolePlatform),
		Acquirer:    NewActor("acq-huaishan", "acq-huaishan", visit.RoleOrganisation),
		Other:       NewActor("acq-linjiang", "acq-linjiang", visit.RoleOrganisation),
		Provider:    NewActor("svc-anzhuang", "svc-anzhuang", visit.RoleOrganisation),
		Rival:       NewActor("svc-kuaida", "svc-kuaida", visit.RoleOrganisation),
		Unfiled:     NewActor("svc-yeluzi", "svc-yeluzi", visit.RoleOrganisation),
		Maker:       NewActor("mkr-tiandun", "mkr-tiandun", visit.RoleMaker),
		School:      NewActor("crs-pujiang", "crs-pujiang", visit.RoleCourseIssuer),
		Watch:       NewActor("sup-mingjian", "sup-mingjian", visit.RoleOrganisation),
		BadgeKey:    NewActor("svc-anzhuang", "svc-anzhuang", visit.RoleOrganisation),
		StatusURI:   "urn:menshen:status:svc-anzhuang:1",
		Statuses:    freshStatuses(),
	}
	c.Approver = NewActor("chen", c.Acquirer.ID, visit.RoleApprover)
	c.Risk = NewActor("fang", c.Acquirer.ID, visit.RoleRisk)
	c.Host = NewActor("host-huaishan", c.Acquirer.ID, visit.RoleHost)
	c.Merchant = NewActor("wei", c.Acquirer.ID, visit.RoleMerchant)
	c.Dispatcher = NewActor("qiu", c.Provider.ID, visit.RoleDispatcher)
	c.Custodian = NewActor("store-anzhuang", c.Provider.ID, visit.RoleCustodian)
	c.Technician = NewActor("lan", c.Provider.ID, visit.RoleTechnician)
	c.Stranger = NewActor("bo", c.Provider.ID, visit.RoleTechnician)
	c.Supervisor = NewActor("gu", c.Watch.ID, visit.RoleSupervisor)
	return c
}

// freshStatuses is a status list in which every badge is valid.
func freshStatuses() []credential.Status { return make([]credential.Status, 256) }

// People are the actors whose keys organisations enrol.
func (c *Cast) People() []*Actor {
	return []*Actor{c.Approver, c.Risk, c.Host, c.Merchant, c.Dispatcher, c.Custodian, c.Technician, c.Stranger, c.Supervisor}
}

// Organisation finds the actor that is an organisation by its id.
func (c *Cast) Organisation(id string) *Actor {
	for _, o := range c.Organisations() {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// Organisations are all actors that the trust list names.
func (c *Cast) Organisations() []*Actor {
	return []*Actor{c.Association, c.Platform, c.Acquirer, c.Other, c.Provider, c.Rival, c.Unfiled, c.Maker, c.School, c.Watch}
}

// TrustList is the association's list as of now, with the next number.
func (c *Cast) TrustList(now time.Time) credential.TrustList {
	c.TrustNumber++
	from, until := statement.At(now.AddDate(-1, 0, 0)), statement.At(now.AddDate(4, 0, 0))
	known := func(a *Actor, ordinary string) string {
		if n := c.Numbers[a.ID]; n != "" {
			return n
		}
		return ordinary
	}
	licence := func(number string) *credential.Licence {
		return &credential.Licence{Number: number, Business: []string{Business}, Regions: []string{credential.AllRegions}, From: from, Until: until}
	}
	filing := func(number string) *credential.Filing {
		return &credential.Filing{Number: number, From: from, Until: until}
	}
	badge := c.BadgeKey.Public()
	list := credential.TrustList{Number: c.TrustNumber, IssuedAt: statement.At(now.Add(-time.Minute)), NextAt: statement.At(now.AddDate(0, 0, 7)), Source: "演示用名单，不是真实名录"}
	add := func(a *Actor, name string, kinds []string, edit func(*credential.Organisation)) {
		if known := c.Names[a.ID]; known != "" {
			name = known + "（演示）"
		}
		o := credential.Organisation{ID: a.ID, Name: name, Kinds: kinds, Key: a.Public()}
		if edit != nil {
			edit(&o)
		}
		list.Organisations = append(list.Organisations, o)
	}
	add(c.Association, "示例支付行业协会", []string{credential.KindRegulator}, nil)
	add(c.Platform, "门神运营方（演示）", []string{credential.KindPlatform}, nil)
	add(c.Acquirer, "槐山支付（演示）", []string{credential.KindAcquirer}, func(o *credential.Organisation) { o.Licence = licence(known(c.Acquirer, "Z2099931000010")) })
	add(c.Other, "临江银行卡（演示）", []string{credential.KindAcquirer}, func(o *credential.Organisation) { o.Licence = licence(known(c.Other, "Z2099832000018")) })
	add(c.Provider, "安装到家（演示）", []string{credential.KindProvider}, func(o *credential.Organisation) {
		o.Filing, o.BadgeKey = filing(known(c.Provider, "W-2026-0031")), &badge
	})
	add(c.Rival, "快达服务（演示）", []string{credential.KindProvider}, func(o *credential.Organisation) { o.Filing = filing(known(c.Rival, "W-2026-0032")) })
	add(c.Unfiled, "野路子（演示）", []string{credential.KindProvider}, nil)
	add(c.Maker, "天盾终端（演示）", []string{credential.KindMaker}, nil)
	add(c.School, "浦江培训（演示）", []string{credential.KindCourseIssuer}, nil)
	add(c.Watch, "明鉴监督（演示）", []string{credential.KindSupervisor}, nil)
	return list
}

// AcquirerParameters is what the cast's acquirer sets.
func (c *Cast) AcquirerParameters(now time.Time) registry.Parameters {
	step := func(kind, name, by string, photos int) registry.StepRule {
		return registry.StepRule{Kind: kind, Step: name, By: by, Photos: photos}
	}
	steps := []registry.StepRule{
		step(visit.Install, "shopfront", visit.RoleTechnician, 1), step(visit.Install, "mount", visit.RoleTechnician, 1),
		step(visit.Install, "counter", visit.RoleTechnician, 1), step(visit.Install, "check_serial", visit.RoleMerchant, 0),
		step(visit.Inspection, "shopfront", visit.RoleTechnician, 1), step(visit.Inspection, "check_serial", visit.RoleMerchant, 0),
	}
	for _, kind := range []string{visit.Swap, visit.Relocation, visit.Repair} {
		steps = append(steps, step(kind, "mount", visit.RoleTechnician, 1), step(kind, "counter", visit.RoleTechnician, 1),
			step(kind, "check_serial", visit.RoleMerchant, 0))
	}
	steps = append(steps, step(visit.Removal, "counter", visit.RoleTechnician, 1), step(visit.Removal, "check_serial", visit.RoleMerchant, 0))
	return registry.Parameters{
		Acquirer: c.Acquirer.ID, Number: 1, IssuedAt: statement.At(now.Add(-time.Hour)), NextAt: statement.At(now.AddDate(0, 0, 30)),
		RadiusMetres: 150, SecurityCourse: SecurityCourse, TerminalsPerID: 5, TrialMinutes: 30, AuditsPerMille: 50, AuditWitness: "witness-a",
		Steps:            steps,
		Models:           c.models(now),
		SupervisionUnder: []registry.Supervision{{Risk: 0, Mode: registry.WatchedByMerchant}, {Risk: 1, Mode: registry.WatchedRemotely}, {Risk: 2, Mode: registry.WatchedPresent}},
	}
}

func (c *Cast) models(now time.Time) []registry.Model {
	if c.Model != nil {
		return []registry.Model{*c.Model}
	}
	return []registry.Model{{Model: "TD20", Hardware: "2.0", Firmware: "5.3.1", Listing: "4-30432",
		Expires: statement.At(now.AddDate(2, 0, 0)), BootState: "verified", Course: FamilyCourse}}
}

// Enrolment is the body by which an organisation of the cast vouches for a person's key.
func Enrolment(a *Actor, now time.Time) statement.Enrolment {
	return statement.Enrolment{Holder: a.ID, Organisation: a.Organisation, Role: a.Role, Key: a.Public(), HeldBy: statement.HeldByHolder,
		From: statement.At(now.Add(-24 * time.Hour)), Until: statement.At(now.AddDate(1, 0, 0))}
}

// StatusToken is the provider's status list as of now.
func (c *Cast) StatusToken(now time.Time) registry.StatusList {
	c.ListNumber++
	token, err := credential.BuildStatusList(c.BadgeKey.Key, credential.StatusListClaims{URI: c.StatusURI, IssuedAt: now.Add(-time.Second),
		ExpiresAt: now.Add(12 * time.Hour), TTL: 12 * time.Hour, Bits: 2, Statuses: c.Statuses})
	if err != nil {
		panic(err)
	}
	return registry.StatusList{URI: c.StatusURI, Number: c.ListNumber, Token: string(token)}
}
