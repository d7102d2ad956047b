package store_test

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/store/storetest"
)

// lease takes jobs of kind "call" at a time, for a minute.
func lease(t *testing.T, s *store.Store, limit int, now time.Time) (jobs []store.Job) {
	t.Helper()
	do(t, s, func(tx *store.Tx) (err error) {
		jobs, err = tx.LeaseJobs(t.Context(), "call", limit, now, time.Minute)
		return err
	})
	return jobs
}

func enqueue(t *testing.T, s *store.Store, key string, runAt time.Time, maxAttempts int) (added bool) {
	t.Helper()
	do(t, s, func(tx *store.Tx) (err error) {
		added, err = tx.EnqueueJob(t.Context(), "call", key, []byte("payload of "+key), noon, runAt, maxAttempts)
		return err
	})
	return added
}

func TestJobIsLeasedOnceAndDone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if !enqueue(t, s, "later", noon.Add(time.Hour), 0) || !enqueue(t, s, "first", noon, 0) ||
			!enqueue(t, s, "second", noon.Add(time.Second), 0) {
			t.Fatal("a new job was not added")
		}
		if enqueue(t, s, "first", noon, 0) {
			t.Error("the same kind and key was added twice")
		}
		now := noon.Add(2 * time.Second)
		jobs := lease(t, s, 1, now)
		if len(jobs) != 1 || jobs[0].Key != "first" || string(jobs[0].Payload) != "payload of first" || jobs[0].Attempts != 1 {
			t.Fatalf("first lease: got %+v", jobs)
		}
		rest := lease(t, s, 10, now)
		if len(rest) != 1 || rest[0].Key != "second" {
			t.Fatalf("second lease: got %+v", rest)
		}
		do(t, s, func(tx *store.Tx) error { return tx.CompleteJob(t.Context(), jobs[0], now) })
		refused(t, s, "job_lease_lost", func(tx *store.Tx) error { return tx.CompleteJob(t.Context(), jobs[0], now) })
		if enqueue(t, s, "first", noon, 0) {
			t.Error("a job that is done was added again")
		}
		do(t, s, func(tx *store.Tx) error {
			n, err := tx.ForgetDoneJobs(t.Context(), now.Add(time.Second))
			if n != 1 {
				t.Errorf("forgot %d jobs, want 1", n)
			}
			return err
		})
		if !enqueue(t, s, "first", noon, 0) {
			t.Error("a forgotten job's key stays taken")
		}
	})
}

func TestJobPassesToAnotherWorkerWhenItsLeaseRunsOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		enqueue(t, s, "k", noon, 0)
		slow := lease(t, s, 1, noon)
		if early := lease(t, s, 1, noon.Add(59*time.Second)); len(early) != 0 {
			t.Fatalf("leased twice at once: %+v", early)
		}
		quick := lease(t, s, 1, noon.Add(61*time.Second))
		if len(quick) != 1 || quick[0].Attempts != 2 {
			t.Fatalf("after the lease: got %+v", quick)
		}
		refused(t, s, "job_lease_lost", func(tx *store.Tx) error { return tx.CompleteJob(t.Context(), slow[0], noon) })
		refused(t, s, "job_lease_lost", func(tx *store.Tx) error { return tx.FailJob(t.Context(), slow[0], "late", noon) })
		do(t, s, func(tx *store.Tx) error { return tx.CompleteJob(t.Context(), quick[0], noon) })
	})
}

