package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

// kept writes a row twice, the second time changed, and reads it back.
func kept[T comparable](t *testing.T, s *store.Store, put func(*store.Tx, context.Context, T) error,
	get func(*store.Tx, context.Context, string) (T, error), id string, first, changed T) {
	t.Helper()
	for _, row := range []T{first, changed} {
		do(t, s, func(tx *store.Tx) error { return put(tx, t.Context(), row) })
		look(t, s, func(tx *store.Tx) error {
			got, err := get(tx, t.Context(), id)
			if got != row {
				t.Errorf("got %+v, want %+v", got, row)
			}
			return err
		})
	}
}

func TestRegistryRowsAreReplacedWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		kept(t, s, (*store.Tx).PutOrganisation, (*store.Tx).Organisation, "bank",
			store.Organisation{ID: "bank", Kind: "acquirer", Name: "示范银行", Doc: `{"a":1}`},
			store.Organisation{ID: "bank", Kind: "bank", Name: "示范银行股份有限公司", Doc: `{}`})
		kept(t, s, (*store.Tx).PutPerson, (*store.Tx).Person, "lan",
			store.Person{ID: "lan", Org: "provider", Role: "technician", StaffNo: "007", State: "new", Doc: "{}"},
			store.Person{ID: "lan", Org: "provider2", Role: "dispatcher", StaffNo: "008", KeyThumbprint: "k1", State: "active", Doc: `{"b":2}`})
		kept(t, s, (*store.Tx).PutMerchant, (*store.Tx).Merchant, "wei",
			store.Merchant{ID: "wei", Org: "bank", Doc: "{}"}, store.Merchant{ID: "wei", Org: "bank2", Doc: `{"c":3}`})
		kept(t, s, (*store.Tx).PutShop, (*store.Tx).Shop, "shop1",
			store.Shop{ID: "shop1", Merchant: "wei", Province: "31", Region: "310101", Doc: "{}"},
			store.Shop{ID: "shop1", Merchant: "wei", Province: "32", Region: "320500", Doc: `{"d":4}`})
		kept(t, s, (*store.Tx).PutModel, (*store.Tx).Model, "m1",
			store.Model{ID: "m1", Doc: "{}"}, store.Model{ID: "m1", Doc: `{"e":5}`})
		kept(t, s, (*store.Tx).PutDevice, (*store.Tx).Device, "SN1",
			store.Device{Serial: "SN1", Model: "m1", Maker: "maker", Holder: "maker", State: "made", Doc: "{}"},
			store.Device{Serial: "SN1", Model: "m2", Maker: "maker2", Holder: "lan", State: "carried", Doc: `{"f":6}`})
		order := store.Order{Org: "bank", ID: "o1", Provider: "provider", Merchant: "wei", Shop: "shop1", Kind: "install",
			Risk: 1, State: "booked", WindowStartAt: store.At(noon), WindowEndAt: store.At(noon.Add(time.Hour)),
			CreatedAt: store.At(noon.Add(-time.Hour)), Doc: "{}"}
		moved := order
		moved.Provider, moved.Risk, moved.State, moved.Doc = "provider2", 2, "agreed", `{"g":7}`
		moved.WindowStartAt, moved.WindowEndAt = order.WindowStartAt+1000, order.WindowEndAt+1000
		kept(t, s, (*store.Tx).PutOrder, (*store.Tx).Order, "o1", order, moved)
	})
}

func TestKeyBelongsToOnePerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		put := func(id, key string) func(tx *store.Tx) error {
			return func(tx *store.Tx) error {
				return tx.PutPerson(t.Context(), store.Person{ID: id, Org: "provider", Role: "technician", KeyThumbprint: key})
			}
		}
		do(t, s, put("lan", "k1"))
		do(t, s, put("lan", "k1"))
		do(t, s, put("bo", "")) // no key yet
		do(t, s, put("chen", ""))
		refused(t, s, "key_in_use", put("bo", "k1"))
		do(t, s, put("lan", "k2")) // a new phone frees the old key
		do(t, s, put("bo", "k1"))
		look(t, s, func(tx *store.Tx) error {
			p, err := tx.PersonByKey(t.Context(), "k1")
			if p.ID != "bo" {
				t.Errorf("owner of k1: got %+v", p)
			}
			return err
		})
	})
}

func TestRegistryListsGoByIDWithoutGaps(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const n = 7
		do(t, s, func(tx *store.Tx) error {
			ctx := t.Context()
			for i := range n {
				id := fmt.Sprintf("x%02d", i)
				for _, err := range []error{
					tx.PutOrganisation(ctx, store.Organisation{ID: id, Kind: "provider"}),
					tx.PutPerson(ctx, store.Person{ID: id, Org: "org", Role: fmt.Sprint("role", i%3)}),
					tx.PutMerchant(ctx, store.Merchant{ID: id, Org: "org"}),
					tx.PutMerchant(ctx, store.Merchant{ID: "of other " + id, Org: "other"}),
					tx.PutShop(ctx, store.Shop{ID: id, Merchant: "x00"}),
					tx.PutModel(ctx, store.Model{ID: id}),
					tx.PutDevice(ctx, store.Device{Serial: id, Holder: "org"}),
				} {
					if err != nil {
						return err
					}
				}
			}
			return nil
		})
		look(t, s, func(tx *store.Tx) error {
			ctx := t.Context()
			ids := map[string][]string{}
			page := func(list string, read func(after string) ([]string, error)) {
				after := ""
				for {
					got, err := read(after)
					if err != nil {
						t.Errorf("%s: %v", list, err)
					}
					if len(got) == 0 {
						return
					}
					ids[list] = append(ids[list], got...)
					after = got[len(got)-1]
				}
			}
			page("people", func(after string) ([]string, error) {
				return idsOf(func(p store.Person) string { return p.ID })(tx.PeopleOfOrg(ctx, "org", after, 3))
			})
			page("merchants", func(after string) ([]string, error) {
				return idsOf(func(m store.Merchant) string { return m.ID })(tx.MerchantsOfOrg(ctx, "org", after, 3))
			})
			page("shops", func(after string) ([]string, error) {
				return idsOf(func(s store.Shop) string { return s.ID })(tx.ShopsOfMerchant(ctx, "x00", after, 3))
			})
			page("devices", func(after string) ([]string, error) {
				return idsOf(func(d store.Device) string { return d.Serial })(tx.DevicesOfHolder(ctx, "org", after, 3))
			})
			models, err := idsOf(func(m store.Model) string { return m.ID })(tx.Models(ctx))
			if err != nil {
				return err
			}
			ids["models"] = models
			organisations, err := idsOf(func(o store.Organisation) string { return o.ID })(tx.OrganisationsByKind(ctx, "provider"))
			ids["organisations"] = organisations
			for list, got := range ids {
				if fmt.Sprint(got) != "[x00 x01 x02 x03 x04 x05 x06]" {
					t.Errorf("%s: got %v", list, got)
				}
			}
			if len(ids) != 6 {
				t.Errorf("got %d lists", len(ids))
			}
			return err
		})
	})
}

func idsOf[T any](id func(T) string) func([]T, error) ([]string, error) {
	return func(rows []T, err error) ([]string, error) {
		var ids []string
		for _, row := range rows {
			ids = append(ids, id(row))
		}
		return ids, err
	}
}
