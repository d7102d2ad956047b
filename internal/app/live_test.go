package app_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// The approver follows a visit: what is there already comes at once, what happens comes when it happens, and
// nothing comes when the wait is over. A stranger follows nothing.
func TestFollowingAVisit(t *testing.T) {
	d, p := bookedVisit(t)
	ctx := t.Context()
	at, err := d.App.Follow(ctx, as(d.Cast.Approver), p.ID, 0, time.Minute)
	if err != nil || at != 1 {
		t.Fatalf("at %d, %v", at, err)
	}
	if same, err := d.App.Follow(ctx, as(d.Cast.Approver), p.ID, at, time.Millisecond); err != nil || same != at {
		t.Errorf("nothing happened: %d, %v", same, err)
	}
	moved := make(chan int, 1)
	go func() {
		n, err := d.App.Follow(ctx, as(d.Cast.Dispatcher), p.ID, at, time.Minute)
		if err != nil {
			t.Error(err)
		}
		moved <- n
	}()
	if err := p.Freeze(ctx, d.Cast.Approver, "other"); err != nil {
		t.Fatal(err)
	}
	if n := <-moved; n != at+1 {
		t.Errorf("after the freeze: %d", n)
	}
	for _, who := range []*scenario.Actor{{ID: "x", Organisation: d.Cast.Rival.ID, Role: visit.RoleDispatcher}, d.Cast.Supervisor} {
		if _, err := d.App.Follow(ctx, as(who), p.ID, 0, time.Minute); fault.CodeOf(err) != "visit_not_found" {
			t.Errorf("%s follows: %v", who.ID, err)
		}
	}
	gone, leave := context.WithCancel(ctx)
	leave()
	if _, err := d.App.Follow(gone, as(d.Cast.Approver), p.ID, 99, time.Minute); err == nil {
		t.Error("somebody who left still waits")
	}
}

// The technician's phone waits for what others do: the same work comes back when the wait is over, another as soon as it
// is another, and to whoever has none at once.
func TestFollowingTheWork(t *testing.T) {
	d, p := bookedVisit(t)
	ctx := t.Context()
	approver := as(d.Cast.Approver)
	first, err := d.App.FollowWork(ctx, approver, p.ID, "", time.Minute)
	if err != nil || first.Tag == "" || first.Frozen {
		t.Fatalf("%+v %v", first, err)
	}
	if same, err := d.App.FollowWork(ctx, approver, p.ID, first.Tag, time.Millisecond); err != nil || same.Tag != first.Tag {
		t.Errorf("nothing happened: %s, %v", same.Tag, err)
	}
	moved := make(chan app.Work, 1)
	go func() {
		w, err := d.App.FollowWork(ctx, approver, p.ID, first.Tag, time.Minute)
		if err != nil {
			t.Error(err)
		}
		moved <- w
	}()
	if err := p.Freeze(ctx, d.Cast.Approver, "other"); err != nil {
		t.Fatal(err)
	}
	if w := <-moved; !w.Frozen || w.Tag == first.Tag {
		t.Errorf("after the freeze: %+v", w)
	}
	if _, err := d.App.FollowWork(ctx, as(d.Cast.Supervisor), p.ID, "", time.Minute); fault.CodeOf(err) != "visit_not_found" {
		t.Errorf("a stranger follows: %v", err)
	}
	gone, leave := context.WithCancel(ctx)
	time.AfterFunc(50*time.Millisecond, leave)
	now, err := d.App.Work(ctx, approver, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.App.FollowWork(gone, approver, p.ID, now.Tag, time.Minute); err == nil {
		t.Error("somebody who left still waits")
	}
}

// A page that asks by itself keeps nobody signed in: the idle bound counts from the last use by a person.
func TestAnUnattendedPageIsNoUse(t *testing.T) {
	d := heard(t)
	ctx := t.Context()
	g := grant(func(g *app.TokenGrant) { g.Kind, g.Role, g.Person = store.TokenSession, visit.RoleDispatcher, "qiu" })
	_, secret, err := d.App.IssueToken(ctx, g)
	if err != nil {
		t.Fatal(err)
	}
	d.ahead.Store(int64(10 * time.Minute))
	seen := func() time.Time {
		t.Helper()
		list, err := d.App.Sessions(ctx, app.Actor{Person: "qiu", Organisation: g.Organisation, Role: g.Role})
		if err != nil || len(list) != 1 {
			t.Fatal(len(list), err)
		}
		return list[0].SeenAt.Time()
	}
	before := seen()
	who, err := d.App.AuthenticateUnattended(ctx, secret, store.TokenSession)
	if err != nil || who.Person != "qiu" || !seen().Equal(before) {
		t.Errorf("%+v %v: seen %s, before %s", who, err, seen(), before)
	}
	if _, err := d.App.Authenticate(ctx, secret, store.TokenSession); err != nil || !seen().After(before) {
		t.Errorf("a person's use is not noted: %v", err)
	}
	if _, err := d.App.AuthenticateUnattended(ctx, secret, store.TokenAPI); fault.CodeOf(err) != "token_kind_not_accepted" {
		t.Errorf("as another kind: %v", err)
	}
	if _, err := d.App.AuthenticateUnattended(ctx, secret+"x", store.TokenSession); fault.CodeOf(err) != "token_unknown" {
		t.Errorf("unknown: %v", err)
	}
}

// Whoever opens page after page waits with twelve of them, and with one more when one is closed; somebody else is not
// in his way, and who does not wait is never refused.
func TestOnePersonWaitsWithSoManyPages(t *testing.T) {
	d, p := deploy(t)
	if err := p.Book(t.Context()); err != nil {
		t.Fatal(err)
	}
	approver, risk := as(d.Cast.Approver), as(d.Cast.Risk)
	number, err := d.App.Follow(t.Context(), approver, p.ID, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	open := func() (end context.CancelFunc, ended chan error) {
		ctx, end := context.WithCancel(t.Context())
		ended = make(chan error, 1)
		go func() {
			_, err := d.App.Follow(ctx, approver, p.ID, number, time.Hour)
			ended <- err
		}()
		return end, ended
	}
	// The thirteenth is the one that ends by itself, whichever it is.
	refused := make(chan error, 13)
	var ends []context.CancelFunc
	for range 13 {
		end, ended := open()
		ends = append(ends, end)
		go func() { refused <- <-ended }()
	}
	if err := <-refused; fault.CodeOf(err) != "waits_too_many" || fault.KindOf(err) != fault.TooMany {
		t.Fatalf("the thirteenth page: %v", err)
	}
	if _, err := d.App.Follow(t.Context(), approver, p.ID, number, 0); err != nil {
		t.Errorf("a question that does not wait: %v", err)
	}
	if _, err := d.App.Follow(t.Context(), risk, p.ID, number, time.Millisecond); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	for _, end := range ends {
		end()
	}
	for range 12 {
		if err := <-refused; !errors.Is(err, context.Canceled) {
			t.Errorf("a page that was closed: %v", err)
		}
	}
	if _, err := d.App.Follow(t.Context(), approver, p.ID, number, time.Millisecond); err != nil {
		t.Errorf("after all were closed: %v", err)
	}
}
