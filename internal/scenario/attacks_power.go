package scenario

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

// resume has somebody lift every freeze on the visit.
func (p *Play) resume(ctx context.Context, by *Actor, closes ...string) error {
	return p.fileAs(ctx, by, visit.Resume, p.VisitStream(), visit.TypeResumption,
		visit.Resumption{Visit: p.ID, Reason: "checked", Appeal: "12363", Closes: closes})
}

// freeze stops the visit and gives the digest of the freeze.
func (p *Play) freeze(ctx context.Context, by *Actor) (string, error) {
	return p.file(ctx, by, visit.Freeze, Draft{Stream: p.VisitStream(), Type: visit.TypeBrake, Body: visit.Brake{Visit: p.ID, Reason: "asked_for_money"}})
}

// powerAttacks push a visit on that was stopped.
var powerAttacks = []Attack{
	{
		Name: "frozen-pushed-on", Zh: "店主按了停，还继续办", En: "The merchant froze the visit; live is asked for all the same.",
		Refused: or(by(gate.NothingOpen, "visit_frozen"), ByIntake, "visit_frozen"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error { return p.Freeze(ctx, p.Cast.Merchant, "asked_for_money") })
		},
	},
	{
		Name: "frozen-before-release", Zh: "许可批了，还没装密钥，店主按了停", En: "The merchant freezes the visit between permit and release.",
		Refused: by(ByIntake, "visit_frozen"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "release live", func(ctx context.Context) error { return p.Freeze(ctx, p.Cast.Merchant, "asked_for_money") })
		},
	},
	{
		Name: "incident-left-open", Zh: "有人举报，没人处理就继续", En: "An incident was reported and nobody answered it.",
		Refused: or(by(gate.NothingOpen, "visit_frozen"), ByIntake, "visit_frozen"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask trial", func(ctx context.Context) error {
				return p.fileAs(ctx, p.Cast.Merchant, visit.ReportIncident, p.VisitStream(), visit.TypeIncident, visit.Incident{Visit: p.ID, Kind: "wrong_person"})
			})
		},
	},
	{
		Name: "matter-open-elsewhere", Zh: "机具在别处有没结的事", En: "The register knows an open matter about the device.", Liar: true,
		Refused: by(gate.NothingOpen, "matter_open"),
		Run: func(ctx context.Context, p *Play) error {
			p.ledger().Extract = func(x *registry.Extract) {
				x.Open = append(x.Open, registry.OpenMatter{Stream: p.DeviceStream(), Kind: "conflict", Statement: x.Visit})
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "resumed-by-the-technician", Zh: "上门人员自己解除停止", En: "The technician lifts the freeze.",
		Refused: by(ByIntake, "role_not_allowed"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error {
				freeze, err := p.freeze(ctx, p.Cast.Merchant)
				if err != nil {
					return err
				}
				return p.resume(ctx, p.Cast.Technician, freeze)
			})
		},
	},
	{
		Name: "resumed-by-another-acquirer", Zh: "别家收单机构的风控解除了停止", En: "Another acquirer's risk desk lifts the freeze.",
		Refused: by(ByIntake, "signer_of_another_acquirer"),
		Run: func(ctx context.Context, p *Play) error {
			foreign := NewActor("jin", p.Cast.Other.ID, visit.RoleRisk)
			if err := p.enrol(ctx, p.Cast.Other, foreign, p.Now()); err != nil {
				return err
			}
			return p.before(ctx, "ask live", func(ctx context.Context) error {
				freeze, err := p.freeze(ctx, p.Cast.Merchant)
				if err != nil {
					return err
				}
				return p.resume(ctx, foreign, freeze)
			})
		},
	},
	{
		Name: "resumed-in-part", Zh: "停了两次，只解除一次", En: "Two freezes, and only one is answered.",
		Refused: or(by(gate.NothingOpen, "visit_frozen"), ByIntake, "visit_frozen"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error {
				first, err := p.freeze(ctx, p.Cast.Merchant)
				if err != nil {
					return err
				}
				if err := p.Freeze(ctx, p.Cast.Dispatcher, "wrong_device"); err != nil {
					return err
				}
				return p.resume(ctx, p.Cast.Risk, first)
			})
		},
	},
	{
		Name: "rolled-back-then-live", Zh: "已经退回旧机，又要上线", En: "Live is asked for after the visit was rolled back.",
		Refused: by(ByEvidence, "stage_not_fitting"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error {
				return p.fileAs(ctx, p.Cast.Merchant, visit.RollBack, p.VisitStream(), visit.TypeBrake, visit.Brake{Visit: p.ID, Reason: "does_not_work"})
			})
		},
	},
	{
		Name: "refused-at-the-door-then-on", Zh: "店主在门口拒绝了，还往下办", En: "The merchant refused at the door; the visit goes on.",
		Refused: by(ByEvidence, "stage_not_fitting"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask admit", func(ctx context.Context) error {
				return p.fileAs(ctx, p.Cast.Merchant, visit.Refuse, p.VisitStream(), visit.TypeRefusal, visit.Refusal{Visit: p.ID, Reason: "not_expected"})
			})
		},
	},
}

