package scenario

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/visit"
)

// newSerial and newTerminal are a swap's new device at the corner shop.
const newSerial, newTerminal = "00005704280117028135", "W1489731"

// later plays a whole installation first, and then a visit of another kind to the same shop.
func later(kind string, run func(ctx context.Context, p *Play) error) func(context.Context, *Play) error {
	return laterEdited(kind, nil, run)
}

// laterEdited is later, with the order edited before it is booked.
func laterEdited(kind string, edit func(*Play), run func(ctx context.Context, p *Play) error) func(context.Context, *Play) error {
	return func(ctx context.Context, p *Play) error {
		if err := Run(ctx, append(p.Install(), Scene{"settle", p.Settle})); err != nil {
			return err
		}
		p.Wait(time.Hour)
		q := p.Next(kind, "v2", newSerial, newTerminal)
		if edit != nil {
			edit(q)
		}
		return run(ctx, q)
	}
}

// honestly plays the visit's own scenes.
func honestly(ctx context.Context, p *Play) error { return Run(ctx, p.scenes()) }

// kindAttacks are about the kinds of visit to a shop that has a terminal: most would leave it without one, or
// with one that is not what it seems.
var kindAttacks = []Attack{
	{
		Name: "old-keys-ended-before-the-new-one-passed", Zh: "新机还没通过，就先把旧机的密钥停了", En: "A swap asks for the end of the old keys before the new terminal is live.", Waits: true,
		Refused: by(ByEvidence, "stage_not_fitting"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask trial", func(ctx context.Context) error {
				if err := p.ConsentToEnd(ctx); err != nil {
					return err
				}
				return p.MustAsk(ctx, visit.AskEnd)
			})
		}),
	},
	{
		Name: "old-keys-ended-by-a-forged-decision", Zh: "平台自己签一张停用许可", En: "The server signs an end permit for the old keys before the new terminal is live.", Liar: true, Waits: true,
		Refused: by(ByHost, "stage_not_fitting"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			return Run(ctx, Instead(Until(p.scenes(), "acceptance"), "release trial", func(ctx context.Context) error {
				if err := p.ConsentToEnd(ctx); err != nil {
					return err
				}
				old := p.Old()
				if err := p.forged(visit.AskEnd, func(d *visit.Decision) {
					d.Permit = &visit.Permit{Order: p.Order.Order, Serial: old.Serial, Terminal: old.Terminal, Items: p.Order.Items, Until: d.Permit.Until}
				})(ctx); err != nil {
					return err
				}
				return p.mustEnd(ctx)
			}))
		}),
	},
	{
		Name: "old-keys-gone-and-nobody-signed", Zh: "旧机已经停了，店主没签字，还要上新机", En: "The old terminal's keys are gone before the new one is live, and the merchant signed for nothing.", Liar: true, Waits: true,
		Refused: by(gate.RollbackReady, "outage_not_accepted"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error {
				if err := p.host().EndKeys(p.Old().Serial); err != nil {
					return err
				}
				return p.ReportOld(ctx)
			})
		}),
	},
	{
		Name: "swap-with-the-old-code", Zh: "新机用旧机的终端号", En: "The new device is to have the old one's terminal code.", Waits: true,
		Refused: by(gate.BindingUnique, "terminal_code_of_old"),
		Run:     laterEdited(visit.Swap, func(p *Play) { p.Order.Terminal = p.Order.Old.Terminal }, honestly),
	},
	{
		Name: "swap-of-somebody-elses-terminal", Zh: "换的是别家店的旧机", En: "The order names an old terminal that is bound to another shop.", Waits: true,
		Refused: by(gate.BindingUnique, "old_terminal_not_bound_here"),
		Run: laterEdited(visit.Swap, func(p *Play) { p.Order.Old = &visit.OldTerminal{Serial: "00005704280117028127", Terminal: "W1489725"} }, func(ctx context.Context, p *Play) error {
			return Run(ctx, Without(p.scenes(), "old state"))
		}),
	},
	{
		Name: "dead-by-the-technicians-word", Zh: "上门人员自己说旧机坏了", En: "The technician, and not the host, says that the old terminal is dead.", Waits: true,
		Refused: by(ByIntake, "role_not_allowed"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "old state", func(ctx context.Context) error {
				old := p.Old()
				return p.fileAs(ctx, p.Cast.Technician, visit.ReportTerminal, p.VisitStream(), visit.TypeTerminalState,
					visit.TerminalState{Visit: p.ID, Serial: old.Serial, Terminal: old.Terminal, State: visit.TerminalDead, At: p.Order.WindowFrom})
			})
		}),
	},
	{
		Name: "dead-and-the-merchant-did-not-sign", Zh: "旧机坏了，店主没签字就拆", En: "The old terminal is dead, and the merchant signed neither for the outage nor for a loaner.", Waits: true,
		Refused: by(gate.RollbackReady, "outage_not_accepted"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			if err := p.Dead(p.Old().Serial); err != nil {
				return err
			}
			return honestly(ctx, p)
		}),
	},
	{
		Name: "old-terminal-never-asked-about", Zh: "没问过主机旧机还能不能用", En: "The host never said whether the old terminal works.", Waits: true,
		Refused: by(gate.RollbackReady, "old_terminal_state_unknown"),
		Run:     later(visit.Swap, func(ctx context.Context, p *Play) error { return p.without(ctx, "old state") }),
	},
	{
		Name: "end-without-the-merchant", Zh: "店主没同意就停用旧机", En: "The old keys are to end without the merchant's signature.", Waits: true,
		Refused: by(gate.MerchantConfirmed, "end_not_consented"),
		Run:     later(visit.Swap, func(ctx context.Context, p *Play) error { return p.without(ctx, "consent") }),
	},
	{
		Name: "end-permit-for-another-serial", Zh: "拿停用许可去停另一台机具", En: "The server changes the serial in an end permit to the new device's.", Liar: true, Waits: true,
		Refused: by(ByHost, "decision_differs"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			p.ledger().Decide = func(d *visit.Decision) {
				if d.Ask == visit.AskEnd {
					d.Permit.Serial, d.Permit.Terminal = p.Device.Serial, p.Order.Terminal
				}
			}
			return honestly(ctx, p)
		}),
	},
	{
		Name: "old-device-leaves-early", Zh: "旧机密钥还没停，机具先被拿走", En: "The old device leaves the shop before its keys are gone.", Waits: true,
		Refused: by(gate.CustodyUnbroken, "device_left_before_keys_ended"),
		Run: later(visit.Removal, func(ctx context.Context, p *Play) error {
			return Run(ctx, Without(Before(p.scenes(), "consent", func(ctx context.Context) error {
				if err := p.HandBack(ctx); err != nil {
					return err
				}
				p.Wait(time.Minute)
				return nil
			}), "hand back"))
		}),
	},
	{
		Name: "removal-without-keys-ended", Zh: "撤机没停密钥", En: "A removal closes though the terminal's keys still live.", Waits: true,
		Refused: or(by(gate.KeysEnded, "keys_not_ended"), gate.CustodyUnbroken, "device_left_before_keys_ended"),
		Run: later(visit.Removal, func(ctx context.Context, p *Play) error {
			return Run(ctx, Without(Without(Without(p.scenes(), "consent"), "ask end"), "release end"))
		}),
	},
	{
		Name: "device-taken-without-signature", Zh: "机具被拿走，店主没签字", En: "The device is taken away and the merchant never signed it over.", Waits: true,
		Refused: by(gate.CustodyUnbroken, "device_not_handed_back"),
		Run:     later(visit.Removal, func(ctx context.Context, p *Play) error { return p.without(ctx, "hand back") }),
	},
	{
		Name: "relocation-to-the-same-address", Zh: "移机订单写的还是老地址", En: "A relocation's five items keep the old address, committed to anew.", Waits: true,
		Refused: by(gate.BindingUnique, "relocation_same_address"),
		Run: later(visit.Relocation, func(ctx context.Context, p *Play) error {
			p.Shop.Address = p.Earlier.Shop.Address
			p.NewOrder(visit.Relocation, p.Order.Risk)
			return honestly(ctx, p)
		}),
	},
	{
		Name: "relocation-with-live-keys", Zh: "老地址的密钥没停，就在新地址试机", En: "The trial at the new place is asked for while the keys live at the old one.", Waits: true,
		Refused: or(by(gate.KeysEnded, "keys_not_ended"), gate.BindingUnique, "serial_bound_elsewhere"),
		Run: later(visit.Relocation, func(ctx context.Context, p *Play) error {
			return Run(ctx, Instead(Without(Without(Without(p.scenes(), "consent"), "ask end"), "release end"), "outage", p.ReportOld))
		}),
	},
	{
		Name: "moved-without-an-order", Zh: "没有移机订单，把机具搬走用（移机）", En: "A device is inspected at a place that is not its shop.", Waits: true,
		Refused: by(gate.PlaceMatches, "place_outside"),
		Run: later(visit.Inspection, func(ctx context.Context, p *Play) error {
			return p.atTheDoor(ctx, func(d *Door) { d.PhoneAt = Elsewhere })
		}),
	},
	{
		Name: "opened-repair-claimed-untouched", Zh: "机具刷过软件，却说没拆过", En: "A repair is said to have opened nothing, but the device attests other firmware than when it went live.", Waits: true,
		Refused: by(ByEvidence, "stage_not_fitting"),
		Run: later(visit.Repair, func(ctx context.Context, p *Play) error {
			p.Device.Firmware = "5.3.9"
			return Run(ctx, p.RepairUntouched())
		}),
	},
	{
		Name: "opened-repair-un-said", Zh: "先签了拆机，后来又改口说没拆", En: "The technician signs that he opened the device, and later that he did not.", Waits: true,
		Refused: by(ByEvidence, "stage_not_fitting"),
		Run: later(visit.Repair, func(ctx context.Context, p *Play) error {
			return Run(ctx, Before(p.RepairUntouched(), "device work", func(ctx context.Context) error { return p.WorkOnDevice(ctx, true, true) }))
		}),
	},
	{
		Name: "opened-repair-seen-by-the-merchant", Zh: "店主看见封签坏了，上门人员说没拆", En: "The merchant signs that a seal is broken; the technician says that nothing was opened.", Waits: true,
		Refused: by(ByEvidence, "stage_not_fitting"),
		Run: later(visit.Repair, func(ctx context.Context, p *Play) error {
			return Run(ctx, Before(p.RepairUntouched(), "work", func(ctx context.Context) error {
				return p.fileAs(ctx, p.Cast.Merchant, visit.RecordStep, p.VisitStream(), visit.TypeDeviceWork,
					visit.DeviceWork{Visit: p.ID, Serial: p.Device.Serial})
			}))
		}),
	},
	{
		Name: "repair-brings-another-device", Zh: "修完拿回来的是另一台同号机具（切机）", En: "After a repair another device answers under the same serial.", Waits: true,
		Refused: by(gate.DeviceGenuine, "attest_other_key"),
		Run: later(visit.Repair, func(ctx context.Context, p *Play) error {
			p.Device = p.Foundry.Make(p.Device.Serial, p.Now())
			return honestly(ctx, p)
		}),
	},
	{
		Name: "second-code-for-a-live-device", Zh: "给在用的机具再绑一个终端号（一机多码）", En: "A repair order gives a live device a second terminal code.", Waits: true,
		Refused: or(by(gate.RollbackReady, "old_terminal_other"), gate.BindingUnique, "serial_not_bound_here"),
		Run:     laterEdited(visit.Repair, func(p *Play) { p.Order.Terminal = newTerminal }, honestly),
	},
	{
		Name: "live-after-the-timer", Zh: "退回旧机的时间过了，还要上线", En: "Live is asked for after the rollback timer ran out.", Waits: true,
		Refused: or(by(gate.RollbackReady, "rollback_due"), ByEvidence, "stage_not_fitting"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			return p.before(ctx, "attest again", func(context.Context) error { p.Wait(2 * time.Hour); return nil })
		}),
	},
	{
		Name: "timer-suppressed-by-the-server", Zh: "平台不让计时器响，拖到期后再装正式密钥", En: "The server sleeps through the timer and hands the live permit in after it.", Liar: true, Waits: true,
		Refused: by(ByHost, "permit_expired"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			return Run(ctx, Before(Before(p.scenes(), "attest again", func(context.Context) error { p.Wait(110 * time.Minute); return nil }), "release live", func(ctx context.Context) error {
				_, err := p.Venue.Bundle(ctx, p.Cast.Host, p.ID) // witnessed in time
				p.Wait(11 * time.Minute)
				return err
			}))
		}),
	},
	{
		Name: "timer-cut-out-of-the-permit", Zh: "平台签许可时把退回时间去掉", En: "The server signs a trial permit without its rollback time.", Liar: true, Waits: true,
		Refused: by(ByHost, "decision_differs"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			p.ledger().Decide = func(d *visit.Decision) {
				if d.Permit != nil {
					d.Permit.RollbackAt = ""
				}
			}
			return honestly(ctx, p)
		}),
	},
	{
		Name: "rolled-back-after-the-old-one-ended", Zh: "旧机已停，还要退回旧机", En: "A live swap is rolled back after the old keys ended: the shop would have neither.", Waits: true,
		Refused: or(by(gate.NothingOpen, "visit_frozen"), ByIntake, "visit_frozen"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask close", func(ctx context.Context) error {
				return p.fileAs(ctx, p.Cast.Technician, visit.RollBack, p.VisitStream(), visit.TypeBrake, visit.Brake{Visit: p.ID, Reason: "does_not_work"})
			})
		}),
	},
	{
		Name: "reason-of-another-incident", Zh: "订单写的是甲事故，实际开着的是乙事故", En: "An order because of one incident is used while another is open.", Liar: true, Waits: true,
		Refused: by(gate.NothingOpen, "matter_open"),
		Run: laterEdited(visit.Removal, func(p *Play) { p.Order.Reason = p.Order.Items.Address }, func(ctx context.Context, p *Play) error {
			p.ledger().Extract = func(x *registry.Extract) {
				x.Open = append(x.Open, registry.OpenMatter{Stream: p.DeviceStream(), Kind: "incident", Statement: p.Order.Items.Account})
			}
			return honestly(ctx, p)
		}),
	},
	{
		Name: "because-of-the-incident", Zh: "因为这次事故下的撤机订单（正常）", En: "A removal that was ordered because of the open incident passes.", Liar: true, Waits: true,
		Run: laterEdited(visit.Removal, func(p *Play) { p.Order.Reason = p.Order.Items.Address }, func(ctx context.Context, p *Play) error {
			p.ledger().Extract = func(x *registry.Extract) {
				x.Open = append(x.Open, registry.OpenMatter{Stream: p.DeviceStream(), Kind: "incident", Statement: p.Order.Reason})
			}
			return p.whole(ctx, p.scenes())
		}),
	},
	{
		Name: "suspect-old-terminal-as-the-way-back", Zh: "旧机被隔离了，还说换不成就退回去用它", En: "A quarantined old terminal stands as the way back of a swap, and the merchant signed for nothing.", Waits: true,
		Refused: by(gate.RollbackReady, "old_terminal_suspect"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			if _, err := p.Earlier.Mark(ctx, p.Cast.Risk, visit.MarkQuarantined); err != nil {
				return err
			}
			return honestly(ctx, p)
		}),
	},
	{
		Name: "marked-to-sell-a-swap", Zh: "服务商把店里好好的机具报成丢失，好卖一台新的", En: "The provider calls a shop's good terminal lost, to sell it another one in a hurry.", Waits: true,
		Refused: by(gate.RollbackReady, "old_terminal_suspect"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			if _, err := p.Earlier.Mark(ctx, p.Cast.Dispatcher, visit.MarkLost); err != nil {
				return err
			}
			return honestly(ctx, p)
		}),
	},
	{
		Name: "suspect-old-one-keeps-taking-money", Zh: "换下来的可疑旧机密钥没停，接着收款", En: "A swap of a quarantined terminal closes while the old one still takes money.", Waits: true,
		Refused: or(by(gate.KeysEnded, "keys_not_ended"), gate.CustodyUnbroken, "device_left_before_keys_ended"),
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			if _, err := p.Earlier.Mark(ctx, p.Cast.Risk, visit.MarkQuarantined); err != nil {
				return err
			}
			scenes := Before(p.scenes(), "ask trial", func(ctx context.Context) error { return p.AcceptOutage(ctx, "") })
			return Run(ctx, Without(Without(Without(scenes, "consent"), "ask end"), "release end"))
		}),
	},
	{
		Name: "pocketed-and-called-lost", Zh: "上门人员揣走旧机，服务商说丢了", En: "The technician pockets the old terminal, and his provider calls it lost.", Waits: true,
		Refused: by(gate.CustodyUnbroken, "device_not_handed_back"),
		Run: later(visit.Removal, func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "hand back", func(ctx context.Context) error {
				_, err := p.Mark(ctx, p.Cast.Dispatcher, visit.MarkLost)
				return err
			})
		}),
	},
	{
		Name: "repaired-because-of-its-mark", Zh: "拿隔离当理由，把可疑机具修一修接着用", En: "A repair order names the quarantine as its reason, to give the device power again.", Waits: true,
		Refused: by(gate.NothingOpen, "device_quarantined"),
		Run: later(visit.Repair, func(ctx context.Context, p *Play) error {
			mark, err := p.Mark(ctx, p.Cast.Risk, visit.MarkQuarantined)
			if err != nil {
				return err
			}
			p.Order.Reason = mark
			return honestly(ctx, p)
		}),
	},
	{
		Name: "suspect-and-signed", Zh: "旧机被隔离了，店主签了字再换（正常）", En: "A swap of a quarantined terminal, which the merchant signs for, passes.", Waits: true,
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			if _, err := p.Earlier.Mark(ctx, p.Cast.Risk, visit.MarkQuarantined); err != nil {
				return err
			}
			return p.whole(ctx, Before(p.scenes(), "ask trial", func(ctx context.Context) error { return p.AcceptOutage(ctx, p.Device.Serial) }))
		}),
	},
	{
		Name: "marked-and-removed", Zh: "上门撤机时机具被隔离，照样撤走（正常）", En: "A terminal that is quarantined while it is being removed leaves all the same.", Waits: true,
		Run: later(visit.Removal, func(ctx context.Context, p *Play) error {
			return p.whole(ctx, Before(p.scenes(), "release end", func(ctx context.Context) error {
				_, err := p.Mark(ctx, p.Cast.Risk, visit.MarkQuarantined)
				return err
			}))
		}),
	},
	{
		Name: "dead-and-signed", Zh: "旧机坏了，主机说了，店主签了字（正常）", En: "A swap of a dead terminal, which its host reports and the merchant signs for, passes.", Waits: true,
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			if err := p.Dead(p.Old().Serial); err != nil {
				return err
			}
			return p.whole(ctx, Before(p.scenes(), "ask trial", func(ctx context.Context) error { return p.AcceptOutage(ctx, p.Device.Serial) }))
		}),
	},
	{
		Name: "swap", Zh: "换机（正常）", En: "An honest swap.", Waits: true,
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error { return p.whole(ctx, p.scenes()) }),
	},
	{
		Name: "relocation", Zh: "移机（正常）", En: "An honest relocation.", Waits: true,
		Run: later(visit.Relocation, func(ctx context.Context, p *Play) error { return p.whole(ctx, p.scenes()) }),
	},
	{
		Name: "repair-opened", Zh: "维修，拆过机（正常）", En: "An honest repair that opened the device.", Waits: true,
		Run: later(visit.Repair, func(ctx context.Context, p *Play) error { return p.whole(ctx, p.scenes()) }),
	},
	{
		Name: "repair-untouched", Zh: "维修，没拆机（正常）", En: "An honest repair that opened nothing.", Waits: true,
		Run: later(visit.Repair, func(ctx context.Context, p *Play) error { return p.whole(ctx, p.RepairUntouched()) }),
	},
	{
		Name: "swap-with-late-and-doubled-messages", Zh: "消息迟到、重复、换了次序的换机（正常）", En: "A swap whose messages come doubled, late and in another order passes.", Waits: true,
		Run: later(visit.Swap, func(ctx context.Context, p *Play) error {
			scenes := Without(p.scenes(), "nothing to keep") // said later, but before it is needed
			scenes = Before(scenes, "ask trial", p.NothingToKeep)
			scenes = Before(Before(scenes, "attest again", p.ReportOld), "ask end", p.ReportOld)
			return p.whole(ctx, Before(scenes, "release end", p.ReportOld))
		}),
	},
}
