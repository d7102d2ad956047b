package visit

import (
	"maps"
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
)

var (
	errVerbUnknown  = fault.New(fault.Refused, "verb_unknown", "没有这种操作，或者文件种类不对。", "No such verb takes this kind of statement in this stream.")
	errRoleNot      = fault.New(fault.Forbidden, "role_not_allowed", "这个身份不能做这件事。", "This role may not do this.")
	errStage        = fault.New(fault.Conflict, "stage_not_fitting", "这次上门还没到（或已过了）这一步。", "The visit is not at a stage where this can be done.")
	errFrozen       = fault.New(fault.Refused, "visit_frozen", "这次上门已被停止，先要由风控处理。", "The visit is frozen; the acquirer's risk desk must decide first.")
	errUnproven     = fault.New(fault.Refused, "statement_unverified", "这份文件没有核对过签名。", "This statement was never verified.")
	errOtherVisit   = fault.New(fault.Refused, "statement_other_visit", "文件说的是另一次上门。", "The statement is about another visit.")
	errNumber       = fault.New(fault.Invalid, "event_number_gap", "事件的编号不连续。", "An event of the stream is missing or out of place.")
	errPhotoDigest  = fault.New(fault.Invalid, "step_photo_malformed", "照片要用它的 SHA-256 摘要写明。", "A step names each photo by its SHA-256 digest.")
	errBackupDigest = fault.New(fault.Invalid, "backup_malformed", "备份要写明备份内容和恢复内容的 SHA-256 摘要。", "A backup names what was backed up and what was restored by SHA-256 digests.")
	errSignerChain  = fault.New(fault.Conflict, "signer_chain_broken", "同一个人前后两份文件接不上，中间还有一份没到。", "The statement does not name its signer's previous one in this visit; one is missing.")
)

// Decide says whether a verified statement may be recorded under a verb in this state. It answers
// with the state after it, or a refusal. now is when menshen received it.
func Decide(s State, verb string, v statement.Verified, now time.Time) (State, error) {
	return s.next(Event{Number: s.number + 1, Verb: verb, ReceivedAt: now, Statement: v})
}

// Advance is one step of Fold: the state after an event that is already written, so that it can be kept
// with the event's digest as its head. A refusal is Decide's.
func Advance(s State, e Event) (State, error) { return s.next(e) }

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

func (s State) next(e Event) (State, error) {
	if !e.Statement.OK() {
		return State{}, errUnproven
	}
	if e.Number != s.number+1 {
		return State{}, errNumber
	}
	if s.id == "" || e.Statement.Subject() != StreamVisit+"/"+s.id {
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
	next.chain(e.Statement)
	return next, nil
}

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

// ordered says whether a signer's statements have an order of their own. The platform's order is the
// stream's, and a host keeps its order by permit.
func ordered(h statement.Header) bool { return h.Role != RolePlatform && h.Role != RoleHost }

// follows holds a person's statements to their order: each names its signer's previous one in this
// stream, so that what was signed without signal can be put in order and one left out shows. What
// takes power away is never held up by a gap.
func (s State) follows(row Row, h statement.Header) error {
	if ordered(h) && row.Sort != TakesPower && h.Previous != s.last[h.Key] {
		return errSignerChain
	}
	return nil
}

// chain takes a recorded statement into its signer's order. A brake that overtook a statement which
// is still under way waits at its place, so that the late one is not refused when it comes.
func (s *State) chain(v statement.Verified) {
	h, digest := v.Header(), v.Digest()
	if ordered(h) && h.Previous != s.last[h.Key] {
		s.ahead = with(s.ahead, h.Previous, digest)
		return
	}
	for digest != "" {
		s.last = with(s.last, h.Key, digest)
		digest = s.ahead[digest]
	}
}

// with gives a copy of m with one more entry: states share their maps and never write into them.
func with(m map[string]string, key, value string) map[string]string {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

// checkBody reads the bodies whose content changes no state just as strictly, so that nothing malformed
// is ever recorded, and holds them to this visit. The bodies of the packages beside this one (arrival,
// attestation, acceptance, charge list) are read where their facts are made.
func (s State) checkBody(v statement.Verified) error {
	visit, err := s.id, error(nil)
	switch v.Type() {
	case TypeRefusal:
		visit, err = visitOf(v, func(b Refusal) string { return b.Visit })
	case TypeIncident:
		visit, err = visitOf(v, func(b Incident) string { return b.Visit })
	case TypeStep:
		visit, err = visitOf(v, func(b Step) string { return b.Visit }, Step.check)
	case TypeBackup:
		visit, err = visitOf(v, func(b Backup) string { return b.Visit }, Backup.check)
	case TypeNothingToKeep:
		visit, err = visitOf(v, func(b NothingToKeep) string { return b.Visit })
	case TypeSignOff:
		visit, err = visitOf(v, func(b SignOff) string { return b.Visit })
	case TypeConfirmation:
		visit, err = visitOf(v, func(b Confirmation) string { return b.Visit })
	case TypeDeviceWork:
		visit, err = visitOf(v, func(b DeviceWork) string { return b.Visit })
	case TypeEndConsent:
		visit, err = visitOf(v, func(b EndConsent) string { return b.Visit })
	case TypeOutageAccepted:
		visit, err = visitOf(v, func(b OutageAccepted) string { return b.Visit })
	case registry.TypeExtract:
		visit, err = visitOf(v, func(b registry.Extract) string { return b.Visit })
	}
	if err != nil {
		return err
	}
	if visit != s.id {
		return errOtherVisit
	}
	return nil
}

func visitOf[T any](v statement.Verified, id func(T) string, checks ...func(T) error) (string, error) {
	var b T
	err := v.Body(v.Type(), &b)
	for _, check := range checks {
		if err == nil {
			err = check(b)
		}
	}
	return id(b), err
}

// check wants a digest for each photo: a name that no picture can have could never be asked for, and an empty one
// would be every empty one.
func (s Step) check() error {
	for i, p := range s.Photos {
		if !statement.IsDigest(p.Digest) {
			return errPhotoDigest.Atf("photos[%d]", i)
		}
	}
	return nil
}

// check wants two digests: two equal words prove no restore.
func (b Backup) check() error {
	if !statement.IsDigest(b.Manifest) || !statement.IsDigest(b.Restored) {
		return errBackupDigest
	}
	return nil
}
