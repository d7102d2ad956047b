package scenario

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/custody"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// arriveWith has the technician scan a parcel that differs from its notice.
func (p *Play) arriveWith(ctx context.Context, edit func(*custody.Notice)) error {
	return p.instead(ctx, "arrive", func(ctx context.Context) error {
		n := p.Notice(p.Order.Order)
		edit(&n)
		return p.Arrive(ctx, n)
	})
}

// attested runs the visit with another device answering at the counter.
func (p *Play) attested(ctx context.Context, d *Device) error {
	return p.instead(ctx, "attest", func(ctx context.Context) error {
		ch, err := p.Venue.Challenge(ctx, p.Cast.Technician, p.ID, visit.PurposeDevice)
		if err != nil {
			return err
		}
		return p.Venue.Attest(ctx, p.ID, d, ch)
	})
}

// madeAs is the origin that a maker would write for the play's device.
func (p *Play) madeAs() *custody.Origin {
	return &custody.Origin{Model: p.Device.Model, Hardware: p.Device.Hardware, Firmware: p.Device.Firmware, DeviceKey: p.Device.Thumbprint()}
}

// deviceAttacks are about the machine on the counter.
var deviceAttacks = []Attack{
	{
		Name: "serial-bound-elsewhere", Zh: "这台机具已经绑在别家", En: "A second acquirer installs a serial that is already bound.", Liar: true,
		Refused: by(gate.BindingUnique, "serial_bound_elsewhere"),
		Run: func(ctx context.Context, p *Play) error {
			p.ledger().Bound[p.Device.Serial] = registry.BindingLook{SerialBoundTo: "o-first", BoundAcquirer: "48029999", BoundMerchant: "531290058129999"}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "terminal-code-taken", Zh: "终端号已经给了另一台机具", En: "The terminal code belongs to another serial.", Liar: true,
		Refused: by(gate.BindingUnique, "terminal_code_used"),
		Run: func(ctx context.Context, p *Play) error {
			p.ledger().Extract = func(x *registry.Extract) { x.Binding.TerminalOn = "00005704280117020000" }
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "box-differs", Zh: "箱号和交接通知对不上", En: "The box's serial differs from the notice.",
		Refused: by(gate.CustodyUnbroken, "custody_box_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.arriveWith(ctx, func(n *custody.Notice) { n.BoxSerial = "X-swapped" })
		},
	},
	{
		Name: "bag-seal-differs", Zh: "袋封号和交接通知对不上", En: "The bag's seal differs from the notice.",
		Refused: by(gate.CustodyUnbroken, "custody_seal_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.arriveWith(ctx, func(n *custody.Notice) { n.BagSeal = "B0000000" })
		},
	},
	{
		Name: "device-serial-differs", Zh: "箱子里是另一台机具", En: "The device in the box is another one.",
		Refused: by(gate.CustodyUnbroken, "custody_serial_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.arriveWith(ctx, func(n *custody.Notice) { n.DeviceSerial = "00005704280117020000" })
		},
	},
	{
		Name: "seal-broken", Zh: "封条开了", En: "The seal is broken on arrival.",
		Refused: by(gate.CustodyUnbroken, "custody_seal_broken"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "arrive", func(ctx context.Context) error {
				_, err := p.file(ctx, p.Cast.Technician, visit.RecordStep, Draft{Stream: p.VisitStream(), Type: custody.TypeArrival, Answers: p.transfers[1],
					Body: custody.Arrival{Serial: p.Device.Serial, Notice: p.Notice(p.Order.Order), SealsIntact: false}})
				return err
			})
		},
	},
	{
		Name: "never-scanned", Zh: "机具到店没有扫码", En: "The parcel was never scanned at the counter.",
		Refused: by(gate.CustodyUnbroken, "arrival_missing"),
		Run:     func(ctx context.Context, p *Play) error { return p.without(ctx, "arrive") },
	},
	{
		Name: "transfer-missing", Zh: "仓库没签交接，机具就到了上门人员手里", En: "The transfer from the warehouse to the technician is missing.",
		Refused: by(gate.CustodyUnbroken, "custody_arrival_holder_other"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "ship", func(ctx context.Context) error {
				return p.HandOver(ctx, p.Cast.Maker, p.Cast.Custodian, p.Notice(p.Order.Order), p.madeAs())
			})
		},
	},
	{
		Name: "custody-without-the-maker", Zh: "机具来历不从厂家开始", En: "The chain of transfers begins in the warehouse.",
		Refused: by(gate.CustodyUnbroken, "custody_not_from_maker"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "ship", func(ctx context.Context) error {
				return p.HandOver(ctx, p.Cast.Custodian, p.Cast.Technician, p.Notice(p.Order.Order), p.madeAs())
			})
		},
	},
	{
		Name: "custody-forked", Zh: "仓库把同一台机具交给了两个人", En: "The warehouse hands one device to two people.",
		Refused: by(gate.CustodyUnbroken, "custody_transfer_missing"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "ship", func(ctx context.Context) error {
				if err := p.HandOver(ctx, p.Cast.Maker, p.Cast.Custodian, p.Notice("SF1"), p.madeAs()); err != nil {
					return err
				}
				if err := p.HandOver(ctx, p.Cast.Custodian, p.Cast.Stranger, p.Notice("SF2"), nil); err != nil {
					return err
				}
				p.transfers = p.transfers[:1]
				return p.HandOver(ctx, p.Cast.Custodian, p.Cast.Technician, p.Notice(p.Order.Order), nil)
			})
		},
	},
	{
		Name: "maker-struck", Zh: "厂家已经被除名", En: "The maker was struck off.",
		Refused: by(gate.CustodyUnbroken, "signer_not_party"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask trial", func(ctx context.Context) error { return p.newTrustList(ctx, p.Cast.Maker.ID, p.struck) })
		},
	},
	{
		Name: "another-key-same-serial", Zh: "序列号对，机具的密钥不对", En: "The right serial, with another device key under the same maker's root.",
		Refused: by(gate.DeviceGenuine, "attest_other_key"),
		Run: func(ctx context.Context, p *Play) error {
			return p.attested(ctx, p.Foundry.Make(p.Device.Serial, p.Now()))
		},
	},
	{
		Name: "another-device-answers", Zh: "旁边的一台机具替它回答", En: "Another genuine device answers.",
		Refused: by(gate.DeviceGenuine, "attest_serial_differs"),
		Run: func(ctx context.Context, p *Play) error {
			return p.attested(ctx, p.Foundry.Make("00005704280117020000", p.Now()))
		},
	},
	{
		Name: "own-root", Zh: "仿制机具用自己造的根证书", En: "A counterfeit's certificate chains to a root of its own.",
		Refused: by(gate.DeviceGenuine, "attest_root_unknown"),
		Run: func(ctx context.Context, p *Play) error {
			fake := NewFoundry(p.Cast.Maker.ID, p.Now()).Make(p.Device.Serial, p.Now())
			fake.Key = p.Device.Key
			return p.attested(ctx, fake)
		},
	},
	{
		Name: "certificate-revoked", Zh: "机具证书已经被吊销", En: "The device's certificate is on the revocation list.",
		Trust: func(f *evidence.TrustFile) {
			f.Revocations.Serials = []string{"3e9"} // the foundry's first
		},
		Refused: by(gate.DeviceGenuine, "attest_revoked"),
		Run:     func(ctx context.Context, p *Play) error { return Run(ctx, p.scenes()) },
	},
	{
		Name: "revocations-stale", Zh: "机具吊销名单过期了", En: "The list of revoked device certificates is past its date.",
		Trust: func(f *evidence.TrustFile) {
			f.Revocations.NextAt = f.PublishedAt
		},
		Refused: by(gate.DeviceGenuine, "attest_revocation_stale"),
		Run:     func(ctx context.Context, p *Play) error { return Run(ctx, p.scenes()) },
	},
	{
		Name: "simulated-device", Zh: "用模拟机具冒充真机具", En: "A simulated device under a trust file that is no demonstration.",
		Trust:   func(f *evidence.TrustFile) { f.Demonstration = false },
		Refused: by(gate.DeviceGenuine, "device_simulated"),
		Run:     func(ctx context.Context, p *Play) error { return Run(ctx, p.scenes()) },
	},
	{
		Name: "unlocked-boot", Zh: "机具的启动锁被打开过", En: "The device says that its boot chain is unlocked.",
		Refused: by(gate.DeviceGenuine, "device_boot_state"),
		Run: func(ctx context.Context, p *Play) error {
			p.Device.BootState = attest.BootUnlocked
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "reflashed", Zh: "机具被刷了别的固件", En: "The device runs firmware that is not listed.",
		Refused: by(gate.ModelApproved, "model_not_approved"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "attest", func(context.Context) error { p.Device.Firmware = "9.9.9"; return nil })
		},
	},
	{
		Name: "relabelled", Zh: "厂家出的是旧型号，机具自称新型号", En: "The maker shipped another model than the device says it is.",
		Refused: by(gate.ModelApproved, "model_not_the_makers"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "ship", func(ctx context.Context) error {
				origin := p.madeAs()
				origin.Model = "TD10"
				if err := p.HandOver(ctx, p.Cast.Maker, p.Cast.Custodian, p.Notice("SF1"), origin); err != nil {
					return err
				}
				return p.HandOver(ctx, p.Cast.Custodian, p.Cast.Technician, p.Notice(p.Order.Order), nil)
			})
		},
	},
	{
		Name: "device-nonce-replayed", Zh: "机具把旧的回答再用一次", En: "The device's answer to the first nonce is brought again before live.",
		Refused: by(gate.DeviceGenuine, "attest_nonce_replayed"),
		Run: func(ctx context.Context, p *Play) error {
			var first Challenge
			return Run(ctx, Instead(Instead(p.scenes(), "attest", func(ctx context.Context) error {
				var err error
				if first, err = p.Venue.Challenge(ctx, p.Cast.Technician, p.ID, visit.PurposeDevice); err != nil {
					return err
				}
				return p.Venue.Attest(ctx, p.ID, p.Device, first)
			}), "attest again", func(ctx context.Context) error { return p.Venue.Attest(ctx, p.ID, p.Device, first) }))
		},
	},
	{
		Name: "device-nonce-reissued", Zh: "平台把同一个随机数又发了一遍，好用旧的回答", En: "The platform issues one nonce twice, so that an old answer fits again.", Liar: true,
		Refused: by(ByEvidence, "challenge_nonce_reused"),
		Run: func(ctx context.Context, p *Play) error {
			var first Challenge
			return Run(ctx, Instead(Instead(p.scenes(), "attest", func(ctx context.Context) error {
				var err error
				if first, err = p.Venue.Challenge(ctx, p.Cast.Technician, p.ID, visit.PurposeDevice); err != nil {
					return err
				}
				return p.Venue.Attest(ctx, p.ID, p.Device, first)
			}), "attest again", func(ctx context.Context) error {
				again, err := p.ledger().challenge(p.ID, visit.PurposeDevice, first.Nonce)
				if err != nil {
					return err
				}
				return p.Venue.Attest(ctx, p.ID, p.Device, again)
			}))
		},
	},
	{
		Name: "attested-too-late", Zh: "机具过了十分钟才回答", En: "The device answers its nonce after ten minutes.", Waits: true,
		Refused: by(gate.DeviceGenuine, "attestation_answered_late"),
		Run: func(ctx context.Context, p *Play) error {
			return p.instead(ctx, "attest", func(ctx context.Context) error {
				ch, err := p.Venue.Challenge(ctx, p.Cast.Technician, p.ID, visit.PurposeDevice)
				if err != nil {
					return err
				}
				p.Wait(11 * time.Minute)
				return p.Venue.Attest(ctx, p.ID, p.Device, ch)
			})
		},
	},
	{
		Name: "attestation-too-old", Zh: "机具半小时以前证明过自己，就不再证明", En: "The attestation is more than half an hour old.", Waits: true,
		Refused: by(gate.DeviceGenuine, "attestation_too_old"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask trial", func(context.Context) error { p.Wait(31 * time.Minute); return nil })
		},
	},
	{
		Name: "attestation-not-repeated", Zh: "试交易之后机具没有再证明一次", En: "The attestation from before the acceptance is used at live.",
		Refused: by(gate.DeviceGenuine, "attestation_before_acceptance"),
		Run:     func(ctx context.Context, p *Play) error { return p.without(ctx, "attest again") },
	},
	{
		Name: "key-swapped-between-attestations", Zh: "厂家没写明密钥的机具，两次证明用了两把密钥", En: "The maker leaves the key to attestation, and the second attestation brings another key for the serial.",
		Refused: by(gate.DeviceGenuine, "attest_other_key"),
		Run: func(ctx context.Context, p *Play) error {
			return Run(ctx, Before(Instead(p.scenes(), "ship", func(ctx context.Context) error {
				origin := p.madeAs()
				origin.DeviceKey, origin.AttestationSerial = "", true
				if err := p.HandOver(ctx, p.Cast.Maker, p.Cast.Custodian, p.Notice("SF1"), origin); err != nil {
					return err
				}
				return p.HandOver(ctx, p.Cast.Custodian, p.Cast.Technician, p.Notice(p.Order.Order), nil)
			}), "ask trial", func(ctx context.Context) error {
				p.Device = p.Foundry.Make(p.Device.Serial, p.Now())
				return p.AttestDevice(ctx)
			}))
		},
	},
	{
		Name: "no-attestation", Zh: "机具根本没有证明自己", En: "The device never attested itself.",
		Refused: by(gate.DeviceGenuine, "attestation_missing"),
		Run:     func(ctx context.Context, p *Play) error { return p.without(ctx, "attest") },
	},
	{
		Name: "listing-expired", Zh: "型号的批准已经到期", En: "The model's listing has expired.",
		Refused: by(gate.ModelApproved, "model_listing_expired"),
		Run: func(ctx context.Context, p *Play) error {
			err := p.newParameters(ctx, func(q *registry.Parameters) { q.Models[0].Expires = statement.At(p.Now().Add(-time.Hour)) })
			if err != nil {
				return err
			}
			return Run(ctx, p.scenes())
		},
	},
	{
		Name: "device-of-another-maker", Zh: "机具冒充别家厂的", En: "Another maker's first transfer stands for this device.",
		Refused: by(gate.DeviceGenuine, "attest_root_unknown"),
		Run: func(ctx context.Context, p *Play) error {
			c := p.Cast
			if err := p.newTrustList(ctx, c.School.ID, func(o *credential.Organisation) { o.Kinds = append(o.Kinds, credential.KindMaker) }); err != nil {
				return err
			}
			return p.instead(ctx, "ship", func(ctx context.Context) error {
				second := NewActor(c.School.ID, c.School.ID, visit.RoleMaker)
				second.Key = c.School.Key
				if err := p.HandOver(ctx, second, c.Custodian, p.Notice("SF1"), p.madeAs()); err != nil {
					return err
				}
				return p.HandOver(ctx, c.Custodian, c.Technician, p.Notice(p.Order.Order), nil)
			})
		},
	},
	{
		Name: "lost-device-turns-up", Zh: "报过丢失的机具出现在店里", En: "A device that was reported lost turns up at the counter.",
		Refused: by(gate.NothingOpen, "device_lost"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask trial", func(ctx context.Context) error {
				_, err := p.Mark(ctx, p.Cast.Dispatcher, visit.MarkLost)
				return err
			})
		},
	},
	{
		Name: "quarantined-before-live", Zh: "试用以后被隔离的机具还想上线", En: "A device is quarantined after its trial and is to go live all the same.",
		Refused: by(gate.NothingOpen, "device_quarantined"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask live", func(ctx context.Context) error {
				_, err := p.Mark(ctx, p.Cast.Approver, visit.MarkQuarantined)
				return err
			})
		},
	},
	{
		Name: "mark-lifted-by-the-holder", Zh: "丢过机具的服务商自己说找到了", En: "The provider that lost a device lifts the mark itself.",
		Refused: by(ByEvidence, "role_not_allowed"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask trial", func(ctx context.Context) error { return p.markAndLift(ctx, p.Cast.Dispatcher, p.Cast.Dispatcher) })
		},
	},
	{
		Name: "mark-lifted-by-its-marker", Zh: "谁隔离的机具，还是他自己说没问题", En: "Whoever quarantined a device lifts the mark alone.",
		Refused: by(gate.NothingOpen, "device_quarantined"),
		Run: func(ctx context.Context, p *Play) error {
			return p.before(ctx, "ask trial", func(ctx context.Context) error { return p.markAndLift(ctx, p.Cast.Risk, p.Cast.Risk) })
		},
	},
	{
		Name: "mark-lifted-by-a-struck-acquirer", Zh: "已经被除名的收单机构解除了隔离", En: "The risk desk of an acquirer that was struck off lifts a mark.",
		Refused: or(by(gate.NothingOpen, "device_quarantined"), ByIntake, "organisation_struck"),
		Run:     struckLifts,
	},
	{
		Name: "mark-lifted-by-another-acquirer", Zh: "别家收单机构的风控解除了隔离", En: "Another acquirer's risk desk lifts the mark.",
		Refused: by(gate.NothingOpen, "device_quarantined"),
		Run: func(ctx context.Context, p *Play) error {
			rong := NewActor("rong", p.Cast.Other.ID, visit.RoleRisk)
			if err := p.enrol(ctx, p.Cast.Other, rong, p.Now()); err != nil {
				return err
			}
			return p.before(ctx, "ask trial", func(ctx context.Context) error { return p.markAndLift(ctx, p.Cast.Approver, rong) })
		},
	},
}