func TestFailedJobBacksOffUntilItIsDead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		enqueue(t, s, "k", noon, 3)
		now := noon
		for attempt, wait := range []time.Duration{time.Second, 2 * time.Second} {
			jobs := lease(t, s, 1, now)
			if len(jobs) != 1 {
				t.Fatalf("attempt %d: not due", attempt+1)
			}
			do(t, s, func(tx *store.Tx) error { return tx.FailJob(t.Context(), jobs[0], "host_silent", now) })
			if early := lease(t, s, 1, now.Add(wait-time.Millisecond)); len(early) != 0 {
				t.Fatalf("attempt %d: due before its back-off of %s", attempt+1, wait)
			}
			now = now.Add(wait)
		}
		last := lease(t, s, 1, now)
		do(t, s, func(tx *store.Tx) error { return tx.FailJob(t.Context(), last[0], "host_silent", now) })
		if again := lease(t, s, 1, now.Add(24*time.Hour)); len(again) != 0 {
			t.Errorf("a dead job was leased: %+v", again)
		}
		look(t, s, func(tx *store.Tx) error {
			dead, err := tx.DeadJobs(t.Context(), 10)
			if len(dead) != 1 || dead[0].LastError != "host_silent" || dead[0].Attempts != 3 || dead[0].State != store.JobDead {
				t.Errorf("dead letters: got %+v", dead)
			}
			return err
		})
		settled := settle(t, s, store.LetterQueuedAgain, now)
		refused(t, s, "record_not_found", func(tx *store.Tx) error { _, err := tx.DeadJob(t.Context(), settled.Letter()); return err })
		refused(t, s, "record_exists", func(tx *store.Tx) error {
			return tx.SettleDeadJob(t.Context(), settled, store.DeadLetterAct{Outcome: store.LetterSetAside, ActedAt: store.At(now)})
		})
		if again := lease(t, s, 1, now); len(again) != 1 || again[0].Attempts != 1 {
			t.Errorf("queued again: got %+v", again)
		}
	})
}

// settle does with the one dead job what an operator decided.
func settle(t *testing.T, s *store.Store, outcome string, now time.Time) (job store.Job) {
	t.Helper()
	do(t, s, func(tx *store.Tx) error {
		dead, err := tx.DeadJobsOf(t.Context(), "call", 10)
		if err != nil || len(dead) != 1 {
			t.Fatalf("%d dead letters, %v", len(dead), err)
		}
		if job, err = tx.DeadJob(t.Context(), dead[0].Letter()); err != nil || job.Key != dead[0].Key {
			t.Fatalf("%s is not found: %v", dead[0].Letter(), err)
		}
		return tx.SettleDeadJob(t.Context(), job, store.DeadLetterAct{Outcome: outcome, Reason: "mended", ActedBy: "ning", ActedAt: store.At(now)})
	})
	return job
}

// What was set aside is shown and counted no more, and is there: the job in its table, and who set it aside when and why.
func TestWhatIsSetAsideStays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		enqueue(t, s, "k", noon, 1)
		jobs := lease(t, s, 1, noon)
		do(t, s, func(tx *store.Tx) error { return tx.FailJob(t.Context(), jobs[0], "host_silent", noon) })
		settled := settle(t, s, store.LetterSetAside, noon.Add(time.Hour))
		look(t, s, func(tx *store.Tx) error {
			dead, err := tx.DeadJobs(t.Context(), 10)
			if err != nil {
				return err
			}
			waiting, err := tx.JobsWaiting(t.Context(), 10)
			if len(dead)+len(waiting) != 0 || err != nil {
				t.Errorf("%v, %v", dead, waiting)
			}
			if job, err := tx.Job(t.Context(), "call", "k"); err != nil || job.State != store.JobDead {
				t.Errorf("%+v, %v", job, err)
			}
			act, err := tx.DeadLetterAct(t.Context(), settled.Letter())
			if act.ActedBy != "ning" || act.Code != "host_silent" || act.Attempts != 1 || act.Outcome != store.LetterSetAside || act.ActedAt != store.At(noon.Add(time.Hour)) {
				t.Errorf("%+v", act)
			}
			return err
		})
		for _, letter := range []string{settled.Letter(), "", "x-y", "99999999999999999999-0"} {
			refused(t, s, "record_not_found", func(tx *store.Tx) error { _, err := tx.DeadJob(t.Context(), letter); return err })
		}
		refused(t, s, "record_exists", func(tx *store.Tx) error {
			return tx.SettleDeadJob(t.Context(), settled, store.DeadLetterAct{Outcome: store.LetterQueuedAgain, ActedAt: store.At(noon)})
		})
		if again := lease(t, s, 1, noon.Add(48*time.Hour)); len(again) != 0 {
			t.Errorf("leased: %+v", again)
		}
	})
}

