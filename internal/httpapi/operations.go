package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

// Operations is how the deployment does. No visit, person or value of anybody is in it.
type Operations struct {
	At        statement.Time `json:"at"`
	Log       OperationsLog  `json:"log"`
	Outbox    Backlog        `json:"outbox" doc:"leaves on their way into the log, or without a receipt"`
	Queues    []QueueRow     `json:"queues" nullable:"false" doc:"by kind; those of notices are notice/RECEIVER"`
	Dead      []DeadRow      `json:"dead" nullable:"false" doc:"jobs whose attempts are used up and that nobody set aside, oldest first, at most 50"`
	DeadActs  []DeadAct      `json:"dead_acts" nullable:"false" doc:"what was done about such jobs, newest first, at most 20"`
	Reached   []ReachedRow   `json:"reached" nullable:"false" doc:"hosts and organisations' own services, as this process's own calls found them"`
	BackupAt  statement.Time `json:"backup_at" doc:"of the newest backup that the command made, empty for none"`
	Unsent    UnsentRow      `json:"unsent" doc:"what technicians' phones said that they had not sent"`
	Conflicts Backlog        `json:"conflicts" doc:"contradictions that nobody has settled"`
}

// OperationsLog is how the log and its witnesses do.
type OperationsLog struct {
	State       string         `json:"state" enum:"starting,ok,waiting_for_witnesses,damaged,closed," doc:"empty: this node runs no log"`
	Why         string         `json:"why" doc:"code, empty when all is well"`
	Size        uint64         `json:"size" doc:"leaves"`
	Witnessed   uint64         `json:"witnessed" doc:"leaves under the latest witnessed checkpoint"`
	WitnessedAt statement.Time `json:"witnessed_at" doc:"empty for never"`
	Witnesses   []WitnessRow   `json:"witnesses" nullable:"false"`
}

// WitnessRow is one witness.
type WitnessRow struct {
	Party      string         `json:"party"`
	OK         bool           `json:"ok"`
	Why        string         `json:"why"`
	CosignedAt statement.Time `json:"cosigned_at" doc:"empty for never"`
}

// Backlog is how much waits, and since when.
type Backlog struct {
	Count int64          `json:"count"`
	Since statement.Time `json:"since" doc:"empty for nothing"`
}

// QueueRow is one kind of job.
type QueueRow struct {
	Kind  string         `json:"kind"`
	Ready int64          `json:"ready"`
	Dead  int64          `json:"dead"`
	DueAt statement.Time `json:"due_at" doc:"of the one that is due longest"`
	Late  bool           `json:"late" doc:"due over two minutes ago"`
	Tries int64          `json:"tries" doc:"of the one that was tried most"`
}

// DeadRow is one dead letter.
type DeadRow struct {
	Letter    string         `json:"letter" doc:"names it, and this death of it, to settle_dead_letter"`
	Kind      string         `json:"kind"`
	Code      string         `json:"code" doc:"of its last failure"`
	Tries     int64          `json:"tries"`
	CreatedAt statement.Time `json:"created_at"`
	DiedAt    statement.Time `json:"died_at"`
	MayAside  bool           `json:"may_aside" doc:"it may be set aside; what takes power back or reports something may only be queued again"`
}

// DeadAct is what somebody did about a dead letter.
type DeadAct struct {
	Kind    string         `json:"kind"`
	Code    string         `json:"code" doc:"of the failure that it died of"`
	Outcome string         `json:"outcome" enum:"queued_again,set_aside"`
	Reason  string         `json:"reason"`
	By      string         `json:"by" doc:"id of a person who runs the deployment"`
	At      statement.Time `json:"at"`
}

// DeadLetterRequest says what becomes of one dead letter, or of all in a queue.
type DeadLetterRequest struct {
	Letter  string `json:"letter" maxLength:"64" doc:"一件 · one dead letter; empty when queue is given"`
	Queue   string `json:"queue" maxLength:"100" doc:"一队，最多 500 件 · a kind of job: at most 500 of its dead letters, oldest first; empty when letter is given"`
	Outcome string `json:"outcome" enum:"queued_again,set_aside" doc:"重排，或者不再办 · back into its queue with all attempts, or left undone for good"`
	Reason  string `json:"reason" enum:"mended,answers_again,try_once_more,receiver_gone,too_late,done_otherwise,mistake" doc:"前三个是重排的，后四个是不再办的 · the first three to queue again, the others to set aside"`
}

// DeadLettersSettled says how many a decision was about.
type DeadLettersSettled struct {
	Settled int `json:"settled"`
}

// ReachedRow is whom this process calls.
type ReachedRow struct {
	Kind       string         `json:"kind" enum:"host,organisation"`
	Name       string         `json:"name"`
	AnsweredAt statement.Time `json:"answered_at" doc:"empty for not since the start"`
	FailedAt   statement.Time `json:"failed_at"`
	Code       string         `json:"code" doc:"of the last call, empty if it was answered"`
}