// struckLifts has a technician quarantine the device he brought, and the risk desk of an acquirer that was struck off lift it.
func struckLifts(ctx context.Context, p *Play) error {
	rong := NewActor("rong", p.Cast.Other.ID, visit.RoleRisk)
	if err := p.enrol(ctx, p.Cast.Other, rong, p.Now()); err != nil {
		return err
	}
	if err := p.newTrustList(ctx, p.Cast.Other.ID, p.struck); err != nil {
		return err
	}
	return p.before(ctx, "ask trial", func(ctx context.Context) error { return p.markAndLift(ctx, p.Cast.Technician, rong) })
}

// Mark has somebody mark the play's device lost or quarantined, and gives the statement's digest.
func (p *Play) Mark(ctx context.Context, who *Actor, mark string) (string, error) {
	return p.file(ctx, who, visit.Freeze, Draft{Stream: p.DeviceStream(), Type: visit.TypeSuspension,
		Body: visit.Suspension{Subject: p.Device.Serial, Reason: mark, Appeal: "0529-65550001"}})
}

// Lift has somebody lift a mark of the play's device.
func (p *Play) Lift(ctx context.Context, who *Actor, mark string) error {
	_, err := p.file(ctx, who, visit.Resume, Draft{Stream: p.DeviceStream(), Type: visit.TypeReinstatement,
		Body: visit.Reinstatement{Subject: p.Device.Serial, Reason: "inspected", Closes: []string{mark}}})
	return err
}

func (p *Play) markAndLift(ctx context.Context, marks, lifts *Actor) error {
	mark, err := p.Mark(ctx, marks, visit.MarkQuarantined)
	if err != nil {
		return err
	}
	return p.Lift(ctx, lifts, mark)
}
