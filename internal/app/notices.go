package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/notify"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/ticket"
	"github.com/menshen-project/menshen/internal/visit"
)

// noticeJobs begins the kind of every job that carries a notice. Each receiver has a queue of its own, so that
// one who is away holds up nobody else.
const noticeJobs = "notice/"

// noticeAttempts is how often a notice is tried: over half a day, then it lies among the dead letters.
const noticeAttempts = 24

// JobTicketClock looks at a ticket when one of its clocks may have run out. Its key is ticket#clock#event, its
// payload the ticket.
const JobTicketClock = "ticket_clock"

var (
	errNoNumber   = fault.New(fault.Refused, "phone_number_absent", "没有存这家店的手机号，短信发不出去。", "No number of this merchant is kept; no message can be sent.")
	errNoGateway  = fault.New(fault.Refused, "sms_gateway_absent", "本机构没有接上短信网关，请自己把链接发给店主。", "Your organisation has no SMS gateway here; send the link yourself.")
	errNoReceiver = fault.New(fault.Refused, "notify_receiver_gone", "通知的接收方已不在配置里。", "The receiver is not in the config any more.")
)

// JobNotice is the kind of a receiver's jobs.
func JobNotice(receiver string) string { return noticeJobs + receiver }

// noticeID names one thing that happened, so that it is told once.
func noticeID(parts ...string) string { return "n-" + hashHex(strings.Join(parts, "\x00"))[:32] }

// tell queues a notice for each receiver that wants it, in the transaction of what it is about.
func (a *App) tell(ctx context.Context, tx *store.Tx, n notify.Notice, now time.Time) error {
	n.At = statement.At(now)
	payload, err := statement.Canonical(n)
	if err != nil {
		return err
	}
	for _, r := range a.Receivers {
		if !r.Wants(n) {
			continue
		}
		if _, err := tx.EnqueueJob(ctx, JobNotice(r.Name), n.ID, payload, now, now, noticeAttempts); err != nil {
			return err
		}
	}
	return nil
}

// stoppedBy are the verbs after which people have to act.
var stoppedBy = []string{visit.Freeze, visit.ReportIncident, visit.Refuse, visit.Abort, visit.RollBack}

// tellStopped tells acquirer, provider and the supervisor's house that a visit was stopped.
func (w *writing) tellStopped(ctx context.Context, tx *store.Tx) error {
	if len(w.app.Receivers) == 0 || !slices.Contains(stoppedBy, w.in.Verb) {
		return nil
	}
	orgs := []string{w.before.order.Acquirer, w.before.order.Provider}
	if s := w.after.Dispatched().Supervisor; s != "" {
		p, err := tx.Person(ctx, s)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		orgs = append(orgs, p.Org)
	}
	return w.tellAll(ctx, tx, orgs, w.claims.Digest(), notify.Notice{Kind: notify.VisitStopped, About: w.in.Stream, Code: w.in.Verb})
}

// tellRevoked tells the employer, and every acquirer whose visit the technician is sent to, that his badge ended.
func (w *writing) tellRevoked(ctx context.Context, tx *store.Tx, b registry.BadgeRevoked) error {
	if len(w.app.Receivers) == 0 {
		return nil
	}
	orgs := []string{w.claims.Header.Organisation}
	visits, _, err := tx.ListVisits(ctx, store.VisitFilter{Technician: b.Holder}, "", maxPage)
	if err != nil {
		return err
	}
	for _, v := range visits {
		if !visit.Stage(v.State).Ended() {
			orgs = append(orgs, v.Org)
		}
	}
	// Several badges of one person end together: he is told of once.
	return w.tellAll(ctx, tx, orgs, b.Holder+"/"+string(b.From), notify.Notice{Kind: notify.BadgeRevoked, About: visit.StreamPerson + "/" + b.Holder, Code: b.Reason})
}

// tellAll tells each organisation once of what is named by what.
func (w *writing) tellAll(ctx context.Context, tx *store.Tx, orgs []string, what string, n notify.Notice) error {
	slices.Sort(orgs)
	for _, org := range slices.Compact(orgs) {
		n.Organisation, n.ID = org, noticeID(n.Kind, org, what)
		if err := w.app.tell(ctx, tx, n, w.now); err != nil {
			return err
		}
	}
	return nil
}

// tellCall tells a shop on its own number that somebody asked about it: once an hour for each answer, or a
// stranger could have a shop's phone ring all day.
func (a *App) tellCall(ctx context.Context, tx *store.Tx, shop store.Shop, expected bool) error {
	if len(a.Receivers) == 0 {
		return nil
	}
	m, err := tx.Merchant(ctx, shop.Merchant)
	if err != nil {
		return err
	}
	code := map[bool]string{true: "expected", false: "unexpected"}[expected]
	hour := a.Now().UTC().Format("2006-01-02T15")
	return a.tell(ctx, tx, notify.Notice{ID: noticeID(notify.DoorCall, shop.ID, code, hour), Kind: notify.DoorCall, Organisation: m.Org,
		About: aboutShop + shop.ID, Code: code, By: a.Operator}, a.Now())
}

const aboutShop, aboutTicket = "shop/", "ticket/"

