package evidence

import (
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// ofMerchant says whether an enrolment, or the end of one, is a merchant's word about a clerk. What else
// merchants sign vouches for nobody.
func ofMerchant(it item) bool { return it.claims.Header.Role == visit.RoleMerchant }

// clerks adds the keys that merchants let in for door and till (design §6), once everybody else's are
// there: a clerk's key counts only while the merchant's own does.
func (r *Reader) clerks(k *keyring, items []item) error {
	for _, step := range []struct {
		kind string
		take func(*keyring, *item, enrolled) error
	}{{statement.TypeEnrolment, letIn}, {statement.TypeEnrolmentEnd, letOut}} {
		for i := range items {
			it := &items[i]
			if it.claims.Type != step.kind || !ofMerchant(*it) {
				continue
			}
			owner, err := r.byMerchant(k, it)
			if err == nil {
				err = step.take(k, it, owner)
			}
			if err != nil {
				return fault.At(err, it.place)
			}
		}
	}
	return nil
}

// byMerchant proves that an enrolled merchant signed.
func (r *Reader) byMerchant(k *keyring, it *item) (enrolled, error) {
	owner, ok := k.byThumb[it.claims.Header.Key]
	if !ok {
		return enrolled{}, errKeyUnknown
	}
	v, err := r.verify(it.claims, owner.body.Key)
	if err != nil {
		return enrolled{}, err
	}
	it.signed = v
	return owner, checkSigner(owner, it)
}

// letIn enrols a clerk: in the merchant's own acquirer and under his own name, no longer than himself.
func letIn(k *keyring, it *item, owner enrolled) error {
	var body statement.Enrolment
	if err := it.signed.Body(statement.TypeEnrolment, &body); err != nil {
		return err
	}
	if err := body.Check(); err != nil {
		return err
	}
	if body.Role != visit.RoleClerk || body.Organisation != owner.body.Organisation || visit.ClerkOf(body.Holder) != owner.body.Holder {
		return errMayNotEnrol.At(body.Role)
	}
	if err := k.take(body, it.signed.Digest()); err != nil {
		return err
	}
	e := k.byThumb[body.Key.Thumbprint()]
	if owner.until.Before(e.until) {
		e.until = owner.until
	}
	e.endedAt = owner.endedAt
	k.byThumb[body.Key.Thumbprint()] = e
	return nil
}

// letOut ends a clerk's enrolment; a merchant ends no other's.
func letOut(k *keyring, it *item, owner enrolled) error {
	var body statement.EnrolmentEnd
	if err := it.signed.Body(statement.TypeEnrolmentEnd, &body); err != nil {
		return err
	}
	from, err := body.From.Parse()
	if err != nil {
		return err
	}
	e, ok := k.byThumb[body.Key]
	if !ok || e.body.Role != visit.RoleClerk || e.body.Organisation != owner.body.Organisation || visit.ClerkOf(e.body.Holder) != owner.body.Holder {
		return nil // a key that this dossier does not use, or one that is not his to end
	}
	k.end(body.Key, from)
	return nil
}
