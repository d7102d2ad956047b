package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// DeadJobs gives up to limit dead letters, oldest first, without those that were set aside.
func (t *Tx) DeadJobs(ctx context.Context, limit int) ([]Job, error) {
	jobs, err := t.q.deadJobs(ctx, rows(limit))
	return jobs, t.wrap(err, "jobs")
}

// DeadJobsOf gives those of one kind.
func (t *Tx) DeadJobsOf(ctx context.Context, kind string, limit int) ([]Job, error) {
	jobs, err := t.q.deadJobsOf(ctx, kind, rows(limit))
	return jobs, t.wrap(err, "jobs")
}

// DeadJob finds the dead job that a letter names. Fault: record_not_found, also when it is dead no more.
func (t *Tx) DeadJob(ctx context.Context, letter string) (Job, error) {
	at, _, _ := strings.Cut(letter, "-")
	died, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return Job{}, errNotFound.At("dead letter")
	}
	jobs, err := t.q.jobsDeadAt(ctx, Instant(died))
	if err != nil {
		return Job{}, t.wrap(err, "jobs")
	}
	for _, job := range jobs {
		if job.Letter() == letter {
			return job, nil
		}
	}
	return Job{}, errNotFound.At("dead letter")
}

// Letter names a dead job and its death for people who may not read its key: it may hold a visit's id. The same job,
// queued again and dead again, is another letter.
func (j Job) Letter() string {
	sum := sha256.Sum256([]byte(j.Kind + "\x00" + j.Key + "\x00" + strconv.FormatInt(int64(j.RunAt), 10)))
	return strconv.FormatInt(int64(j.RunAt), 10) + "-" + hex.EncodeToString(sum[:8])
}

// What becomes of a dead letter.
const (
	LetterQueuedAgain = "queued_again"
	LetterSetAside    = "set_aside"
)

// SettleDeadJob does with a dead job what an act says, and keeps the act: all its attempts again, or set aside for good.
// Letter, kind, key, code and attempts are the job's. Faults: record_exists when the letter was settled, job_lease_lost
// when the job is not as the caller saw it.
func (t *Tx) SettleDeadJob(ctx context.Context, job Job, act DeadLetterAct) error {
	act.Letter, act.Kind, act.Key, act.Code, act.Attempts = job.Letter(), job.Kind, job.Key, job.LastError, job.Attempts
	n, err := t.q.insertDeadLetterAct(ctx, insertDeadLetterActParams(act))
	if err == nil && n != 1 {
		return errExists.At("dead letter")
	}
	if err := t.sealed(ctx, t.wrap(err, "dead letter"), "dead_letter_acts", "letter", act.Letter); err != nil {
		return err
	}
	next := job
	if act.Outcome == LetterQueuedAgain {
		next.State, next.Attempts, next.RunAt = JobReady, 0, act.ActedAt
	}
	return t.moveJob(ctx, job, next) // what is set aside stays where it is: the move only says that it is still there
}

// DeadLetterAct finds what was done about a letter. Fault: record_not_found.
func (t *Tx) DeadLetterAct(ctx context.Context, letter string) (DeadLetterAct, error) {
	act, err := t.q.deadLetterAct(ctx, letter)
	return act, t.wrap(err, "dead letter")
}

// DeadLetterActs gives up to limit acts, newest first.
func (t *Tx) DeadLetterActs(ctx context.Context, limit int) ([]DeadLetterAct, error) {
	acts, err := t.q.deadLetterActs(ctx, rows(limit))
	return acts, t.wrap(err, "dead letters")
}
