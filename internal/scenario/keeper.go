package scenario

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/organisation"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// Keeper is an organisation's own service, the real one, with the keys of one of the cast. It serves on a
// loopback address until it is closed.
type Keeper struct {
	*organisation.Service
	Client *orgapi.Client // as menshen calls it

	server *http.Server
	ended  chan error
}

// KeepFolder makes the folder of an organisation of the cast: its key, and the badge key where it issues
// badges.
func KeepFolder(dir string, c organisation.Config, of, badge *Actor) (organisation.Config, error) {
	k := organisation.Keys{Own: of.Key}
	if badge != nil {
		k.Badge = badge.Key
	}
	if _, err := organisation.Make(dir, c, k); err != nil {
		return organisation.Config{}, err
	}
	return organisation.Load(dir)
}

// Keep starts the service of an organisation of the cast in a new folder.
func Keep(dir string, of, badge *Actor, kind string, now Clock) (*Keeper, error) {
	c, err := KeepFolder(dir, organisation.Defaults(of.ID, of.ID, []string{kind}), of, badge)
	if err != nil {
		return nil, err
	}
	return keep(c, now)
}

func keep(c organisation.Config, now Clock) (*Keeper, error) {
	s, err := organisation.Open(c, now, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	k := &Keeper{Service: s, ended: make(chan error, 1)}
	if err := k.serve(c); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return k, nil
}

func (k *Keeper) serve(c organisation.Config) error {
	handler, err := organisation.NewServer(k.Service)
	if err != nil {
		return err
	}
	token, err := c.MenshenToken()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if k.Client, err = orgapi.NewClient(orgapi.Config{BaseURL: "http://" + listener.Addr().String(), Token: token}); err != nil {
		return errors.Join(err, listener.Close())
	}
	k.server = &http.Server{Handler: handler.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() { k.ended <- k.server.Serve(listener) }()
	return nil
}

// Close stops serving, waits that are under way included, and lets go of the folder.
func (k *Keeper) Close() error {
	err := k.server.Close()
	if ended := <-k.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return errors.Join(err, k.Service.Close())
}

// Phone is somebody's new phone: a key that nobody has vouched for yet.
type Phone struct {
	*Actor
}

// NewPhone makes a fresh key for somebody.
func NewPhone(holder, organisation, role string) *Phone {
	return &Phone{NewActor(holder, organisation, role)}
}

// Ask makes the request that the page sends once the code is typed.
func (p *Phone) Ask(code credential.Code, at time.Time) orgapi.EnrolmentAsk {
	a := orgapi.EnrolmentAsk{Organisation: p.Organisation, Holder: p.ID, Role: p.Role, Key: p.Public(), HeldBy: statement.HeldByHolder}
	a.Proof = base64.StdEncoding.EncodeToString(code.Key(p.Organisation, p.ID, p.Role).Proof(a.Enrolling()))
	a.Possession = p.Signs(visit.StreamOrganisation+"/"+p.Organisation, registry.TypeEnrolmentRequest, registry.EnrolmentRequest{Proof: a.Proof}, at)
	return a
}

// AskBadge makes the request for the day's badge, for a fresh key.
func (p *Phone) AskBadge(at time.Time) (orgapi.BadgeAsk, *ecdsa.PrivateKey, error) {
	day, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return orgapi.BadgeAsk{}, nil, err
	}
	return orgapi.BadgeAsk{Holder: p.ID, Request: p.Signs(visit.StreamPerson+"/"+p.ID, registry.TypeBadgeRequest,
		registry.BadgeRequest{Key: statement.KeyOf(&day.PublicKey)}, at)}, day, nil
}

// Signs gives the base64 of a statement that is shown and never filed.
func (p *Phone) Signs(subject, kind string, body any, at time.Time) string {
	return base64.StdEncoding.EncodeToString(p.Forge(Draft{Stream: subject, Type: kind, Body: body, At: at}))
}

// EnrolAt hands a code over and has the organisation enrol the phone, without menshen in between.
func (p *Phone) EnrolAt(ctx context.Context, k *Keeper, now time.Time) (orgapi.Answer, error) {
	made, err := k.MakeCode(p.ID, p.Role, organisation.Additional)
	if err != nil {
		return orgapi.Answer{}, err
	}
	return k.Client.Enrol(ctx, p.Ask(made.Code, now))
}
