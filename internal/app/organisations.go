package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// Organisation is an organisation's own signing service; orgapi.Client is one. It decides and signs;
// menshen carries what phones ask for and records what was signed, proven as if it came from anywhere.
type Organisation interface {
	Enrol(ctx context.Context, ask orgapi.EnrolmentAsk) (orgapi.Answer, error)
	Badge(ctx context.Context, ask orgapi.BadgeAsk) (orgapi.Answer, error)
	EndBadges(ctx context.Context, end orgapi.BadgeEnd) (orgapi.Answer, error)
	EndKey(ctx context.Context, end orgapi.KeyEnd) (orgapi.Answer, error)
	Statements(ctx context.Context, after int64, wait time.Duration) (orgapi.Answer, error)
	People(ctx context.Context) (orgapi.People, error)
	CourseText(ctx context.Context, digest string) (orgapi.TextAnswer, error)
	Paper(ctx context.Context, ask orgapi.PaperAsk) (orgapi.PaperAnswer, error)
	Attempt(ctx context.Context, ask orgapi.AttemptAsk) (orgapi.Graded, error)
	Standing(ctx context.Context, ask orgapi.TakerAsk) (orgapi.Standings, error)
}

var (
	errNoService   = fault.New(fault.NotFound, "organisation_without_service", "这家机构没有接上自己的服务，请联系机构。", "This organisation's service is not connected here; ask the organisation.")
	errServiceWord = fault.New(fault.Unavailable, "organisation_statement_other", "机构的服务交来了不该由它签的文件，没有记录。", "An organisation's service handed over a statement that is not its to make; it was not recorded.")
	errBadgeAsk    = fault.New(fault.Invalid, "badge_request_differs", "申请里签的密钥和写的不是同一把。", "The key that was signed for is another than the one that is named.")
)

func (a *App) service(organisation string) (Organisation, error) {
	o, ok := a.Organisations[organisation]
	if !ok {
		return nil, errNoService
	}
	return o, nil
}

// Enrolled says what was signed for a phone's key.
type Enrolled struct {
	Enrolment string         // digest of the statement
	From      statement.Time // as the organisation signed
	Until     statement.Time
	Session   string // secret of a session of a merchant's or clerk's phone, "" for others: they sign in
	Expires   time.Time
}

// Enrol has an organisation vouch for a phone's key. Nobody is signed in yet: what opens it is the proof of
// a one-time code, which only the organisation's service can check (decision 0015). Asked again, it
// answers again. Faults: organisation_without_service, orgapi's.
func (a *App) Enrol(ctx context.Context, ask orgapi.EnrolmentAsk) (Enrolled, error) {
	o, err := a.service(ask.Organisation)
	if err != nil {
		return Enrolled{}, err
	}
	answer, err := o.Enrol(ctx, ask)
	if err != nil {
		return Enrolled{}, err
	}
	if err := a.takeAllSigned(ctx, ask.Organisation, answer.Statements); err != nil {
		return Enrolled{}, err
	}
	done, err := enrolledBy(answer, ask)
	if err != nil || !slices.Contains([]string{visit.RoleMerchant, string(access.Clerk)}, ask.Role) {
		return done, err
	}
	done.Session, done.Expires, err = a.phoneSession(ctx, Actor{Person: ask.Holder, Organisation: ask.Organisation, Role: ask.Role}, ask.Key.Thumbprint())
	return done, err
}

// enrolledBy finds the enrolment that was asked for among what was signed.
func enrolledBy(answer orgapi.Answer, ask orgapi.EnrolmentAsk) (Enrolled, error) {
	for _, signed := range answer.Statements {
		envelope, err := statement.Base64(signed.Statement)
		if err != nil {
			return Enrolled{}, errServiceWord.Because(err)
		}
		c, err := statement.Parse(envelope)
		if err != nil {
			return Enrolled{}, errServiceWord.Because(err)
		}
		var e statement.Enrolment
		if c.Type == statement.TypeEnrolment && c.UntrustedBody(&e) == nil && e.Holder == ask.Holder && e.Role == ask.Role && e.Key.Thumbprint() == ask.Key.Thumbprint() {
			return Enrolled{Enrolment: c.Digest(), From: e.From, Until: e.Until}, nil
		}
	}
	return Enrolled{}, errServiceWord
}

