//go:build processes

package cli

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
)

// TestTheDemonstrationsSchool is what a person at the demonstration's links can do: the owner of the shop reads the
// course, gets a paper and is graded. The school is killed between paper and grade; the paper is the same afterwards, the grade
// is one, and its desk's results name it.
func TestTheDemonstrationsSchool(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{school: true})
	s.must(s.teach(t.Context()))
	p := s.play()
	s.must(scenario.Run(t.Context(), scenario.Until(p.Install(), "arrive"))) // the published course disturbs no visit
	wei := p.Cast.Merchant
	token, err := s.token(t.Context(), wei)
	s.must(err)
	ask := func(method, path string, body, into any) int {
		t.Helper()
		data, err := json.Marshal(body)
		s.must(err)
		r, err := http.NewRequestWithContext(t.Context(), method, s.base()+path, strings.NewReader(string(data)))
		s.must(err)
		r.Header.Set("Authorization", "Bearer "+token)
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", "k"+time.Now().Format("150405.000000000"))
		}
		res, err := http.DefaultClient.Do(r)
		s.must(err)
		defer res.Body.Close()
		if res.StatusCode == http.StatusOK {
			s.must(json.NewDecoder(res.Body).Decode(into))
		}
		return res.StatusCode
	}
	var list httpapi.CourseList
	s.eventually("the owner sees the course", func() bool {
		return ask("GET", "/v1/courses", nil, &list) == http.StatusOK && len(list.Courses) == 1 && list.Courses[0].Course == tillCourse
	})
	at := "/v1/courses/" + p.Cast.School.ID + "/" + tillCourse
	var first, again httpapi.CoursePaper
	if status := ask("POST", at+"/papers", struct{}{}, &first); status != http.StatusOK {
		t.Fatalf("no paper: %d", status)
	}
	s.children.endOne("school", syscall.SIGKILL)
	file, err := scenario.CourseFile(tillCourse)
	s.must(err)
	raw, err := statement.Base64(first.Paper)
	s.must(err)
	var paper registry.Paper
	s.must(statement.DecodeCanonical(raw, &paper))
	envelope, answers, err := wei.Attempt(first.Paper, scenario.Answering(file, paper, 0), time.Now())
	s.must(err)
	attempt := httpapi.CourseAttempt{Statement: base64.StdEncoding.EncodeToString(envelope), Answers: answers}
	var result, same httpapi.CourseResult
	if status := ask("POST", at+"/attempts", attempt, &result); status != http.StatusServiceUnavailable {
		t.Fatalf("graded by nobody: %d", status)
	}
	s.again("school")
	if ask("POST", at+"/papers", struct{}{}, &again) != http.StatusOK || again != first {
		t.Error("after the crash there is another paper")
	}
	if status := ask("POST", at+"/attempts", attempt, &result); status != http.StatusOK || !result.Passed || result.Right != file.Draw {
		t.Fatalf("%d %+v", status, result)
	}
	s.children.endOne("school", syscall.SIGKILL)
	s.again("school")
	if status := ask("POST", at+"/attempts", attempt, &same); status != http.StatusOK || same != result {
		t.Errorf("handed in again after another crash: %d %+v", status, same)
	}
	said := string(runs(t, 0, s.program, "organisation", "results", "--dir", s.dir+"/school"))
	if lines := strings.Split(strings.TrimSpace(said), "\n"); len(lines) != 2 || !strings.Contains(lines[1], wei.ID) || !strings.Contains(lines[1], tillCourse) {
		t.Errorf("the desk's results:\n%s", said)
	}
	if out := string(runs(t, 0, s.program, "organisation", "course", "--dir", s.dir+"/school", "--dry-run", "../../examples/city/courses/till.yaml")); !strings.Contains(out, "nothing changed") {
		t.Errorf("the same file again: %s", out)
	}
}
