package scenario

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// newTrustList has the association publish its next list with one organisation's entry changed.
func (p *Play) newTrustList(ctx context.Context, id string, edit func(*credential.Organisation)) error {
	l := p.Cast.TrustList(p.Now())
	for i := range l.Organisations {
		if l.Organisations[i].ID == id {
			edit(&l.Organisations[i])
		}
	}
	return p.PublishTrustList(ctx, l)
}

func (p *Play) struck(o *credential.Organisation) {
	o.Struck = &credential.Struck{At: statement.At(p.Now()), Reason: "fraud"}
}

// newParameters has the acquirer publish its next parameters with an edit.
func (p *Play) newParameters(ctx context.Context, edit func(*registry.Parameters)) error {
	p.Cast.Parameters.Number++
	edit(&p.Cast.Parameters)
	return p.PublishParameters(ctx, p.Cast.Parameters)
}

// orderTo turns the play's order over to another provider, mandated by somebody.
func (p *Play) orderTo(ctx context.Context, provider, mandatedBy *Actor) error {
	p.Order.Provider, p.Sheet.Provider = provider.ID, provider.ID
	p.Sheet.Responsibility = nil
	return p.Mandate(ctx, mandatedBy, provider)
}

// listAttacks are about licences, filings, courses, and lists past their date or number.
var listAttacks = []Attack{
	{
		Name: "provider-unfiled", Zh: "服务商没有备案", En: "The provider is not filed.",
		Refused: by(gate.ProviderFiled, "provider_unfiled"),
		Run: func(ctx context.Context, p *Play) error {
			if err := p.orderTo(ctx, p.Cast.Unfiled, p.Cast.Acquirer); err != nil {
				return err
			}
			own := NewActor("yan", p.Cast.Unfiled.ID, visit.RoleDispatcher)
			if err := p.enrol(ctx, p.Cast.Unfiled, own, p.Now()); err != nil {
				return err
			}
			p.Cast.Dispatcher = own
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "provider-two-hops", Zh: "服务商把活转包给另一家", En: "The provider passes the order on to another.",
		Refused: by(gate.ProviderFiled, "mandate_two_hops"),
		Run: func(ctx context.Context, p *Play) error {
			if err := p.orderTo(ctx, p.Cast.Rival, p.Cast.Provider); err != nil {
				return err
			}
			foreign := NewActor("mo", p.Cast.Rival.ID, visit.RoleDispatcher)
			if err := p.enrol(ctx, p.Cast.Rival, foreign, p.Now()); err != nil {
				return err
			}
			p.Cast.Dispatcher = foreign
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "provider-struck-after-trial", Zh: "试交易之后服务商被除名", En: "The provider is struck off between trial and live.",
		Refused: by(gate.ProviderFiled, "provider_struck"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error { return p.newTrustList(ctx, p.Cast.Provider.ID, p.struck) })
		},
	},
	{
		Name: "mandate-lapsed", Zh: "收单机构的委托到期了", En: "The acquirer's mandate of the provider has lapsed.", Waits: true,
		Refused: by(gate.ProviderFiled, "mandate_lapsed"),
		Run: func(ctx context.Context, p *Play) error {
			body := registry.Mandate{Provider: p.Cast.Provider.ID, From: statement.At(p.Now().AddDate(-1, 0, 0)), Until: statement.At(p.Now().Add(time.Minute))}
			if err := p.fileAs(ctx, p.Cast.Acquirer, visit.Publish, visit.StreamOrganisation+"/"+p.Cast.Acquirer.ID, registry.TypeMandate, body); err != nil {
				return err
			}
			return p.before(ctx, "ask trial", func(context.Context) error { p.Wait(2 * time.Minute); return nil })
		},
	},
	{
		Name: "licence-of-another-business", Zh: "收单机构的许可不包括这种业务", En: "The acquirer's licence does not cover the business.",
		Refused: by(gate.InstitutionLicensed, "licence_business"),
		Run: func(ctx context.Context, p *Play) error {
			p.Order.Business = "prepaid_cards"
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "licence-of-another-region", Zh: "收单机构的许可不包括这个省", En: "The acquirer's licence does not cover the province.",
		Refused: by(gate.InstitutionLicensed, "licence_region"),
		Run: func(ctx context.Context, p *Play) error {
			if err := p.newTrustList(ctx, p.Cast.Acquirer.ID, func(o *credential.Organisation) { o.Licence.Regions = []string{"44"} }); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "acquirer-struck-after-trial", Zh: "试交易之后收单机构被除名", En: "The acquirer is struck off between trial and live.",
		Refused: by(gate.InstitutionLicensed, "institution_struck"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error { return p.newTrustList(ctx, p.Cast.Acquirer.ID, p.struck) })
		},
	},
	{
		Name: "platform-struck", Zh: "运营平台自己被除名，还在发许可", En: "The platform itself was struck off and goes on deciding.",
		Refused: by(ByEvidence, "organisation_struck"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error { return p.newTrustList(ctx, p.Cast.Platform.ID, p.struck) })
		},
	},
	{
		Name: "trust-list-stale", Zh: "信任名单过期了", En: "The trust list is past its date.", Waits: true,
		Refused: by(ByEvidence, "trust_list_stale"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask dispatch", func(context.Context) error { p.Wait(8 * 24 * time.Hour); return nil })
		},
	},
	{
		Name: "trust-list-by-the-platform", Zh: "平台自己编了一份信任名单", En: "The platform compiles a trust list of its own.",
		Refused: or(or(by(ByEvidence, "signer_key_differs"), ByIntake, "role_not_allowed"), ByIntake, "signer_role_differs"),
		Run: func(ctx context.Context, p *Play) error {
			_, err := p.file(ctx, p.Cast.Platform, visit.Publish, Draft{Stream: visit.StreamOrganisation + "/" + p.Cast.Platform.ID,
				Type: credential.TypeTrustList, As: visit.RoleRegulator, Body: p.Cast.TrustList(p.Now())})
			if err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "trust-list-number-twice", Zh: "同一期信任名单出了两个版本", En: "Two trust lists carry one number.",
		Refused: by(ByEvidence, "list_number_twice"),
		Run: func(ctx context.Context, p *Play) error {
			p.Cast.TrustNumber--
			if err := p.newTrustList(ctx, p.Cast.Provider.ID, func(o *credential.Organisation) { o.Name = "另一个名字" }); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "trust-list-superseded", Zh: "用旧一期的信任名单，新的藏起来", En: "A newer trust list, with the provider struck off, is left out of the evidence.", Liar: true,
		Refused: by(gate.NothingOpen, "list_superseded"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error {
				p.hideFromNow(credential.TypeTrustList)
				return p.newTrustList(ctx, p.Cast.Provider.ID, p.struck)
			})
		},
	},
	{
		Name: "status-list-stale", Zh: "停用名单过期了", En: "The badge status list is past its date.", Waits: true,
		Refused: by(gate.TechnicianAdmitted, "status_list_stale"),
		Run: func(ctx context.Context, p *Play) error {
			p.Wait(13 * time.Hour)
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "status-list-superseded", Zh: "停用名单已经更新，还拿旧的来用", En: "A newer status list and the revocation are left out of the evidence.", Liar: true,
		Refused: by(gate.NothingOpen, "list_superseded"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error {
				p.hideFromNow(registry.TypeBadgeRevoked, registry.TypeStatusList)
				return p.RevokeBadge(ctx, p.Cast.Technician, 7)
			})
		},
	},
	{
		Name: "course-expired", Zh: "上门人员的课程证书过期了", En: "The technician's course has expired.",
		Refused: by(gate.TechnicianTrained, "course_expired"),
		Run: func(ctx context.Context, p *Play) error {
			p.Cast.Technician = p.Cast.Stranger
			p.Dispatch.Technician = p.Cast.Technician.ID
			for _, course := range []string{SecurityCourse, p.Cast.Family()} {
				if err := p.Train(ctx, p.Cast.Technician, course, p.Now().Add(-time.Hour)); err != nil {
					return err
				}
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "course-missing", Zh: "上门人员没学过这种机具", En: "The technician never took the course for this family of devices.",
		Refused: by(gate.TechnicianTrained, "course_missing"),
		Run: func(ctx context.Context, p *Play) error {
			p.Cast.Technician = p.Cast.Stranger
			p.Dispatch.Technician = p.Cast.Technician.ID
			if err := p.Train(ctx, p.Cast.Technician, SecurityCourse, p.Now().AddDate(1, 0, 0)); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "course-by-the-employer", Zh: "服务商自己给员工发课程证书", En: "The provider certifies its own technician in a course issuer's role.",
		Refused: by(ByEvidence, "signer_role_differs"),
		Run: func(ctx context.Context, p *Play) error {
			_, err := p.file(ctx, p.Cast.Provider, visit.Train, Draft{Stream: visit.StreamPerson + "/" + p.Cast.Technician.ID, Type: registry.TypeCertificate,
				As: visit.RoleCourseIssuer, Body: registry.Certificate{Holder: p.Cast.Technician.ID, Course: SecurityCourse,
					From: statement.At(p.Now().Add(-time.Hour)), Until: statement.At(p.Now().AddDate(1, 0, 0))}})
			if err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "parameters-empty", Zh: "参数表是空的", En: "The acquirer's parameters are empty.",
		Refused: by(gate.TechnicianTrained, "parameters_empty"),
		Run: func(ctx context.Context, p *Play) error {
			if err := p.newParameters(ctx, func(q *registry.Parameters) { q.Steps, q.Models = []registry.StepRule{}, []registry.Model{} }); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "parameters-absurd", Zh: "参数表把店铺范围定成一百公里", En: "The parameters allow a radius of a hundred kilometres.",
		Refused: by(gate.TechnicianTrained, "parameters_out_of_bounds"),
		Run: func(ctx context.Context, p *Play) error {
			if err := p.newParameters(ctx, func(q *registry.Parameters) { q.RadiusMetres = 100_000 }); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "parameters-without-supervision", Zh: "参数表让最高风险也不用人监督", En: "The parameters leave the highest risk to the merchant.",
		Refused: by(gate.TechnicianTrained, "parameters_out_of_bounds"),
		Run: func(ctx context.Context, p *Play) error {
			edit := func(q *registry.Parameters) { q.SupervisionUnder[2].Mode = registry.WatchedByMerchant }
			if err := p.newParameters(ctx, edit); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "parameters-number-twice", Zh: "同一期参数表出了两个版本", En: "Two parameter documents carry one number.",
		Refused: by(gate.TechnicianTrained, "list_number_twice"),
		Run: func(ctx context.Context, p *Play) error {
			p.Cast.Parameters.Number--
			if err := p.newParameters(ctx, func(q *registry.Parameters) { q.RadiusMetres = 900 }); err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "parameters-stale", Zh: "参数表过期了", En: "The parameters are past their date.", Waits: true,
		Refused: by(gate.TechnicianTrained, "parameters_stale"),
		Run: func(ctx context.Context, p *Play) error {
			if err := p.newParameters(ctx, func(q *registry.Parameters) { q.NextAt = statement.At(p.Now().Add(time.Minute)) }); err != nil {
				return err
			}
			p.Wait(2 * time.Minute)
			return Run(ctx, p.scenes())
		},
	},
}
