package visit

import (
	"maps"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// MaxTrials is how many trial permits one visit may use (design §8).
const MaxTrials = 3

var (
	errVerbUnknown    = fault.New(fault.Refused, "verb_unknown", "没有这种操作，或者文件种类不对。", "No such verb takes this kind of statement in this stream.")
	errRoleNot        = fault.New(fault.Forbidden, "role_not_allowed", "这个身份不能做这件事。", "This role may not do this.")
	errStage          = fault.New(fault.Conflict, "stage_not_fitting", "这次上门还没到（或已过了）这一步。", "The visit is not at a stage where this can be done.")
	errFrozen         = fault.New(fault.Refused, "visit_frozen", "这次上门已被停止，先要由风控处理。", "The visit is frozen; the acquirer's risk desk must decide first.")
	errUnproven       = fault.New(fault.Refused, "statement_unverified", "这份文件没有核对过签名。", "This statement was never verified.")
	errOtherVisit     = fault.New(fault.Refused, "statement_other_visit", "文件说的是另一次上门。", "The statement is about another visit.")
	errTrials         = fault.New(fault.Refused, "trials_used_up", "试交易的次数用完了。", "All trial permits of this visit are used.")
	errPermitUnknown  = fault.New(fault.Refused, "permit_unknown", "没有这张许可。", "No such permit was decided on this visit.")
	errSignerChain    = fault.New(fault.Conflict, "signer_chain_broken", "同一个人前后两份文件接不上，中间还有一份没到。", "The statement does not name its signer's previous one in this visit; one is missing.")
	errPermitShape    = fault.New(fault.Invalid, "permit_malformed", "许可的内容不完整。", "A decision carries a permit exactly when it gives power.")
	errNumber         = fault.New(fault.Invalid, "event_number_gap", "事件的编号不连续。", "An event of the stream is missing or out of place.")
	errChallengeTwice = fault.New(fault.Refused, "challenge_answered_before", "这个核对码已经用过了。", "This challenge was answered before.")
)

// Event is one event of a visit's stream as Fold reads it.
type Event struct {
	Number     int
	Digest     string // of the event bytes
	Verb       string
	ReceivedAt time.Time
	Statement  statement.Verified
}

// State is what a visit's events add up to. Only Fold makes one that is not empty; the zero value
// is a visit nobody booked, at which everything that gives power is refused.
type State struct {
	id         string
	stage      Stage
	frozen     bool
	number     int
	head       string
	opened     Opened
	dispatch   Dispatch
	decisions  []Recorded[Decision]
	outcomes   []Recorded[Outcome]
	challenges []Recorded[Challenge]
	answered   []string // digests of challenges
	incidents  []string // digests of unresolved freezes and incidents
	trials     int
	last       map[string]string // signer's key → digest of his last statement here; never written in place
}

// Recorded is a body with the event that brought it.
type Recorded[T any] struct {
	Body  T
	Event Event
}

// ID is the visit's id, "" for the zero value.
func (s State) ID() string { return s.id }

// Stage is where the visit stands.
func (s State) Stage() Stage { return s.stage }

// Frozen says whether what gives power is stopped.
func (s State) Frozen() bool { return s.frozen }

// Number is the last event's number, 0 for none.
func (s State) Number() int { return s.number }

// Head is the digest of the last event, "" for none.
func (s State) Head() string { return s.head }

// Opened is what started the visit.
func (s State) Opened() Opened { return s.opened }

// Dispatched is the latest assignment.
func (s State) Dispatched() Dispatch { return s.dispatch }

// Decisions are the gate's positive answers so far, in order.
func (s State) Decisions() []Recorded[Decision] { return slices.Clone(s.decisions) }

// Outcomes are the host's signed answers so far, in order.
func (s State) Outcomes() []Recorded[Outcome] { return slices.Clone(s.outcomes) }

// Open lists the digests of freezes and incidents that nobody has answered.
func (s State) Open() []string { return slices.Clone(s.incidents) }

// Challenge finds a challenge by its statement's digest.
func (s State) Challenge(digest string) (Recorded[Challenge], bool) {
	for _, c := range s.challenges {
		if c.Event.Statement.Digest() == digest {
			return c, true
		}
	}
	return Recorded[Challenge]{}, false
}

// Decision finds the latest decision at an ask.
func (s State) Decision(ask string) (Recorded[Decision], bool) {
	for _, d := range slices.Backward(s.decisions) {
		if d.Body.Ask == ask {
			return d, true
		}
	}
	return Recorded[Decision]{}, false
}

// Permit finds a decision by its statement's digest.
func (s State) Permit(digest string) (Recorded[Decision], bool) {
	for _, d := range s.decisions {
		if d.Event.Statement.Digest() == digest && d.Body.Permit != nil {
			return d, true
		}
	}
	return Recorded[Decision]{}, false
}

// Outcome finds the host's answer to a permit; the last one counts.
func (s State) Outcome(permit string) (Recorded[Outcome], bool) {
	for _, o := range slices.Backward(s.outcomes) {
		if o.Body.Permit == permit {
			return o, true
		}
	}
	return Recorded[Outcome]{}, false
}

// Decide says whether a verified statement may be recorded under a verb in this state. It answers
// with the state after it, or a refusal. now is when menshen received it.
func Decide(s State, verb string, v statement.Verified, now time.Time) (State, error) {
	return s.next(Event{Number: s.number + 1, Verb: verb, ReceivedAt: now, Statement: v})
}

// Fold replays a visit's events, in order from 1, through the same rules as Decide.
func Fold(id string, events []Event) (State, error) {
	s := State{id: id}
	for _, e := range events {
		next, err := s.next(e)
		if err != nil {
			return State{}, fault.Of(err).Atf("event %d %s", e.Number, e.Verb)
		}
		s = next
	}
	return s, nil
}

// New is the state of a visit that nobody booked yet.
func New(id string) State { return State{id: id} }

func (s State) next(e Event) (State, error) {
	if !e.Statement.OK() {
		return State{}, errUnproven
	}
	if e.Number != s.number+1 {
		return State{}, errNumber
	}
	if e.Statement.Subject() != StreamVisit+"/"+s.id {
		return State{}, errOtherVisit
	}
	row, ok := Find(StreamVisit, e.Verb, e.Statement.Type())
	if !ok {
		return State{}, errVerbUnknown
	}
	if !row.Allows(e.Statement.Header().Role) {
		return State{}, errRoleNot
	}
	if err := s.mayUse(row); err != nil {
		return State{}, err
	}
	if err := s.follows(row, e.Statement.Header()); err != nil {
		return State{}, err
	}
	if err := s.checkBody(e.Statement); err != nil {
		return State{}, err
	}
	next, err := s.apply(e)
	if err != nil {
		return State{}, err
	}
	next.number, next.head = e.Number, e.Digest
	next.last = maps.Clone(s.last)
	if next.last == nil {
		next.last = map[string]string{}
	}
	next.last[e.Statement.Header().Key] = e.Statement.Digest()
	return next, nil
}

// follows holds a person's statements to their order: each names its signer's previous one in this
// stream, so that what was signed without signal can be put in order and one left out shows. The
// platform's order is the stream's own, a host keeps its order by permit, and what takes power away
// is never held up by a gap.
func (s State) follows(row Row, h statement.Header) error {
	if h.Role == RolePlatform || h.Role == RoleHost || row.Sort == TakesPower {
		return nil
	}
	if h.Previous != s.last[h.Key] {
		return errSignerChain
	}
	return nil
}

// LastBy is the digest of the last statement that a key signed in this visit, "" for none: what its
// next statement must name as previous.
func (s State) LastBy(key string) string { return s.last[key] }

// mayUse asks stage and freeze. Evidence is received and power taken away at any stage of a visit
// that exists; only what gives power waits for stage and freeze.
func (s State) mayUse(row Row) error {
	if row.From == nil && s.stage == None {
		return errStage
	}
	if row.From != nil && !slices.Contains(row.From, s.stage) {
		return errStage
	}
	if row.Sort == GivesPower && s.frozen && row.Verb != Resume {
		return errFrozen
	}
	return nil
}

// apply changes the state by one statement. Types that only bring evidence change nothing here:
// they are facts, recomputed by package evidence at every ask.
func (s State) apply(e Event) (State, error) {
	switch e.Statement.Type() {
	case TypeOpened:
		return s.open(e)
	case TypeDispatch:
		return s.assign(e)
	case TypeChallenge:
		return s.challenge(e)
	case TypeAdmission:
		return s.answer(e)
	case TypeDecision:
		return s.decided(e)
	case TypeIntent:
		return s.intend(e)
	case TypeOutcome:
		return s.outcome(e)
	case TypeRefusal, TypeBrake, TypeIncident:
		return s.brake(e)
	case TypeResumption:
		return s.resume(e)
	}
	return s, nil
}

func (s State) open(e Event) (State, error) {
	if err := s.body(e, TypeOpened, &s.opened); err != nil {
		return State{}, err
	}
	if s.opened.Visit != s.id {
		return State{}, errOtherVisit
	}
	s.stage = Booked
	return s, nil
}

func (s State) assign(e Event) (State, error) {
	if err := s.body(e, TypeDispatch, &s.dispatch); err != nil {
		return State{}, err
	}
	if s.dispatch.Visit != s.id {
		return State{}, errOtherVisit
	}
	s.stage = Booked
	return s, nil
}

func (s State) challenge(e Event) (State, error) {
	c := Recorded[Challenge]{Event: e}
	if err := s.body(e, TypeChallenge, &c.Body); err != nil {
		return State{}, err
	}
	if c.Body.Visit != s.id {
		return State{}, errOtherVisit
	}
	s.challenges = append(slices.Clip(s.challenges), c)
	return s, nil
}

// answer burns the challenge: a nonce is answered once, whatever the answer was.
func (s State) answer(e Event) (State, error) {
	var a Admission
	if err := s.body(e, TypeAdmission, &a); err != nil {
		return State{}, err
	}
	if slices.Contains(s.answered, a.Challenge) {
		return State{}, errChallengeTwice
	}
	s.answered = append(slices.Clip(s.answered), a.Challenge)
	return s, nil
}

// stageAfter maps a decision that needs no host to the stage it opens.
var stageAfter = map[string]Stage{AskDispatch: Dispatched, AskAdmit: Admitted, AskClose: Closed}

// verbOf maps an ask to the one verb its decision is recorded under.
var verbOf = map[string]string{AskDispatch: DispatchVerb, AskAdmit: Admit, AskTrial: RequestPermit,
	AskLive: RequestPermit, AskEnd: RequestPermit, AskClose: Close}

// VerbOf gives the verb that a decision at an ask is recorded under, "" for no such ask.
func VerbOf(ask string) string { return verbOf[ask] }

func (s State) decided(e Event) (State, error) {
	d := Recorded[Decision]{Event: e}
	if err := s.body(e, TypeDecision, &d.Body); err != nil {
		return State{}, err
	}
	if d.Body.Visit != s.id {
		return State{}, errOtherVisit
	}
	if verbOf[d.Body.Ask] != e.Verb {
		return State{}, errVerbUnknown.At(e.Verb)
	}
	if power := e.Verb == RequestPermit; power != (d.Body.Permit != nil) {
		return State{}, errPermitShape
	}
	if d.Body.Ask == AskTrial {
		if s.trials++; s.trials > MaxTrials {
			return State{}, errTrials
		}
	}
	s.decisions = append(slices.Clip(s.decisions), d)
	if after, ok := stageAfter[d.Body.Ask]; ok {
		s.stage = after
	}
	return s, nil
}

func (s State) intend(e Event) (State, error) {
	var i Intent
	if err := s.body(e, TypeIntent, &i); err != nil {
		return State{}, err
	}
	if _, ok := s.Permit(i.Permit); !ok {
		return State{}, errPermitUnknown
	}
	return s, nil
}

// outcome moves the visit to trial or live only on the host's signed "loaded" for a permit of this
// visit. It is received even when frozen or ended, because it says what is so; an ended visit stays
// ended, and the keys' end is then the host's next answer.
func (s State) outcome(e Event) (State, error) {
	o := Recorded[Outcome]{Event: e}
	if err := s.body(e, TypeOutcome, &o.Body); err != nil {
		return State{}, err
	}
	permit, ok := s.Permit(o.Body.Permit)
	if !ok || o.Body.Visit != s.id {
		return State{}, errPermitUnknown
	}
	s.outcomes = append(slices.Clip(s.outcomes), o)
	if o.Body.Outcome != Loaded || s.stage.Ended() {
		return s, nil
	}
	switch permit.Body.Ask {
	case AskTrial:
		s.stage = Trial
	case AskLive:
		s.stage = Live
	}
	return s, nil
}

// endAfter maps the verbs that end a visit to the stage they end it in.
var endAfter = map[string]Stage{Refuse: Refused, Abort: Aborted, RollBack: RolledBack}

// brake takes power away. It is recorded even on a visit that has ended, and then changes no stage.
func (s State) brake(e Event) (State, error) {
	switch e.Verb {
	case Freeze, ReportIncident:
		s.frozen = true
		s.incidents = append(slices.Clip(s.incidents), e.Statement.Digest())
	case Refuse, Abort, RollBack:
		if !s.stage.Ended() {
			s.stage = endAfter[e.Verb]
		}
	}
	return s, nil
}

// resume closes the matters it names; the visit goes on only when none is left.
func (s State) resume(e Event) (State, error) {
	var r Resumption
	if err := s.body(e, TypeResumption, &r); err != nil {
		return State{}, err
	}
	if r.Visit != s.id {
		return State{}, errOtherVisit
	}
	s.incidents = slices.DeleteFunc(slices.Clone(s.incidents), func(d string) bool { return slices.Contains(r.Closes, d) })
	s.frozen = len(s.incidents) > 0
	return s, nil
}

func (s State) body(e Event, kind string, into any) error { return e.Statement.Body(kind, into) }

// checkBody reads the bodies that change no state just as strictly, so that nothing malformed is
// ever recorded, and holds them to this visit.
func (s State) checkBody(v statement.Verified) error {
	visit, err := s.id, error(nil)
	switch v.Type() {
	case TypeRefusal:
		visit, err = visitOf(v, func(b Refusal) string { return b.Visit })
	case TypeBrake:
		visit, err = visitOf(v, func(b Brake) string { return b.Visit })
	case TypeIncident:
		visit, err = visitOf(v, func(b Incident) string { return b.Visit })
	case TypeStep:
		visit, err = visitOf(v, func(b Step) string { return b.Visit })
	case TypeBackup:
		visit, err = visitOf(v, func(b Backup) string { return b.Visit })
	case TypeNothingToKeep:
		visit, err = visitOf(v, func(b NothingToKeep) string { return b.Visit })
	case TypeSignOff:
		visit, err = visitOf(v, func(b SignOff) string { return b.Visit })
	case TypeConfirmation:
		visit, err = visitOf(v, func(b Confirmation) string { return b.Visit })
	case TypeReview:
		visit, err = visitOf(v, func(b Review) string { return b.Visit })
	}
	if err != nil {
		return err
	}
	if visit != s.id {
		return errOtherVisit
	}
	return nil
}

func visitOf[T any](v statement.Verified, id func(T) string) (string, error) {
	var b T
	err := v.Body(v.Type(), &b)
	return id(b), err
}
