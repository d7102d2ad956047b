package pages

import (
	"strconv"
	"strings"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/visit"
)

// notYet are the reasons that say only that something has not been done or looked up yet. A reason
// that is not here is a failure, so a new one is red until somebody thinks about it.
var notYet = map[string]bool{
	"evidence_absent": true, "door_check_absent": true, "arrival_missing": true, "attestation_missing": true,
	"attestation_before_acceptance": true, "attestation_too_old": true, "step_missing": true, "step_photos_missing": true,
	"supervisor_not_signed": true, "trial_not_loaded": true, "place_no_reading": true, "payer_unanswered": true,
	"old_terminal_state_unknown": true, "outage_not_accepted": true, "old_terminal_suspect": true, "end_not_consented": true, "keys_not_ended": true,
	"device_not_handed_back": true, "device_work_unsaid": true,
	nobodySent: true, oneSideSigned: true,
}

// lookedUpWhenAsked are reasons that nobody has to do anything about: menshen looks into its registers
// at the moment of the ask, and what it found before is too old by design.
var lookedUpWhenAsked = map[string]bool{
	"extract_absent": true, "extract_too_old": true, "list_not_looked_up": true, "photo_not_looked_up": true,
	"binding_not_looked_up": true, "person_not_looked_up": true,
}

// nobodySent stands for whatever the gate says about a technician before one was named, oneSideSigned
// for what it says about an agreement whose second signature has not come.
const (
	nobodySent    = "nobody_sent"
	oneSideSigned = "one_side_signed"
)

// aboutTheSent are the conditions that cannot hold before somebody was sent.
var aboutTheSent = map[string]bool{gate.TechnicianTrained: true, gate.DutiesSeparated: true}

// standingOf says where a visit stands and who must act. The first line that fits wins; green needs
// everything to hold.
func standingOf(r evidence.Report, v VisitView) Standing {
	t := tallyOf(v.Conditions)
	stage := visit.Stage(v.Stage)
	switch {
	case r.Refusal != nil:
		return Standing{Level: LevelStop, Word: say("stand.unreadable"), Sentence: refusalOf(r.Refusal), Acts: []Act{act("platform", "act.unreadable")}}
	case stage == visit.Closed:
		return closedStanding(t)
	case stage == visit.RolledBack:
		return rolledBack(v)
	case stage == visit.Aborted && v.Old != nil:
		return Standing{Level: LevelOver, Word: say("stand.aborted"), Sentence: say("stand.aborted.old"), Acts: []Act{act("dispatcher", "act.again")}}
	case stage.Ended():
		return endings[stage]
	case v.Frozen:
		return Standing{Level: LevelStop, Word: say("stand.frozen"), Sentence: say("stand.frozen.why"), Acts: []Act{act("risk", "act.frozen"), act("merchant", "act.hands_off")}}
	}
	if s, ok := permitStanding(v); ok {
		return s
	}
	switch {
	case t.fails > 0:
		return Standing{Level: LevelStop, Word: say("stand.fails"), Sentence: fill("stand.fails.why", t.fails), Acts: actsFor(v.Conditions, MarkFails)}
	case stage == visit.Live && t.waits+t.unopened > 0:
		return Standing{Level: LevelWait, Word: say("stand.live"), Sentence: liveBut(r.Ask, t.waits+t.unopened), Acts: actsFor(v.Conditions, MarkWaits, MarkUnopened)}
	case stage == visit.Live && r.Ask == visit.AskEnd:
		return Standing{Level: LevelWait, Word: say("stand.live"), Sentence: say("stand.live.end"), Acts: []Act{askers[visit.AskEnd]}}
	case stage == visit.Live:
		return Standing{Level: LevelGood, Word: say("stand.live"), Sentence: fill("stand.live.why", t.holds), Acts: []Act{act("technician", "act.close")}}
	case t.holds == len(v.Conditions) && t.holds > 0 && t.holds == t.now:
		return Standing{Level: LevelGood, Word: say("stand.ready"), Sentence: fill("stand.ready.why", t.holds), Acts: []Act{askers[r.Ask]}}
	case t.waits+t.unopened == 0:
		return Standing{Level: LevelWait, Word: say("stand.ask"), Sentence: say("stand.ask.why"), Acts: []Act{askers[r.Ask]}}
	}
	if stage == visit.Admitted {
		word, sentence := atWork(v, r.Ask, t.waits+t.unopened)
		return Standing{Level: LevelWait, Word: word, Sentence: sentence, Acts: actsFor(v.Conditions, MarkWaits, MarkUnopened)}
	}
	s := Standing{Level: LevelWait, Word: say("stand." + v.Stage), Sentence: fill("stand."+v.Stage+".why", t.waits+t.unopened), Acts: actsFor(v.Conditions, MarkWaits, MarkUnopened)}
	return s
}

