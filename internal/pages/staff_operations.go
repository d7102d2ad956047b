package pages

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/transparency"
)

const operationsPath = "/staff/operations"

// What is taken for too old, each with a reserve for a slow morning.
const (
	backupLate   = 26 * time.Hour
	conflictLate = 24 * time.Hour
	outboxLate   = 2 * time.Minute
)

// OperationsView is how the deployment does, and what of it somebody has to see to.
type OperationsView struct {
	app.Operations
	Alarms []Alarm
	Done   string // what was just done about dead letters, "" for nothing
	N      int    // to how many
}

// Alarm is one thing to see to.
type Alarm struct {
	Key  string // of its text: what it is and what helps
	What string // which witness, host or queue; "" where there is one of its kind
	Code string
}

func (s *Server) operations(w http.ResponseWriter, r *http.Request) error {
	p, err := s.signedIn(w, r)
	if err != nil {
		return err
	}
	v := OperationsView{}
	if v.Operations, err = s.Desk.App.Operations(r.Context(), actorOf(p.viewer)); err != nil {
		return err
	}
	v.Alarms = alarmsOf(v.Operations)
	if done := r.URL.Query().Get("done"); slices.Contains(deadOutcomes, done) {
		v.Done = done
		v.N, _ = strconv.Atoi(r.URL.Query().Get("n")) // it is only said, and 0 says nothing wrong
	}
	return s.show(r.Context(), w, http.StatusOK, operationsPage(p, v))
}

// alarmsOf lists what is to be seen to, the worst first.
func alarmsOf(o app.Operations) (out []Alarm) {
	add := func(yes bool, a Alarm) {
		if yes {
			out = append(out, a)
		}
	}
	add(o.LogWhy != "", Alarm{Key: "log", Code: o.LogWhy})
	for _, w := range o.Log.Witnesses {
		add(!w.OK && w.Why != "", Alarm{Key: "witness", What: w.Party, Code: w.Why})
	}
	for _, r := range o.Reached {
		add(r.Code != "", Alarm{Key: r.Kind, What: r.Name, Code: r.Code})
	}
	for _, q := range o.Queues {
		add(q.Dead > 0, Alarm{Key: "dead", What: q.Kind})
		add(q.Late, Alarm{Key: "late", What: q.Kind})
	}
	add(waits(o.At, o.Outbox, outboxLate), Alarm{Key: "outbox"})
	add(o.BackupAt.IsZero(), Alarm{Key: "backup.none"})
	add(!o.BackupAt.IsZero() && o.At.Sub(o.BackupAt) > backupLate, Alarm{Key: "backup.old"})
	add(waits(o.At, o.Conflicts, conflictLate), Alarm{Key: "conflicts"})
	return out
}

// section is the id of the part of the page that tells more of it.
func (a Alarm) section() string {
	switch a.Key {
	case "log", "witness", "outbox":
		return "log"
	case "dead", "late":
		return "queues"
	case "backup.none", "backup.old", "conflicts":
		return "rest"
	}
	return "reached"
}

func waits(now time.Time, w app.Waiting, long time.Duration) bool {
	return w.Count > 0 && now.Sub(w.Since) > long
}

// queueName is a kind of job for people: notices by their receiver, others by what they do.
func (p *page) queueName(kind string) string {
	if receiver, is := strings.CutPrefix(kind, "notice/"); is {
		return p.t("ops.queue.notice") + " " + receiver
	}
	if _, known := operationsWords["ops.queue."+kind]; known {
		return p.t("ops.queue." + kind)
	}
	return kind
}

// since is a moment with its age, "" for none.
func (p *page) since(at time.Time) string {
	if at.IsZero() {
		return p.t("ops.never")
	}
	return p.at(at) + p.t("colon") + p.ago("ops.ago", at)
}

// logLevel says how the log stands.
func logLevel(o app.Operations) string {
	switch {
	case o.LogWhy != "":
		return LevelStop
	case o.Log.State == transparency.StateOK:
		return LevelGood
	}
	return LevelWait
}

// reachedLevel says how somebody whom we call stands.
func reachedLevel(r app.Reached) string {
	switch {
	case r.Code != "":
		return LevelStop
	case r.AnsweredAt.IsZero():
		return LevelWait
	}
	return LevelGood
}

// witnessLevel says how a witness stands.
func witnessLevel(w transparency.WitnessStatus) string {
	switch {
	case w.OK:
		return LevelGood
	case w.Why != "":
		return LevelStop
	}
	return LevelWait
}

// runsIt says whether somebody runs the deployment.
func runsIt(v Viewer) bool { return access.Role(v.Role) == access.Operations }