// UnsentRow counts what phones have not sent.
type UnsentRow struct {
	Phones     int64 `json:"phones"`
	Statements int64 `json:"statements"`
	Photos     int64 `json:"photos"`
}

func (a *API) operationsOperations() {
	eg := Operations{At: egTime, Log: OperationsLog{State: "ok", Size: 4711, Witnessed: 4711, WitnessedAt: egTime, Witnesses: []WitnessRow{{Party: "witness.assoc", OK: true, CosignedAt: egTime}}},
		Queues: []QueueRow{{Kind: "notice/desk", Ready: 2, DueAt: egTime}}, Dead: []DeadRow{}, DeadActs: []DeadAct{}, Reached: []ReachedRow{{Kind: app.CallsHost, Name: "jianghe", AnsweredAt: egTime}}, BackupAt: egTime}
	op := operation{id: "read_operations", method: http.MethodGet, path: "/v1/operations", tag: "service", zh: "整套服务现在怎么样", en: "how the deployment does",
		success: http.StatusOK, answer: eg}
	op.more = "For role operations of the operator's own organisation. Of the log, /readyz says the same to anybody, without the numbers."
	register(a, op, func(ctx context.Context, _ *struct{}) (*answered[Operations], error) {
		o, err := a.app.Operations(ctx, actorOf(ctx))
		if err != nil {
			return nil, err
		}
		return &answered[Operations]{Status: http.StatusOK, Body: operationsBody(o)}, nil
	})
}

// deadLetterOperations is what is done about jobs whose attempts are used up.
func (a *API) deadLetterOperations() {
	op := operation{id: access.SettleDeadLetter, method: http.MethodPost, path: "/v1/operations/" + access.SettleDeadLetter, tag: "service", zh: "不再试的，重排或者不再办", en: "queue a dead letter again, or set it aside",
		success: http.StatusOK, request: DeadLetterRequest{Letter: "1795348800000-1a2b3c4d5e6f7081", Outcome: store.LetterQueuedAgain, Reason: "mended"}, answer: DeadLettersSettled{Settled: 1}}
	op.more = "For role operations of the operator's own organisation. Who, when and why is kept, and no job is removed. The same decision about the same letter again changes nothing."
	register(a, op, func(ctx context.Context, in *keyedPost[DeadLetterRequest]) (*answered[DeadLettersSettled], error) {
		n, err := a.app.SettleDeadLetter(ctx, actorOf(ctx), app.DeadLetterSettlement(in.Body.value))
		return &answered[DeadLettersSettled]{Status: http.StatusOK, Body: DeadLettersSettled{Settled: n}}, err
	})
}

// moment is a time as the API writes it, empty for none.
func moment(t time.Time) statement.Time {
	if t.IsZero() {
		return ""
	}
	return statement.At(t)
}

func operationsBody(o app.Operations) Operations {
	out := Operations{At: moment(o.At), Outbox: Backlog{o.Outbox.Count, moment(o.Outbox.Since)}, Conflicts: Backlog{o.Conflicts.Count, moment(o.Conflicts.Since)}, BackupAt: moment(o.BackupAt),
		Unsent: UnsentRow{Phones: o.Phones, Statements: o.Unsent.Statements, Photos: o.Unsent.Photos}, Queues: []QueueRow{}, Dead: []DeadRow{}, DeadActs: []DeadAct{}, Reached: []ReachedRow{},
		Log: OperationsLog{State: string(o.Log.State), Why: o.LogWhy, Size: o.Log.Size, Witnessed: o.Log.Witnessed, WitnessedAt: moment(o.Log.WitnessedAt), Witnesses: []WitnessRow{}}}
	for _, w := range o.Log.Witnesses {
		out.Log.Witnesses = append(out.Log.Witnesses, WitnessRow{Party: w.Party, OK: w.OK, Why: w.Why, CosignedAt: moment(w.CosignedAt)})
	}
	for _, q := range o.Queues {
		out.Queues = append(out.Queues, QueueRow{Kind: q.Kind, Ready: q.Ready, Dead: q.Dead, DueAt: moment(q.DueAt), Late: q.Late, Tries: q.Tries})
	}
	for _, d := range o.Dead {
		out.Dead = append(out.Dead, DeadRow{Letter: d.Letter, Kind: d.Kind, Code: d.Code, Tries: d.Tries, CreatedAt: moment(d.CreatedAt), DiedAt: moment(d.DiedAt), MayAside: d.MayAside})
	}
	for _, d := range o.DeadActs {
		out.DeadActs = append(out.DeadActs, DeadAct{Kind: d.Kind, Code: d.Code, Outcome: d.Outcome, Reason: d.Reason, By: d.By, At: moment(d.At)})
	}
	for _, r := range o.Reached {
		out.Reached = append(out.Reached, ReachedRow{Kind: r.Kind, Name: r.Name, AnsweredAt: moment(r.AnsweredAt), FailedAt: moment(r.FailedAt), Code: r.Code})
	}
	return out
}