// tally counts conditions by mark.
type tally struct {
	holds, fails, waits, unopened int
	noted                         int // fails, but is only reported
	lookups                       int // menshen looks when asked: nobody's task
	now                           int // of holds: asked now, not taken from an earlier decision
}

func tallyOf(conditions []ConditionView) tally {
	var t tally
	for _, c := range conditions {
		switch c.Mark {
		case MarkHolds:
			t.holds++
			if c.Decided.IsZero() {
				t.now++
			}
		case MarkWaits:
			t.waits++
		case MarkUnopened:
			t.unopened++
		case MarkLater:
			t.lookups++
		default:
			if c.Reports {
				t.noted++
			} else {
				t.fails++
			}
		}
	}
	return t
}

func (t tally) all() int { return t.holds + t.fails + t.waits + t.unopened + t.noted + t.lookups }

// closedStanding is green only over conditions that all held.
func closedStanding(t tally) Standing {
	if t.holds > 0 && t.holds == t.all() {
		return Standing{Level: LevelGood, Word: say("stand.closed"), Sentence: fill("stand.closed.why", t.holds)}
	}
	return Standing{Level: LevelOver, Word: say("stand.closed"), Sentence: fill("stand.closed.but", t.all()-t.holds)}
}

var endings = map[visit.Stage]Standing{
	visit.Refused: {Level: LevelStop, Word: say("stand.refused"), Sentence: say("stand.refused.why"), Acts: []Act{act("merchant", "act.refused"), act("dispatcher", "act.again")}},
	visit.Aborted: {Level: LevelOver, Word: say("stand.aborted"), Sentence: say("stand.aborted.why"), Acts: []Act{act("dispatcher", "act.again")}},
}

// liveBut says what is still to come after a terminal went live.
func liveBut(ask string, missing int) Text {
	if ask == visit.AskEnd {
		return fill("stand.live.before_end", missing)
	}
	return fill("stand.live.before_close", missing)
}

// permitStanding speaks while the last permit is with the host, or came back without having been acted on.
func permitStanding(v VisitView) (Standing, bool) {
	p := v.Permit
	if p == nil || p.Outcome == visit.Loaded || p.Outcome == visit.KeysEnded || (v.Stage == string(visit.Live)) && p.Ask != visit.AskEnd {
		return Standing{}, false
	}
	switch {
	case p.Outcome == visit.OutcomeRefused:
		return Standing{Level: LevelStop, Word: say("stand.host_refused"), Sentence: forAsk("stand.host_refused.why", p.Ask), Acts: []Act{act("approver", "act.host_refused"), act("technician", "act.hands_off_host")}}, true
	case p.Outcome != "":
		return Standing{Level: LevelWait, Word: say("stand.cancelled"), Sentence: forAsk("stand.cancelled.why", p.Ask), Acts: []Act{askers[p.Ask]}}, true
	case p.Over:
		return Standing{Level: LevelWait, Word: say("stand.permit_over"), Sentence: forAsk("stand.permit_over.why", p.Ask), Acts: []Act{askers[p.Ask]}}, true
	}
	if !p.SilentAt.IsZero() {
		return Standing{Level: LevelWait, Word: say("stand.host_silent"), Sentence: put("stand.host_silent.why", "at", p.SilentAt.In(shanghai).Format("15:04")),
			Acts: []Act{act("approver", "act.host_silent"), act("technician", "act.host_silent_wait")}}, true
	}
	return Standing{Level: LevelWait, Word: say("stand.at_host"), Sentence: say("stand.at_host.why"), Acts: []Act{atHost(p.Ask)}}, true
}

func atHost(ask string) Act {
	if ask == visit.AskEnd {
		return act("host", "act.at_host_end")
	}
	return act("host", "act.at_host")
}

// actsFor says who must do what about the conditions with these marks, each party once, in the order
// in which the page shows them.
func actsFor(conditions []ConditionView, marks ...string) []Act {
	var order []string
	todo := map[string][]Text{}
	for _, c := range conditions {
		if !has(marks, c.Mark) || c.Reports {
			continue
		}
		who, what := duty(c)
		if len(todo[who]) == 0 {
			order = append(order, who)
		}
		if !has(todo[who], what) {
			todo[who] = append(todo[who], what)
		}
	}
	var out []Act
	for _, who := range order {
		out = append(out, Act{Who: roleWords[who], What: join(todo[who])})
	}
	return out
}

// duty is who can mend a condition, and how.
func duty(c ConditionView) (string, Text) {
	if d, ok := dutiesByCode[c.Code]; ok && c.Mark != MarkHolds {
		return d.who, say(d.what)
	}
	d, ok := duties[c.Name]
	if !ok {
		return visit.RoleApprover, say("act.register")
	}
	if c.Mark == MarkFails && d.mend != "" {
		return d.mender, say(d.mend)
	}
	return d.who, say(d.what)
}