// A job that ends the process never reports a failure; it must not come back for ever.
func TestJobWhoseWorkerAlwaysDiesBecomesDead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		enqueue(t, s, "poison", noon, 2)
		now := noon
		for range 2 {
			if jobs := lease(t, s, 1, now); len(jobs) != 1 {
				t.Fatal("not leased")
			}
			now = now.Add(time.Hour)
		}
		if jobs := lease(t, s, 1, now); len(jobs) != 0 {
			t.Errorf("leased a third time: %+v", jobs)
		}
		look(t, s, func(tx *store.Tx) error {
			dead, err := tx.DeadJobs(t.Context(), 10)
			if len(dead) != 1 || dead[0].Key != "poison" {
				t.Errorf("dead letters: got %+v", dead)
			}
			return err
		})
	})
}

func TestBackOffStopsAtAnHour(t *testing.T) {
	s := storetest.SQLite(t)
	enqueue(t, s, "k", noon, 40)
	now := noon
	var wait time.Duration
	for range 39 {
		jobs := lease(t, s, 1, now)
		if len(jobs) != 1 {
			t.Fatalf("not due after %s", wait)
		}
		do(t, s, func(tx *store.Tx) error { return tx.FailJob(t.Context(), jobs[0], "x", now) })
		look(t, s, func(tx *store.Tx) error {
			job, err := tx.Job(t.Context(), "call", "k")
			wait = job.RunAt.Time().Sub(now)
			now = job.RunAt.Time()
			return err
		})
		if wait > time.Hour || wait < time.Second {
			t.Fatalf("back-off of %s", wait)
		}
	}
	if wait != time.Hour {
		t.Errorf("last back-off: got %s, want 1h", wait)
	}
}

func TestSameRequestGetsItsRememberedAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		runs := 0
		submit := func(scope, key, request string) (answer store.Answer, err error) {
			err = s.Write(t.Context(), func(tx *store.Tx) error {
				remembered, found, err := tx.RememberedAnswer(t.Context(), scope, key, digest(request))
				if err != nil || found {
					answer = remembered
					return err
				}
				runs++
				answer = store.Answer{Scope: scope, Key: key, RequestDigest: digest(request), Status: 201,
					Response: []byte("done " + request), CreatedAt: store.At(noon)}
				return tx.RememberAnswer(t.Context(), answer)
			})
			return answer, err
		}
		for range 3 {
			answer, err := submit("token1", "key1", "admit")
			if err != nil || answer.Status != 201 || string(answer.Response) != "done admit" {
				t.Errorf("got %+v %v", answer, err)
			}
		}
		if runs != 1 {
			t.Errorf("ran %d times, want 1", runs)
		}
		if _, err := submit("token1", "key1", "refuse"); fault.CodeOf(err) != "idempotency_key_reused" || fault.KindOf(err) != fault.Conflict {
			t.Errorf("another request under the key: got %v", err)
		}
		if _, err := submit("token2", "key1", "refuse"); err != nil {
			t.Errorf("the key of another token: %v", err)
		}
		refused(t, s, "idempotency_key_reused", func(tx *store.Tx) error {
			return tx.RememberAnswer(t.Context(), store.Answer{Scope: "token1", Key: "key1", RequestDigest: digest("refuse")})
		})
		do(t, s, func(tx *store.Tx) error {
			if n, err := tx.ForgetAnswers(t.Context(), noon); n != 0 || err != nil {
				t.Errorf("forgot %d answers that are not older, %v", n, err)
			}
			n, err := tx.ForgetAnswers(t.Context(), noon.Add(time.Second))
			if n != 2 {
				t.Errorf("forgot %d answers, want 2", n)
			}
			return err
		})
	})
}

