//go:build browser

package pages

import (
	"testing"

	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// ends signs the end of a visit for a reason, by what the page offers.
func (f *field) ends(fold, reason, button string) {
	f.t.Helper()
	f.press(fold)
	f.js(`document.querySelector("input[value=` + reason + `]:not([name^=incident])").click()`)
	f.press(button)
}

// The trial of a first terminal comes to nothing: lan ends the visit in the app, the host takes its trial keys back, and
// nothing goes on from there.
func TestATrialIsCalledOffInTheApp(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.enrolled()
	p := f.play
	f.goes(p, scenario.From(p.Install(), "badge"))
	f.parcel()
	f.sees("旧系统里有要留的数据吗")
	f.acts("backup", p.NothingToKeep(t.Context()))
	f.photos("招牌和店门", mountedShot, counterShot)
	f.tries()
	f.ends("做不完", "device", "签字：到此为止")
	f.sees("已取消")
	f.shot("called-off")
	f.holds("a step goes on after the end", `document.querySelector(".step.now, [aria-current=step]") === null && document.querySelector(".brakes") === null`)
	if w := f.workOf(p.ID); w.Stage != string(visit.Aborted) {
		t.Errorf("the visit is %s", w.Stage)
	}
	f.press("‹ 今天")
	f.sees("没有派给您的上门")
	f.press("做完的 1 单")
	f.sees("已取消")
}

// A swap at a shop whose old terminal is dead: the host says so, the owner signs for the time without, minutes are
// counted on the phone. The new one does not work out either, and lan signs the way back. At the next visit the place is
// not safe: she refuses before she goes in.
func TestADeadTerminalAWayBackAndARefusal(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.enrolled()
	ctx, first := t.Context(), f.play
	f.acts("install", scenario.Run(ctx, scenario.From(first.Install(), "badge")))
	swap := first.Next(visit.Swap, "v2", "00005704280117028127", "W1489730")
	f.goes(swap, swap.Swap())
	f.parcel()
	f.sees("旧系统里有要留的数据吗")
	f.acts("backup", swap.NothingToKeep(ctx))
	f.photos(mountedShot, counterShot)
	f.sees("等收单主机说旧机能不能用")
	f.acts("dead", swap.Dead(swap.Old().Serial))
	f.acts("old", swap.ReportOld(ctx))
	f.sees("旧机用不了了")
	f.shot("old-dead")
	f.acts("outage", swap.AcceptOutage(ctx, ""))
	f.tries()
	f.sees("分钟收不了款")
	f.sees("前要开通")
	f.shot("swap-on-trial")
	f.ends("装不好", "appointment", "签字：换回旧机")
	f.sees("换回旧机")
	f.until(`document.querySelector(".sign-over") !== null`)
	f.shot("rolled-back")
	if w := f.workOf("v2"); w.Stage != string(visit.RolledBack) || w.Old.Ended {
		t.Errorf("the visit is %s, the old keys ended: %v", w.Stage, w.Old.Ended)
	}

	look := first.Next(visit.Inspection, "v3", "", "")
	f.play = look
	f.acts("v3", scenario.Run(ctx, scenario.Until(look.InspectAgain(), "badge")))
	f.open("/app")
	f.press("刷新")
	f.press("去做")
	f.sees("这一单是真的")
	f.ends("今天不做", "unsafe_premises", "签字：今天不做")
	f.sees("没让进")
	f.shot("unsafe")
	if w := f.workOf("v3"); w.Stage != string(visit.Refused) {
		t.Errorf("the visit is %s", w.Stage)
	}
}
