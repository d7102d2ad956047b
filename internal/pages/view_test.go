package pages

import (
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestEveryStageSaysWhereItStands(t *testing.T) {
	views := stages(t)
	for _, want := range []struct {
		name, level, word string
		fails             int
	}{
		{"booked", LevelWait, "准备中", 0},
		{"dispatched", LevelWait, "先核对人", 0},
		{"admitted", LevelWait, "正在安装", 0},
		{"merchant", LevelWait, "正在安装", 0},
		{"ready", LevelWait, "可以申请了", 0},
		{"turned_away", LevelStop, "店主没让进", 0},
		{"at_host", LevelWait, "等主机", 0},
		{"trial", LevelWait, "正在试机", 0},
		{"live", LevelGood, "已正式开通", 0},
		{"closed", LevelGood, "已完成", 0},
		{"frozen", LevelStop, "已停止", 1},
		{"revoked", LevelStop, "先别继续", 1},
		{"not_working", LevelStop, "先别继续", 2},
		{"other_face", LevelStop, "先别继续", 1},
		{"inspection", LevelWait, "正在巡检", 0},
		{"swap", LevelWait, "正在换机", 0},
		{"swap_live", LevelWait, "已正式开通", 0},
		{"swap_end_asked", LevelWait, "等主机", 0},
		{"swap_ended", LevelWait, "已正式开通", 0},
		{"swap_back", LevelOver, "已换回旧机", 0},
		{"repair", LevelWait, "正在维修", 0},
		{"relocation", LevelWait, "正在移机", 0},
		{"relocation_stuck", LevelStop, "没装好", 0},
		{"removal", LevelWait, "正在撤机", 0},
		{"removal_asked", LevelWait, "等主机", 0},
		{"removal_ended", LevelWait, "正在撤机", 0},
		{"removal_closed", LevelGood, "已完成", 0},
	} {
		v := views[want.name]
		if v.Standing.Level != want.level || v.Standing.Word.Zh != want.word {
			t.Errorf("%s: %s %q, want %s %q", want.name, v.Standing.Level, v.Standing.Word.Zh, want.level, want.word)
		}
		if got := tallyOf(v.Conditions); got.fails != want.fails {
			t.Errorf("%s: %+v, want %d failing", want.name, got, want.fails)
		}
		t.Logf("%-12s %s | %s", want.name, v.Standing.Word.Zh, v.Standing.Sentence.Zh)
		for _, a := range v.Standing.Acts {
			t.Logf("             %s：%s", a.Who.Zh, a.What.Zh)
		}
		for _, c := range v.Conditions {
			if c.Mark != MarkHolds {
				t.Logf("             %s %s (%s) %s", c.Mark, c.Title.Zh, c.Code, c.Reason.Zh)
			}
		}
	}
}

// The old terminal stands beside the conditions: what the host says of it, when it takes over again, what the shop lost.
func TestTheOldTerminalIsShown(t *testing.T) {
	views := stages(t)
	for _, c := range []struct{ name, state, ended string }{
		{"swap", visit.TerminalLive, StepNext}, {"swap_live", visit.TerminalLive, StepNow}, {"swap_ended", visit.TerminalEnded, StepDone}, {"repair", visit.TerminalDead, ""},
		{"relocation", visit.TerminalEnded, StepDone}, {"removal", "", StepNow}, {"removal_closed", visit.TerminalEnded, StepDone}, {"swap_back", visit.TerminalLive, ""},
	} {
		v := views[c.name]
		ended := ""
		for _, s := range v.Path {
			if s.Stage == StepKeysEnded {
				ended = s.Progress
			}
		}
		if v.Old == nil || v.Old.State != c.state || ended != c.ended {
			t.Errorf("%s: %+v, the end of the keys is %q", c.name, v.Old, ended)
		}
	}
	if v := views["swap"]; !v.Old.Replaced || v.Old.Serial != "00005704280117028119" || v.Old.Terminal != "W1489724" || !v.Old.Back.IsZero() {
		t.Errorf("swap: %+v", v.Old)
	}
	if got := views["repair"].Old.Lost.sentence(); got.Zh != "已经停了 60 分钟，还在停（旧机坏了），按责任表由安装帮负责。" && got.Zh != "已经停了 60 分钟，还在停（旧机坏了），按责任表由svc-anzhuang负责。" {
		t.Errorf("repair: %+v", got)
	}
	if got := (LostView{Minutes: 1, Cause: "keys_ended", Answers: "槐山支付"}).sentence(); got.En != "1 minute (the old keys are gone, the new are not live); the responsibility table has no line for it, so the acquirer 槐山支付 answers." {
		t.Errorf("%+v", got)
	}
	for _, name := range []string{"admitted", "inspection"} {
		if views[name].Old != nil {
			t.Errorf("%s has an old terminal", name)
		}
	}
}

func TestHelpIsOneTapAway(t *testing.T) {
	for name, v := range stages(t) {
		want := name == "frozen" || name == "turned_away"
		if got := v.Standing.Link.Href == "tel:110"; got != want {
			t.Errorf("%s: offers to call 110: %v", name, got)
		}
	}
}

func TestTheCounterIsSentNoDigests(t *testing.T) {
	for name, v := range stages(t) {
		digests := 0
		for _, c := range v.Conditions {
			digests += len(c.Evidence)
		}
		for _, e := range v.Events {
			digests += len(e.Digest)
		}
		if v.Brief != (digests == 0) {
			t.Errorf("%s: brief %v, and %d digests", name, v.Brief, digests)
		}
	}
}

// What nobody judged is never green, and a reason that nobody knows is a failure.
func TestOnlyWhatHoldsIsGreen(t *testing.T) {
	for _, c := range []evidence.Condition{{}, {Verdict: "fails"}, {Verdict: "fails", Code: "evidence_absent"}, {Verdict: "not_opened"}, {Verdict: "HOLDS"}, {Verdict: "fails", Code: "extract_absent"}} {
		if got := markOf(c); got == MarkHolds {
			t.Errorf("%+v is %s", c, got)
		}
	}
	if got := markOf(evidence.Condition{Verdict: "fails", Code: "a_new_rule"}); got != MarkFails {
		t.Errorf("an unknown reason is %s", got)
	}
	if v := ViewOf(Material{}); v.Standing.Level == LevelGood {
		t.Errorf("nothing at all is %+v", v.Standing)
	}
	for _, marks := range [][]string{nil, {MarkHolds, MarkLater}, {MarkHolds, MarkWaits}, {MarkHolds, MarkUnopened}, {MarkHolds, MarkFails}, {MarkHolds, "odd"}} {
		v := VisitView{Stage: "closed"}
		for _, m := range marks {
			v.Conditions = append(v.Conditions, ConditionView{Mark: m})
		}
		if got := standingOf(evidence.Report{Ask: "close"}, v); got.Level == LevelGood {
			t.Errorf("closed over %v is green", marks)
		}
	}
}

func TestThePermitSpeaksFirst(t *testing.T) {
	for _, c := range []struct {
		permit PermitView
		stage  string
		word   string
	}{
		{PermitView{Ask: "trial"}, "admitted", "等主机"},
		{PermitView{Ask: "trial", SilentAt: time.Now()}, "admitted", "主机没有回答"},
		{PermitView{Ask: "live", SilentAt: time.Now()}, "trial", "主机没有回答"},
		{PermitView{Ask: "trial", Over: true, SilentAt: time.Now()}, "admitted", "许可过期了"},
		{PermitView{Ask: "trial", Over: true}, "admitted", "许可过期了"},
		{PermitView{Ask: "trial", Outcome: "refused"}, "admitted", "主机不同意"},
		{PermitView{Ask: "trial", Outcome: "cancelled"}, "admitted", "许可已取消"},
		{PermitView{Ask: "live"}, "trial", "等主机"},
		{PermitView{Ask: "trial", Outcome: "loaded"}, "trial", "可以申请了"},
		{PermitView{Ask: "end"}, "live", "等主机"},
		{PermitView{Ask: "end", Outcome: "refused"}, "live", "主机不同意"},
		{PermitView{Ask: "end", Outcome: "cancelled"}, "admitted", "许可已取消"},
		{PermitView{Ask: "end", Outcome: "keys_ended"}, "admitted", "可以申请了"},
	} {
		v := VisitView{Stage: c.stage, Permit: &c.permit}
		if got := standingOf(evidence.Report{}, v); got.Word.Zh != c.word || got.Level == LevelGood {
			t.Errorf("%+v: %s", c.permit, got.Word.Zh)
		}
	}
	for outcome, want := range map[string]string{"": "none", "loaded": "loaded", "keys_ended": "keys_ended", "refused": "refused", "cancelled": "cancelled", "odd": "refused"} {
		if got := outcomeClass(PermitView{Outcome: outcome}); got != want {
			t.Errorf("%q reads as %s", outcome, got)
		}
	}
}
