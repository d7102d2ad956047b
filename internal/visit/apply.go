package visit

import (
	"slices"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// MaxStars is the best that a review can say; the worst is one.
const MaxStars = 5

// MaxTrials is how many trial permits one visit may use (design §8).
const MaxTrials = 3

var (
	errNonceTwice     = fault.New(fault.Refused, "challenge_nonce_reused", "这个随机数在这次上门里用过了。", "This nonce was already used in this visit.")
	errChallengeTwice = fault.New(fault.Refused, "challenge_answered_before", "这个核对码已经用过了。", "This challenge was answered before.")
	errTranscript     = fault.New(fault.Invalid, "admission_transcript", "没信号时做的核对要附上过程，有信号时做的不附。", "A door check without signal carries its transcript and no challenge; one with signal the other way round.")
	errUnassigned     = fault.New(fault.Refused, "nobody_assigned", "还没有派人。", "Nobody is assigned to this visit.")
	errDecisionVerb   = fault.New(fault.Refused, "decision_other_verb", "决定没有记在它自己的操作下。", "The decision is recorded under another verb than its ask's own.")
	errPermitShape    = fault.New(fault.Invalid, "permit_malformed", "许可的内容不完整。", "A decision carries a permit exactly when it gives power.")
	errTrials         = fault.New(fault.Refused, "trials_used_up", "试交易的次数用完了。", "All trial permits of this visit are used.")
	errPermitUnknown  = fault.New(fault.Refused, "permit_unknown", "没有这张许可。", "No such permit was decided on this visit.")
	errPermitOld      = fault.New(fault.Refused, "permit_superseded", "后来又有了新的许可，这一张不能再用。", "A later permit was decided; this one is not acted on any more.")
	errPermitCanceled = fault.New(fault.Refused, "permit_cancelled", "这张许可已经取消。", "This permit was cancelled.")
	errOutcomeWord    = fault.New(fault.Invalid, "outcome_unknown", "主机的答复不是规定的几种之一。", "The host's answer is none of loaded, keys_ended, refused and cancelled.")
	errOtherAcquirer  = fault.New(fault.Forbidden, "signer_of_another_acquirer", "签名的人不是这次上门的收单机构的。", "The signer belongs to another acquirer than the one that opened this visit.")
	errResumeBare     = fault.New(fault.Invalid, "resumption_incomplete", "恢复要写明理由和申诉的办法。", "A resumption gives its reason and the way to appeal.")
	errOtherProvider  = fault.New(fault.Forbidden, "signer_of_another_provider", "签名的人不是派人来的那家服务商的。", "The signer belongs to another provider than the one that sent somebody on this visit.")
	errRulingBare     = fault.New(fault.Invalid, "ruling_incomplete", "处理矛盾要写明是谁签的哪两份、哪一份算数、为什么。", "A ruling says whose two statements they are, which one counts, and why.")
	errRulingOwn      = fault.New(fault.Forbidden, "ruling_on_own_statements", "自己签的两份对不上，要由别人来处理。", "Whose statements contradict each other does not rule on them; somebody else does.")
	errRulingTwice    = fault.New(fault.Conflict, "ruling_given_before", "这处矛盾已经有人签字处理过了，不能再改。", "Somebody has ruled on this contradiction already; a ruling is not changed.")
	errReviewTwice    = fault.New(fault.Conflict, "review_given_before", "这次上门您已经评价过了，评价不能改，也不能删。", "You have reviewed this visit already; a review is neither changed nor removed.")
	errReviewStars    = fault.New(fault.Invalid, "review_stars_out_of_bounds", "评分是 1 到 5 颗星。", "A review gives one to five stars.")
	errResumeNothing  = fault.New(fault.Refused, "resumption_names_nothing", "恢复要一件件写明处理了哪些没结的事。", "A resumption names the open matters that it closes, and no others.")
)

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
	case TypeDeviceWork:
		return s.work(e)
	case TypeTerminalState:
		return s.report(e)
	case TypeRefusal, TypeIncident:
		return s.brake(e), nil
	case TypeBrake:
		return s.braked(e)
	case TypeResumption:
		return s.resume(e)
	case TypeRuling:
		return s.rule(e)
	case TypeReview:
		return s.review(e)
	}
	return s, nil
}

func (s State) open(e Event) (State, error) {
	if err := e.Statement.Body(TypeOpened, &s.opened); err != nil {
		return State{}, err
	}
	if s.opened.Visit != s.id {
		return State{}, errOtherVisit
	}
	s.stage, s.acquirer = Booked, e.Statement.Header().Organisation
	return s, nil
}

