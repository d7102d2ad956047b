package scenario

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// badgeAttacks are about the badge itself.
var badgeAttacks = []Attack{
	{
		Name: "badge-expired", Zh: "昨天的工作证今天还用", En: "Yesterday's badge.",
		Refused: by(gate.TechnicianAdmitted, "badge_expired"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "badge", func(ctx context.Context) error {
				return p.IssueBadge(ctx, p.Cast.Technician, 7, p.Now().Add(-13*time.Hour))
			})
		},
	},
	{
		Name: "badge-revoked", Zh: "工作证已经被停用", En: "The badge was revoked before the visit.",
		Refused: by(gate.TechnicianAdmitted, "badge_revoked"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "door", func(ctx context.Context) error { return p.RevokeBadge(ctx, p.Cast.Technician, 7) })
		},
	},
	{
		Name: "badge-revoked-after-trial", Zh: "试交易之后工作证才被停用", En: "The badge is revoked between trial and live.",
		Refused: by(gate.TechnicianAdmitted, "badge_revoked"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error { return p.RevokeBadge(ctx, p.Cast.Technician, 7) })
		},
	},
	{
		Name: "badge-suspended", Zh: "工作证被暂停", En: "The status list says that the badge is suspended.",
		Refused: by(gate.TechnicianAdmitted, "badge_suspended"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "door", func(ctx context.Context) error {
				p.Cast.Statuses[7] = credential.Suspended
				return p.PublishStatus(ctx)
			})
		},
	},
	{
		Name: "badge-outside-the-list", Zh: "工作证的编号不在停用名单的范围里", En: "The badge's index lies outside the status list.",
		Refused: by(gate.TechnicianAdmitted, "status_index_outside"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "badge", func(ctx context.Context) error { return p.IssueBadge(ctx, p.Cast.Technician, 4096, p.Now()) })
		},
	},
	{
		Name: "badge-nobody-recorded", Zh: "私下签发、没有记录的工作证", En: "A genuine badge that no record says was issued.",
		Refused: by(gate.TechnicianAdmitted, "badge_not_recorded"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "badge", func(context.Context) error {
				badge, err := p.MakeBadge(p.Cast.Technician, p.Cast.BadgeKey, 7, p.Now())
				p.Badge = badge
				return err
			})
		},
	},
	{
		Name: "badge-self-made", Zh: "自己印的工作证", En: "A badge under a key that is not its issuer's.",
		Refused: by(gate.TechnicianAdmitted, "badge_signature"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "badge", func(ctx context.Context) error {
				forger := NewActor(p.Cast.Provider.ID, p.Cast.Provider.ID, visit.RoleOrganisation)
				badge, err := p.MakeBadge(p.Cast.Technician, forger, 7, p.Now())
				if err != nil {
					return err
				}
				p.Badge = badge
				return p.RecordBadge(ctx, p.Cast.Technician, 7, p.Now())
			})
		},
	},
	{
		Name: "badge-of-an-unlisted-issuer", Zh: "签发工作证的公司不在信任名单上", En: "The badge's issuer is not on the trust list.",
		Refused: by(gate.TechnicianAdmitted, "organisation_not_listed"),
		Run: func(ctx context.Context, p *Play) error {
			ghost := NewActor("svc-ghost", "svc-ghost", visit.RoleOrganisation)
			p.Dispatch.Issuer = ghost.ID
			return p.instead(ctx, "badge", func(context.Context) error {
				badge, err := p.MakeBadge(p.Cast.Technician, ghost, 7, p.Now())
				p.Badge = badge
				return err
			})
		},
	},
	{
		Name: "badge-of-another-employer", Zh: "被派的人拿着另一家公司发的工作证", En: "Another listed provider vouches for the technician with its own badge.",
		Refused: by(gate.TechnicianAdmitted, "badge_issuer_not_employer"),
		Run: func(ctx context.Context, p *Play) error {
			rival := p.Cast.Rival
			p.Dispatch.Issuer = rival.ID
			return p.instead(ctx, "badge", func(ctx context.Context) error {
				var err error
				if p.Badge, err = p.MakeBadge(p.Cast.Technician, rival, 7, p.Now()); err != nil {
					return err
				}
				return p.fileAs(ctx, rival, visit.IssueBadge, visit.StreamPerson+"/"+p.Cast.Technician.ID, registry.TypeBadgeIssued, p.issued(p.Cast.Technician, 7))
			})
		},
	},
	{
		Name: "badge-of-a-colleague", Zh: "来的是同一家公司的另一个人", En: "A colleague comes with a good badge of his own.",
		Refused: by(gate.TechnicianAdmitted, "badge_of_another"),
		Run: func(ctx context.Context, p *Play) error {
			bo := p.Cast.Stranger
			return Run(ctx, Instead(Instead(p.scenes(), "badge", func(ctx context.Context) error {
				return p.IssueBadge(ctx, bo, 8, p.Now())
			}), "door", func(ctx context.Context) error {
				d, err := p.HonestDoor(ctx)
				if err != nil {
					return err
				}
				d.Holder = bo
				return p.Answer(ctx, d)
			}))
		},
	},
	{
		Name: "technician-dismissed", Zh: "上门人员当天已经离职", En: "The technician's own key was ended while he was on his way.",
		Waits: true, Refused: by(gate.TechnicianAdmitted, "statement_before_or_after_key"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask trial", func(ctx context.Context) error {
				if p.Wait != nil {
					p.Wait(time.Second)
				}
				return p.fileAs(ctx, p.Cast.Provider, visit.EndEnrolment, visit.StreamOrganisation+"/"+p.Cast.Provider.ID, statement.TypeEnrolmentEnd,
					statement.EnrolmentEnd{Key: p.Cast.Technician.Public().Thumbprint(), From: statement.At(p.Now()), Reason: "left"})
			})
		},
	},
}

