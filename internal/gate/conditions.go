package gate

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errMandateOther  = fault.New(fault.Refused, "mandate_two_hops", "服务商的委托不是收单机构直接给的（转包）。", "The provider's mandate is not the acquirer's own: a second hop.")
	errMandateLapsed = fault.New(fault.Refused, "mandate_lapsed", "收单机构对服务商的委托不在有效期内。", "The acquirer's mandate of the provider is not in force.")
	errUntrained     = fault.New(fault.Refused, "course_missing", "上门人员没有通过必修的课程。", "The technician lacks a required course.")
	errCourseLapsed  = fault.New(fault.Refused, "course_expired", "上门人员的课程证书过期了。", "A required course certificate of the technician has expired.")
	errCourseNone    = fault.New(fault.Refused, "course_undefined", "参数表没有规定这个机型要学哪门课。", "The parameters name no course for this model.")
	errNotAccepted   = fault.New(fault.Refused, "merchant_not_accepted", "收单机构还没有认可商户身份。", "The acquirer has not accepted the merchant's identity.")
	errItemsUnclear  = fault.New(fault.Refused, "five_items_unclear", "订单的五项要素里，信用代码和负责人证件只能写一项，也不能都不写。", "Of an order's five items, either the credit code or the principal is given, and not both.")
	errPrincipal     = fault.New(fault.Refused, "principal_differs", "五项要素里的负责人，不是收单机构核验过的那一位。", "The principal among the five items is not the one whom the acquirer checked.")
	errItemsOnFile   = fault.New(fault.Refused, "five_items_not_on_file", "登记的商户有没有信用代码，和订单写的不一样。", "The order names the merchant by a credit code or without one, unlike the register.")
	errAccountOther  = fault.New(fault.Refused, "principal_company_account", "没有信用代码的商户没有对公账户，登记的结算账户却是对公的：那是别人的。", "A merchant without a credit code has no company account, and a company's is on file for settlement: it is somebody else's.")
	errTooMany       = fault.New(fault.Refused, "identity_used_too_often", "同一身份办的机具太多了。", "Too many terminals stand under one identity.")
	errSamePerson    = fault.New(fault.Refused, "same_person_two_duties", "同一个人占了两个不该兼任的角色。", "One person holds two duties that must be separate.")
	errSameKey       = fault.New(fault.Refused, "same_key_two_duties", "两个角色用了同一把密钥。", "Two duties are signed with one key.")
	errNotLookedAt   = fault.New(fault.Refused, "person_not_looked_up", "登记摘录没有查过其中一个人。", "The register extract did not look at everyone with a duty.")
	errIdentityLook  = fault.New(fault.Refused, "identity_not_looked_up", "登记摘录没有查过这个商户的身份。", "The register extract did not look at this merchant's identity.")
	errThirdParty    = fault.New(fault.Refused, "supervisor_not_third_party", "监督人员必须来自第三方。", "The supervisor must come from a third organisation.")
	errSupervisorGap = fault.New(fault.Refused, "supervisor_missing", "这一风险等级必须指定监督人员。", "This risk level needs an assigned supervisor.")
	errFrozenNow     = fault.New(fault.Refused, "visit_frozen", "这次上门已被停止。", "The visit is frozen.")
	errSomethingOpen = fault.New(fault.Refused, "matter_open", "还有没处理完的停用、举报或矛盾。", "A freeze, incident or conflict is still open.")
	errDeviceLost    = fault.New(fault.Refused, "device_lost", "这台机具报过丢失，没有人说得清它在谁手里待过。别用它；收单机构的风控查验过、签字解除以后才能用。", "This device was reported lost, and nobody knows who has had it. Do not use it before the acquirer's risk desk has looked into it and signed so.")
	errDeviceHeld    = fault.New(fault.Refused, "device_quarantined", "这台机具被隔离了，别用。收单机构的风控查验过、签字解除以后才能用。", "This device is quarantined. Do not use it before the acquirer's risk desk has looked into it and signed so.")
	errAcquirerOther = fault.New(fault.Refused, "merchant_enrolled_elsewhere", "商户的密钥不是这家收单机构登记的。", "The merchant's key was not enrolled by this order's acquirer.")
	errSheetProvider = fault.New(fault.Refused, "agreement_other_provider", "价格表上的服务商不是派人来的那一家。", "The sheet names another provider than the one that sends its people: money to it would raise no flag.")
	errOrderOther    = fault.New(fault.Refused, "agreement_other_order", "签的协议说的是另一个订单。", "The agreement that was signed is about another order.")
)

func institutionLicensed(f *Facts, now time.Time) finding {
	order, err := f.Order.get()
	if err != nil {
		return rerun(err)
	}
	trust, err := f.Trust.get()
	if err != nil {
		return rerun(err)
	}
	if f.windsUp() {
		return rerun(trust.Acquires(order.Acquirer, now), f.Trust.From...)
	}
	return rerun(trust.Licensed(order.Acquirer, order.Business, order.Province, now), f.Trust.From...)
}