func (s State) assign(e Event) (State, error) {
	if err := e.Statement.Body(TypeDispatch, &s.dispatch); err != nil {
		return State{}, err
	}
	if s.dispatch.Visit != s.id {
		return State{}, errOtherVisit
	}
	s.stage, s.sentBy = Booked, e.Statement.Header().Organisation
	return s, nil
}

// challenge takes a nonce once per visit: under a second challenge, an old answer would look fresh.
func (s State) challenge(e Event) (State, error) {
	c := Recorded[Challenge]{Event: e}
	if err := e.Statement.Body(TypeChallenge, &c.Body); err != nil {
		return State{}, err
	}
	if c.Body.Visit != s.id {
		return State{}, errOtherVisit
	}
	if s.nonceUsed(c.Body.Nonce) {
		return State{}, errNonceTwice
	}
	s.challenges = append(slices.Clip(s.challenges), c)
	return s, nil
}

func (s State) nonceUsed(nonce string) bool {
	return slices.Contains(s.nonces, nonce) || slices.ContainsFunc(s.challenges, func(o Recorded[Challenge]) bool { return o.Body.Nonce == nonce })
}

// answer burns the challenge: a nonce is answered once, whatever the answer was. One that the page made
// itself, without signal, comes with the transcript and is burnt by it.
func (s State) answer(e Event) (State, error) {
	var a Admission
	if err := e.Statement.Body(TypeAdmission, &a); err != nil {
		return State{}, err
	}
	offline := a.Mode == ModeOffline
	switch {
	case offline != (a.Offline != nil) || offline != (a.Challenge == ""):
		return State{}, errTranscript
	case offline && s.nonceUsed(a.Offline.Nonce):
		return State{}, errNonceTwice
	case offline:
		s.nonces = append(slices.Clip(s.nonces), a.Offline.Nonce)
		return s, nil
	}
	if slices.Contains(s.answered, a.Challenge) {
		return State{}, errChallengeTwice
	}
	s.answered = append(slices.Clip(s.answered), a.Challenge)
	return s, nil
}

// askRule says under which verb an ask's decision is recorded, from which stages, and, if it needs no
// host, which stage it opens. A verb's row in the table allows all stages of its asks together.
type askRule struct {
	verb  string
	from  []Stage
	after Stage // None: only the host's outcome moves the stage
}

var askRules = map[string]askRule{
	AskDispatch: {DispatchVerb, from(Booked), Dispatched},
	AskAdmit:    {Admit, from(Dispatched), Admitted},
	AskTrial:    {RequestPermit, from(Admitted, Trial), None},
	AskLive:     {RequestPermit, from(Trial), None},
	AskEnd:      {RequestPermit, from(Admitted, Live), None},
	AskClose:    {Close, from(Admitted, Live), Closed},
}

// Stands finds the decision that an ask is answered with when it is put again, because the first answer was
// lost: one that moved the visit past its own stage, or whose permit can still be acted on or was acted on. A
// trial whose keys were loaded stands as long as the keys live; that its script failed is for package evidence to
// say, and asking again is then asking for another one. Nothing stands of a visit that is stopped, or that ended
// otherwise than by this ask.
func (s State) Stands(ask string, now time.Time) (Recorded[Decision], bool) {
	d, ok := s.Decision(ask)
	rule := askRules[ask]
	if !ok || s.frozen || (s.stage.Ended() && s.stage != rule.after) {
		return Recorded[Decision]{}, false
	}
	if d.Body.Permit == nil {
		ok = !slices.Contains(rule.from, s.stage)
	} else {
		ok = s.inForce(d, now)
	}
	if !ok {
		return Recorded[Decision]{}, false
	}
	return d, true
}

// inForce says whether a permit waits for its host or runs its trial, in time, or did what it was for.
func (s State) inForce(d Recorded[Decision], now time.Time) bool {
	digest := d.Event.Statement.Digest()
	if o, answered := s.Outcome(digest); answered && (o.Body.Outcome != Loaded || d.Body.Ask != AskTrial) {
		return o.Body.Outcome == KeysEnded || (o.Body.Outcome == Loaded && d.Body.Ask == AskLive)
	}
	permits := s.permits()
	until, err := d.Body.Permit.Until.Parse()
	return err == nil && now.Before(until) && permits[len(permits)-1] == digest && !slices.Contains(s.cancelled, digest)
}

