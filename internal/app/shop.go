package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// The phrase that a merchant chose, as the vault knows it. Only his own pages show it.
const (
	fieldPhrase   = "phrase"
	purposePhrase = "own_pages"
)

// JobDoorCall works out what a stranger's call at the public page means. The page answers before it,
// so that neither its time nor its bytes tell whether a shop exists.
const JobDoorCall = "door_call"

// Bounds of calls: how many wait at once, how many one shop is told of in an hour, how long they stay.
const (
	callAttempts  = 5
	callsPerHour  = 20
	callsShown    = 20
	keepCalls     = 14 * 24 * time.Hour
	earlyOrLate   = 30 * time.Minute // people come before and after their window
	maxCallLength = 64
)

var (
	errNotShop  = fault.New(fault.NotFound, "shop_not_found", "没有这家店，或者您无权查看。", "There is no such shop, or you may not see it.")
	errCallForm = fault.New(fault.Invalid, "door_call_malformed", "没看懂。", "This call is malformed.")
)

// Phrase gives the phrase that a merchant chose, "" for none yet.
func (a *App) Phrase(ctx context.Context, actor Actor) (string, error) {
	if actor.Role != visit.RoleMerchant {
		return "", nil
	}
	commitment, err := a.phraseCommitment(ctx, actor.Person)
	if err != nil || commitment == "" {
		return "", err
	}
	// One look for each node and phrase, not for each page: the looker is the person himself.
	if kept, ok := a.opened.all([]string{commitment}); ok {
		return kept[0].Value, nil
	}
	var o statement.Opening
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		o, err = a.Vault.Get(ctx, tx, actor.Person, commitment, vault.Look{Who: actor.Person, Purpose: purposePhrase, At: a.Now()})
		return err
	})
	if err != nil {
		return "", err
	}
	a.opened.keep(map[string]statement.Opening{commitment: o})
	return o.Value, nil
}

func (a *App) phraseCommitment(ctx context.Context, person string) (commitment string, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		values, err := a.Vault.List(ctx, tx, person)
		for _, v := range values {
			if v.Field == fieldPhrase && !v.Erased {
				commitment = v.Commitment // oldest first: the newest stands
			}
		}
		return err
	})
	return commitment, err
}

// SetPhrase keeps the phrase that a merchant chose; the ones before it stand no more.
func (a *App) SetPhrase(ctx context.Context, actor Actor, phrase string) error {
	if actor.Role != visit.RoleMerchant {
		return errNotShop
	}
	var salt [16]byte
	rand.Read(salt[:]) // never fails (Go 1.24)
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := a.Vault.Put(ctx, tx, actor.Person, statement.NewOpening(fieldPhrase, salt, phrase), vault.Tag{Purposes: []string{purposePhrase}}, a.Now())
		return err
	})
}

// Firm is an organisation as a merchant needs to know it: all of it public. Name, licence and filing are what the newest
// signed trust list says and are in force; only the telephone number is the organisation's sheet's, and the name of one that is
// not listed.
type Firm struct{ ID, Name, Licence, Filing, Phone string }

