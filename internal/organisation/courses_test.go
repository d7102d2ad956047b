package organisation

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

const tillFile = "../../examples/city/courses/till.yaml"

func courseBytes(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile(tillFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func readCourse(t testing.TB, text string) CourseFile {
	t.Helper()
	f, err := ReadCourse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What is wrong with a course file is told by place, all of it at once, and never with the text, which holds the key.
func TestACourseFilesProblemsAreTold(t *testing.T) {
	good := courseBytes(t)
	for _, c := range []struct{ name, from, to, says string }{
		{"no name", "course: till", "course: \"\"", "course"},
		{"a name with a space", "course: till", "course: 门 店", "course"},
		{"no version", "\nversion: 1", "\nversion: 0", "version"},
		{"counting from a later version", "counts_from: 1", "counts_from: 2", "counts_from"},
		{"a role that takes no courses", "[merchant, clerk]", "[merchant, host]", "roles"},
		{"nobody takes it", "[merchant, clerk]", "[]", "roles"},
		{"more to draw than there are", "draw: 3", "draw: 400", "questions: want at least as many as draw"},
		{"more to pass than are drawn", "pass: 3", "pass: 4", "pass"},
		{"no minutes", "minutes: 15", "minutes: 0", "minutes"},
		{"no days", "days: 730", "days: 0", "days"},
		{"one language", "  en: Watching", "  en: \"\" # Watching", "title"},
		{"a title missing", "  en: Watching the terminal in your shop\n", "", "title"},
		{"nothing is right", ", right: true}", "}", "questions 1: no choice is right"},
		{"a member that nobody knows", "draw: 3", "draw: 3\nshuffle: yes", "line"},
		{"text for a number", "draw: 3", "draw: three", "line"},
		{"a page too long", "      谁能碰机器", "      " + strings.Repeat("长", maxPage), "pages 1"},
		{"a second file behind the first", good, good + "\n---\ncourse: other\n", "a second document"},
		{"huge", good, good + "\n#" + strings.Repeat("x", files.MaxSmall), "size"},
		{"cut", good, good[:len(good)-20], ""},
		{"empty", good, "", ""},
		{"not YAML", good, "\x00\x01", ""},
		{"not UTF-8", "魏", "\xff", ""},
	} {
		text := strings.ReplaceAll(good, c.from, c.to)
		if c.name == "not UTF-8" {
			text = good + "# \xff\n"
		}
		_, err := ReadCourse([]byte(text))
		if fault.CodeOf(err) != errCourseFile.Code || !strings.Contains(fault.Of(err).Where, c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && strings.Contains(err.Error(), "不让碰机器") {
			t.Errorf("%s: the key is in the message: %v", c.name, err)
		}
	}
	_, err := ReadCourse([]byte(strings.NewReplacer("draw: 3", "draw: 400", "days: 730", "days: 0", "    en: Who may", "    #").Replace(good)))
	if where := fault.Of(err).Where; !strings.Contains(where, ";") {
		t.Errorf("one problem at a time: %s", where)
	}
}

func FuzzReadCourse(f *testing.F) {
	f.Add([]byte(courseBytes(f)))
	f.Add([]byte("course: a\nversion: 1\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ReadCourse(data)
		if err != nil {
			return
		}
		if err := c.Published(strings.Repeat("0", 64)).Check(); err != nil {
			t.Errorf("what was read cannot be published: %v", err)
		}
	})
}

// The same file again changes nothing, other content takes the next version, and a restart forgets neither.
func TestACourseIsPublishedOnce(t *testing.T) {
	s := opened(t, "zhixing", credential.KindCourseIssuer)
	f := readCourse(t, courseBytes(t))
	put := func(f CourseFile, dry, want bool, code string) {
		t.Helper()
		before := len(s.all())
		published, err := s.PutCourse(f, dry)
		if published != want || fault.CodeOf(err) != code {
			t.Errorf("version %d: %v, %v", f.Version, published, err)
		}
		if signed := len(s.all()) - before; (signed == 1) != (want && !dry) {
			t.Errorf("version %d: %d statements", f.Version, signed)
		}
	}
	put(f, true, true, "")
	put(f, false, true, "")
	put(f, false, false, "")
	s.reopen()
	put(f, false, false, "")
	changed := f
	changed.Days = 365
	put(changed, false, false, errCourseVersion.Code)
	put(changed, true, false, errCourseVersion.Code)
	changed.Version = 2
	put(changed, false, true, "")
	s.reopen()
	put(f, false, false, "") // an older version is known, too
	put(changed, false, false, "")
	f.Pass = f.Draw + 1
	f.Version = 3
	put(f, false, false, errCourseFile.Code)

	var published registry.Course
	s.read(s.all()[0], registry.TypeCourse, &published)
	text, err := s.CourseText(published.Text)
	if raw, _ := base64.StdEncoding.DecodeString(text.Text); err != nil || statement.Digest(raw) != published.Text || strings.Contains(string(raw), "不让碰机器") {
		t.Errorf("the text is not the one published, or holds the key: %v", err)
	}
	if _, err := s.CourseText(strings.Repeat("0", 64)); fault.CodeOf(err) != orgapi.ErrCourseNone.Code {
		t.Errorf("a text that nobody published: %v", err)
	}
	if _, err := providerStage(t).PutCourse(changed, false); fault.CodeOf(err) != orgapi.ErrNoCourses.Code {
		t.Errorf("a provider gives a course: %v", err)
	}
}

// A paper is one until it was answered or is over, also for a service that was restarted; then its taker waits.
func TestAPaperIsOne(t *testing.T) {
	s := opened(t, "zhixing", credential.KindCourseIssuer)
	f := readCourse(t, courseBytes(t))
	if _, err := s.PutCourse(f, false); err != nil {
		t.Fatal(err)
	}
	ask := orgapi.PaperAsk{Course: f.Course, Holder: "wei", Organisation: "jianghe", Role: visit.RoleMerchant}
	paper := func(a orgapi.PaperAsk, code string) string {
		t.Helper()
		p, err := s.Paper(a)
		if fault.CodeOf(err) != code {
			t.Fatalf("%+v: %v", a, err)
		}
		return p.Paper
	}
	first := paper(ask, "")
	s.wait(5 * time.Minute)
	s.reopen()
	if again := paper(ask, ""); again != first {
		t.Error("who reloads gets other questions")
	}
	other := ask
	other.Holder = "mei"
	if paper(other, "") == first {
		t.Error("two people have one paper")
	}
	for code, a := range map[string]orgapi.PaperAsk{
		orgapi.ErrCourseNone.Code:  {Course: "none", Holder: "wei", Organisation: "jianghe", Role: visit.RoleMerchant},
		orgapi.ErrCourseOther.Code: {Course: f.Course, Holder: "lan", Organisation: "qingluo", Role: visit.RoleTechnician},
	} {
		paper(a, code)
	}
	standing := func() orgapi.Standing {
		t.Helper()
		out, err := s.Standing(orgapi.TakerAsk{Holder: ask.Holder, Organisation: ask.Organisation, Role: ask.Role})
		if err != nil || len(out.Courses) != 1 {
			t.Fatalf("%+v, %v", out, err)
		}
		return out.Courses[0]
	}
	if st := standing(); st.PaperUntil == "" || st.AgainAt != "" {
		t.Errorf("a paper is out: %+v", st)
	}
	s.wait(time.Duration(f.Minutes) * time.Minute) // it runs out unanswered
	paper(ask, orgapi.ErrCourseWait.Code)
	s.reopen()
	paper(ask, orgapi.ErrCourseWait.Code)
	if st := standing(); st.PaperUntil != "" || st.AgainAt == "" {
		t.Errorf("a wait is on: %+v", st)
	}
	s.wait(time.Duration(f.WaitMinutes) * time.Minute)
	if paper(ask, "") == first {
		t.Error("the same paper twice")
	}
	if len(s.Results().Results) != 0 {
		t.Error("a result of what nobody answered")
	}
}