// takeAllSigned records what a service signed. The first that fails is told; the rest comes again by its number.
func (a *App) takeAllSigned(ctx context.Context, organisation string, list []orgapi.Signed) error {
	for _, s := range list {
		if err := a.takeSigned(ctx, organisation, s); err != nil {
			return err
		}
	}
	return nil
}

// serviceWords are what an organisation's service may hand over: type → verb and the role that it is signed
// in.
var serviceWords = map[string][2]string{
	statement.TypeEnrolment:    {visit.Enrol, visit.RoleOrganisation},
	statement.TypeEnrolmentEnd: {visit.EndEnrolment, visit.RoleOrganisation},
	registry.TypeStatusList:    {visit.Publish, visit.RoleOrganisation},
	registry.TypeBadgeIssued:   {visit.IssueBadge, visit.RoleOrganisation},
	registry.TypeBadgeRevoked:  {visit.RevokeBadge, visit.RoleOrganisation},
	registry.TypeCourse:        {visit.Publish, visit.RoleCourseIssuer},
	credential.TypeTrustList:   {visit.Publish, visit.RoleRegulator},
	registry.TypeParameters:    {visit.Publish, visit.RoleOrganisation},
	registry.TypeMandate:       {visit.Publish, visit.RoleOrganisation},
	registry.TypeCertificate:   {visit.Train, visit.RoleCourseIssuer},
}

// takeSigned proves and records one statement of a service, like any other that comes in.
func (a *App) takeSigned(ctx context.Context, organisation string, s orgapi.Signed) error {
	envelope, err := statement.Base64(s.Statement)
	if err != nil {
		return errServiceWord.Because(err)
	}
	claims, err := statement.Parse(envelope)
	if err != nil {
		return errServiceWord.Because(err)
	}
	h := claims.Header
	word, known := serviceWords[claims.Type]
	if !known || h.Signer != organisation || h.Organisation != organisation || word != [2]string{s.Verb, h.Role} {
		return errServiceWord.At(s.Verb)
	}
	_, err = a.record(ctx, nil, Submission{Stream: s.Stream, Verb: s.Verb, Envelope: envelope}, claims)
	return err
}

// JobStatement records a statement of an organisation's service that could not be recorded at first.
const JobStatement = "organisation_statement"

// statementAttempts is over two days of trying: a trust list that is past its date is renewed by then.
const statementAttempts = 60

// fedUntil is the setting that holds the number of the last statement taken from a service.
func fedUntil(organisation string) string { return "organisation_fed/" + organisation }

// feedWait is how long one question for news waits for an answer.
const feedWait = 20 * time.Second

// Feed takes away what an organisation's service signed since last time, also what nobody here asked
// for: status lists before the last one ends, and what its own desk took back. What cannot be recorded
// now is kept and tried again; what never can be ends among the dead letters, for a person.
func (a *App) Feed(ctx context.Context, organisation string) (busy bool, err error) {
	o, err := a.service(organisation)
	if err != nil {
		return false, err
	}
	after, err := a.fed(ctx, organisation)
	if err != nil {
		return false, err
	}
	answer, err := o.Statements(ctx, after, feedWait)
	if ctx.Err() == nil {
		a.reached.note(CallsService, organisation, a.Now(), err)
	}
	if err != nil {
		return false, err
	}
	for _, s := range answer.Statements {
		if s.Number != after+1 {
			return false, errServiceWord.At("number")
		}
		if err := a.feedOne(ctx, organisation, s); err != nil {
			return false, err
		}
		after = s.Number
	}
	return len(answer.Statements) > 0, nil
}

func (a *App) fed(ctx context.Context, organisation string) (int64, error) {
	var number int64
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		text, err := tx.Setting(ctx, fedUntil(organisation))
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err == nil {
			number, err = strconv.ParseInt(text, 10, 64)
		}
		return err
	})
	return number, err
}