type dutyRow struct{ who, what, mender, mend string }

// duties says who brings a condition's evidence, and who must act when it fails.
var duties = map[string]dutyRow{
	gate.InstitutionLicensed: {visit.RoleApprover, "act.licence", visit.RoleApprover, "act.licence"},
	gate.ProviderFiled:       {visit.RoleApprover, "act.mandate", visit.RoleApprover, "act.mandate"},
	gate.TechnicianTrained:   {visit.RoleDispatcher, "act.send", visit.RoleDispatcher, "act.send_other"},
	gate.DutiesSeparated:     {visit.RoleDispatcher, "act.send", visit.RoleDispatcher, "act.send_other"},
	gate.NothingOpen:         {visit.RoleRisk, "act.frozen", visit.RoleRisk, "act.frozen"},
	gate.AgreementSigned:     {visit.RoleMerchant, "act.sign", visit.RoleMerchant, "act.sign_again"},
	gate.MerchantVerified:    {visit.RoleApprover, "act.verify", visit.RoleApprover, "act.verify"},
	gate.TechnicianAdmitted:  {visit.RoleMerchant, "act.door", visit.RoleMerchant, "act.hands_off"},
	gate.PlaceMatches:        {visit.RoleMerchant, "act.place", visit.RoleMerchant, "act.place_off"},
	gate.ModelApproved:       {visit.RoleTechnician, "act.attest", visit.RoleDispatcher, "act.other_device"},
	gate.BindingUnique:       {visit.RoleApprover, "act.register", visit.RoleApprover, "act.other_device"},
	gate.CustodyUnbroken:     {visit.RoleTechnician, "act.arrive", visit.RoleDispatcher, "act.other_device"},
	gate.DeviceGenuine:       {visit.RoleTechnician, "act.attest", visit.RoleDispatcher, "act.other_device"},
	gate.DataBackedUp:        {visit.RoleMerchant, "act.backup", visit.RoleTechnician, "act.backup_again"},
	gate.RollbackReady:       {visit.RoleTechnician, "act.rollback", visit.RoleTechnician, "act.rollback"},
	gate.AcceptancePassed:    {visit.RoleTechnician, "act.try", visit.RoleTechnician, "act.try_again"},
	gate.StepsComplete:       {visit.RoleTechnician, "act.steps", visit.RoleTechnician, "act.steps"},
	gate.Supervised:          {visit.RoleSupervisor, "act.watch", visit.RoleSupervisor, "act.watch"},
	gate.FeesWithinSheet:     {visit.RoleMerchant, "act.confirm", visit.RoleRisk, "act.fees"},
	gate.MerchantConfirmed:   {visit.RoleMerchant, "act.confirm", visit.RoleTechnician, "act.finish"},
	gate.KeysEnded:           {visit.RoleTechnician, "ask.end", visit.RoleApprover, "act.end"},
}

// dutiesByCode are reasons that another party answers than the condition's own.
var dutiesByCode = map[string]dutyRow{
	"old_terminal_state_unknown": {who: visit.RoleTechnician, what: "act.old_state"},
	"outage_not_accepted":        {who: visit.RoleMerchant, what: "act.outage"},
	"old_terminal_suspect":       {who: visit.RoleMerchant, what: "act.outage"},
	"end_not_consented":          {who: visit.RoleMerchant, what: "act.consent"},
	"device_not_handed_back":     {who: visit.RoleMerchant, what: "act.hand_back"},
	"device_work_unsaid":         {who: visit.RoleTechnician, what: "act.said"},
}

// askers say who puts each ask.
var askers = map[string]Act{
	visit.AskDispatch: act("dispatcher", "ask.dispatch"), visit.AskAdmit: act("merchant", "ask.admit"), visit.AskTrial: act("technician", "ask.trial"),
	visit.AskLive: act("technician", "ask.live"), visit.AskEnd: act("technician", "ask.end"), visit.AskClose: act("technician", "act.close"),
}

func act(role, key string) Act { return Act{Who: roleWords[role], What: say(key)} }

func has[T comparable](list []T, x T) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

// join lists several acts as one sentence.
func join(texts []Text) Text {
	var zh, en []string
	for _, t := range texts {
		zh, en = append(zh, t.Zh), append(en, t.En)
	}
	return Text{Zh: strings.Join(zh, "；"), En: strings.Join(en, "; ")}
}

// fill puts a number into a sentence.
func fill(key string, n int) Text {
	t := say(key)
	if one := say(key + ".one"); n == 1 && one.Zh != key+".one" {
		t = one
	}
	return Text{Zh: strings.ReplaceAll(t.Zh, "{n}", strconv.Itoa(n)), En: strings.ReplaceAll(t.En, "{n}", strconv.Itoa(n))}
}
