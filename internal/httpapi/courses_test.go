package httpapi_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// lan learns and is tested over the API, as the page on his phone does: the list, the pages, one paper however often it
// is asked for, a failure and its wait. The answer is given again when it was lost, the key is in none of it, and what
// is not his to take or hand in is refused.
func TestATechnicianLearnsOverTheAPI(t *testing.T) {
	w := newWorld(t, func(c *scenario.DeploymentConfig) { c.School = filepath.Join(t.TempDir(), "school") })
	lan := w.Cast.Technician
	file, err := scenario.CourseFile("security")
	if err != nil {
		t.Fatal(err)
	}
	if done, err := w.School.PutCourse(file, false); err != nil || !done {
		t.Fatal(done, err)
	}
	list := func() (out httpapi.CourseList) {
		t.Helper()
		w.do(t, request{method: http.MethodGet, path: "/v1/courses", by: lan}).read(t, http.StatusOK, &out)
		return out
	}
	for end := time.Now().Add(time.Minute); len(list().Courses) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the course never comes")
		}
	}
	c := list().Courses[0]
	if c.Course != file.Course || c.Version != file.Version || c.Draw != file.Draw || c.Tries != 0 || c.Away {
		t.Fatalf("%+v", c)
	}
	at := "/v1/courses/" + w.Cast.School.ID + "/" + file.Course
	var reading httpapi.CourseReading
	w.do(t, request{method: http.MethodGet, path: at, by: lan}).read(t, http.StatusOK, &reading)
	if len(reading.Pages) != len(file.Pages) || reading.Pages[0].Zh == "" {
		t.Errorf("%d pages", len(reading.Pages))
	}
	var first, again httpapi.CoursePaper
	w.do(t, request{path: at + "/papers", by: lan, body: "{}"}).read(t, http.StatusOK, &first)
	w.do(t, request{path: at + "/papers", by: lan, body: "{}", key: "another"}).read(t, http.StatusOK, &again)
	if first != again || first.Paper == "" {
		t.Error("who reloads gets another paper")
	}
	raw, err := base64.StdEncoding.DecodeString(first.Paper)
	if err != nil {
		t.Fatal(err)
	}
	var paper registry.Paper
	if err := statement.DecodeCanonical(raw, &paper); err != nil {
		t.Fatal(err)
	}
	envelope, answers, err := lan.Attempt(first.Paper, scenario.Answering(file, paper, file.Draw), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	attempt := func(by *scenario.Actor, statement []byte, key string) request {
		body, err := json.Marshal(httpapi.CourseAttempt{Statement: base64.StdEncoding.EncodeToString(statement), Answers: answers})
		if err != nil {
			t.Fatal(err)
		}
		return request{path: at + "/attempts", by: by, body: string(body), key: key}
	}
	w.do(t, attempt(w.Cast.Dispatcher, envelope, "d")).want(t, http.StatusForbidden, "actor_not_signer")
	w.do(t, attempt(lan, []byte("{}"), "m")).want(t, http.StatusBadRequest, "json_missing_name")
	w.do(t, request{path: at + "/attempts", by: lan, body: `{"statement":"!!","answers":{"kind":"answers","salt":"","value":""}}`}).want(t, http.StatusBadRequest, "base64_malformed")
	var result, same httpapi.CourseResult
	w.do(t, attempt(lan, envelope, "a")).read(t, http.StatusOK, &result)
	w.do(t, attempt(lan, envelope, "b")).read(t, http.StatusOK, &same)
	if result.Passed || result.Right != 0 || result.Of != file.Draw || result.AgainAt == "" || result != same {
		t.Errorf("%+v, again %+v", result, same)
	}
	w.do(t, request{path: at + "/papers", by: lan, body: "{}", key: "c"}).want(t, http.StatusUnprocessableEntity, "course_wait")
	if c := list().Courses[0]; c.Tries != 1 || c.Of != file.Draw || c.AgainAt == "" || c.Until != "" {
		t.Errorf("after it: %+v", c)
	}
	w.do(t, request{method: http.MethodGet, path: "/v1/courses/" + w.Cast.School.ID + "/none", by: lan}).want(t, http.StatusNotFound, "course_unknown")
	w.do(t, request{method: http.MethodGet, path: "/v1/courses"}).want(t, http.StatusUnauthorized, "signed_out")
	var none httpapi.CourseList
	w.do(t, request{method: http.MethodGet, path: "/v1/courses", by: w.Cast.Merchant}).read(t, http.StatusOK, &none)
	if len(none.Courses) != 0 {
		t.Errorf("a %s's course is shown to a merchant", visit.RoleTechnician)
	}
}
