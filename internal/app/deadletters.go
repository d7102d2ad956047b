package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// DeadLetter is a job whose attempts are used up.
type DeadLetter struct {
	Letter    string // names it without its key, which may be a visit's id
	Kind      string
	Code      string // of its last failure
	Tries     int64
	CreatedAt time.Time
	DiedAt    time.Time
	MayAside  bool // set it aside
}

// DeadLetterAct is what somebody did about one: written once.
type DeadLetterAct struct {
	Kind    string
	Code    string // of the failure that it died of
	Outcome string
	Reason  string
	By      string
	At      time.Time
}

// DeadLetterReasons are why a dead letter may be settled in each way: codes, so that nobody writes a personal value.
var DeadLetterReasons = map[string][]string{
	store.LetterQueuedAgain: {"mended", "answers_again", "try_once_more"},
	store.LetterSetAside:    {"receiver_gone", "too_late", "done_otherwise", "mistake"},
}

// DeadLetterSettlement is what whoever runs the deployment decided about one dead letter, or about all of a queue.
type DeadLetterSettlement struct {
	Letter  string // or
	Queue   string // a kind of job
	Outcome string
	Reason  string
}

// mostSettled bounds what one decision about a queue settles; the page says what is left.
const mostSettled = 500

var (
	errLetterUnknown = fault.New(fault.NotFound, "dead_letter_not_found", "没有这一件，或者它已经不在“不再试”里了。", "There is no such dead letter, or it is one no more.")
	errLetterSettled = fault.New(fault.Conflict, "dead_letter_settled", "这一件已经有人处理过了，处理得和您选的不一样。请看记下的处理。", "Somebody settled this dead letter already, and otherwise than you chose; see what was noted.")
	errLetterOutcome = fault.New(fault.Invalid, "dead_letter_outcome_unknown", "怎么处理、为什么，只能选规定的几种；要么指一件，要么指一个队。", "Outcome and reason are not ones that this service knows, or neither or both of letter and queue are named.")
	errLetterNeeded  = fault.New(fault.Refused, "dead_letter_not_to_set_aside", "这一件是收回权力、停住或者报出问题的，不能不办，只能重排。先看代码把原因处理好。",
		"This one takes power back, or stops or reports something: it cannot be set aside, only queued again. See its code and mend the cause first.")
)

// mayAside says whether a job may be left undone for good: what tells, watches or gives power. What takes power back,
// and what reports that something is wrong, may not.
func mayAside(j store.Job) bool {
	if j.Kind == JobStatement {
		var s orgapi.Signed
		err := statement.Decode(j.Payload, &s)
		return err == nil && !slices.Contains([]string{visit.RevokeBadge, visit.EndEnrolment, visit.Freeze}, s.Verb)
	}
	return strings.HasPrefix(j.Kind, noticeJobs) || slices.Contains([]string{JobRelease, JobWatch, JobTicketClock, JobDoorCall}, j.Kind)
}

func deadLetterOf(j store.Job) DeadLetter {
	return DeadLetter{Letter: j.Letter(), Kind: j.Kind, Code: j.LastError, Tries: j.Attempts, CreatedAt: j.CreatedAt.Time(), DiedAt: j.RunAt.Time(), MayAside: mayAside(j)}
}

// runsIt refuses everybody but whoever runs the deployment.
func (a *App) runsIt(actor Actor, verb string) error {
	rel := access.None
	if actor.Organisation == a.Operator {
		rel = access.OwnOrganisation
	}
	return access.Require(access.Role(actor.Role), verb, rel)
}

// DeadLetters gives the one that a letter names, or those of a queue, oldest first: what is about to be settled. Faults:
// access_denied, dead_letter_not_found.
func (a *App) DeadLetters(ctx context.Context, actor Actor, letter, queue string) (out []DeadLetter, err error) {
	if err := a.runsIt(actor, access.SettleDeadLetter); err != nil {
		return nil, err
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		jobs, err := deadJobs(ctx, tx, letter, queue)
		for _, j := range jobs {
			out = append(out, deadLetterOf(j))
		}
		return err
	})
	if err == nil && len(out) == 0 {
		err = errLetterUnknown
	}
	return out, err
}

func deadJobs(ctx context.Context, tx *store.Tx, letter, queue string) ([]store.Job, error) {
	if letter == "" {
		return tx.DeadJobsOf(ctx, queue, mostSettled)
	}
	j, err := tx.DeadJob(ctx, letter)
	if fault.KindOf(err) == fault.NotFound {
		return nil, errLetterUnknown
	}
	return []store.Job{j}, err
}

// SettleDeadLetter returns a dead letter, or up to 500 of a queue, to the queue with all attempts, or sets it aside for
// good; who, when and why is kept, and no job is removed. It says how many. The same decision about the same letter again changes nothing and
// counts as one; about a queue with nothing dead in it, as none. Faults: access_denied, dead_letter_outcome_unknown,
// dead_letter_not_found, dead_letter_settled, dead_letter_not_to_set_aside.
func (a *App) SettleDeadLetter(ctx context.Context, actor Actor, s DeadLetterSettlement) (settled int, err error) {
	if err := a.runsIt(actor, access.SettleDeadLetter); err != nil {
		return 0, err
	}
	if !slices.Contains(DeadLetterReasons[s.Outcome], s.Reason) || (s.Letter == "") == (s.Queue == "") {
		return 0, errLetterOutcome
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		settled = 0
		if s.Letter != "" {
			done, err := tx.DeadLetterAct(ctx, s.Letter)
			if err == nil && done.Outcome != s.Outcome {
				return errLetterSettled
			}
			if fault.KindOf(err) != fault.NotFound {
				settled = 1
				return err
			}
		}
		jobs, err := deadJobs(ctx, tx, s.Letter, s.Queue)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			if s.Outcome == store.LetterSetAside && !mayAside(j) {
				return errLetterNeeded.At(j.Kind)
			}
			act := store.DeadLetterAct{Outcome: s.Outcome, Reason: s.Reason, ActedBy: actor.Person, ActedAt: store.At(a.Now())}
			if err := tx.SettleDeadJob(ctx, j, act); err != nil {
				return err
			}
		}
		settled = len(jobs)
		return nil
	})
	return settled, err
}