// feedOne records a statement or keeps it for later, and notes that it was taken, in this order.
func (a *App) feedOne(ctx context.Context, organisation string, s orgapi.Signed) error {
	failed := a.takeSigned(ctx, organisation, s)
	if failed != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	payload, err := statement.Canonical(s)
	if err != nil {
		return err
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		if failed != nil {
			now := a.Now()
			if _, err := tx.EnqueueJob(ctx, JobStatement, fmt.Sprintf("%s/%d", organisation, s.Number), payload, now, now.Add(time.Second), statementAttempts); err != nil {
				return err
			}
		}
		return tx.SetSetting(ctx, fedUntil(organisation), strconv.FormatInt(s.Number, 10))
	})
}

// TakeStatement is one try at a statement that could not be recorded at first. key is organisation/number.
func (a *App) TakeStatement(ctx context.Context, payload, key string) error {
	var s orgapi.Signed
	if err := statement.Decode([]byte(payload), &s); err != nil {
		return err
	}
	at := len(key) - len(strconv.FormatInt(s.Number, 10)) - 1
	if at < 1 {
		return errServiceWord
	}
	return a.takeSigned(ctx, key[:at], s)
}

// IssuedBadge is the day's badge and the list that it is held to.
type IssuedBadge struct {
	Badge      string // token
	From       time.Time
	Until      time.Time
	StatusURI  string
	StatusList string // the newest token of that list
}

// IssueBadge has the employer issue the day's badge to a technician who signed for it. Faults:
// access_denied, badge_request_differs, badge_held, organisation_without_service, orgapi's.
func (a *App) IssueBadge(ctx context.Context, actor Actor, key statement.Key, request string) (IssuedBadge, error) {
	if err := access.Require(access.Role(actor.Role), "issue_badge", access.Self); err != nil {
		return IssuedBadge{}, err
	}
	if err := sameKey(key, request); err != nil {
		return IssuedBadge{}, err
	}
	if err := a.notStopped(ctx, actor.Person); err != nil {
		return IssuedBadge{}, err
	}
	o, err := a.service(actor.Organisation)
	if err != nil {
		return IssuedBadge{}, err
	}
	answer, err := o.Badge(ctx, orgapi.BadgeAsk{Holder: actor.Person, Request: request})
	if err != nil {
		return IssuedBadge{}, err
	}
	if err := a.takeAllSigned(ctx, actor.Organisation, answer.Statements); err != nil {
		return IssuedBadge{}, err
	}
	return a.issued(ctx, answer)
}

// sameKey holds the key that is named to the one that was signed for, so that nobody asks for one and
// shows another.
func sameKey(key statement.Key, request string) error {
	envelope, err := statement.Base64(request)
	if err != nil {
		return fault.At(err, "request")
	}
	c, err := statement.Parse(envelope)
	if err != nil {
		return fault.At(err, "request")
	}
	var body registry.BadgeRequest
	if err := c.UntrustedBody(&body); err != nil {
		return fault.At(err, "request")
	}
	if body.Key.Thumbprint() != key.Thumbprint() || body.Key.Kind != key.Kind {
		return errBadgeAsk
	}
	return nil
}

// issued reads what was recorded about a badge, and finds its list.
func (a *App) issued(ctx context.Context, answer orgapi.Answer) (IssuedBadge, error) {
	out := IssuedBadge{Badge: answer.Badge}
	for _, s := range answer.Statements {
		envelope, err := statement.Base64(s.Statement)
		if err != nil {
			return out, errServiceWord.Because(err)
		}
		c, err := statement.Parse(envelope)
		if err != nil {
			return out, errServiceWord.Because(err)
		}
		var b registry.BadgeIssued
		if c.Type != registry.TypeBadgeIssued || c.UntrustedBody(&b) != nil || b.Badge != statement.Digest([]byte(answer.Badge)) {
			continue
		}
		from, errF := b.From.Parse()
		until, errU := b.Until.Parse()
		if err := errors.Join(errF, errU); err != nil {
			return out, errServiceWord.Because(err)
		}
		out.From, out.Until, out.StatusURI = from, until, b.StatusURI
	}
	if out.StatusURI == "" {
		return out, errServiceWord.At("badge")
	}
	list, err := a.newestList(ctx, out.StatusURI)
	out.StatusList = list
	return out, err
}