// Firms gives organisations; of one that is neither listed nor imported there is only the id.
func (a *App) Firms(ctx context.Context, ids ...string) (map[string]Firm, error) {
	out := map[string]Firm{}
	now := a.Now()
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		list, err := newestTrustList(ctx, tx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			o, err := tx.Organisation(ctx, id)
			if fault.KindOf(err) == fault.NotFound {
				o, err = store.Organisation{ID: id, Name: id, Doc: "{}"}, nil
			}
			if err != nil {
				return err
			}
			if out[id], err = firmOf(o, list, now); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// firmOf reads the columns of the sheet that an organisation came from, and what the list says of it.
func firmOf(o store.Organisation, list credential.TrustList, now time.Time) (Firm, error) {
	sheet, err := docOf(o.Doc)
	if err != nil {
		return Firm{}, err
	}
	f := Firm{ID: o.ID, Name: o.Name, Phone: cmp.Or(sheet["服务电话"], sheet["联系电话"])}
	if listed := listedOn(list, o.ID); listed != nil {
		f.Name = listed.Name
		f.Licence, f.Filing = listed.InForce(now)
	}
	return f, nil
}

// merchantOf is whose shop an actor is in: his own, or his owner's; "" for others.
func merchantOf(actor Actor) string {
	switch actor.Role {
	case visit.RoleMerchant:
		return actor.Person
	case visit.RoleClerk:
		return visit.ClerkOf(actor.Person)
	}
	return ""
}

// Shops lists a merchant's shops.
func (a *App) Shops(ctx context.Context, actor Actor) (list []store.Shop, err error) {
	if actor.Role != visit.RoleMerchant && actor.Role != string(access.Clerk) {
		return nil, errNotShop
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.ShopsOfMerchant(ctx, merchantOf(actor), "", maxPage)
		return err
	})
	return list, err
}

// StickerShop gives a shop to those who may print its sticker: its merchant, and his acquirer.
func (a *App) StickerShop(ctx context.Context, actor Actor, id string) (shop store.Shop, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		if shop, err = tx.Shop(ctx, id); err != nil {
			return err
		}
		m, err := tx.Merchant(ctx, shop.Merchant)
		if err != nil {
			return err
		}
		own := actor.Role == visit.RoleMerchant && actor.Person == m.ID
		its := actor.Role == visit.RoleApprover && actor.Organisation == m.Org
		if !own && !its {
			return errNotShop
		}
		return nil
	})
	if fault.KindOf(err) == fault.NotFound {
		return store.Shop{}, errNotShop
	}
	return shop, err
}

// TakeDoorCall queues what was typed on the public page: one write of one size, whatever it was.
func (a *App) TakeDoorCall(ctx context.Context, shop, kind string) error {
	if len(shop) > maxCallLength || len(kind) > maxCallLength || strings.Contains(kind, "\n") {
		return errCallForm
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.EnqueueJob(ctx, JobDoorCall, "call-"+rand.Text(), []byte(kind+"\n"+shop), a.Now(), a.Now(), callAttempts)
		return err
	})
}

// nobodys stands for a code that no shop can have, so that as much is asked about it as about a shop's.
const nobodys = "-"

// AnswerDoorCall works out a queued call and keeps the answer where only the shop sees it. A code that
// is no shop's leaves nothing behind, and is asked about as a shop's is: whoever watches how busy the server is
// learns nothing.
func (a *App) AnswerDoorCall(ctx context.Context, payload, id string) error {
	kind, code, _ := strings.Cut(payload, "\n")
	if identifier.CheckID(code) != nil {
		code = nobodys
	}
	call := store.DoorCall{ID: id, Shop: code, Kind: kind, CalledAt: store.At(a.Now())}
	shop := store.Shop{ID: code, Merchant: nobodys}
	often := 0
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		known, err := tx.Shop(ctx, code)
		if err == nil {
			shop = known
		} else if fault.KindOf(err) != fault.NotFound {
			return err
		}
		if often, err = tx.CountDoorCalls(ctx, code, a.Now().Add(-time.Hour)); err != nil {
			return err
		}
		call.Expected, err = a.expected(ctx, tx, shop)
		return err
	})
	if err != nil || often >= callsPerHour {
		return err // the shop has been told often enough
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		added, err := tx.AddDoorCall(ctx, call)
		if err != nil || !added {
			return err
		}
		return a.tellCall(ctx, tx, shop, call.Expected)
	})
}

// expected says whether somebody was sent to a shop for about now.
func (a *App) expected(ctx context.Context, tx *store.Tx, shop store.Shop) (bool, error) {
	now := a.Now()
	list, _, err := tx.ListVisits(ctx, store.VisitFilter{Merchant: shop.Merchant}, "", maxPage)
	if err != nil {
		return false, err
	}
	for _, v := range list {
		stage := visit.Stage(v.State)
		if v.Shop != shop.ID || v.Frozen || stage == visit.Booked || stage.Ended() {
			continue
		}
		o, err := tx.Order(ctx, v.OrderID)
		if err != nil {
			return false, err
		}
		if now.After(o.WindowStartAt.Time().Add(-earlyOrLate)) && now.Before(o.WindowEndAt.Time().Add(earlyOrLate)) {
			return true, nil
		}
	}
	return false, nil
}
