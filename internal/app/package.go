package app

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/door"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// Package is what both phones keep of an order so that they can check each other without signal
// (docs/door.md). The signed bytes in it prove themselves; the rest is this server's word.
type Package struct {
	Visit       string            `json:"visit"`
	Order       string            `json:"order"`
	Kind        string            `json:"kind"`
	Merchant    string            `json:"merchant"` // holder id
	Window      PackageWindow     `json:"window"`
	Dispatch    PackageDispatch   `json:"dispatch"`
	Papers      PackagePapers     `json:"order_papers"`
	Openings    PackageOpenings   `json:"openings"`
	Photo       statement.Opening `json:"photo"`        // of dispatch.photo; the value is base64 of a JPEG or WebP picture, at most 30 kB
	OrderSecret string            `json:"order_secret"` // base64, 32 bytes; new at every assignment
	TrustList   PackageTrustList  `json:"trust_list"`
	Issuer      PackageIssuer     `json:"issuer"`
	StatusList  PackageStatusList `json:"status_list"`
	Phone       string            `json:"acquirer_phone"` // "" where the acquirer published none
	FetchedAt   statement.Time    `json:"fetched_at"`
}

// PackageWindow is when the visit was agreed to be.
type PackageWindow struct {
	From  statement.Time `json:"from"`
	Until statement.Time `json:"until"`
}

// PackageDispatch is the dispatcher's signed assignment, and what of it the check reads.
type PackageDispatch struct {
	Envelope      string `json:"envelope"` // base64
	Digest        string `json:"digest"`
	Technician    string `json:"technician"`
	TechnicianKey string `json:"technician_key"` // thumbprint of the key that the newest recorded badge sits on (decision 20)
	Shop          string `json:"shop"`           // commitment
	Name          string `json:"name"`           // commitment
	Photo         string `json:"photo"`          // commitment
}

// PackageOpenings opens the dispatch's commitments; null where a value was erased.
type PackageOpenings struct {
	Shop *statement.Opening `json:"shop"`
	Name *statement.Opening `json:"name"`
}

// PackageTrustList is the newest trust list.
type PackageTrustList struct {
	Envelope  string         `json:"envelope"` // base64
	Number    int            `json:"number"`
	FetchedAt statement.Time `json:"fetched_at"`
}

// PackageIssuer is the badge's issuer as the trust list has it.
type PackageIssuer struct {
	Organisation string        `json:"organisation"`
	Name         string        `json:"name"`
	BadgeKey     statement.Key `json:"badge_key"`
}

// PackageStatusList is the issuer's newest status list.
type PackageStatusList struct {
	URI       string         `json:"uri"`
	Token     string         `json:"token"`
	FetchedAt statement.Time `json:"fetched_at"`
}

// fieldSecret is the vault's name for an order's secret; purposeDoor is what it is shown for.
const (
	fieldSecret = "order_secret"
	purposeDoor = "door_check"
)

var (
	errNobodySent = fault.New(fault.NotFound, "package_nobody_sent", "还没有派人，没有资料可以带走。", "Nobody is assigned yet, so there is no package.")
	errNoList     = fault.New(fault.Unavailable, "package_list_absent", "名单还没有发布，请稍后再试。", "A list that the package needs was not published yet.")
)

// newSecret makes the order's secret anew, in the transaction of an assignment: whoever was sent before
// can seal no challenge of this order any more.
func (w *writing) newSecret(ctx context.Context, tx *store.Tx) error {
	if w.app.Vault == nil {
		return nil // events are received again to be compared (verify-store): they say nothing of secrets
	}
	var salt [16]byte
	var secret [32]byte
	_, _ = rand.Read(salt[:]) // never fails, says its documentation
	_, _ = rand.Read(secret[:])
	merchant := w.before.order.Merchant
	commitment, err := w.app.Vault.Put(ctx, tx, merchant, statement.NewOpening(fieldSecret, salt, b64(secret[:])), vault.Tag{Purposes: []string{purposeDoor}}, w.now)
	if err != nil {
		return err
	}
	return tx.PutDoorSecret(ctx, store.DoorSecret{Visit: w.id, Dispatch: w.claims.Digest(), Subject: merchant, Commitment: commitment, MadeAt: w.entry.ReceivedAt})
}

