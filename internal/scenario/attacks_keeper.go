package scenario

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/organisation"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// keeperAttacks are tried against an organisation's own signing service, by a server that lies or by
// whoever types at a phone. They are played against the real service on a folder of its own.
var keeperAttacks = []Attack{
	atAcquirer("enrolment-key-swapped", "门神把店主手机的公钥换成自己的", "The server puts a key of its own in place of the merchant's new one.", "code_wrong",
		func(_ context.Context, p *Play, k *Keeper, wei *Phone, code credential.Code) error {
			honest, liar := wei.Ask(code, p.Now()), NewPhone(wei.ID, wei.Organisation, wei.Role)
			swapped := liar.Ask(credential.NewCode(), p.Now()) // it never saw the code
			swapped.Proof = honest.Proof
			return told(k.Service.Enrol(liar.shown(swapped, p.Now())))
		}),
	atAcquirer("enrolment-origin-added", "门神给店主的通行密钥多加一个自己的网站", "The server adds a site of its own to the merchant's passkey.", "code_wrong",
		func(_ context.Context, p *Play, k *Keeper, wei *Phone, code credential.Code) error {
			wei.Passkey = true
			ask := wei.Ask(code, p.Now())
			ask.Key.Origins = append(ask.Key.Origins, "https://evil.example")
			return told(k.Service.Enrol(ask))
		}),
	atAcquirer("enrolment-of-anothers-key", "有自己开通码的人，拿别人的公钥来登记，好让那把密钥作废", "Somebody with a code of his own has another's public key enrolled, so that it counts for nobody.", "key_not_shown",
		func(_ context.Context, p *Play, k *Keeper, wei *Phone, code credential.Code) error {
			ask := wei.Ask(code, p.Now())
			ask.Key = p.Cast.Approver.Public()
			return told(k.Service.Enrol(ask))
		}),
	atAcquirer("enrolment-code-of-another", "拿别人的开通码", "Somebody uses the code that was made for another.", "code_wrong",
		func(_ context.Context, p *Play, k *Keeper, wei *Phone, code credential.Code) error {
			if _, err := k.MakeCode("bo", visit.RoleMerchant, organisation.Additional); err != nil {
				return err
			}
			return told(k.Service.Enrol(NewPhone("bo", wei.Organisation, visit.RoleMerchant).Ask(code, p.Now())))
		}),
	atAcquirer("enrolment-code-guessed", "一个一个地猜开通码", "Somebody tries codes one after the other.", "code_locked",
		func(_ context.Context, p *Play, k *Keeper, wei *Phone, _ credential.Code) error {
			for range 4 {
				if err := told(k.Service.Enrol(wei.Ask(credential.NewCode(), p.Now()))); fault.CodeOf(err) != "code_wrong" {
					return err
				}
			}
			return told(k.Service.Enrol(wei.Ask(credential.NewCode(), p.Now())))
		}),
	atAcquirer("enrolment-code-used-twice", "捡到一张用过的开通码", "Somebody finds a sheet whose code was used.", "code_used",
		func(_ context.Context, p *Play, k *Keeper, wei *Phone, code credential.Code) error {
			if err := told(k.Service.Enrol(wei.Ask(code, p.Now()))); err != nil {
				return err
			}
			return told(k.Service.Enrol(NewPhone(wei.ID, wei.Organisation, wei.Role).Ask(code, p.Now())))
		}),
	atAcquirer("enrolment-code-old", "抽屉里翻出来的旧开通码", "A sheet out of a drawer, past its date.", "code_expired",
		func(_ context.Context, p *Play, k *Keeper, wei *Phone, code credential.Code) error {
			p.Wait(15 * 24 * time.Hour)
			return told(k.Service.Enrol(wei.Ask(code, p.Now())))
		}),
	atProvider("badge-without-technician", "门神自己去领一张工作证", "The server asks for a technician's badge without his signature.", "person_without_key",
		func(_ context.Context, p *Play, k *Keeper, lan *Phone) error {
			liar := NewPhone(lan.ID, lan.Organisation, lan.Role)
			ask, _, err := liar.AskBadge(p.Now())
			if err != nil {
				return err
			}
			return told(k.Service.Badge(ask))
		}),
	atProvider("badge-request-replayed", "拿昨天签过的申请再领一张", "Yesterday's signed request is brought again for a new badge.", "badge_request_stale",
		func(_ context.Context, p *Play, k *Keeper, lan *Phone) error {
			ask, _, err := lan.AskBadge(p.Now())
			if err != nil {
				return err
			}
			p.Wait(24 * time.Hour)
			return told(k.Service.Badge(ask))
		}),
	atProvider("badge-after-leaving", "离职的人第二天来领工作证", "Somebody who left yesterday asks for today's badge.", "person_without_key",
		func(_ context.Context, p *Play, k *Keeper, lan *Phone) error {
			if _, err := k.Leave(lan.ID, lan.Role, "left"); err != nil {
				return err
			}
			ask, _, err := lan.AskBadge(p.Now())
			if err != nil {
				return err
			}
			return told(k.Service.Badge(ask))
		}),
}

