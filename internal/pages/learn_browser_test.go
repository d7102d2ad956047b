//go:build browser

package pages

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/menshen-project/menshen/internal/organisation"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// marks answers the paper on the page: every question right, or the first ones wrong.
func (f *field) marks(c organisation.CourseFile, wrong int) {
	f.t.Helper()
	key := map[string][]string{}
	for _, q := range c.Questions {
		for _, choice := range q.Choices {
			if choice.Right && f.english {
				key[q.En] = append(key[q.En], choice.En)
			} else if choice.Right {
				key[q.Zh] = append(key[q.Zh], choice.Zh)
			}
		}
	}
	data, err := json.Marshal(key)
	if err != nil {
		f.t.Fatal(err)
	}
	f.until(`document.querySelectorAll("form.test fieldset").length === ` + itoa(c.Draw))
	f.js(`(() => { const key = ` + string(data) + `; let wrong = ` + itoa(wrong) + `;
		for (const set of document.querySelectorAll("form.test fieldset")) {
			const right = key[set.querySelector("legend").textContent.replace(/^\d+\. /, "")], turned = wrong-- > 0;
			for (const label of set.querySelectorAll("label")) {
				const input = label.querySelector("input"), want = right.includes(label.textContent.trim()) !== turned;
				if (input.checked !== want && (want || input.type === "checkbox")) input.click();
			}
		} })()`)
}

func itoa(n int) string { data, _ := json.Marshal(n); return string(data) }

// whyNot is why the technician may not work, by his courses; "" when he may.
func (f *field) whyNot() string {
	f.t.Helper()
	a, err := f.Venue.Ask(f.t.Context(), f.Cast.Merchant, f.play.ID, visit.AskAdmit)
	if err != nil {
		f.t.Fatal(err)
	}
	return a.Failing["technician-trained"]
}

// Lan's course got a test. Her app says so; she reads, fails, waits, passes, and the gate has nothing against her.
func TestATechnicianLearnsOnThePhone(t *testing.T) {
	t.Parallel()
	f := newField(t)
	c, err := scenario.CourseFile("security")
	if err != nil {
		t.Fatal(err)
	}
	c.WaitMinutes = 1
	if _, err := f.School.PutCourse(c, false); err != nil {
		t.Fatal(err)
	}
	f.enrolled()
	f.sees("有 1 门课要考")
	f.shot("learn-due")
	if got := f.whyNot(); got != "certificate_without_attempt" {
		t.Errorf("before the test: %q", got)
	}
	f.press("去学习")
	f.until(`location.pathname === "/learn" && document.querySelector("[data-course]")?.dataset.level === "stop"`)
	f.sees("原来的证书不算数了")
	f.shot("learn-list")
	f.js(`(localStorage.setItem("menshen-lang", "en"), "")`) // as the app has it
	f.do(chromedp.Reload())
	f.until(`document.querySelector("[data-course]") !== null`)
	if said := f.js(`document.body.innerText + document.title`); strings.ContainsAny(strings.ReplaceAll(said, "中文", ""), "课程上门") {
		t.Errorf("half in Chinese: %s", said)
	}
	f.shotIn("learn-list-en", "light")
	f.js(`document.querySelector("[data-course] button").click()`)
	f.until(`document.querySelector("[data-course]") === null`)
	f.shotIn("learn-text-en", "light")
	f.js(`(localStorage.setItem("menshen-lang", "zh"), "")`)
	f.do(chromedp.Reload())
	f.press("看课文")
	f.sees("订单上没写的钱，一分也不收")
	f.shot("learn-text")
	f.press("开始考试")
	f.until(`document.querySelector("form.test") !== null`)
	f.press("签字交卷")
	f.until(`document.querySelector(".problem")?.dataset.code === "answer_missing"`)
	const first, second = `document.querySelectorAll("form.test fieldset")[0].querySelector("input").click()`, `document.querySelectorAll("form.test fieldset")[1].querySelector("input").click()`
	f.js(second)
	f.sees("第 1 题还没选")
	f.js(first)
	f.until(`document.querySelector(".problem") === null`)
	f.press("签字交卷")
	f.sees("第 3 题还没选")
	f.marks(c, 2)
	f.until(`document.querySelector(".problem") === null`)
	f.js(`scrollTo(0, 0)`) // or the head lies over what the third question's focus scrolled under it
	f.shot("learn-test")
	f.press("签字交卷")
	f.until(`document.querySelector("[data-passed]")?.dataset.passed === "false"`)
	f.sees("5 题对了 3 题")
	f.shot("learn-failed")
	f.press("回到课程")
	f.sees("以后可以再考")
	f.press("看课文")
	f.press("开始考试")
	f.until(`document.querySelector(".problem")?.dataset.code === "course_wait"`)
	f.ahead.Store(int64(61 * time.Second))
	f.js(`(localStorage.setItem("menshen-lang", "en"), "")`)
	f.do(chromedp.Reload())
	f.english = true
	f.narrow(true)
	f.press("看课文")
	f.press("开始考试")
	f.marks(c, 1)
	f.shot("learn-test-en")
	f.press("签字交卷")
	f.until(`document.querySelector("[data-passed]")?.dataset.passed === "true"`)
	f.shot("learn-passed-en")
	if got := f.whyNot(); got != "" {
		t.Errorf("after the test: %q", got)
	}
	f.press("回到课程")
	f.until(`document.querySelector("[data-course]")?.dataset.level === "good"`)
	f.shotIn("learn-done", "light")
}