// VerbOf gives the verb that a decision at an ask is recorded under, "" for no such ask.
func VerbOf(ask string) string { return askRules[ask].verb }

func (s State) decided(e Event) (State, error) {
	d := Recorded[Decision]{Event: e}
	if err := e.Statement.Body(TypeDecision, &d.Body); err != nil {
		return State{}, err
	}
	if d.Body.Visit != s.id {
		return State{}, errOtherVisit
	}
	rule := askRules[d.Body.Ask]
	switch {
	case rule.verb != e.Verb:
		return State{}, errDecisionVerb
	case !slices.Contains(rule.from, s.stage):
		return State{}, errStage
	case (rule.verb == RequestPermit) != (d.Body.Permit != nil):
		return State{}, errPermitShape
	case s.dispatch.Visit == "":
		return State{}, errUnassigned
	}
	if d.Body.Ask == AskTrial {
		if s.trials++; s.trials > MaxTrials {
			return State{}, errTrials
		}
	}
	s.decisions = append(slices.Clip(s.decisions), d)
	if rule.after != None {
		s.stage = rule.after
	}
	return s, nil
}

// intend records that menshen is about to call the host: with the last permit only, and not with one
// that was cancelled. Asking again with the same permit is allowed; the host answers it once.
func (s State) intend(e Event) (State, error) {
	var i Intent
	if err := e.Statement.Body(TypeIntent, &i); err != nil {
		return State{}, err
	}
	if i.Visit != s.id {
		return State{}, errOtherVisit
	}
	permits := s.permits()
	switch at := slices.Index(permits, i.Permit); {
	case at < 0:
		return State{}, errPermitUnknown
	case at != len(permits)-1:
		return State{}, errPermitOld
	case slices.Contains(s.cancelled, i.Permit):
		return State{}, errPermitCanceled
	}
	return s, nil
}

// permits lists the digests of the decisions that gave power, in order.
func (s State) permits() []string {
	var out []string
	for _, d := range s.decisions {
		if d.Body.Permit != nil {
			out = append(out, d.Event.Statement.Digest())
		}
	}
	return out
}

// outcome moves the visit to trial or live only on the signed "loaded" of its own acquirer's host, for
// a permit of this visit and the device that it names. It is received even when frozen or ended,
// because it says what is so; an ended visit stays ended, and the keys' end is then the host's next
// answer. An answer that contradicts the permit or the host's first answer is kept, changes no
// stage and opens a matter for a person.
func (s State) outcome(e Event) (State, error) {
	o := Recorded[Outcome]{Event: e}
	if err := e.Statement.Body(TypeOutcome, &o.Body); err != nil {
		return State{}, err
	}
	permit, known := s.Permit(o.Body.Permit)
	switch {
	case o.Body.Visit != s.id:
		return State{}, errOtherVisit
	case !known:
		return State{}, errPermitUnknown
	case e.Statement.Header().Organisation != s.acquirer:
		return State{}, errOtherAcquirer
	case !slices.Contains([]string{Loaded, KeysEnded, OutcomeRefused, OutcomeCanceled}, o.Body.Outcome):
		return State{}, errOutcomeWord
	}
	first, answered := s.Outcome(o.Body.Permit)
	s.outcomes = append(slices.Clip(s.outcomes), o)
	if contradicts(o.Body, permit.Body) || (answered && first.Body.Outcome != o.Body.Outcome) {
		return s.opens(e), nil
	}
	loaded := o.Body.Outcome == Loaded
	// Only forwards: an answer that comes late or once more does not bring a live visit back.
	switch {
	case loaded && permit.Body.Ask == AskTrial && s.stage == Admitted:
		s.stage = Trial
	case loaded && permit.Body.Ask == AskLive && s.stage == Trial:
		s.stage = Live
	}
	return s, nil
}

