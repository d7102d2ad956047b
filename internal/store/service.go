package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Job states.
const (
	JobReady = "ready"
	JobDone  = "done"
	JobDead  = "dead"
)

// defaultAttempts is how often a job is leased before it is dead, unless it says otherwise: with
// the back-off below, more than two hours.
const defaultAttempts = 12

// EnqueueJob adds a job that is due at runAt. A job of this kind and key that exists already, in
// any state, stays as it is: added says which. maxAttempts 0 means 12.
func (t *Tx) EnqueueJob(ctx context.Context, kind, key string, payload []byte, now, runAt time.Time, maxAttempts int) (added bool, err error) {
	if maxAttempts <= 0 {
		maxAttempts = defaultAttempts
	}
	n, err := t.q.insertJob(ctx, insertJobParams{
		Kind: kind, Key: key, Payload: filled(payload), State: JobReady, RunAt: At(runAt),
		MaxAttempts: int64(maxAttempts), CreatedAt: At(now),
	})
	return n == 1, t.wrap(err, "job")
}

// Job finds a job. Fault: record_not_found.
func (t *Tx) Job(ctx context.Context, kind, key string) (Job, error) {
	job, err := t.q.jobByKey(ctx, kind, key)
	return job, t.wrap(err, "job")
}

// LeaseJobs takes up to limit due jobs of a kind, oldest first, for the time of lease. A job whose
// lease has run out is due again; one that has used all its attempts that way becomes dead, since
// it may be what ends the process.
func (t *Tx) LeaseJobs(ctx context.Context, kind string, limit int, now time.Time, lease time.Duration) ([]Job, error) {
	due, err := t.q.dueJobs(ctx, kind, At(now), rows(limit))
	if err != nil {
		return nil, t.wrap(err, "jobs")
	}
	var leased []Job
	for _, job := range due {
		next := job
		if job.Attempts >= job.MaxAttempts {
			next.State, next.LastError = JobDead, "lease ran out at the last attempt"
		} else {
			next.Attempts++
			next.LeaseUntil = At(now.Add(lease))
			next.RunAt = next.LeaseUntil
		}
		if err := t.moveJob(ctx, job, next); err != nil {
			return nil, err
		}
		if next.State == JobReady {
			leased = append(leased, next)
		}
	}
	return leased, nil
}

// CompleteJob ends a leased job. Fault: job_lease_lost when its lease has passed to another worker.
func (t *Tx) CompleteJob(ctx context.Context, job Job, now time.Time) error {
	next := job
	next.State, next.RunAt, next.LastError = JobDone, At(now), ""
	return t.moveJob(ctx, job, next)
}

// FailJob gives a leased job back: due again after a back-off that doubles from a second to an
// hour, or dead when its attempts are used up. reason is for operators: a fault code, never a
// personal value. Fault: job_lease_lost.
func (t *Tx) FailJob(ctx context.Context, job Job, reason string, now time.Time) error {
	next := job
	next.LastError = reason
	next.RunAt = At(now.Add(backOff(job.Attempts)))
	if job.Attempts >= job.MaxAttempts {
		next.State, next.RunAt = JobDead, At(now)
	}
	return t.moveJob(ctx, job, next)
}

func backOff(attempts int64) time.Duration {
	const longest = time.Hour
	if attempts > 12 { // 2^12 s is over an hour
		return longest
	}
	return min(time.Second<<max(attempts-1, 0), longest)
}

// JobsWaiting counts the jobs of each kind that are ready, or dead and not set aside, up to limit lines.
func (t *Tx) JobsWaiting(ctx context.Context, limit int) ([]JobsWaiting, error) {
	list, err := t.q.jobsWaiting(ctx, rows(limit))
	out := make([]JobsWaiting, 0, len(list))
	for _, r := range list {
		out = append(out, JobsWaiting{Kind: r.Kind, State: r.State, Jobs: r.Jobs, OldestRunAt: Instant(r.OldestRunAt), MostAttempts: r.MostAttempts})
	}
	return out, t.wrap(err, "jobs")
}

// JobsWaiting is how many jobs of a kind are in a state.
type JobsWaiting struct {
	Kind, State  string
	Jobs         int64
	OldestRunAt  Instant // when the one that is due longest was to run
	MostAttempts int64
}

// ForgetDoneJobs removes jobs done before a time; their keys may then be used again.
func (t *Tx) ForgetDoneJobs(ctx context.Context, before time.Time) (int, error) {
	n, err := t.q.deleteDoneJobs(ctx, At(before))
	return int(n), t.wrap(err, "jobs")
}