func TestTokenLivesUntilItExpiresOrIsRevoked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		token := func(id string, kind string) store.Token {
			return store.Token{ID: id, Hash: digest("secret of " + id), Kind: kind, Person: "lan", Org: "provider",
				Role: "technician", Label: "phone", CreatedAt: store.At(noon), ExpiresAt: store.At(noon.Add(time.Hour))}
		}
		do(t, s, func(tx *store.Tx) error {
			for id, kind := range map[string]string{"t1": store.TokenAPI, "t2": store.TokenLink, "t3": store.TokenSession} {
				if err := tx.AddToken(ctx, token(id, kind)); err != nil {
					return err
				}
			}
			return nil
		})
		sameSecret := token("t9", store.TokenAPI)
		sameSecret.Hash = digest("secret of t1")
		refused(t, s, "record_exists", func(tx *store.Tx) error { return tx.AddToken(ctx, sameSecret) })
		refused(t, s, "store_failed", func(tx *store.Tx) error { return tx.AddToken(ctx, token("t9", "master")) })

		live := func(id string, now time.Time) (code string) {
			look(t, s, func(tx *store.Tx) error {
				got, err := tx.LiveToken(ctx, digest("secret of "+id), now)
				if code = fault.CodeOf(err); code == "" && (got.ID != id || got.Person != "lan" || got.Role != "technician") {
					t.Errorf("%s: got %+v", id, got)
				}
				return nil
			})
			return code
		}
		do(t, s, func(tx *store.Tx) error { return tx.RevokeToken(ctx, "t2", noon) })
		do(t, s, func(tx *store.Tx) error { return tx.RevokeToken(ctx, "t2", noon.Add(time.Minute)) })
		for name, c := range map[string]struct {
			id   string
			now  time.Time
			code string
		}{
			"in its time":    {"t1", noon.Add(time.Hour - time.Millisecond), ""},
			"at its expiry":  {"t1", noon.Add(time.Hour), "token_unknown"},
			"revoked":        {"t2", noon, "token_unknown"},
			"never given":    {"t9", noon, "token_unknown"},
			"another's kind": {"t3", noon, ""},
		} {
			if got := live(c.id, c.now); got != c.code {
				t.Errorf("%s: got fault %q, want %q", name, got, c.code)
			}
		}
		do(t, s, func(tx *store.Tx) error {
			n, err := tx.RevokeTokensOf(ctx, "lan", noon)
			if n != 2 {
				t.Errorf("revoked %d tokens, want the 2 that were live", n)
			}
			return err
		})
		look(t, s, func(tx *store.Tx) error {
			all, err := tx.TokensOfPerson(ctx, "lan")
			if len(all) != 3 || all[1].RevokedAt != store.At(noon) {
				t.Errorf("tokens of lan: got %+v", all)
			}
			return err
		})
		do(t, s, func(tx *store.Tx) error {
			n, err := tx.ForgetTokens(ctx, noon.Add(2*time.Hour))
			if n != 3 {
				t.Errorf("forgot %d tokens, want 3", n)
			}
			return err
		})
	})
}

func TestSettingIsReplaced(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, value := range []string{"one", "二"} {
			do(t, s, func(tx *store.Tx) error { return tx.SetSetting(t.Context(), "k", value) })
			look(t, s, func(tx *store.Tx) error {
				got, err := tx.Setting(t.Context(), "k")
				if got != value {
					t.Errorf("got %q, want %q", got, value)
				}
				return err
			})
		}
	})
}

func TestInstantKeepsMilliseconds(t *testing.T) {
	moment := time.Date(2026, 11, 22, 20, 0, 0, 123_456_789, time.FixedZone("CST", 8*3600))
	if got := store.At(moment).Time(); !got.Equal(moment.Truncate(time.Millisecond)) || got.Location() != time.UTC {
		t.Errorf("got %v", got)
	}
	if store.At(time.Time{}) != 0 || !store.Instant(0).Time().IsZero() {
		t.Error("the zero time is not the instant 0")
	}
}