// HasGateway says whether an organisation can write to its merchants through menshen.
func (a *App) HasGateway(organisation string) bool {
	return slices.ContainsFunc(a.Receivers, func(r notify.Receiver) bool {
		return r.Wants(notify.Notice{Kind: notify.OrderLink, Organisation: organisation})
	})
}

// SendOrderLink has the acquirer's own gateway send a merchant the address of his order: once in ten minutes,
// however often it is asked for. Provider roles can neither send nor see it (design §6). Faults:
// sms_gateway_absent, access_denied, visit_not_found.
func (a *App) SendOrderLink(ctx context.Context, actor Actor, visitID string) error {
	if !a.HasGateway(actor.Organisation) {
		return errNoGateway
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := a.linkable(ctx, tx, actor, visitID); err != nil {
			return err
		}
		now := a.Now()
		return a.tell(ctx, tx, notify.Notice{ID: noticeID(notify.OrderLink, visitID, strconv.FormatInt(now.Unix()/600, 10)), Kind: notify.OrderLink,
			Organisation: actor.Organisation, About: visit.StreamVisit + "/" + visitID, Code: "sent", By: actor.Person}, now)
	})
}

// Deliver is the job of one receiver: it hands a notice over. An SMS gateway is given the merchant's number, and
// the look is recorded under who had it sent; nothing of it stays with the job.
func (a *App) Deliver(receiver string) func(ctx context.Context, payload, id string) error {
	return func(ctx context.Context, payload, _ string) error {
		i := slices.IndexFunc(a.Receivers, func(r notify.Receiver) bool { return r.Name == receiver })
		if i < 0 {
			return errNoReceiver.At(receiver)
		}
		var m notify.Message
		if err := statement.Decode([]byte(payload), &m.Notice); err != nil {
			return err
		}
		if a.Receivers[i].Phones {
			if err := a.address(ctx, &m); err != nil {
				return err
			}
		}
		return a.Receivers[i].Sender.Send(m)
	}
}

// address finds the number that a message goes to and makes the link that it carries. Each try makes a new
// link: the gateway drops what it has, and an earlier link goes on being good.
func (a *App) address(ctx context.Context, m *notify.Message) error {
	kind, id, _ := strings.Cut(m.About, "/")
	err := a.Store.Write(ctx, func(tx *store.Tx) error {
		merchant := ""
		if kind+"/" == aboutShop {
			shop, err := tx.Shop(ctx, id)
			if err != nil {
				return err
			}
			merchant = shop.Merchant
		} else {
			v, err := tx.Visit(ctx, id)
			if err != nil {
				return err
			}
			merchant = v.Merchant
		}
		var err error
		m.To, err = a.kept(ctx, tx, Actor{Person: m.By}, merchant, "phone")
		return err
	})
	if err == nil && m.To == "" {
		err = errNoNumber
	}
	if err != nil || m.Kind != notify.OrderLink {
		return err
	}
	s, err := a.visitStanding(ctx, id)
	if err != nil {
		return err
	}
	l, err := a.makeLink(ctx, s.order)
	m.Link = a.Site + "/enter/" + l.Token
	return err
}

// planClocks has a ticket looked at when its clocks may have run out, counted anew after each thing that was done.
func (a *App) planClocks(ctx context.Context, tx *store.Tx, row store.Ticket, s ticket.State, number int64, now time.Time) error {
	if len(a.Receivers) == 0 {
		return nil
	}
	for what, c := range clocksOf(row, s, now) {
		if c.DueAt.IsZero() || !c.Stopped.IsZero() || c.Stands {
			continue
		}
		if _, err := tx.EnqueueJob(ctx, JobTicketClock, fmt.Sprintf("%s#%s#%d", row.ID, what, number), []byte(row.ID), now, c.DueAt.Add(time.Second), 0); err != nil {
			return err
		}
	}
	return nil
}

func clocksOf(row store.Ticket, s ticket.State, now time.Time) map[string]ticket.Clock {
	levels := levelsOf(row)
	return map[string]ticket.Clock{"response": s.Response(levels, now), "resolution": s.Resolution(levels, now)}
}

// LookAtClock is the job: whoever promised hears of it when the clock ran out unkept.
func (a *App) LookAtClock(ctx context.Context, id, key string) error {
	_, rest, _ := strings.Cut(key, "#")
	what, _, _ := strings.Cut(rest, "#")
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		row, err := tx.Ticket(ctx, id)
		if err != nil {
			return err
		}
		kept, err := tx.TicketEvents(ctx, id, maxTicketEvents)
		if err != nil {
			return err
		}
		s, err := ticket.Fold(ticketEvents(kept))
		if err != nil {
			return err
		}
		c := clocksOf(row, s, a.Now())[what]
		if !c.Late || !c.Stopped.IsZero() || c.Stands {
			return nil
		}
		for _, org := range []string{row.Org, row.Provider} {
			n := notify.Notice{ID: noticeID(notify.TicketLate, org, id, what), Kind: notify.TicketLate, Organisation: org, About: aboutTicket + id, Code: what}
			if err := a.tell(ctx, tx, n, a.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}