// moveJob changes a job only while it is as the caller saw it.
func (t *Tx) moveJob(ctx context.Context, old, next Job) error {
	n, err := t.q.moveJob(ctx, moveJobParams{
		Kind: old.Kind, Key: old.Key, Attempts: old.Attempts, OldState: old.State, State: next.State,
		RunAt: next.RunAt, LeaseUntil: next.LeaseUntil, Attempts_2: next.Attempts, LastError: next.LastError,
	})
	if err != nil {
		return t.wrap(err, "job")
	}
	if n != 1 {
		return errJobLease.At(old.Kind)
	}
	return nil
}

// RememberedAnswer gives what a request with this idempotency key was answered, found=false when
// the key is new. Fault: idempotency_key_reused when it belonged to another request.
func (t *Tx) RememberedAnswer(ctx context.Context, scope, key, requestDigest string) (answer Answer, found bool, err error) {
	answer, err = t.q.answer(ctx, scope, key)
	if errors.Is(err, sql.ErrNoRows) {
		return Answer{}, false, nil
	}
	if err != nil {
		return Answer{}, false, t.wrap(err, "answer")
	}
	if answer.RequestDigest != requestDigest {
		return Answer{}, false, errKeyReused
	}
	return answer, true, nil
}

// RememberAnswer keeps an answer, in the transaction of what it answers for. The response must
// hold no personal value. Fault: idempotency_key_reused when the key is taken.
func (t *Tx) RememberAnswer(ctx context.Context, a Answer) error {
	a.Response = filled(a.Response)
	n, err := t.q.insertAnswer(ctx, insertAnswerParams(a))
	if err == nil && n != 1 {
		return errKeyReused
	}
	return t.wrap(err, "answer")
}

// ForgetAnswers removes the answers given before a time.
func (t *Tx) ForgetAnswers(ctx context.Context, before time.Time) (int, error) {
	n, err := t.q.deleteAnswers(ctx, At(before))
	return int(n), t.wrap(err, "answers")
}

// Token kinds.
const (
	TokenAPI     = "api"
	TokenLink    = "link"
	TokenSession = "session"
)

// AddToken keeps a token by the hash of its secret. Fault: record_exists when id or hash is taken.
func (t *Tx) AddToken(ctx context.Context, token Token) error {
	n, err := t.q.insertToken(ctx, insertTokenParams(token))
	if err == nil && n != 1 {
		return errExists.At("token")
	}
	return t.sealed(ctx, t.wrap(err, "token"), "tokens", "id", token.ID)
}

// LiveToken finds the token of a secret's hash that is neither over nor revoked. Fault:
// token_unknown, whatever the reason.
func (t *Tx) LiveToken(ctx context.Context, hash string, now time.Time) (Token, error) {
	token, err := t.q.liveToken(ctx, hash, At(now))
	if errors.Is(err, sql.ErrNoRows) {
		return Token{}, errTokenUnknown
	}
	return token, t.wrap(err, "token")
}

// TokensOfPerson gives all tokens of a person, oldest first, with those that are over.
func (t *Tx) TokensOfPerson(ctx context.Context, person string) ([]Token, error) {
	tokens, err := t.q.tokensOfPerson(ctx, person)
	return tokens, t.wrap(err, "tokens")
}

// RevokeToken ends a token; one that is revoked or unknown stays so.
func (t *Tx) RevokeToken(ctx context.Context, id string, now time.Time) error {
	_, err := t.q.revokeToken(ctx, id, At(now))
	return t.sealed(ctx, t.wrap(err, "token"), "tokens", "id", id)
}

// RevokeTokensOf ends every token of a person and says how many.
func (t *Tx) RevokeTokensOf(ctx context.Context, person string, now time.Time) (int, error) {
	n, err := t.q.revokeTokensOf(ctx, person, At(now))
	return int(n), t.sealed(ctx, t.wrap(err, "tokens"), "tokens", "person", person)
}

// ForgetTokens removes tokens that expired before a time.
func (t *Tx) ForgetTokens(ctx context.Context, before time.Time) (int, error) {
	n, err := t.q.deleteTokens(ctx, At(before))
	if err == nil && n > 0 {
		err = t.q.deleteSealsOfTokens(ctx)
	}
	return int(n), t.wrap(err, "tokens")
}

// SetSetting keeps a named text.
func (t *Tx) SetSetting(ctx context.Context, key, value string) error {
	return t.sealed(ctx, t.wrap(t.q.setSetting(ctx, key, value), "setting"), "settings", "key", key)
}

// Setting gives a named text. Fault: record_not_found.
func (t *Tx) Setting(ctx context.Context, key string) (string, error) {
	value, err := t.q.setting(ctx, key)
	return value, t.wrap(err, "setting "+key)
}

// filled makes nil bytes empty bytes: a column of bytes is never NULL.
func filled(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}