// newestList gives the token of the status list with the highest number, "" where none is recorded.
func (a *App) newestList(ctx context.Context, uri string) (string, error) {
	token := ""
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		g := a.gather(ctx, tx)
		if err := g.refs(refStatusList, uri, 1); err != nil {
			return err
		}
		for _, e := range g.events {
			c, err := recordedClaims(ctx, tx, e.StatementDigest)
			if err != nil {
				return err
			}
			var l registry.StatusList
			if err := c.UntrustedBody(&l); err != nil {
				return err
			}
			token = l.Token
		}
		return nil
	})
	return token, err
}

// EndBadges has the employer take a person's badges back: his own, or those of somebody of one's own
// organisation. How many were in force.
func (a *App) EndBadges(ctx context.Context, actor Actor, person, reason string) (int, error) {
	rel := access.OwnOrganisation // the service of his own organisation is asked, and knows its people
	if person == actor.Person {
		rel = access.Self
	}
	if err := access.Require(access.Role(actor.Role), visit.RevokeBadge, rel); err != nil {
		return 0, err
	}
	o, err := a.service(actor.Organisation)
	if err != nil {
		return 0, err
	}
	answer, err := o.EndBadges(ctx, orgapi.BadgeEnd{Holder: person, Reason: reason, By: actor.Person})
	if err != nil {
		return 0, err
	}
	ended := 0
	for _, s := range answer.Statements {
		if s.Verb == visit.RevokeBadge {
			ended++
		}
	}
	return ended, a.takeAllSigned(ctx, actor.Organisation, answer.Statements)
}

// EndKey has an organisation end a key that it enrolled: somebody's own, or one of the actor's organisation.
func (a *App) EndKey(ctx context.Context, actor Actor, organisation, thumb, reason string) error {
	if organisation != actor.Organisation {
		return errNoService // what is another's does not exist here
	}
	rel := access.OwnOrganisation
	own, err := a.ownKey(ctx, actor, thumb)
	if err != nil {
		return err
	}
	if own {
		rel = access.Self
	}
	if err := access.Require(access.Role(actor.Role), visit.EndEnrolment, rel); err != nil {
		return err
	}
	o, err := a.service(actor.Organisation)
	if err != nil {
		return err
	}
	answer, err := o.EndKey(ctx, orgapi.KeyEnd{Key: thumb, Reason: reason, By: actor.Person})
	if err != nil {
		return err
	}
	return a.takeAllSigned(ctx, actor.Organisation, answer.Statements)
}

// ownKey says whether a recorded enrolment gives this key to this very person and role.
func (a *App) ownKey(ctx context.Context, actor Actor, thumb string) (bool, error) {
	own := false
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		g := a.gather(ctx, tx)
		if err := g.refs(refKey, thumb, 4); err != nil {
			return err
		}
		for _, e := range g.events {
			c, err := recordedClaims(ctx, tx, e.StatementDigest)
			if err != nil {
				return err
			}
			var body statement.Enrolment
			if err := c.UntrustedBody(&body); err != nil {
				return err
			}
			own = own || body.Holder == actor.Person && body.Role == actor.Role && body.Organisation == actor.Organisation
		}
		return nil
	})
	return own, err
}

// Roll gives the people of the actor's own organisation, with who has a key and who lacks one.
func (a *App) Roll(ctx context.Context, actor Actor) ([]orgapi.Person, error) {
	if err := access.Require(access.Role(actor.Role), access.ReadRoll, access.OwnOrganisation); err != nil {
		return nil, err
	}
	o, err := a.service(actor.Organisation)
	if err != nil {
		return nil, err
	}
	roll, err := o.People(ctx)
	return roll.People, err
}