func told[T any](_ T, err error) error { return err }

// shown signs a request with the phone's own key, whoever's key it carries.
func (p *Phone) shown(a orgapi.EnrolmentAsk, at time.Time) orgapi.EnrolmentAsk {
	proof, own := a.Proof, p.Ask(credential.NewCode(), at)
	own.Proof = proof
	own.Possession = p.Signs(visit.StreamOrganisation+"/"+p.Organisation, "enrolment_request", map[string]string{"proof": proof}, at)
	return own
}

// atAcquirer is an attack on the acquirer's service, while a code for the merchant is out.
func atAcquirer(name, zh, en, code string, run func(context.Context, *Play, *Keeper, *Phone, credential.Code) error) Attack {
	return Attack{Name: name, Zh: zh, En: en, Liar: true, Waits: true, Refused: by(ByOrganisation, code), Run: func(ctx context.Context, p *Play) error {
		return p.kept(p.Cast.Acquirer, nil, credential.KindAcquirer, func(k *Keeper) error {
			made, err := k.MakeCode(p.Cast.Merchant.ID, visit.RoleMerchant, organisation.Additional)
			if err != nil {
				return err
			}
			return run(ctx, p, k, NewPhone(p.Cast.Merchant.ID, p.Cast.Acquirer.ID, visit.RoleMerchant), made.Code)
		})
	}}
}

// atProvider is an attack on the provider's service, which has enrolled the technician's phone.
func atProvider(name, zh, en, code string, run func(context.Context, *Play, *Keeper, *Phone) error) Attack {
	return Attack{Name: name, Zh: zh, En: en, Liar: true, Waits: true, Refused: by(ByOrganisation, code), Run: func(ctx context.Context, p *Play) error {
		return p.kept(p.Cast.Provider, p.Cast.BadgeKey, credential.KindProvider, func(k *Keeper) error {
			lan := NewPhone(p.Cast.Technician.ID, p.Cast.Provider.ID, visit.RoleTechnician)
			if err := k.PutPerson(lan.ID, lan.Role, statement.Digest([]byte("name")), statement.Digest([]byte("photo"))); err != nil {
				return err
			}
			if _, err := lan.EnrolAt(ctx, k, p.Now()); err != nil {
				return err
			}
			return run(ctx, p, k, lan)
		})
	}}
}

// kept plays against an organisation's own service, on a folder that goes away afterwards. What the
// service refuses, it refuses itself: nobody else was asked.
func (p *Play) kept(of, badge *Actor, kind string, act func(*Keeper) error) error {
	dir, err := os.MkdirTemp("", "menshen-keeper-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	k, err := Keep(dir, of, badge, kind, p.Now)
	if err != nil {
		return err
	}
	refused := act(k)
	if err := k.Close(); err != nil || refused == nil {
		return errors.Join(refused, err)
	}
	return &Refusal{Code: fault.CodeOf(refused), By: ByOrganisation}
}
