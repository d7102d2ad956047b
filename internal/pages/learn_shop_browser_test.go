//go:build browser

package pages

import (
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/scenario"
)

// A shop learns to watch its terminal. Wei fails twice, is told when he may try again and no sooner, and passes the third time,
// though his phone loads the page anew in the middle of the paper. The clerk passes on his own phone, in English; what one of them
// passed is not the other's.
func TestOwnerAndClerkLearnAtTheTill(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	c := newCounter(t, func(d *scenario.DeploymentConfig) {
		d.School, d.SchoolNow = filepath.Join(t.TempDir(), "school"), func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	course, err := scenario.CourseFile("till")
	if err != nil {
		t.Fatal(err)
	}
	course.WaitMinutes = 1
	if _, err := c.owner.School.PutCourse(course, false); err != nil {
		t.Fatal(err)
	}
	c.setUp(t)
	c.letsIn(t)
	wei, ming := &field{office: c.owner}, &field{office: c.clerk}
	wei.narrow(false)
	ming.narrow(true)

	wei.open("/shop")
	wei.press("课程")
	wei.until(`location.pathname === "/learn" && document.querySelector("[data-course]")?.dataset.level === "mind"`)
	wei.sees("还没考过")
	wei.shot("shop-learn-due")
	for turn, wrong := range []int{3, 1} { // all wrong, then one
		wei.press("看课文")
		wei.sees("谁能碰机器")
		if turn == 0 {
			wei.shot("shop-learn-text")
		}
		wei.press("开始考试")
		wei.marks(course, wrong)
		wei.press("签字交卷")
		wei.until(`document.querySelector("[data-passed]")?.dataset.passed === "false"`)
		wei.sees("3 题对了 " + itoa(3-wrong) + " 题")
		wei.shot("shop-learn-failed-" + itoa(turn))
		wei.press("回到课程")
		wei.sees("以后可以再考")
		wei.press("看课文")
		wei.press("开始考试")
		wei.until(`document.querySelector(".problem")?.dataset.code === "course_wait"`)
		ahead.Add(int64(61 * time.Second))
		wei.open("/learn")
	}
	wei.press("看课文")
	wei.press("开始考试")
	wei.until(`document.querySelectorAll("form.test fieldset").length === ` + itoa(course.Draw))
	const asked = `[...document.querySelectorAll("form.test legend")].map((l) => l.textContent).join("|")`
	before := wei.js(asked)
	wei.js(`(document.querySelector("form.test input").click(), "")`)
	wei.do(chromedp.Reload())
	wei.press("接着考")
	wei.until(`document.querySelector("form.test") !== null`)
	if after := wei.js(asked); after != before {
		t.Errorf("loaded anew, the paper asks %q, it asked %q", after, before)
	}
	wei.press("签字交卷")
	wei.until(`document.querySelector(".problem")?.dataset.code === "answer_missing"`)
	wei.marks(course, 0)
	wei.shot("shop-learn-test")
	wei.press("签字交卷")
	wei.until(`document.querySelector("[data-passed]")?.dataset.passed === "true"`)
	wei.shot("shop-learn-passed")
	wei.press("回到课程")
	wei.until(`document.querySelector("[data-course]")?.dataset.level === "good"`)
	wei.sees("考过了，有效到")

	ming.open("/learn?lang=en")
	ming.until(`document.querySelector("[data-course]")?.dataset.level === "mind"`) // the owner's certificate is not his
	ming.english = true
	ming.shot("shop-learn-clerk-due")
	ming.press("看课文")
	ming.sees("限")
	ming.shot("shop-learn-clerk-text")
	ming.press("开始考试")
	ming.until(`document.querySelector("form.test") !== null`)
	ming.marks(course, 0)
	ming.shot("shop-learn-clerk-test")
	ming.press("签字交卷")
	ming.until(`document.querySelector("[data-passed]")?.dataset.passed === "true"`)
	ming.shot("shop-learn-clerk-passed")
	got := ming.js(`fetch("/v1/courses").then((r) => r.json()).then((b) => b.courses.map((c) => c.course + " " + (c.until > new Date().toISOString())).join())`)
	if !strings.HasPrefix(got, "till true") {
		t.Errorf("the clerk's certificate: %q", got)
	}
}
