package gate_test

import (
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

func order(f *gate.Facts) *gate.Fact[visit.Order]              { return &f.Order }
func trust(f *gate.Facts) *gate.Fact[credential.Trust]         { return &f.Trust }
func params(f *gate.Facts) *gate.Fact[registry.Parameters]     { return &f.Parameters }
func mandate(f *gate.Facts) *gate.Fact[gate.Mandate]           { return &f.Mandate }
func courses(f *gate.Facts) *gate.Fact[[]registry.Certificate] { return &f.Certificates }
func merchant(f *gate.Facts) *gate.Fact[gate.Party]            { return &f.Merchant }
func approver(f *gate.Facts) *gate.Fact[gate.Party]            { return &f.Approver }
func technician(f *gate.Facts) *gate.Fact[gate.Party]          { return &f.Technician }
func supervisor(f *gate.Facts) *gate.Fact[gate.Party]          { return &f.Supervisor }
func looked(f *gate.Facts) *gate.Fact[registry.Extract]        { return &f.Extract }

func ofOrder(change func(*visit.Order)) func(*gate.Facts)          { return edit(order, change) }
func ofLook(change func(*registry.Extract)) func(*gate.Facts)      { return edit(looked, change) }
func ofParams(change func(*registry.Parameters)) func(*gate.Facts) { return edit(params, change) }

const days = 24 * time.Hour

func TestInstitutionLicensed(t *testing.T) {
	walk(t, gate.InstitutionLicensed, visit.AskDispatch, gate.Rerun, []way{
		{name: "licensed for this business and region"},
		absent("no order", order, "evidence_absent"),
		unknown("an order that is not one", order),
		absent("no trust list", trust, "evidence_absent"),
		unknown("a trust list that is not one", trust),
		{name: "list past its date", later: 7*days + time.Second, code: "trust_list_stale"},
		{name: "list on its last day", later: 7 * days},
		{name: "an acquirer on no list", spoil: ofOrder(func(o *visit.Order) { o.Acquirer = "acq-nobody" }), code: "institution_not_listed"},
		{name: "a provider poses as acquirer", spoil: ofOrder(func(o *visit.Order) { o.Acquirer = provider }), code: "institution_not_acquirer"},
		{name: "another business", spoil: ofOrder(func(o *visit.Order) { o.Business = "prepaid_card" }), code: "licence_business"},
		{name: "another province", spoil: ofOrder(func(o *visit.Order) { o.Province = "44" }), code: "licence_region"},
	})
}

func TestProviderFiled(t *testing.T) {
	walk(t, gate.ProviderFiled, visit.AskDispatch, gate.Rerun, []way{
		{name: "filed and mandated"},
		absent("no order", order, "evidence_absent"),
		unknown("an order that is not one", order),
		absent("no trust list", trust, "evidence_absent"),
		unknown("a trust list that is not one", trust),
		absent("no mandate", mandate, "evidence_absent"),
		unknown("a mandate that is not one", mandate),
		{name: "without a filing", spoil: ofOrder(func(o *visit.Order) { o.Provider = unfiled }), code: "provider_unfiled"},
		{name: "sub-contracted by the provider", spoil: edit(mandate, func(m *gate.Mandate) { m.SignedBy = provider }), code: "mandate_two_hops"},
		{name: "mandate in its first second", later: -time.Hour},
		{name: "mandate not yet in force", later: -time.Hour - time.Second, code: "mandate_lapsed"},
		{name: "mandate in its last second", later: time.Hour - time.Second},
		{name: "mandate lapsed", later: time.Hour, code: "mandate_lapsed"},
	})
}

// delisted has the order's model on no list, and the technician without a course for it.
func delisted(kind string) func(*gate.Facts) {
	return both(ofOrder(func(o *visit.Order) { o.Kind, o.Model = kind, "TD99" }), edit(courses, func(c *[]registry.Certificate) { *c = (*c)[:1] }))
}

func TestTechnicianTrained(t *testing.T) {
	walk(t, gate.TechnicianTrained, visit.AskDispatch, gate.Rerun, []way{
		{name: "both courses in date"},
		absent("no order", order, "evidence_absent"),
		unknown("an order that is not one", order),
		absent("no parameters", params, "evidence_absent"),
		unknown("parameters that are none", params),
		absent("no technician", technician, "evidence_absent"),
		unknown("a technician whose key lapsed", technician),
		absent("no certificates", courses, "course_missing"),
		unknown("certificates that are none", courses),
		{name: "no course for the model", spoil: ofOrder(func(o *visit.Order) { o.Model = "TD99" }), code: "course_undefined"},
		{name: "a model off the list is taken away by whoever has the security course", kind: visit.Removal, spoil: delisted(visit.Removal)},
		{name: "or looked at", kind: visit.Inspection, spoil: delisted(visit.Inspection)},
		{name: "not by who lacks that", kind: visit.Removal, spoil: both(delisted(visit.Removal), edit(courses, func(c *[]registry.Certificate) { *c = nil })), code: "course_missing"},
		{name: "a swap to a model off the list", kind: visit.Swap, spoil: delisted(visit.Swap), code: "course_undefined"},
		{name: "a repair of one", kind: visit.Repair, spoil: delisted(visit.Repair), code: "course_undefined"},
		{name: "without the security course", spoil: edit(courses, func(c *[]registry.Certificate) { *c = (*c)[1:] }), code: "course_missing"},
		{name: "without the device's course", spoil: edit(courses, func(c *[]registry.Certificate) { *c = (*c)[:1] }), code: "course_missing"},
		{name: "two courses of other things", spoil: edit(courses, func(c *[]registry.Certificate) {
			*c = []registry.Certificate{certificate("forklift"), certificate("first-aid")}
		}), code: "course_missing"},
		{name: "certificates of another", spoil: edit(courses, func(c *[]registry.Certificate) { (*c)[0].Holder = "bo" }), code: "course_missing"},
		{name: "a certificate without the test", spoil: func(f *gate.Facts) {
			edit(courses, func(c *[]registry.Certificate) { *c = (*c)[1:] })(f)
			f.Uncounted = map[string]error{"security": fault.New(fault.Refused, "certificate_without_attempt", "没有答卷。", "No attempt.")}
		}, code: "certificate_without_attempt"},
		{name: "an older one without the test beside", spoil: func(f *gate.Facts) {
			f.Uncounted = map[string]error{"security": fault.New(fault.Refused, "certificate_without_attempt", "没有答卷。", "No attempt.")}
		}},
		{name: "another was sent", spoil: func(f *gate.Facts) { f.Assigned.Technician = "bo" }, code: "course_missing"},
		{name: "in the certificates' first second", later: -time.Hour},
		{name: "in their last second", later: time.Hour - time.Second},
		{name: "expired", later: time.Hour, code: "course_expired"},
		{name: "certificate that ends before it begins", spoil: edit(courses, func(c *[]registry.Certificate) { (*c)[1].Until = (*c)[1].From }), code: "course_expired"},
		{name: "expired, and taken again", spoil: edit(courses, func(c *[]registry.Certificate) {
			old := certificate("security")
			old.Until = at(-time.Minute)
			*c = append([]registry.Certificate{old}, append(*c, old)...)
		})},
		{name: "parameters past their date", later: 30 * days, code: "parameters_stale"},
	})
}

func TestDutiesSeparated(t *testing.T) {
	sameAs := func(holder, other string) func(*gate.Facts) {
		return ofLook(func(x *registry.Extract) {
			for i := range x.People {
				if x.People[i].Holder == holder {
					x.People[i].Same = []string{"somebody", other}
				}
			}
		})
	}
	atRisk0 := func(next func(*gate.Facts)) func(*gate.Facts) {
		return func(f *gate.Facts) {
			f.Order.Value.Risk, f.Assigned.Supervisor, f.Supervisor = 0, "", gate.Fact[gate.Party]{}
			next(f)
		}
	}
	both := func(a, b func(*gate.Facts)) func(*gate.Facts) { return func(f *gate.Facts) { a(f); b(f) } }
	signedToo := func(holder string, key func(*gate.Facts) string) func(*gate.Facts) {
		return func(f *gate.Facts) {
			p := gate.Party{Holder: holder, Organisation: acquirer, Key: "another"}
			if key != nil {
				p.Key = key(f)
			}
			f.Approved = append(f.Approved, p)
			f.Extract.Value.People = append(slices.Clone(f.Extract.Value.People), registry.Person{Holder: holder})
		}
	}
	walk(t, gate.DutiesSeparated, visit.AskDispatch, gate.Attested, []way{
		{name: "four people of three houses"},
		{name: "three people where no supervisor is asked for", spoil: atRisk0(func(*gate.Facts) {})},
		absent("no order", order, "evidence_absent"),
		unknown("an order that is not one", order),
		absent("no merchant", merchant, "evidence_absent"),
		unknown("a merchant who lost the key", merchant),
		absent("no approver", approver, "evidence_absent"),
		unknown("an approver who left", approver),
		absent("no technician", technician, "evidence_absent"),
		unknown("a technician who left", technician),
		absent("no supervisor's key", supervisor, "evidence_absent"),
		unknown("a supervisor who left", supervisor),
		{name: "risk without a supervisor", spoil: func(f *gate.Facts) { f.Assigned.Supervisor = "" }, code: "supervisor_missing"},
		{name: "technician is the merchant", spoil: edit(merchant, func(p *gate.Party) { p.Holder = "lan" }), code: "same_person_two_duties"},
		{name: "approver is the technician", spoil: edit(approver, func(p *gate.Party) { p.Holder = "lan" }), code: "same_person_two_duties"},
		{name: "approver is the supervisor", spoil: edit(supervisor, func(p *gate.Party) { p.Holder = "chen" }), code: "same_person_two_duties"},
		{name: "technician signs as merchant with his own key", spoil: edit(merchant, func(p *gate.Party) { p.Key = city().lan.thumb() }), code: "same_key_two_duties"},
		{name: "one key for technician and supervisor", spoil: edit(supervisor, func(p *gate.Party) { p.Key = city().lan.thumb() }), code: "same_key_two_duties"},
		{name: "supervisor of the acquirer", spoil: edit(supervisor, func(p *gate.Party) { p.Organisation = acquirer }), code: "supervisor_not_third_party"},
		{name: "supervisor of the provider", spoil: edit(supervisor, func(p *gate.Party) { p.Organisation = provider }), code: "supervisor_not_third_party"},
		{name: "a supervisor at risk 0 is held to it too", spoil: func(f *gate.Facts) {
			f.Order.Value.Risk = 0
			f.Supervisor.Value.Organisation = provider
		}, code: "supervisor_not_third_party"},
		absent("no look into the register", looked, "evidence_absent"),
		unknown("a look that is none", looked),
		{name: "supervisor not looked up", spoil: ofLook(func(x *registry.Extract) { x.People = x.People[:3] }), code: "person_not_looked_up"},
		{name: "merchant not looked up", spoil: ofLook(func(x *registry.Extract) { x.People = x.People[1:] }), code: "person_not_looked_up"},
		{name: "merchant and technician share a phone", spoil: sameAs("wei", "lan"), code: "same_person_two_duties"},
		{name: "known from the other side only", spoil: sameAs("gu", "chen"), code: "same_person_two_duties"},
		{name: "somebody else of the acquirer signed the sheet", spoil: signedToo("min", nil)},
		{name: "the approver's second name signed the sheet", spoil: both(signedToo("min", nil), sameAs("min", "chen"))},
		{name: "the technician signed the sheet", spoil: signedToo("lan", nil), code: "same_person_two_duties"},
		{name: "the sheet is signed with the supervisor's key", spoil: signedToo("min", func(f *gate.Facts) string { return f.Supervisor.Value.Key }), code: "same_key_two_duties"},
		{name: "who signed the sheet was not looked up", spoil: both(signedToo("min", nil), ofLook(func(x *registry.Extract) { x.People = x.People[:4] })), code: "person_not_looked_up"},
		{name: "who signed the sheet is the technician under another name", spoil: both(signedToo("min", nil), sameAs("min", "lan")), code: "same_person_two_duties"},
		{name: "and that is known from the other side only", spoil: both(signedToo("min", nil), sameAs("lan", "min")), code: "same_person_two_duties"},
		{name: "same as somebody without a duty", spoil: sameAs("gu", "zhou")},
		{name: "at risk 0 nobody looks at the supervisor", spoil: atRisk0(ofLook(func(x *registry.Extract) { x.People = x.People[:3] }))},
	})
}

func TestNothingOpen(t *testing.T) {
	open := func(kind, reason string) func(*gate.Facts) {
		return func(f *gate.Facts) {
			f.Order.Value.Reason = reason
			f.Extract.Value.Open = []registry.OpenMatter{{Stream: "device/" + serial, Kind: kind, Statement: "digest-1"}}
		}
	}
	marked := func(mark, kind, reason string) func(*gate.Facts) {
		return func(f *gate.Facts) {
			f.Kind, f.Order.Value.Reason = kind, reason
			f.Marks = []visit.Mark{{Reason: mark, Statement: "digest-1"}}
		}
	}
	walk(t, gate.NothingOpen, visit.AskDispatch, gate.Attested, []way{
		{name: "nothing"},
		{name: "the visit is frozen", spoil: func(f *gate.Facts) { f.Frozen = true }, code: "visit_frozen"},
		{name: "an incident on the visit", spoil: func(f *gate.Facts) { f.Open = []string{"digest-2"} }, code: "matter_open"},
		absent("no order", order, "evidence_absent"),
		unknown("an order that is not one", order),
		absent("no look into the register", looked, "evidence_absent"),
		unknown("a look that is none", looked),
		{name: "a frozen device", spoil: open("freeze", ""), code: "matter_open"},
		{name: "an incident that the order does not name", spoil: open("incident", "digest-3"), code: "matter_open"},
		{name: "the incident that the order is for", spoil: open("incident", "digest-1")},
		{name: "a freeze that the order names", spoil: open("freeze", "digest-1"), code: "matter_open"},
		{name: "an incident without a digest", spoil: func(f *gate.Facts) { f.Extract.Value.Open = []registry.OpenMatter{{Kind: "incident"}} }, code: "matter_open"},
		{name: "the order's incident and one more", spoil: func(f *gate.Facts) {
			open("incident", "digest-1")(f)
			f.Extract.Value.Open = append(f.Extract.Value.Open, registry.OpenMatter{Kind: "incident", Statement: "digest-4"})
		}, code: "matter_open"},
		{name: "a lost device", spoil: open(visit.MarkLost, ""), code: "device_lost"},
		{name: "a quarantined device", spoil: open(visit.MarkQuarantined, ""), code: "device_quarantined"},
		{name: "a mark in the device's own stream alone", spoil: marked(visit.MarkLost, visit.Install, ""), code: "device_lost"},
		{name: "one that cannot be read", spoil: marked("", visit.Install, ""), code: "device_quarantined"},
		{name: "a mark that an installation names", spoil: func(f *gate.Facts) {
			open(visit.MarkQuarantined, "digest-1")(f)
			marked(visit.MarkQuarantined, visit.Install, "digest-1")(f)
		}, code: "device_quarantined"},
		{name: "a lost device, named by an installation, in the register alone", spoil: open(visit.MarkLost, "digest-1"), code: "device_lost"},
		{name: "frozen before closing", ask: visit.AskClose, spoil: func(f *gate.Facts) { f.Frozen = true }, code: "visit_frozen"},
	})
}

func TestAgreementSigned(t *testing.T) {
	walk(t, gate.AgreementSigned, visit.AskDispatch, gate.Rerun, []way{
		{name: "both signed"},
		absent("nobody signed", agreed, "evidence_absent"),
		unknown("the merchant signed another sheet", agreed),
		absent("no order", order, "evidence_absent"),
		unknown("an order that is not one", order),
		{name: "for another order", spoil: func(f *gate.Facts) { f.Agreement = gate.Known(city().agreed("o-2", provider)) }, code: "agreement_other_order"},
		{name: "naming another provider than the order's", spoil: ofOrder(func(o *visit.Order) { o.Provider = unfiled }), code: "agreement_other_provider"},
		{name: "naming no provider: money goes to the acquirer alone", spoil: func(f *gate.Facts) { f.Agreement = gate.Known(city().agreed(orderID, "")) }},
	})
}

func TestMerchantVerified(t *testing.T) {
	terminals := func(n int) func(*gate.Facts) {
		return ofLook(func(x *registry.Extract) { x.Identity.Terminals = n })
	}
	items := func(credit, principal string) func(*gate.Facts) {
		return ofOrder(func(o *visit.Order) {
			o.Items.CreditCode, o.Items.Principal, o.Identity.Principal = credit, principal, "principal"
		})
	}
	onFile := func(item string) func(*gate.Facts) {
		return ofLook(func(x *registry.Extract) { x.Identity.Item = item })
	}
	settledTo := func(account string) func(*gate.Facts) {
		return ofLook(func(x *registry.Extract) { x.Identity.Account = account })
	}
	walk(t, gate.MerchantVerified, visit.AskDispatch, gate.Attested, []way{
		{name: "accepted by the acquirer"},
		absent("no order", order, "evidence_absent"),
		unknown("an order that is not one", order),
		{name: "not accepted", spoil: ofOrder(func(o *visit.Order) { o.Identity.Accepted = false }), code: "merchant_not_accepted"},
		{name: "neither a credit code nor a principal", spoil: items("", ""), code: "five_items_unclear"},
		{name: "both of them", spoil: items("a code", "principal"), code: "five_items_unclear"},
		{name: "a firm, as it is on file", spoil: both(items("a code", ""), onFile(visit.ItemCreditCode))},
		{name: "a firm that is on file without a credit code", spoil: both(items("a code", ""), onFile(visit.ItemPrincipal)), code: "five_items_not_on_file"},
		{name: "without a credit code, as on file", spoil: both(items("", "principal"), onFile(visit.ItemPrincipal))},
		{name: "without a credit code, settled to his card", spoil: both(both(items("", "principal"), onFile(visit.ItemPrincipal)), settledTo(registry.AccountCard))},
		{name: "without a credit code, settled to a company's account", spoil: both(both(items("", "principal"), onFile(visit.ItemPrincipal)), settledTo(registry.AccountCompany)), code: "principal_company_account"},
		{name: "a firm, settled to a company's account", spoil: both(both(items("a code", ""), onFile(visit.ItemCreditCode)), settledTo(registry.AccountCompany))},
		{name: "without a credit code, and on file with one", spoil: both(items("", "principal"), onFile(visit.ItemCreditCode)), code: "five_items_not_on_file"},
		{name: "without a credit code, and on no file", spoil: items("", "principal"), code: "five_items_not_on_file"},
		{name: "bound by another's number than was checked", spoil: both(items("", "another"), onFile(visit.ItemPrincipal)), code: "principal_differs"},
		absent("no key of the merchant", merchant, "evidence_absent"),
		unknown("a key that lapsed", merchant),
		{name: "enrolled by the provider", spoil: edit(merchant, func(p *gate.Party) { p.Organisation = provider }), code: "merchant_enrolled_elsewhere"},
		absent("no parameters", params, "evidence_absent"),
		unknown("parameters that are none", params),
		{name: "parameters past their date", later: 30 * days, code: "parameters_stale"},
		absent("no look into the register", looked, "evidence_absent"),
		unknown("a look that is none", looked),
		{name: "another merchant looked up", spoil: ofLook(func(x *registry.Extract) { x.Identity.Merchant = "zhou" }), code: "identity_not_looked_up"},
		{name: "fewer terminals than none", spoil: terminals(-1), code: "identity_not_looked_up"},
		{name: "one below the limit", spoil: terminals(4)},
		{name: "the limit is reached", spoil: terminals(5), code: "identity_used_too_often"},
		{name: "an inspection adds no terminal", kind: visit.Inspection, spoil: terminals(5)},
	})
}