func providerFiled(f *Facts, now time.Time) finding {
	order, err := f.Order.get()
	if err != nil {
		return rerun(err)
	}
	trust, err := f.Trust.get()
	if err != nil {
		return rerun(err)
	}
	if err := trust.Filed(order.Provider, now); err != nil {
		return rerun(err, f.Trust.From...)
	}
	mandate, err := f.Mandate.get()
	if err != nil {
		return rerun(err, f.Mandate.From...)
	}
	if mandate.SignedBy != order.Acquirer {
		return rerun(errMandateOther, f.Mandate.From...)
	}
	if !mandate.Span.Holds(now) {
		return rerun(errMandateLapsed, f.Mandate.From...)
	}
	return rerun(nil, slices.Concat(f.Trust.From, f.Mandate.From)...)
}

func technicianTrained(f *Facts, now time.Time) finding {
	order, err := f.Order.get()
	if err != nil {
		return rerun(err)
	}
	p, err := f.Parameters.get()
	if err != nil {
		return rerun(err)
	}
	if err := p.Fresh(now); err != nil {
		return rerun(err, f.Parameters.From...)
	}
	if _, err := f.Technician.get(); err != nil {
		return rerun(err, f.Technician.From...)
	}
	courses := []string{p.SecurityCourse, p.CourseFor(order.Model)}
	if courses[1] == "" {
		// No list names a course for a model that fell off it. It gets no power; whoever looks at it or takes it away
		// needs the security course, or it would have to stay on the counter.
		if order.Kind != visit.Removal && order.Kind != visit.Inspection {
			return rerun(errCourseNone, f.Parameters.From...)
		}
		courses = courses[:1]
	}
	certificates, err := f.Certificates.or(errUntrained)
	if err != nil {
		return rerun(err, f.Certificates.From...)
	}
	for _, course := range courses {
		if err := f.inDate(certificates, course, now); err != nil {
			return rerun(err, f.Certificates.From...)
		}
	}
	return rerun(nil, f.Certificates.From...)
}

func dutiesSeparated(f *Facts) finding {
	order, err := f.Order.get()
	if err != nil {
		return attested(err)
	}
	people, err := f.people(order.Risk > 0)
	if err != nil {
		return attested(err)
	}
	for i, a := range people {
		for _, b := range people[i+1:] {
			if a.Holder == b.Holder {
				return attested(errSamePerson)
			}
			if a.Key == b.Key {
				return attested(errSameKey)
			}
		}
	}
	if s, err := f.Supervisor.get(); err == nil && (s.Organisation == order.Acquirer || s.Organisation == order.Provider) {
		return attested(errThirdParty, f.Supervisor.From...)
	}
	x, err := f.Extract.get()
	if err != nil {
		return attested(err)
	}
	for _, p := range people {
		i := slices.IndexFunc(x.People, func(q registryPerson) bool { return q.Holder == p.Holder })
		if i < 0 {
			return attested(errNotLookedAt, f.Extract.From...)
		}
		if slices.ContainsFunc(people, func(q Party) bool { return slices.Contains(x.People[i].Same, q.Holder) }) {
			return attested(errSamePerson, f.Extract.From...)
		}
	}
	for _, p := range f.Approved {
		if err := f.approvedApart(p, people, x); err != nil {
			return attested(err, f.Extract.From...)
		}
	}
	return attested(nil, f.Extract.From...)
}

// approvedApart holds whoever signed the sheet or opened the visit for the acquirer apart from everybody but the
// order's approver, as whose second name he may well be known.
func (f *Facts) approvedApart(p Party, people []Party, x registry.Extract) error {
	look := func(holder string) int {
		return slices.IndexFunc(x.People, func(q registryPerson) bool { return q.Holder == holder })
	}
	own := look(p.Holder)
	for _, q := range people {
		switch {
		case q.Holder == f.Approver.Value.Holder:
			continue
		case p.Holder == q.Holder:
			return errSamePerson
		case p.Key == q.Key:
			return errSameKey
		case own < 0:
			return errNotLookedAt
		case slices.Contains(x.People[own].Same, q.Holder) || slices.Contains(x.People[look(q.Holder)].Same, p.Holder):
			return errSamePerson
		}
	}
	return nil
}

