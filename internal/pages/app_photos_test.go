package pages

import (
	"bytes"
	"image"
	"image/jpeg"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/statement"
)

// onePixel is the smallest picture there is.
var onePixel = func() []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1)), nil); err != nil {
		panic(err) // into memory
	}
	return b.Bytes()
}()

var photoDigest = statement.Digest(onePixel)

func TestPhotosOnTheVisitPage(t *testing.T) {
	_, s := city(t)
	page := body(t, ask{path: "/visits/closed?lang=en", viewer: "fang"}.of(s))
	for _, want := range []string{"Photos from the visit (2)", `src="/visits/v-2026-0131/photos/` + photoDigest + `?small=1"`, "mounting", "signed, not brought yet", "Every look is recorded"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body(t, ask{path: "/visits/admitted", viewer: "fang"}.of(s)), "现场照片") {
		t.Error("a visit without photos has a place for them")
	}
}

func TestAPhotoIsShownToWhoMaySeeIt(t *testing.T) {
	_, s := city(t)
	r := ask{path: "/visits/v-2026-0131/photos/" + photoDigest, viewer: "fang"}.of(s)
	if got := body(t, r); got != string(onePixel) || r.Header.Get("Content-Type") != "image/jpeg" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d bytes, %v", len(got), r.Header)
	}
	for path, want := range map[string]int{
		"/visits/v-2026-0131/photos/" + strings.Repeat("b", 64): 404, "/visits/v-2026-0131/photos/x": 404, "/visits/none/photos/" + photoDigest: 404,
	} {
		if r := (ask{path: path, viewer: "fang"}).of(s); r.StatusCode != want {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	if r := (ask{path: "/visits/v-2026-0131/photos/" + photoDigest}).of(s); r.StatusCode != 401 {
		t.Errorf("signed out: %d", r.StatusCode)
	}
}