// Package gives what a phone keeps of an order so as to check without signal: to the merchant, his
// clerks and the assigned technician. Every look into the vault is recorded. Faults: visit_not_found,
// package_nobody_sent, package_list_absent.
func (a *App) Package(ctx context.Context, actor Actor, visitID string) (Package, error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadPackage); err != nil {
		return Package{}, err
	}
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return Package{}, err
	}
	d := s.state.Dispatched()
	if d.Visit == "" {
		return Package{}, errNobodySent
	}
	now := statement.At(a.Now())
	p := Package{Visit: visitID, Order: s.order.Order, Kind: s.order.Kind, Merchant: s.order.Merchant, FetchedAt: now,
		Window:   PackageWindow{From: s.order.WindowFrom, Until: s.order.WindowUntil},
		Dispatch: PackageDispatch{Technician: d.Technician, Shop: d.Shop, Name: d.Name, Photo: d.Photo}}
	err = a.Store.Write(ctx, func(tx *store.Tx) error { // writing, because looks are recorded
		for _, part := range []func(context.Context, *store.Tx, *Package, visit.Dispatch) error{a.packDispatch, a.packPapers, a.packLists} {
			if err := part(ctx, tx, &p, d); err != nil {
				return err
			}
		}
		return a.packSecrets(ctx, tx, &p, actor)
	})
	return p, err
}

func (a *App) packDispatch(ctx context.Context, tx *store.Tx, p *Package, d visit.Dispatch) error {
	secret, there, err := tx.DoorSecret(ctx, p.Visit)
	if err != nil {
		return err
	}
	if !there {
		return errNobodySent
	}
	envelope, err := tx.Statement(ctx, secret.Dispatch)
	if err != nil {
		return err
	}
	p.Dispatch.Envelope, p.Dispatch.Digest = b64(envelope), secret.Dispatch
	p.Dispatch.TechnicianKey, err = a.badgeKeyOf(ctx, tx, d.Technician, d.Issuer)
	return err
}

// badgeKeyOf gives the thumbprint that a technician's newest recorded badge is bound to; before the first,
// that of his enrolled key. Phones fetch the package again whenever they have signal, so after the shift
// has begun they hold the key of the day. Only an employer's own badge is recorded for his technician.
func (a *App) badgeKeyOf(ctx context.Context, tx *store.Tx, technician, issuer string) (string, error) {
	digests, err := tx.Refs(ctx, refBadge, technician, 1)
	if err != nil {
		return "", err
	}
	if len(digests) == 0 {
		return a.keyOf(ctx, tx, technician, visit.RoleTechnician, issuer)
	}
	var b registry.BadgeIssued
	err = recordedBody(ctx, tx, digests[0], &b)
	return b.Key, err
}

// keyOf gives the thumbprint of a person's newest enrolled key, "" for none.
func (a *App) keyOf(ctx context.Context, tx *store.Tx, holder, role, organisation string) (string, error) {
	digests, err := tx.Refs(ctx, refHolder, holder+"/"+role, 4)
	if err != nil {
		return "", err
	}
	for _, digest := range digests {
		var e statement.Enrolment
		if err := recordedBody(ctx, tx, digest, &e); err != nil {
			return "", err
		}
		if e.Organisation == organisation {
			return e.Key.Thumbprint(), nil
		}
	}
	return "", nil
}

// packLists takes the newest trust list, the issuer as it names it, and the status list of the badge
// that was issued to the technician last.
func (a *App) packLists(ctx context.Context, tx *store.Tx, p *Package, d visit.Dispatch) error {
	digests, err := tx.Refs(ctx, refTrustList, "", 1)
	if err != nil {
		return err
	}
	if len(digests) == 0 {
		return errNoList.At(refTrustList)
	}
	e, err := tx.EventByDigest(ctx, digests[0])
	if err != nil {
		return err
	}
	envelope, err := tx.Statement(ctx, e.StatementDigest)
	if err != nil {
		return err
	}
	var list credential.TrustList
	if err := recordedBody(ctx, tx, digests[0], &list); err != nil {
		return err
	}
	p.TrustList = PackageTrustList{Envelope: b64(envelope), Number: list.Number, FetchedAt: p.FetchedAt}
	for _, o := range list.Organisations {
		if o.ID == d.Issuer {
			p.Issuer = PackageIssuer{Organisation: o.ID, Name: o.Name, BadgeKey: o.Key}
			if o.BadgeKey != nil {
				p.Issuer.BadgeKey = *o.BadgeKey
			}
		}
	}
	return a.packStatus(ctx, tx, p, d)
}

