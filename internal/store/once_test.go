package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

func TestChallengeBurnsOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		challenge := store.Challenge{NonceHash: digest("nonce"), Visit: "v1", Purpose: "door",
			IssuedAt: store.At(noon), ExpiresAt: store.At(noon.Add(90 * time.Second))}
		do(t, s, func(tx *store.Tx) error { return tx.AddChallenge(ctx, challenge) })
		refused(t, s, "record_exists", func(tx *store.Tx) error { return tx.AddChallenge(ctx, challenge) })
		burn := func(nonce string, now time.Time) func(tx *store.Tx) error {
			return func(tx *store.Tx) error {
				return second(tx.BurnChallenge(ctx, digest(nonce), digest("answer"), now))
			}
		}
		refused(t, s, "challenge_unknown", burn("another nonce", noon))
		refused(t, s, "challenge_expired", burn("nonce", noon.Add(90*time.Second)))
		var burned atomic.Int64
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				err := s.Write(ctx, func(tx *store.Tx) error {
					_, err := tx.BurnChallenge(ctx, digest("nonce"), digest(fmt.Sprint("answer", w)), noon.Add(89*time.Second))
					return err
				})
				switch fault.CodeOf(err) {
				case "":
					burned.Add(1)
				case "challenge_used":
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if burned.Load() != 1 {
			t.Errorf("burned %d times, want once", burned.Load())
		}
		refused(t, s, "challenge_used", burn("nonce", noon.Add(time.Hour))) // used comes before expired
		look(t, s, func(tx *store.Tx) error {
			got, err := tx.Challenge(ctx, digest("nonce"))
			if got.UsedBy == "" || got.UsedAt != store.At(noon.Add(89*time.Second)) || got.Visit != "v1" || got.Purpose != "door" {
				t.Errorf("got %+v", got)
			}
			return err
		})
		do(t, s, func(tx *store.Tx) error {
			n, err := tx.ForgetChallenges(ctx, noon.Add(time.Hour))
			if n != 1 {
				t.Errorf("forgot %d challenges, want 1", n)
			}
			return err
		})
	})
}

// A burn whose command fails later is not a burn.
func TestChallengeOfAFailedCommandStaysUsable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		do(t, s, func(tx *store.Tx) error {
			return tx.AddChallenge(ctx, store.Challenge{NonceHash: digest("n"), ExpiresAt: store.At(noon.Add(time.Minute))})
		})
		burn := func(tx *store.Tx) error { return second(tx.BurnChallenge(ctx, digest("n"), "x", noon)) }
		refused(t, s, "rule_of_this_test", func(tx *store.Tx) error {
			if err := burn(tx); err != nil {
				return err
			}
			return errRule
		})
		do(t, s, burn)
	})
}

// till1 is a terminal at wei's counter.
var till1 = store.Binding{Serial: "SN1", Acquirer: "bank", TupleDigest: digest("wei's tuple"), TerminalCode: "00000001",
	Merchant: "wei", MerchantCodeDigest: digest("wei's code"), Visit: "v1"}

func reserve(t *testing.T, b store.Binding) func(tx *store.Tx) error {
	return func(tx *store.Tx) error { return second(tx.ReserveBinding(t.Context(), b, noon)) }
}

