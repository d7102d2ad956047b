package store

import "context"

// PutPhoneUnsent notes what a phone says of a visit.
func (t *Tx) PutPhoneUnsent(ctx context.Context, u PhoneUnsent) error {
	err := t.q.putPhoneUnsent(ctx, putPhoneUnsentParams(u))
	return t.sealed(ctx, t.wrap(err, "phone"), "phone_unsent", "visit", u.Visit)
}

// PhonesUnsent gives what phones said of a visit, the one heard last first.
func (t *Tx) PhonesUnsent(ctx context.Context, visit string, limit int) ([]PhoneUnsent, error) {
	list, err := t.q.phonesUnsent(ctx, visit, rows(limit))
	return list, t.wrap(err, "phones")
}

// UnsentInAll counts what all phones together said that they had not sent.
func (t *Tx) UnsentInAll(ctx context.Context) (phones, statements, photos int64, err error) {
	r, err := t.q.unsentInAll(ctx)
	return r.Phones, r.Statements, r.Photos, t.wrap(err, "phones")
}