// rule takes one answer to each statement that was kept aside, by the risk desk of the visit's own acquirer or a
// dispatcher of the provider that is on it, and not by whose statements they are. It changes nothing else: what the
// visit rests on is judged from what is recorded.
func (s State) rule(e Event) (State, error) {
	var r Ruling
	if err := e.Statement.Body(TypeRuling, &r); err != nil {
		return State{}, err
	}
	h := e.Statement.Header()
	switch {
	case r.Visit != s.id:
		return State{}, errOtherVisit
	case r.Signer == "" || r.Reason == "" || !statement.IsDigest(r.Stands) || !statement.IsDigest(r.Late) || r.Stands == r.Late || (r.Outcome != RuledStands && r.Outcome != RuledLate):
		return State{}, errRulingBare
	case s.sentBy == "": // then nobody signed anything that could contradict it
		return State{}, errUnassigned
	case h.Role == RoleRisk && h.Organisation != s.acquirer:
		return State{}, errOtherAcquirer
	case h.Role == RoleDispatcher && h.Organisation != s.sentBy:
		return State{}, errOtherProvider
	case h.Signer == r.Signer:
		return State{}, errRulingOwn
	case slices.Contains(s.ruled, r.Late):
		return State{}, errRulingTwice
	}
	s.ruled = append(slices.Clip(s.ruled), r.Late)
	return s, nil
}

// review takes one judgement of a closed visit from each party: it counts people, not their keys.
func (s State) review(e Event) (State, error) {
	var r Review
	if err := e.Statement.Body(TypeReview, &r); err != nil {
		return State{}, err
	}
	h := e.Statement.Header()
	who := h.Role + "/" + h.Organisation + "/" + h.Signer
	switch {
	case r.Visit != s.id:
		return State{}, errOtherVisit
	case r.Stars < 1 || r.Stars > MaxStars:
		return State{}, errReviewStars
	case slices.Contains(s.reviewed, who):
		return State{}, errReviewTwice
	}
	s.reviewed = append(slices.Clip(s.reviewed), who)
	return s, nil
}

// contradicts says whether the host did another thing than the permit was for, or to another device.
func contradicts(o Outcome, d Decision) bool {
	if o.Outcome != Loaded && o.Outcome != KeysEnded {
		return false
	}
	ends := d.Ask == AskEnd
	return ends != (o.Outcome == KeysEnded) || o.Serial != d.Permit.Serial || o.DeviceKey != d.Permit.DeviceKey
}

// opens freezes the visit until somebody answers the matter that this statement opens.
func (s State) opens(e Event) State {
	s.frozen = true
	s.incidents = append(slices.Clip(s.incidents), e.Statement.Digest())
	return s
}

// endAfter maps the verbs that end a visit to the stage they end it in.
var endAfter = map[string]Stage{Refuse: Refused, Abort: Aborted, RollBack: RolledBack}

// brake takes power away. It is recorded even on a visit that has ended, and then changes no stage.
// A live terminal is not refused or called off, it is rolled back: the other two would leave live
// keys behind a visit that nobody has to close, so they stop it for a person to look at. So does a
// roll-back when the old terminal's keys are gone: the shop would be left with neither.
func (s State) brake(e Event) State {
	after, ends := endAfter[e.Verb]
	if !ends || (s.stage == Live && (after != RolledBack || s.anyEnded())) {
		return s.opens(e)
	}
	if !s.stage.Ended() {
		s.stage = after
	}
	return s
}

// braked reads a brake. A cancel takes the named permit's power away, or every permit's so far.
func (s State) braked(e Event) (State, error) {
	var b Brake
	if err := e.Statement.Body(TypeBrake, &b); err != nil {
		return State{}, err
	}
	if b.Visit != s.id {
		return State{}, errOtherVisit
	}
	if e.Verb != Cancel {
		return s.brake(e), nil
	}
	permits := s.permits()
	if b.Permit != "" {
		permits = []string{b.Permit}
	}
	s.cancelled = append(slices.Clip(s.cancelled), permits...)
	return s, nil
}

// resume closes the matters it names; the visit goes on only when none is left. Only the risk desk of
// the visit's own acquirer may, and gives its reason and the way to appeal (反诈法 art. 32).
func (s State) resume(e Event) (State, error) {
	var r Resumption
	if err := e.Statement.Body(TypeResumption, &r); err != nil {
		return State{}, err
	}
	unknown := func(d string) bool { return !slices.Contains(s.incidents, d) }
	switch {
	case r.Visit != s.id:
		return State{}, errOtherVisit
	case e.Statement.Header().Organisation != s.acquirer:
		return State{}, errOtherAcquirer
	case r.Reason == "" || r.Appeal == "":
		return State{}, errResumeBare
	case len(r.Closes) == 0 || slices.ContainsFunc(r.Closes, unknown):
		return State{}, errResumeNothing
	}
	s.incidents = slices.DeleteFunc(slices.Clone(s.incidents), func(d string) bool { return slices.Contains(r.Closes, d) })
	s.frozen = len(s.incidents) > 0
	return s, nil
}
