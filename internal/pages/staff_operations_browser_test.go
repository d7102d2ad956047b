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
	o.settlesTheLetter()
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

// settlesTheLetter: from the list to the letter, nothing chosen is nothing done, then it is queued again, by a form that
// was pressed twice; the page says so, and who. Its old address says that it is settled.
func (o *office) settlesTheLetter() {
	o.t.Helper()
	letter := "/staff/operations/dead-letters?letter=" + o.js(`document.querySelector("[data-letter]").dataset.letter`)
	o.js(`document.querySelector("[data-letter] a").click()`)
	o.until(`document.querySelectorAll("form[data-outcome]").length === 2 && document.querySelector("main").innerText.includes("hook_unreachable")`)
	o.look("dead-letter", letter)
	o.open(letter + "&lang=zh")
	again := `document.querySelector("form[data-outcome=queued_again]")`
	if got := o.js(again + `.checkValidity()`); got != "false" {
		o.t.Error("a reason need not be chosen")
	}
	form := o.js(`new URLSearchParams(new FormData(` + again + `)).toString().replace("reason=", "reason=mended")`)
	o.js(`(document.querySelector("#why-queued_again").value = "mended", ` + again + `.requestSubmit())`)
	o.until(`document.querySelector("[data-done=queued_again]")?.innerText.includes("1 件重新排上了") && document.querySelectorAll("[data-act=queued_again]").length === 1`)
	// Pressed again, twice at once, from a page that may ask; without a reason, or with one of the other kind, nothing happens.
	o.open("/staff/invitations?lang=zh")
	post := func(body string) string {
		return o.js(`(async () => { const headers = { "Content-Type": "application/x-www-form-urlencoded" }, body = "` + body + `"; return (await Promise.all([1, 2].map(() => fetch("/staff/operations/settle_dead_letter", { method: "POST", headers, body })))).map((r) => r.status + new URL(r.url).search).join(" "); })()`)
	}
	for body, want := range map[string]string{
		form: "200?done=queued_again&n=1", strings.Replace(form, "queued_again&reason=mended", "set_aside&reason=too_late", 1): "200?done=nothing&n=0",
		strings.Replace(form, "mended", "", 1): "400", strings.Replace(form, "mended", "too_late", 1): "400", "": "400",
	} {
		if got := post(body); got != want+" "+want {
			o.t.Errorf("%s: %s, want %s twice", body, got, want)
		}
	}
	o.look("operations-settled", "/staff/operations?done=queued_again&n=1")
	o.open(letter + "&lang=zh")
	o.until(`document.querySelector("[data-none] a.button") !== null`)
	o.open("/staff/operations/dead-letters?queue=cancel&lang=en")
	o.until(`document.querySelector("[data-none]")?.innerText.includes("Nothing is given up")`)
}
