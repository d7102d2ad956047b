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

func doorCheck() store.DoorCheck {
	return store.DoorCheck{NonceHash: digest("nonce"), Statement: digest("challenge"), Visit: "v1", SecretHash: digest("secret"),
		AskedAt: store.At(noon), ExpiresAt: store.At(noon.Add(90 * time.Second))}
}

func doorVerdict(n int, at time.Time) store.DoorVerdict {
	return store.DoorVerdict{NonceHash: digest("nonce"), Visit: "v1", Technician: "lan", Answer: digest(fmt.Sprint("answer", n)), Presentation: "a~b", Metres: -1, AnsweredAt: store.At(at)}
}

// Two hundred answers to one challenge, on either engine: exactly one is stored.
func TestDoorVerdictIsStoredOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		put := func(v store.DoorVerdict) func(tx *store.Tx) error {
			return func(tx *store.Tx) error { return tx.AddDoorVerdict(ctx, v) }
		}
		refused(t, s, "door_challenge_unknown", put(doorVerdict(0, noon)))
		do(t, s, func(tx *store.Tx) error { return tx.AddDoorCheck(ctx, doorCheck()) })
		refused(t, s, "record_exists", func(tx *store.Tx) error { return tx.AddDoorCheck(ctx, doorCheck()) })
		refused(t, s, "door_challenge_expired", put(doorVerdict(0, noon.Add(90*time.Second))))
		var stored, used atomic.Int64
		var wg sync.WaitGroup
		for n := range 200 {
			wg.Go(func() {
				switch err := s.Write(ctx, put(doorVerdict(n, noon.Add(time.Second)))); fault.CodeOf(err) {
				case "":
					stored.Add(1)
				case "door_challenge_used":
					used.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if stored.Load() != 1 || used.Load() != 199 {
			t.Errorf("%d stored, %d refused", stored.Load(), used.Load())
		}
		do(t, s, func(tx *store.Tx) error {
			_, there, err := tx.DoorVerdict(ctx, digest("nonce"))
			if !there {
				t.Error("the verdict is not there")
			}
			return err
		})
	})
}

func TestSpokenDigitsAreTriedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		do(t, s, func(tx *store.Tx) error { return tx.AddDoorCheck(ctx, doorCheck()) })
		speak := func(right bool) func(tx *store.Tx) error {
			return func(tx *store.Tx) error {
				c, err := tx.LastDoorCheck(ctx, "v1")
				if err != nil {
					return err
				}
				return tx.SpeakDoorCheck(ctx, c, right, noon)
			}
		}
		do(t, s, speak(false))
		refused(t, s, "door_challenge_used", speak(true))
		refused(t, s, "door_challenge_used", func(tx *store.Tx) error { return tx.AddDoorVerdict(ctx, doorVerdict(0, noon)) })
		do(t, s, func(tx *store.Tx) error {
			n, err := tx.DoorChecksSince(ctx, "v1", noon.Add(-time.Minute))
			if n != 1 {
				t.Errorf("%d checks", n)
			}
			return err
		})
	})
}

// A scan by somebody else is noted once a person, for a few people, and while nobody answered.
func TestDoorScansWarnAndBurnNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		scan := func(nonce, person string, at time.Time, want bool) {
			t.Helper()
			do(t, s, func(tx *store.Tx) error {
				added, err := tx.AddDoorScan(ctx, store.DoorScan{ID: digest(nonce + person), NonceHash: digest(nonce), Person: person, Org: "svc", Code: "door_other_person", ScannedAt: store.At(at)})
				if added != want {
					t.Errorf("%s noted %s: %v", nonce, person, added)
				}
				return err
			})
		}
		burnt := doorCheck()
		burnt.NonceHash, burnt.Statement = digest("burnt"), digest("another")
		do(t, s, func(tx *store.Tx) error { return tx.AddDoorCheck(ctx, doorCheck()) })
		do(t, s, func(tx *store.Tx) error { return tx.AddDoorCheck(ctx, burnt) })
		do(t, s, func(tx *store.Tx) error { return tx.SpeakDoorCheck(ctx, burnt, false, noon) })
		refused(t, s, "door_challenge_unknown", func(tx *store.Tx) error {
			_, err := tx.AddDoorScan(ctx, store.DoorScan{ID: digest("x"), NonceHash: digest("nobody's")})
			return err
		})
		scan("burnt", "bo", noon, false)
		scan("nonce", "bo", noon.Add(90*time.Second), false)
		for n := range store.MaxDoorScans {
			scan("nonce", fmt.Sprint("bo", n), noon.Add(time.Duration(n)*time.Second), true)
			scan("nonce", "bo0", noon.Add(time.Minute), false)
		}
		scan("nonce", "one too many", noon, false)
		do(t, s, func(tx *store.Tx) error { return tx.AddDoorVerdict(ctx, doorVerdict(0, noon.Add(time.Second))) })
		do(t, s, func(tx *store.Tx) error {
			list, err := tx.DoorScans(ctx, digest("nonce"))
			if len(list) != store.MaxDoorScans || list[0].Person != "bo0" {
				t.Errorf("%+v", list)
			}
			return err
		})
		do(t, s, func(tx *store.Tx) error {
			if n, err := tx.ForgetDoorChecks(ctx, noon.Add(time.Hour)); n != 3+store.MaxDoorScans || err != nil {
				t.Errorf("%d forgotten, %v", n, err)
			}
			return nil
		})
		do(t, s, func(tx *store.Tx) error { return tx.AddDoorCheck(ctx, doorCheck()) })
		do(t, s, func(tx *store.Tx) error { return tx.AddDoorVerdict(ctx, doorVerdict(0, noon)) })
		scan("nonce", "bo", noon, false)
	})
}

func TestDoorSecretIsReplacedAndChecksAreForgotten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for _, where := range []string{"old", "new"} {
			do(t, s, func(tx *store.Tx) error {
				return tx.PutDoorSecret(ctx, store.DoorSecret{Visit: "v1", Dispatch: digest(where), Subject: "wei", Commitment: digest(where), MadeAt: store.At(noon)})
			})
		}
		do(t, s, func(tx *store.Tx) error { return tx.AddDoorCheck(ctx, doorCheck()) })
		do(t, s, func(tx *store.Tx) error { return tx.AddDoorVerdict(ctx, doorVerdict(0, noon)) })
		do(t, s, func(tx *store.Tx) error {
			secret, there, err := tx.DoorSecret(ctx, "v1")
			if !there || secret.Commitment != digest("new") {
				t.Errorf("%+v", secret)
			}
			if _, there, err := tx.DoorSecret(ctx, "v2"); there || err != nil {
				t.Error("a secret of nobody", err)
			}
			return err
		})
		do(t, s, func(tx *store.Tx) error {
			n, err := tx.ForgetDoorChecks(ctx, noon.Add(time.Hour))
			if n != 2 {
				t.Errorf("%d forgotten", n)
			}
			return err
		})
		refused(t, s, "door_challenge_unknown", func(tx *store.Tx) error { return second(tx.DoorCheckBy(ctx, digest("challenge"))) })
	})
}
