package pages

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// unpacked is a pack's files by name.
func unpacked(t *testing.T, data string) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader([]byte(data)), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(content)
	}
	return out
}

// The pack of a closed visit holds everything that somebody needs who was not there and does not trust us.
func TestAnEvidencePack(t *testing.T) {
	source, s := city(t)
	r := ask{path: "/visits/closed/pack", viewer: "fang"}.of(s)
	if got := r.Header.Get("Content-Disposition"); r.StatusCode != 200 || got != `attachment; filename="menshen-closed.zip"` {
		t.Fatalf("%d, %s", r.StatusCode, got)
	}
	files := unpacked(t, body(t, r))
	const folder = "menshen-closed/"
	digest := statement.Digest(source.bundle)
	if files[folder+"menshen-v-2026-0131.json"] != string(source.bundle) {
		t.Errorf("the bundle is not in it: %v", len(files))
	}
	if files[folder+"photos/01-mount-"+photoDigest[:12]+".jpg"] != string(onePixel) {
		t.Error("the photo is not in it")
	}
	for name, want := range map[string][]string{
		"report.zh.html": {digest, "上门报告", "110", "报警", "<svg", "@page", "成立"},
		"report.en.html": {digest, "Report of a visit", "Police", "holds", "Photos signed for that nobody has brought, so nobody can look at them: 1"},
		"README.txt":     {"menshen-verify --trust trust.json", "96110", "from its publisher", "缺 · missing: counter " + strings.Repeat("b", 64)},
		"SHA256SUMS":     {digest + "  menshen-v-2026-0131.json", statement.Digest(onePixel)},
	} {
		for _, w := range want {
			if !strings.Contains(files[folder+name], w) {
				t.Errorf("%s lacks %q", name, w)
			}
		}
	}
	for _, lang := range []string{zh, en} {
		page := files[folder+"report."+lang+".html"]
		if strings.Contains(page, "src=") || strings.Contains(page, "href=") {
			t.Errorf("the report in %s needs something that is not in it", lang)
		}
		for _, complaint := range htmlComplaints(page) {
			if complaint == "inline style" {
				continue // a file by itself has no server to get its style from, and no policy
			}
			t.Errorf("report.%s.html: %s", lang, complaint)
		}
	}
	for name, sum := range sumsIn(files[folder+"SHA256SUMS"]) {
		if statement.Digest([]byte(files[folder+name])) != sum {
			t.Errorf("%s has another sum", name)
		}
	}
}

// A visit is green only while nothing that was signed for is missing: a digest is no picture that anybody can look at.
func TestAMissingPhotoIsNotGreen(t *testing.T) {
	green := Standing{Level: LevelGood, Word: say("stand.closed"), Sentence: fill("stand.closed.why", 21)}
	v := VisitView{Stage: string(visit.Closed), Photos: []PhotoView{{Digest: photoDigest, Step: "mount", Stored: true}}}
	if got := green.withPhotos(v); got.Level != LevelGood || got.Acts != nil {
		t.Errorf("with all its photos it is %+v", got)
	}
	v.Photos[0].Stored = false
	got := green.withPhotos(v)
	if got.Level != LevelWait || len(got.Acts) != 2 || !strings.Contains(got.Sentence.En, "Photos signed for that nobody has brought, so nobody can look at them: 1") || green.Level != LevelGood {
		t.Errorf("without one it is %+v", got)
	}
	v.Stage = string(visit.Admitted) // pictures come after signatures: during the work nobody is behind
	if got := green.withPhotos(v); got.Level != LevelGood {
		t.Errorf("at work it is %+v", got)
	}
}

// The pack of every later kind tells of the old terminal and of the time that was lost, in both languages.
func TestAnEvidencePackOfEveryKind(t *testing.T) {
	_, s := city(t)
	for _, c := range []struct {
		name   string
		zh, en []string
	}{
		{"swap_ended", []string{"换机", "密钥已作废", "主机重新核对后，作废了旧密钥", "签字同意作废旧密钥"}, []string{"Swap", "its keys are gone", "ended the old keys"}},
		{"repair", []string{"维修", "坏了，收不了款", "停了 60 分钟", "按责任表由"}, []string{"Repair", "dead: it takes no money", "60 minutes so far"}},
		{"relocation_stuck", []string{"移机", "店里现在没有能收款的机具", "还在停"}, []string{"Relocation", "the shop has no terminal that takes money"}},
		{"removal_closed", []string{"撤机", "密钥已作废", "已完成"}, []string{"Removal", "its keys are gone", "Done"}},
		{"inspection", []string{"巡检"}, []string{"Inspection"}},
	} {
		files := unpacked(t, body(t, ask{path: "/visits/" + c.name + "/pack", viewer: "fang"}.of(s)))
		for lang, wants := range map[string][]string{zh: append(c.zh, "110", "96110"), en: append(c.en, "12363", "95516")} {
			page := files["menshen-"+c.name+"/report."+lang+".html"]
			for _, want := range wants {
				if !strings.Contains(page, want) {
					t.Errorf("%s in %s lacks %q", c.name, lang, want)
				}
			}
			for _, complaint := range htmlComplaints(page) {
				if complaint != "inline style" {
					t.Errorf("%s in %s: %s", c.name, lang, complaint)
				}
			}
		}
	}
}

func sumsIn(list string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(list) {
		if sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  "); ok {
			out[name] = sum
		}
	}
	return out
}

// Before anything is decided there is no bundle; the pack says so and still tells what happened.
func TestAPackBeforeAnyDecision(t *testing.T) {
	_, s := city(t)
	files := unpacked(t, body(t, ask{path: "/visits/booked/pack", viewer: "qiu"}.of(s)))
	if len(files) != 4 || !strings.Contains(files["menshen-booked/README.txt"], "还没有决定") || !strings.Contains(files["menshen-booked/report.en.html"], "Nothing is decided yet") {
		t.Errorf("%d files", len(files))
	}
}

func TestWhoMayNotSeeAVisitGetsNoPack(t *testing.T) {
	_, s := city(t)
	for path, want := range map[string]int{"/visits/none/pack": 404, "/visits/none/report": 404, "/visits/%20/pack": 404} {
		if r := (ask{path: path, viewer: "fang"}).of(s); r.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, want)
		}
	}
	for _, path := range []string{"/visits/closed/pack", "/visits/closed/report"} {
		if r := (ask{path: path}).of(s); r.StatusCode != 401 {
			t.Errorf("%s signed out: %d", path, r.StatusCode)
		}
	}
}

func TestNamesOfFilesAreTame(t *testing.T) {
	for in, want := range map[string]string{"mount": "mount", "../../etc": "etc", "门头": "", "Check Serial": "checkserial", "a_b-1": "a_b-1"} {
		if got := plainName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