// hostAttacks reach the acquirer's host with a permit that the evidence supports, but for the wrong
// device, at the wrong time or against the host's own books.
var hostAttacks = []Attack{
	{
		Name: "cancelled-permit", Zh: "许可已经撤销，还拿去装密钥", En: "A cancelled permit is released.", Liar: true,
		Refused: by(ByHost, "cancelled"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "release trial", func(context.Context) error {
				_, permit, err := p.lastPermit()
				if err != nil {
					return err
				}
				_, err = p.host().Cancel(p.ID, permit)
				return err
			})
		},
	},
	{
		Name: "permit-expired", Zh: "许可过期了才拿去装密钥", En: "The trial permit is released after its half hour.", Waits: true,
		Refused: by(ByHost, "permit_expired"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "release trial", func(ctx context.Context) error {
				_, err := p.Venue.Bundle(ctx, p.Cast.Host, p.ID) // so that the permit is witnessed in time
				p.Wait(30 * time.Minute)
				return err
			})
		},
	},
	{
		Name: "no-device-session", Zh: "机具没连上主机，就要装密钥", En: "No device holds a session with the host.",
		Refused: by(ByHost, "device_session_absent"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "release trial", func(ctx context.Context) error { return p.released(p.Venue.Release(ctx, p.Cast.Technician, p.ID)) })
		},
	},
	{
		Name: "session-of-another-key", Zh: "另一台机具用同一个序列号连上主机", En: "Another device opens the host session under this serial.",
		Refused: by(ByHost, "device_session_key"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "release trial", func(ctx context.Context) error {
				if err := p.Host.OpenSession(ctx, p.Foundry.Make(p.Device.Serial, p.Now())); err != nil {
					return err
				}
				return p.released(p.Venue.Release(ctx, p.Cast.Technician, p.ID))
			})
		},
	},
	{
		Name: "session-forged", Zh: "用偷看到的签名冒充机具连主机", En: "A session is opened with a signature over another nonce.", Liar: true,
		Refused: by(ByIntake, "device_session_key"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "release trial", func(context.Context) error {
				nonce, err := p.host().Nonce(p.Device.Serial)
				if err != nil {
					return err
				}
				old := p.Device.OpenSession(nonce)
				if _, err := p.host().Nonce(p.Device.Serial); err != nil {
					return err
				}
				return p.host().Session(p.Device.Serial, p.Device.Public(), old)
			})
		},
	},
	{
		Name: "session-of-an-hour-ago", Zh: "用一小时前的机具连接装密钥", En: "The device's session is older than five minutes.", Waits: true,
		Refused: by(ByHost, "device_session_absent"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "release trial", func(ctx context.Context) error {
				if err := p.Host.OpenSession(ctx, p.Device); err != nil {
					return err
				}
				if _, err := p.Venue.Bundle(ctx, p.Cast.Host, p.ID); err != nil {
					return err
				}
				p.Wait(6 * time.Minute)
				return p.released(p.Venue.Release(ctx, p.Cast.Technician, p.ID))
			})
		},
	},
	{
		Name: "order-the-host-never-made", Zh: "主机自己的账上没有这张订单", En: "The host's own books do not know the order.", Liar: true,
		Refused: by(ByHost, "host_records_differ"),
		Run: func(ctx context.Context, p *Play) error {
			delete(p.host().Records, p.Order.Order)
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "merchant-code-differs", Zh: "商户号和主机账上的不一样（跳码）", En: "The merchant code differs from the host's own books.", Liar: true,
		Refused: by(ByHost, "host_records_differ"),
		Run: func(ctx context.Context, p *Play) error {
			p.host().Records[p.Order.Order] = HostRow{MerchantCode: "531290058129999", Terminal: p.Order.Terminal}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "host-has-a-newer-list", Zh: "主机手里的信任名单比平台的新", En: "The host holds a newer trust list than the evidence.", Liar: true,
		Refused: by(ByHost, "host_list_newer"),
		Run: func(ctx context.Context, p *Play) error {
			p.host().MinList = 2
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "host-has-newer-parameters", Zh: "平台藏起收单机构新一期的参数表", En: "The server hides the acquirer's own newer parameters, from evidence and register alike.", Liar: true,
		Refused: by(ByHost, "host_parameters_newer"),
		Run: func(ctx context.Context, p *Play) error {
			p.host().MinParameters = 2
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "permit-of-a-sister-visit", Zh: "拿这次的证据去执行另一次上门的许可", En: "A sister visit's permit is asked for over this visit's bundle.", Liar: true,
		Refused: by(ByHost, "permit_not_in_bundle"),
		Run: func(ctx context.Context, p *Play) error {
			sister := p.Another("v2", "00005704280117028127", "W1489725")
			if err := sister.until(ctx, "release trial"); err != nil {
				return err
			}
			_, other, err := sister.lastPermit()
			if err != nil {
				return err
			}
			return p.instead(ctx, "release trial", func(ctx context.Context) error {
				bundle, err := p.Venue.Bundle(ctx, p.Cast.Host, p.ID)
				if err != nil {
					return err
				}
				return p.atHost(ctx, bundle, other)
			})
		},
	},
	{
		Name: "bundle-cut-off-after-trial", Zh: "上线时交的证据只到试用为止", En: "For the live permit, only the bundle up to the trial is handed in.", Liar: true,
		Refused: by(ByHost, "permit_not_in_bundle"),
		Run: func(ctx context.Context, p *Play) error {
			var early []byte
			return Run(ctx, Instead(Before(p.scenes(), "release trial", func(ctx context.Context) error {
				var err error
				early, err = p.Venue.Bundle(ctx, p.Cast.Host, p.ID)
				return err
			}), "release live", func(ctx context.Context) error {
				_, permit, err := p.lastPermit()
				if err != nil {
					return err
				}
				return p.atHost(ctx, early, permit)
			}))
		},
	},
	{
		Name: "terminal-code-on-two-devices", Zh: "登记撒谎，让一个终端号装到第二台机具上", En: "The register lies, so that a second device gets a terminal code that is live.", Liar: true,
		Refused: by(ByHost, "host_binding_differs"),
		Run: func(ctx context.Context, p *Play) error {
			if err := Run(ctx, p.scenes()); err != nil {
				return err
			}
			clear(p.ledger().Bound)
			return Run(ctx, p.Another("v2", "00005704280117028127", p.Order.Terminal).scenes())
		},
	},
	{
		Name: "serial-on-two-terminals", Zh: "登记撒谎，把同一台机具再绑一个终端号（一机多码）", En: "The register lies, so that a live device gets a second terminal code.", Liar: true,
		Refused: by(ByHost, "host_binding_differs"),
		Run: func(ctx context.Context, p *Play) error {
			if err := Run(ctx, p.scenes()); err != nil {
				return err
			}
			clear(p.ledger().Bound)
			second := p.Another("v2", p.Device.Serial, "W1489725")
			second.Device, second.transfers = p.Device, p.transfers
			return Run(ctx, Instead(Without(second.scenes(), "ship"), "arrive", func(ctx context.Context) error {
				return second.Arrive(ctx, p.Notice(p.Order.Order))
			}))
		},
	},
}

// released reads what a release came to.
func (p *Play) released(outcome string, err error) error {
	if err == nil && outcome != visit.Loaded {
		return hostRefused(outcome)
	}
	return err
}
