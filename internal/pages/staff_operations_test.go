package pages

import (
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/transparency"
)

// Each thing that somebody has to see to is an alarm of its own, and what is within its time is none.
func TestWhatIsAnAlarm(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	well := app.Operations{At: now, BackupAt: now.Add(-25 * time.Hour), Outbox: app.Waiting{Count: 3, Since: now.Add(-time.Minute)}, Conflicts: app.Waiting{Count: 1, Since: now.Add(-time.Hour)},
		Log: transparency.Status{State: transparency.StateOK, Witnesses: []transparency.WitnessStatus{{Party: "a", OK: true}, {Party: "b"}}}, Reached: []app.Reached{{Kind: app.CallsHost, Name: "h"}}, Queues: []app.Queue{{Kind: "notice/desk", Ready: 9}}}
	if got := alarmsOf(well); len(got) != 0 {
		t.Errorf("%v", got)
	}
	for want, spoil := range map[string]func(*app.Operations){
		"log": func(o *app.Operations) { o.LogWhy = "log_damaged" },
		"witness": func(o *app.Operations) {
			o.Log.Witnesses = []transparency.WitnessStatus{{Party: "b", Why: "witness_lies"}}
		},
		"host": func(o *app.Operations) {
			o.Reached = []app.Reached{{Kind: app.CallsHost, Name: "h", Code: "host_unreachable"}}
		},
		"organisation": func(o *app.Operations) {
			o.Reached = []app.Reached{{Kind: app.CallsService, Name: "p", Code: "organisation_unreachable"}}
		},
		"dead":        func(o *app.Operations) { o.Queues = []app.Queue{{Kind: "notice/desk", Dead: 1}} },
		"late":        func(o *app.Operations) { o.Queues = []app.Queue{{Kind: "notice/desk", Late: true}} },
		"outbox":      func(o *app.Operations) { o.Outbox.Since = now.Add(-3 * time.Minute) },
		"backup.none": func(o *app.Operations) { o.BackupAt = time.Time{} },
		"backup.old":  func(o *app.Operations) { o.BackupAt = now.Add(-27 * time.Hour) },
		"conflicts":   func(o *app.Operations) { o.Conflicts.Since = now.Add(-25 * time.Hour) },
	} {
		o := well
		spoil(&o)
		got := alarmsOf(o)
		if len(got) != 1 || got[0].Key != want {
			t.Errorf("%s: %v", want, got)
		} else if place := got[0].section(); place != map[string]string{"witness": "log", "log": "log", "outbox": "log", "dead": "queues", "late": "queues", "host": "reached", "organisation": "reached"}[want] && place != "rest" {
			t.Errorf("%s leads to %s", want, place)
		}
		if text := say("ops.alarm." + want); text.Zh == "ops.alarm."+want {
			t.Errorf("nothing says what helps against %s", want)
		}
	}
	if !slices.Contains([]string{operationsPath}, HomeOf(app.RoleOperations)) {
		t.Errorf("whoever runs it comes to %s", HomeOf(app.RoleOperations))
	}
}