func TestSerialIsBoundInOnePlace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		open := func(serial, visit string) func(tx *store.Tx) error {
			return func(tx *store.Tx) error { return tx.OpenBinding(ctx, serial, visit, noon) }
		}
		end := func(serial string) func(tx *store.Tx) error {
			return func(tx *store.Tx) error { return tx.EndBinding(ctx, serial, noon) }
		}
		edit := func(change func(b *store.Binding)) store.Binding {
			b := till1
			change(&b)
			return b
		}
		refused(t, s, "binding_not_reserved", open("SN1", "v1"))
		do(t, s, reserve(t, till1))
		do(t, s, reserve(t, till1))
		otherVisit := edit(func(b *store.Binding) { b.Visit = "v2" })
		refused(t, s, "serial_bound_elsewhere", reserve(t, otherVisit))
		refused(t, s, "binding_not_reserved", open("SN1", "v2"))
		for name, b := range map[string]store.Binding{
			"acquirer": edit(func(b *store.Binding) { b.Acquirer = "other-bank" }),
			"tuple":    edit(func(b *store.Binding) { b.TupleDigest = digest("moved") }),
			"terminal": edit(func(b *store.Binding) { b.TerminalCode = "00000002" }),
			"merchant": edit(func(b *store.Binding) { b.Merchant = "mallory" }),
			"code":     edit(func(b *store.Binding) { b.MerchantCodeDigest = digest("mallory's code") }),
		} {
			if got := fault.CodeOf(s.Write(ctx, reserve(t, b))); got != "serial_bound_elsewhere" {
				t.Errorf("other %s: got fault %q, want serial_bound_elsewhere", name, got)
			}
		}
		sameCode := edit(func(b *store.Binding) { b.Serial = "SN2" })
		refused(t, s, "terminal_code_taken", reserve(t, sameCode))
		ofOtherBank := edit(func(b *store.Binding) { b.Serial, b.Acquirer = "SN3", "other-bank" })
		do(t, s, reserve(t, ofOtherBank)) // terminal codes are an acquirer's own

		do(t, s, open("SN1", "v1"))
		do(t, s, open("SN1", "v1"))
		do(t, s, reserve(t, otherVisit)) // a repair of the open terminal
		do(t, s, open("SN1", "v2"))
		look(t, s, func(tx *store.Tx) error {
			b, err := tx.Binding(ctx, "SN1")
			if b.State != store.BindingOpen || b.Visit != "v2" || b.SinceAt != store.At(noon) {
				t.Errorf("after the repair: got %+v", b)
			}
			return err
		})
		do(t, s, end("SN1"))
		do(t, s, end("SN1"))
		do(t, s, end("never bound"))
		refused(t, s, "binding_not_reserved", open("SN1", "v2"))
		do(t, s, reserve(t, sameCode)) // the code is free again
		refused(t, s, "terminal_code_taken", reserve(t, till1))
		do(t, s, reserve(t, edit(func(b *store.Binding) { b.TerminalCode, b.Merchant = "00000009", "hong" })))
		look(t, s, func(tx *store.Tx) error {
			held, err := tx.BindingByTerminal(ctx, "bank", digest("wei's code"), "00000001")
			if err != nil || held.Serial != "SN2" {
				t.Errorf("holder of the code: got %+v %v", held, err)
			}
			weis, err := tx.BindingsOfMerchant(ctx, "wei")
			if len(weis) != 2 || weis[0].Serial != "SN2" || weis[1].Serial != "SN3" {
				t.Errorf("bindings of wei: got %+v", weis)
			}
			return err
		})
	})
}

func TestRaceForOneSerialHasOneWinner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var won atomic.Int64
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				b := till1
				b.Acquirer, b.Visit = fmt.Sprint("bank", w), fmt.Sprint("v", w)
				switch err := s.Write(t.Context(), reserve(t, b)); fault.CodeOf(err) {
				case "":
					won.Add(1)
				case "serial_bound_elsewhere":
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d acquirers bound the serial, want 1", won.Load())
		}
	})
}

func TestPhotoBelongsToItsFirstUse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for i, c := range []struct {
			visit, step string
			mine        bool
		}{
			{"v1", "counter", true}, {"v1", "counter", true}, {"v1", "back", false}, {"v2", "counter", false},
		} {
			do(t, s, func(tx *store.Tx) error {
				first, mine, err := tx.ClaimPhoto(ctx, store.Photo{Sha256: digest("jpeg"), Visit: c.visit, Step: c.step,
					ClaimedAt: store.At(noon.Add(time.Duration(i) * time.Hour))})
				if mine != c.mine || first.Visit != "v1" || first.Step != "counter" || first.ClaimedAt != store.At(noon) {
					t.Errorf("claim %d: got mine %v, first %+v", i, mine, first)
				}
				return err
			})
		}
		look(t, s, func(tx *store.Tx) error {
			photos, err := tx.PhotosOfVisit(ctx, "v1")
			if len(photos) != 1 {
				t.Errorf("photos of v1: got %+v", photos)
			}
			return err
		})
	})
}