// issued is the record of the play's badge.
func (p *Play) issued(to *Actor, index int) registry.BadgeIssued {
	return registry.BadgeIssued{Holder: to.ID, Key: to.Public().Thumbprint(), Badge: statement.Digest(p.Badge), StatusURI: p.Cast.StatusURI,
		StatusIndex: index, From: statement.At(p.Now()), Until: statement.At(p.Now().Add(12 * time.Hour))}
}

// fileAs files a body in somebody's name.
func (p *Play) fileAs(ctx context.Context, who *Actor, verb, stream, kind string, body any) error {
	_, err := p.file(ctx, who, verb, Draft{Stream: stream, Type: kind, Body: body})
	return err
}

// enrol has an organisation vouch for a key.
func (p *Play) enrol(ctx context.Context, o, a *Actor, from time.Time) error {
	body := Enrolment(a, p.Now())
	body.Organisation, body.From = o.ID, statement.At(from)
	return p.fileAs(ctx, o, visit.Enrol, visit.StreamOrganisation+"/"+o.ID, statement.TypeEnrolment, body)
}

// withoutCode orders for a merchant without a credit code (小微), whom the registers know by an item.
func (p *Play) withoutCode(onFile string) {
	p.Shop.CreditCode = ""
	p.NewOrder(p.Order.Kind, p.Order.Risk)
	p.ledger().OnFile[p.Order.Merchant] = onFile
}

// alsoApprover has the acquirer enrol the technician as an approver, with a key of its own.
func (p *Play) alsoApprover(ctx context.Context) (*Actor, error) {
	lan := NewActor(p.Cast.Technician.ID, p.Cast.Acquirer.ID, visit.RoleApprover)
	return lan, p.enrol(ctx, p.Cast.Acquirer, lan, p.Now())
}