// packStatus leaves the list empty before the technician's first badge: the page then has nothing to
// confirm by.
func (a *App) packStatus(ctx context.Context, tx *store.Tx, p *Package, d visit.Dispatch) error {
	badges, err := tx.Refs(ctx, refBadge, d.Technician, 1)
	if err != nil || len(badges) == 0 {
		return err
	}
	var badge registry.BadgeIssued
	if err := recordedBody(ctx, tx, badges[0], &badge); err != nil {
		return err
	}
	lists, err := tx.Refs(ctx, refStatusList, badge.StatusURI, 1)
	if err != nil || len(lists) == 0 {
		return err
	}
	var list registry.StatusList
	if err := recordedBody(ctx, tx, lists[0], &list); err != nil {
		return err
	}
	p.StatusList = PackageStatusList{URI: list.URI, Token: list.Token, FetchedAt: p.FetchedAt}
	return nil
}

// packSecrets opens what is not signed: the order's secret, and the likeness and address that the
// dispatch commits to. A photo that is no bounded picture is left out, and the page says so.
func (a *App) packSecrets(ctx context.Context, tx *store.Tx, p *Package, actor Actor) error {
	secret, _, err := tx.DoorSecret(ctx, p.Visit)
	if err != nil {
		return err
	}
	look := vault.Look{Who: actor.Person, Purpose: purposeDoor, At: a.Now()}
	o, err := a.Vault.Get(ctx, tx, secret.Subject, secret.Commitment, look)
	if err != nil {
		return err
	}
	p.OrderSecret = o.Value
	look.Purpose = purposeVisit
	got, err := a.Vault.GetByCommitments(ctx, tx, []string{p.Dispatch.Shop, p.Dispatch.Name, p.Dispatch.Photo}, look)
	if err != nil {
		return err
	}
	opened := func(commitment string) *statement.Opening {
		if o, ok := got.Open[commitment]; ok {
			return &o
		}
		return nil
	}
	p.Openings = PackageOpenings{Shop: opened(p.Dispatch.Shop), Name: opened(p.Dispatch.Name)}
	if photo := opened(p.Dispatch.Photo); photo != nil {
		if _, err := door.PhotoType(photo.Value); err == nil {
			p.Photo = *photo
		}
	}
	return nil
}

// likeness opens name and photo of who was sent, for the merchant's screen.
func (a *App) likeness(ctx context.Context, actor Actor, d visit.Dispatch, out *DoorResult) error {
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		got, err := a.Vault.GetByCommitments(ctx, tx, []string{d.Name, d.Photo}, vault.Look{Who: actor.Person, Purpose: purposeVisit, At: a.Now()})
		if err != nil {
			return err
		}
		out.Name = got.Open[d.Name].Value
		if kind, err := door.PhotoType(got.Open[d.Photo].Value); err == nil {
			out.Photo, out.PhotoType = got.Open[d.Photo].Value, kind
		}
		return nil
	})
}

// companyOf is an organisation's public name: as the newest trust list has it, which is what a phone
// without signal shows too, else as its sheet has it; its id where neither knows one.
func (a *App) companyOf(ctx context.Context, id string) (string, error) {
	firms, err := a.Firms(ctx, id)
	return firms[id].Name, err
}

// listedNow is an organisation as the newest recorded trust list has it, nil where it does not stand there or none was published.
func listedNow(ctx context.Context, tx *store.Tx, id string) (*credential.Organisation, error) {
	list, err := newestTrustList(ctx, tx)
	return listedOn(list, id), err
}

// newestTrustList is the newest recorded one, which was verified as it came in; one without organisations where none was published.
func newestTrustList(ctx context.Context, tx *store.Tx) (list credential.TrustList, err error) {
	digests, err := tx.Refs(ctx, refTrustList, "", 1)
	if err != nil || len(digests) == 0 {
		return list, err
	}
	err = recordedBody(ctx, tx, digests[0], &list)
	return list, err
}

func listedOn(list credential.TrustList, id string) *credential.Organisation {
	if i := slices.IndexFunc(list.Organisations, func(o credential.Organisation) bool { return o.ID == id }); i >= 0 {
		return &list.Organisations[i]
	}
	return nil
}
