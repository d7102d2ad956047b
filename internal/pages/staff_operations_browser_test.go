//go:build browser

package pages

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/store"
)

// Whoever runs the deployment opens one page: what is wrong stands on top with what helps, then all is well; it shows
// nobody's visit, and nobody else opens it.
func TestWhoeverRunsItSeesHowItDoes(t *testing.T) {
	t.Parallel()
	o, _ := acquirersOffice(t)
	ctx := t.Context()
	if err := o.play.Book(ctx); err != nil {
		t.Fatal(err)
	}
	_, token, err := o.App.IssueToken(ctx, app.TokenGrant{Kind: store.TokenSession, Person: "ning", Organisation: o.App.Operator, Role: app.RoleOperations, Label: "desk", Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.EnqueueJob(ctx, app.JobNotice("desk"), "n-1", []byte("{}"), now, now.Add(-time.Hour), 1); err != nil {
			return err
		}
		leased, err := tx.LeaseJobs(ctx, app.JobNotice("desk"), 1, now, time.Minute)
		if err != nil {
			return err
		}
		return tx.FailJob(ctx, leased[0], "hook_unreachable", now)
	})
	if err != nil {
		t.Fatal(err)
	}
	o.as(token)
	o.open("/staff/operations?lang=zh")
	o.until(`document.querySelector("[data-alarm=dead]")?.innerText.includes("通知 desk") && document.querySelector("[data-alarm='backup.none']") !== null`)
	if said := o.js(`document.querySelector("main").innerText`); !strings.Contains(said, "2 件事要处理") || !strings.Contains(said, o.Cast.Acquirer.ID) || strings.Contains(said, o.play.Order.Order) || strings.Contains(said, o.Cast.Merchant.ID+"\n") {
		t.Error(said)
	}
	o.look("operations-alarms", "/staff/operations")
	if err := o.App.NoteBackup(ctx); err != nil {
		t.Fatal(err)
	}
	if err := o.Store.Write(ctx, func(tx *store.Tx) error { return tx.RequeueJob(ctx, app.JobNotice("desk"), "n-1", time.Now()) }); err != nil {
		t.Fatal(err)
	}
	o.open("/staff/operations?lang=zh")
	o.until(`document.querySelector("[data-alarms='0']")?.innerText.includes("都正常")`)
	o.look("operations", "/staff/operations")
	o.open("/staff/invitations") // a page that may ask
	if got := o.js(`fetch("/staff/visits").then((r) => r.status)`); got != "403" {
		t.Errorf("operations opens the visits: %s", got)
	}
	if got := o.js(`fetch("/v1/visits").then((r) => r.status)`); got != "404" {
		t.Errorf("operations lists the visits: %s", got)
	}
	if got := o.js(`fetch("/v1/operations").then((r) => r.json()).then((b) => b.queues.length + " " + b.dead.length)`); !strings.HasSuffix(got, " 0") {
		t.Errorf("the API says %s", got)
	}
	r := o.Cast.Risk
	o.join(r.ID, r.Organisation, r.Role)
	if got := o.js(`fetch("/staff/operations").then((r) => r.status)`); got != "403" {
		t.Errorf("the risk desk opens it: %s", got)
	}
}