// peopleAttacks are about who vouches for whom, and who may be what at once.
var peopleAttacks = []Attack{
	{
		Name: "approver-is-the-technician", Zh: "审批人就是上门装机的人", En: "The approver and the technician are one person.",
		Refused: by(gate.DutiesSeparated, "same_person_two_duties"),
		Run: func(ctx context.Context, p *Play) error {
			p.Cast.Approver = NewActor(p.Cast.Technician.ID, p.Cast.Acquirer.ID, visit.RoleApprover)
			if err := p.enrol(ctx, p.Cast.Acquirer, p.Cast.Approver, p.Now()); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "sheet-signed-by-the-technician", Zh: "上门人员替收单机构在价目单上签字", En: "The technician, whom the acquirer enrolled as an approver too, signs its side of the price sheet.",
		Refused: by(gate.DutiesSeparated, "same_person_two_duties"),
		Run: func(ctx context.Context, p *Play) error {
			lan, err := p.alsoApprover(ctx)
			if err != nil {
				return err
			}
			return p.instead(ctx, "offer", func(ctx context.Context) error { return p.signAs(ctx, lan, agreement.Offer(p.Order.Order, p.Sheet)) })
		},
	},
	{
		Name: "visit-opened-by-the-technician", Zh: "上门人员替收单机构开了这次上门", En: "The technician, whom the acquirer enrolled as an approver too, opens the visit of another approver's order.",
		Refused: by(gate.DutiesSeparated, "same_person_two_duties"),
		Run: func(ctx context.Context, p *Play) error {
			lan, err := p.alsoApprover(ctx)
			if err != nil {
				return err
			}
			return p.instead(ctx, "book", func(ctx context.Context) error {
				digest, err := p.file(ctx, p.Cast.Approver, visit.Book, Draft{Stream: p.OrderStream(), Type: visit.TypeOrder, Body: p.Order}, p.hidden...)
				if err != nil {
					return err
				}
				return p.fileAs(ctx, lan, visit.Book, p.VisitStream(), visit.TypeOpened, visit.Opened{Visit: p.ID, Order: p.Order.Order, Basis: digest})
			})
		},
	},
	{
		Name: "approver-on-the-technicians-phone", Zh: "审批人和上门人员用同一部手机", En: "The registers hold approver and technician to be one person under two names.", Liar: true,
		Refused: by(gate.DutiesSeparated, "same_person_two_duties"),
		Run: func(ctx context.Context, p *Play) error {
			p.ledger().Same[p.Cast.Approver.ID] = []string{p.Cast.Technician.ID}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "micro-order-for-a-firm", Zh: "商户有信用代码，订单却按小微商户写", En: "An order binds a merchant that has a credit code by its principal, as if it had none.", Liar: true,
		Refused: by(gate.MerchantVerified, "five_items_not_on_file"),
		Run: func(ctx context.Context, p *Play) error {
			p.withoutCode(visit.ItemCreditCode)
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "micro-order-of-nobody-on-file", Zh: "没登记过的商户，订单按小微商户写", En: "An order without a credit code is for a merchant who is on no register.",
		Refused: by(gate.MerchantVerified, "five_items_not_on_file"),
		Run: func(ctx context.Context, p *Play) error {
			p.Shop.CreditCode = ""
			p.NewOrder(p.Order.Kind, p.Order.Risk)
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "firms-order-for-a-micro-merchant", Zh: "小微商户，订单却写了一个信用代码", En: "An order names a credit code for a merchant who has none.", Liar: true,
		Refused: by(gate.MerchantVerified, "five_items_not_on_file"),
		Run: func(ctx context.Context, p *Play) error {
			p.ledger().OnFile[p.Order.Merchant] = visit.ItemPrincipal
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "micro-order-under-another-principal", Zh: "小微商户的终端登记在别人名下", En: "The terminal of a merchant without a credit code is bound to another principal than the one who was checked.", Liar: true,
		Refused: by(gate.MerchantVerified, "principal_differs"),
		Run: func(ctx context.Context, p *Play) error {
			p.withoutCode(visit.ItemPrincipal)
			other := Hide("resident_id", "11010519491231002X")
			p.Order.Items.Principal, p.hidden = other.Commitment, append(p.hidden, other.Opening)
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "micro-order-settled-to-a-company", Zh: "小微商户的钱结到一家公司的对公账户", En: "A merchant without a credit code is to be paid out to a company's account, which is somebody else's.", Liar: true,
		Refused: by(gate.MerchantVerified, "principal_company_account"),
		Run: func(ctx context.Context, p *Play) error {
			p.withoutCode(visit.ItemPrincipal)
			p.ledger().Settled[p.Order.Merchant] = registry.AccountCompany
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "order-with-code-and-principal", Zh: "五项要素里信用代码和负责人两样都写", En: "An order's five items name both a credit code and a principal.",
		Refused: by(gate.MerchantVerified, "five_items_unclear"),
		Run: func(ctx context.Context, p *Play) error {
			p.Order.Items.Principal = p.Order.Identity.Principal
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "merchant-is-the-technician", Zh: "“店主”其实是上门人员", En: "The technician is enrolled as the merchant too.",
		Refused: by(gate.DutiesSeparated, "same_person_two_duties"),
		Run: func(ctx context.Context, p *Play) error {
			p.Cast.Merchant = NewActor(p.Cast.Technician.ID, p.Cast.Acquirer.ID, visit.RoleMerchant)
			p.Order.Merchant = p.Cast.Merchant.ID
			if err := p.enrol(ctx, p.Cast.Acquirer, p.Cast.Merchant, p.Now()); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "supervisor-of-the-provider", Zh: "监督人员来自服务商自己", En: "The supervisor comes from the provider itself.", Risk: 1,
		Refused: by(gate.DutiesSeparated, "supervisor_not_third_party"),
		Run: func(ctx context.Context, p *Play) error {
			c := p.Cast
			if err := p.newTrustList(ctx, c.Provider.ID, func(o *credential.Organisation) { o.Kinds = append(o.Kinds, credential.KindSupervisor) }); err != nil {
				return err
			}
			c.Supervisor = NewActor("hu", c.Provider.ID, visit.RoleSupervisor)
			p.Dispatch.Supervisor = c.Supervisor.ID
			if err := p.enrol(ctx, c.Provider, c.Supervisor, p.Now()); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "supervisor-of-a-struck-organisation", Zh: "监督机构已经被除名", En: "The supervisor's organisation was struck off.", Risk: 1,
		Refused: by(gate.DutiesSeparated, "organisation_struck"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error { return p.newTrustList(ctx, p.Cast.Watch.ID, p.struck) })
		},
	},
	{
		Name: "no-supervisor", Zh: "该有人监督的，没派人", En: "A risk that needs a supervisor, and none was assigned.", Risk: 1,
		Refused: by(gate.DutiesSeparated, "supervisor_missing"),
		Run: func(ctx context.Context, p *Play) error {
			p.Dispatch.Supervisor = ""
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "supervisor-of-another-name", Zh: "另一家监督机构用同一个名字登记了自己的人", En: "A second supervisors' organisation enrols its own key in the assigned supervisor's name.", Risk: 1,
		Refused: by(gate.DutiesSeparated, "holder_ambiguous"),
		Run: func(ctx context.Context, p *Play) error {
			second := p.Cast.Rival
			if err := p.newTrustList(ctx, second.ID, func(o *credential.Organisation) { o.Kinds = append(o.Kinds, credential.KindSupervisor) }); err != nil {
				return err
			}
			double := NewActor(p.Cast.Supervisor.ID, second.ID, visit.RoleSupervisor)
			if err := p.enrol(ctx, second, double, p.Now()); err != nil {
				return err
			}
			p.Cast.Supervisor = double
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "provider-enrols-an-approver", Zh: "服务商给自己登记一个审批人", En: "The provider enrols an approver.",
		Refused: by(ByEvidence, "enroller_not_entitled"),
		Run: func(ctx context.Context, p *Play) error {
			if err := p.enrol(ctx, p.Cast.Provider, NewActor("bo", p.Cast.Provider.ID, visit.RoleApprover), p.Now()); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "platform-enrols-a-host", Zh: "平台给自己登记一个收单主机", En: "The platform enrols a host of its own.",
		Refused: by(ByEvidence, "enroller_not_entitled"),
		Run: func(ctx context.Context, p *Play) error {
			if err := p.enrol(ctx, p.Cast.Platform, NewActor("host-fake", p.Cast.Platform.ID, visit.RoleHost), p.Now()); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "key-enrolled-twice", Zh: "同一把密钥登记给两个人", En: "One key is enrolled for two people.",
		Refused: by(ByEvidence, "key_enrolled_twice"),
		Run: func(ctx context.Context, p *Play) error {
			twin := NewActor("bo-2", p.Cast.Provider.ID, visit.RoleTechnician)
			twin.Key = p.Cast.Technician.Key
			if err := p.enrol(ctx, p.Cast.Provider, twin, p.Now()); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "merchant-enrolled-by-another-acquirer", Zh: "另一家收单机构用这位店主的名字登记了一把密钥", En: "A second acquirer enrols a key in the merchant's name, and that key signs the door check.",
		Refused: by(gate.TechnicianAdmitted, "signer_not_party"),
		Run: func(ctx context.Context, p *Play) error {
			double := NewActor(p.Cast.Merchant.ID, p.Cast.Other.ID, visit.RoleMerchant)
			// An older date than the true one, so that the true key is the one that counts as the merchant's.
			if err := p.enrol(ctx, p.Cast.Other, double, p.Now().AddDate(0, 0, -30)); err != nil {
				return err
			}
			return p.atTheDoor(ctx, func(d *Door) { d.Signer = double })
		},
	},
	{
		Name: "confirmed-by-another-acquirers-merchant", Zh: "另一家收单机构登记的“店主”签了验收", En: "That same key signs that all works.",
		Refused: by(gate.MerchantConfirmed, "signer_not_party"),
		Run: func(ctx context.Context, p *Play) error {
			double := NewActor(p.Cast.Merchant.ID, p.Cast.Other.ID, visit.RoleMerchant)
			if err := p.enrol(ctx, p.Cast.Other, double, p.Now().AddDate(0, 0, -30)); err != nil {
				return err
			}
			return p.instead(ctx, "confirm", func(ctx context.Context) error {
				return p.fileAs(ctx, double, visit.Confirm, p.VisitStream(), visit.TypeConfirmation,
					visit.Confirmation{Visit: p.ID, Works: true, StaffShown: true, RefundsProtected: true, PaidNothingBeside: true})
			})
		},
	},
	{
		Name: "work-by-another-providers-technician", Zh: "别家公司用同一个名字登记的人做了安装", En: "Another provider's technician of the same name records the work.",
		Refused: by(gate.StepsComplete, "step_missing"),
		Run: func(ctx context.Context, p *Play) error {
			double := NewActor(p.Cast.Technician.ID, p.Cast.Rival.ID, visit.RoleTechnician)
			if err := p.enrol(ctx, p.Cast.Rival, double, p.Now().AddDate(0, 0, -30)); err != nil {
				return err
			}
			return p.instead(ctx, "work", func(ctx context.Context) error {
				honest := p.Cast.Technician
				p.Cast.Technician = double
				defer func() { p.Cast.Technician = honest }()
				return p.Work(ctx)
			})
		},
	},
	{
		Name: "dispatched-by-a-rival", Zh: "别家服务商的调度派了人", En: "Another provider's dispatcher sends somebody.",
		Refused: by(gate.ProviderFiled, "dispatcher_of_another"),
		Run: func(ctx context.Context, p *Play) error {
			foreign := NewActor("mo", p.Cast.Rival.ID, visit.RoleDispatcher)
			if err := p.enrol(ctx, p.Cast.Rival, foreign, p.Now()); err != nil {
				return err
			}
			p.Cast.Dispatcher = foreign
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "opened-by-another-acquirer", Zh: "别家收单机构的审批人用这张订单开了一次上门", En: "Another acquirer's approver opens a visit on this order.",
		Refused: by(gate.InstitutionLicensed, "visit_opened_by_another"),
		Run: func(ctx context.Context, p *Play) error {
			foreign := NewActor("ding", p.Cast.Other.ID, visit.RoleApprover)
			if err := p.enrol(ctx, p.Cast.Other, foreign, p.Now()); err != nil {
				return err
			}
			return p.instead(ctx, "book", func(ctx context.Context) error {
				basis, err := p.file(ctx, p.Cast.Approver, visit.Book, Draft{Stream: p.OrderStream(), Type: visit.TypeOrder, Body: p.Order}, p.hidden...)
				if err != nil {
					return err
				}
				return p.fileAs(ctx, foreign, visit.Book, p.VisitStream(), visit.TypeOpened, visit.Opened{Visit: p.ID, Order: p.Order.Order, Basis: basis})
			})
		},
	},
	{
		Name: "order-by-another-acquirer", Zh: "别家收单机构的审批人替这家签了订单", En: "An approver of one acquirer books an order in the name of another.",
		Refused: by(gate.InstitutionLicensed, "order_signer_differs"),
		Run: func(ctx context.Context, p *Play) error {
			p.Cast.Approver = NewActor("ding", p.Cast.Other.ID, visit.RoleApprover)
			if err := p.enrol(ctx, p.Cast.Other, p.Cast.Approver, p.Now()); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
}

// ledger is the venue where the attack needs the server itself.
func (p *Play) ledger() *Ledger { return p.Venue.(*Ledger) }
