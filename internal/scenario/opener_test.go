package scenario

import (
	"context"
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// An approver of another acquirer opens the visit on a genuine order, so that his own risk desk and
// host would be listened to.
func TestAVisitOpenedByAnotherAcquirer(t *testing.T) {
	p, _ := newPlay(t, visit.Install, 0)
	ctx := context.Background()
	he := NewActor("he", p.Cast.Other.ID, visit.RoleApprover)
	_, err := p.file(ctx, p.Cast.Other, visit.Enrol, Draft{Stream: visit.StreamOrganisation + "/" + p.Cast.Other.ID, Type: statement.TypeEnrolment, Body: Enrolment(he, p.Now())})
	if err != nil {
		t.Fatal(err)
	}
	order, err := p.file(ctx, p.Cast.Approver, visit.Book, Draft{Stream: p.OrderStream(), Type: visit.TypeOrder, Body: p.Order}, p.hidden...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.file(ctx, he, visit.Book, Draft{Stream: p.VisitStream(), Type: visit.TypeOpened, Body: visit.Opened{Visit: p.ID, Order: p.Order.Order, Basis: order}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Assign(ctx); err != nil {
		t.Fatal(err)
	}
	answer, err := p.Ask(ctx, visit.AskDispatch)
	if err != nil || answer.Granted || answer.Code != "visit_opened_by_another" {
		t.Errorf("granted %v, code %q, %v", answer.Granted, answer.Code, err)
	}
}