// people lists everyone with a duty on the order. A supervisor is one only where the risk asks for
// him or where one was named.
func (f *Facts) people(needSupervisor bool) ([]Party, error) {
	out := make([]Party, 0, 4)
	for _, who := range []*Fact[Party]{&f.Merchant, &f.Approver, &f.Technician} {
		p, err := who.get()
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	if f.Assigned.Supervisor == "" {
		if needSupervisor {
			return nil, errSupervisorGap
		}
		return out, nil
	}
	s, err := f.Supervisor.get()
	if err != nil {
		return nil, err
	}
	return append(out, s), nil
}

func nothingOpen(f *Facts) finding {
	if f.Frozen {
		return attested(errFrozenNow, f.Open...)
	}
	if len(f.Open) > 0 {
		return attested(errSomethingOpen, f.Open...)
	}
	order, err := f.Order.get()
	if err != nil {
		return attested(err)
	}
	x, err := f.Extract.get()
	if err != nil {
		return attested(err)
	}
	for _, m := range f.marks(x) {
		if !f.passesMarks(order, x) {
			return attested(markFault(m.Reason), m.Statement)
		}
	}
	for _, o := range x.Open {
		if isMark(o.Kind) || f.Kind == visit.Removal && standsAtTheShop(o) {
			continue
		}
		// The one exception: the order that was made because of an incident may carry it out.
		if o.Kind != "incident" || order.Reason == "" || o.Statement != order.Reason {
			return attested(errSomethingOpen, o.Statement)
		}
	}
	return attested(nil, f.Extract.From...)
}

// standsAtTheShop says whether a matter is about the terminal or the merchant, and about nobody who comes. A removal goes on
// in front of it: it takes power away, its order and sheet are signed by the acquirer, and a shop must not have to keep a
// suspect terminal until the risk desk has answered. What stands against the removal itself, the technician or his
// employer stops it as it stops everything.
func standsAtTheShop(o registry.OpenMatter) bool {
	return o.Against == registry.AgainstDevice || o.Against == registry.AgainstMerchant
}

// marks are the device's marks: those of its own stream, and those that the register knows.
func (f *Facts) marks(x registry.Extract) []visit.Mark {
	out := slices.Clone(f.Marks)
	for _, o := range x.Open {
		if isMark(o.Kind) {
			out = append(out, visit.Mark{Reason: o.Kind, Statement: o.Statement})
		}
	}
	return out
}

func isMark(matter string) bool { return matter == visit.MarkLost || matter == visit.MarkQuarantined }

// passesMarks says whether a marked device's visit goes on. A removal's does whoever marked the device, whenever and
// however often: it only takes power away, and a marked terminal must not have to stay on the counter. An inspection's
// does where its order names one of the marks that stand.
func (f *Facts) passesMarks(order visit.Order, x registry.Extract) bool {
	named := slices.ContainsFunc(f.marks(x), func(m visit.Mark) bool { return order.Reason != "" && order.Reason == m.Statement })
	return f.Kind == visit.Removal || f.Kind == visit.Inspection && named
}

func markFault(mark string) error {
	if mark == visit.MarkLost {
		return errDeviceLost
	}
	return errDeviceHeld
}

func agreementSigned(f *Facts) finding {
	a, err := f.Agreement.get()
	if err != nil {
		return rerun(err, f.Agreement.From...)
	}
	order, err := f.Order.get()
	if err != nil {
		return rerun(err)
	}
	if !a.OK() {
		return rerun(errUnverified, f.Agreement.From...)
	}
	if a.Order() != order.Order {
		return rerun(errOrderOther, f.Agreement.From...)
	}
	if p := a.Provider(); p != "" && p != order.Provider {
		return rerun(errSheetProvider, f.Agreement.From...)
	}
	return rerun(nil, f.Agreement.From...)
}

func merchantVerified(f *Facts, now time.Time) finding {
	order, err := f.Order.get()
	if err != nil {
		return attested(err)
	}
	if !order.Identity.Accepted {
		return attested(errNotAccepted, f.Order.From...)
	}
	whose := order.Items.Whose()
	if whose == "" {
		return attested(errItemsUnclear, f.Order.From...)
	}
	if whose == visit.ItemPrincipal && order.Items.Principal != order.Identity.Principal {
		return attested(errPrincipal, f.Order.From...)
	}
	merchant, err := f.Merchant.get()
	if err != nil {
		return attested(err, f.Merchant.From...)
	}
	if merchant.Organisation != order.Acquirer {
		return attested(errAcquirerOther, f.Merchant.From...)
	}
	p, err := f.Parameters.get()
	if err != nil {
		return attested(err)
	}
	if err := p.Fresh(now); err != nil {
		return attested(err, f.Parameters.From...)
	}
	x, err := f.Extract.get()
	if err != nil {
		return attested(err)
	}
	if x.Identity.Merchant != order.Merchant || x.Identity.Terminals < 0 {
		return attested(errIdentityLook, f.Extract.From...)
	}
	// Without a credit code the register has to say so; with one, a merchant who is on no register passes, as ever.
	if x.Identity.Item != whose && (x.Identity.Item != "" || whose == visit.ItemPrincipal) {
		return attested(errItemsOnFile, slices.Concat(f.Order.From, f.Extract.From)...)
	}
	if whose == visit.ItemPrincipal && x.Identity.Account == registry.AccountCompany {
		return attested(errAccountOther, slices.Concat(f.Order.From, f.Extract.From)...)
	}
	if (order.Kind == visit.Install || x.Old.Gone()) && x.Identity.Terminals >= p.TerminalsPerID {
		return attested(errTooMany, f.Extract.From...)
	}
	return attested(nil, slices.Concat(f.Merchant.From, f.Extract.From)...)
}