func TestIdentityCountsDifferentPeople(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for i, c := range []struct {
			field, hash, person string
			holders             int
		}{
			{"phone", "h1", "wei", 1}, {"phone", "h1", "wei", 1}, {"phone", "h1", "mallory", 2},
			{"phone", "h2", "wei", 1}, {"resident_id", "h1", "wei", 1},
		} {
			do(t, s, func(tx *store.Tx) error {
				n, err := tx.AddIdentity(ctx, store.Identity{Field: c.field, KeyedHash: c.hash, Person: c.person,
					AddedAt: store.At(noon.Add(time.Duration(i) * time.Second))})
				if n != c.holders {
					t.Errorf("%d: got %d holders, want %d", i, n, c.holders)
				}
				return err
			})
		}
		look(t, s, func(tx *store.Tx) error {
			holders, err := tx.IdentityHolders(ctx, "phone", "h1", 10)
			if fmt.Sprint(holders) != "[wei mallory]" {
				t.Errorf("holders: got %v", holders)
			}
			return err
		})
		do(t, s, func(tx *store.Tx) error { return tx.DropIdentities(ctx, "wei", "resident_id") })
		look(t, s, func(tx *store.Tx) error {
			n, err := tx.CountIdentity(ctx, "phone", "h1")
			if n != 1 {
				t.Errorf("after wei is gone: got %d holders, want 1", n)
			}
			if err != nil {
				return err
			}
			n, err = tx.CountIdentity(ctx, "resident_id", "h1")
			if n != 1 {
				t.Errorf("the field to keep: got %d holders, want 1", n)
			}
			return err
		})
	})
}

func TestPermitMovesOnlyFromWhereItIs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		p := store.Permit{PermitDigest: digest("permit"), Org: "bank", Visit: "v1", Ask: "trial", CreatedAt: store.At(noon)}
		do(t, s, func(tx *store.Tx) error { return tx.AddPermit(ctx, p) })
		refused(t, s, "record_exists", func(tx *store.Tx) error { return tx.AddPermit(ctx, p) })
		move := func(from, to, outcome string, now time.Time) func(tx *store.Tx) error {
			return func(tx *store.Tx) error { return tx.MovePermit(ctx, p.PermitDigest, from, to, outcome, now) }
		}
		do(t, s, move(store.PermitWanted, store.PermitIntended, "", noon.Add(time.Second)))
		refused(t, s, "permit_state_changed", move(store.PermitWanted, store.PermitIntended, "", noon))
		do(t, s, move(store.PermitIntended, store.PermitCalled, "", noon.Add(2*time.Second)))
		do(t, s, move(store.PermitCalled, store.PermitIntended, "", noon.Add(3*time.Second)))
		do(t, s, move(store.PermitIntended, store.PermitAnswered, digest("loaded"), noon.Add(4*time.Second)))
		refused(t, s, "permit_state_changed", move(store.PermitIntended, store.PermitCancelled, "", noon))
		refused(t, s, "permit_state_changed", func(tx *store.Tx) error {
			return tx.MovePermit(ctx, digest("no permit"), store.PermitWanted, store.PermitIntended, "", noon)
		})
		look(t, s, func(tx *store.Tx) error {
			got, err := tx.Permit(ctx, p.PermitDigest)
			want := p
			want.State, want.Attempts, want.OutcomeDigest = store.PermitAnswered, 2, digest("loaded")
			want.UpdatedAt = store.At(noon.Add(4 * time.Second))
			if err != nil || got != want {
				t.Errorf("got %+v %v, want %+v", got, err, want)
			}
			ofVisit, err := tx.PermitsOfVisit(ctx, "v1")
			if err != nil || len(ofVisit) != 1 || ofVisit[0] != want {
				t.Errorf("of the visit: got %+v %v", ofVisit, err)
			}
			answered, err := tx.PermitsInState(ctx, store.PermitAnswered, 10)
			if err != nil || len(answered) != 1 || answered[0] != want {
				t.Errorf("answered: got %+v %v", answered, err)
			}
			wanted, err := tx.PermitsInState(ctx, store.PermitWanted, 10)
			if len(wanted) != 0 {
				t.Errorf("wanted: got %+v", wanted)
			}
			return err
		})
	})
}
