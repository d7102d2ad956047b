package app_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

func actor(a *scenario.Actor) app.Actor {
	return app.Actor{Person: a.ID, Organisation: a.Organisation, Role: a.Role}
}

// snap is a picture as a page's camera gives it: a JPEG without metadata.
func snap(t *testing.T, width, height int) []byte {
	t.Helper()
	p := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range p.Pix {
		p.Pix[i] = uint8(i / 7)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p, &jpeg.Options{Quality: 40}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// dispatched is a visit that lan was sent to.
func dispatched(t *testing.T) (*scenario.Deployment, *scenario.Play) {
	t.Helper()
	d, p := deploy(t)
	for _, scene := range scenario.Until(p.Install(), "door") {
		if err := scene.Run(t.Context()); err != nil {
			t.Fatalf("%s: %v", scene.Name, err)
		}
	}
	return d, p
}

func TestAPhotoIsWhatASignedStepNames(t *testing.T) {
	d, p := dispatched(t)
	data := snap(t, 640, 480)
	lan := actor(p.Cast.Technician)
	if _, err := d.App.PutPhoto(t.Context(), lan, p.ID, data); fault.CodeOf(err) != "photo_not_recorded" {
		t.Fatalf("a photo before its step: %v", err)
	}
	shot := visit.Photo{Digest: statement.Digest(data), TakenAt: statement.At(time.Now()), Source: visit.PageCamera}
	if err := p.Step(t.Context(), p.Cast.Technician, "mount", shot); err != nil {
		t.Fatal(err)
	}
	if list, err := d.App.Photos(t.Context(), lan, p.ID); err != nil || !slices.Equal(list, []app.Photo{{Digest: shot.Digest, Step: "mount"}}) {
		t.Fatalf("%v %v", list, err)
	}
	for range 2 { // once more is no harm: a lost answer
		if digest, err := d.App.PutPhoto(t.Context(), lan, p.ID, data); err != nil || digest != shot.Digest {
			t.Fatalf("%s %v", digest, err)
		}
	}
	whole, err := d.App.Photo(t.Context(), actor(p.Cast.Approver), p.ID, shot.Digest, false)
	if err != nil || !bytes.Equal(whole, data) {
		t.Fatalf("%d bytes back of %d: %v", len(whole), len(data), err)
	}
	small, err := d.App.Photo(t.Context(), actor(p.Cast.Merchant), p.ID, shot.Digest, true)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(small)); err != nil || max(c.Width, c.Height) > 160 || c.Width*3 != c.Height*4 {
		t.Errorf("the thumbnail is %d×%d, %v", c.Width, c.Height, err)
	}
	// The merchant sees who looked.
	var looks []store.VaultLook
	if err := d.Store.Read(t.Context(), func(tx *store.Tx) error {
		looks, err = d.App.Vault.Looks(t.Context(), tx, p.Cast.Merchant.ID, 100)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	seen := func(who, field string) bool {
		return slices.ContainsFunc(looks, func(l store.VaultLook) bool { return l.Who == who && l.Field == field && l.Purpose == "visit" })
	}
	if !seen("chen", "photo_file") || !seen("wei", "photo_thumbnail") {
		t.Errorf("looks are %v", looks)
	}
}

func TestWhoBringsAndSeesPhotos(t *testing.T) {
	d, p := dispatched(t)
	data := snap(t, 64, 48)
	if err := p.Step(t.Context(), p.Cast.Technician, "mount", visit.Photo{Digest: statement.Digest(data), TakenAt: statement.At(time.Now()), Source: visit.PageCamera}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.App.Photo(t.Context(), actor(p.Cast.Technician), p.ID, statement.Digest(data), false); fault.CodeOf(err) != "photo_not_there" {
		t.Fatalf("nobody brought it: %v", err)
	}
	for who, code := range map[*scenario.Actor]string{
		p.Cast.Stranger: "visit_not_found", p.Cast.Supervisor: "access_denied", p.Cast.Dispatcher: "", p.Cast.Technician: "", p.Cast.Merchant: "",
	} {
		if _, err := d.App.PutPhoto(t.Context(), actor(who), p.ID, data); fault.CodeOf(err) != code {
			t.Errorf("%s brings it: %v, want %q", who.ID, err, code)
		}
	}
	for who, code := range map[*scenario.Actor]string{
		p.Cast.Stranger: "visit_not_found", p.Cast.Host: "visit_not_found", p.Cast.Association: "visit_not_found",
		p.Cast.Dispatcher: "", p.Cast.Technician: "", p.Cast.Merchant: "", p.Cast.Supervisor: "", p.Cast.Risk: "",
	} {
		if _, err := d.App.Photo(t.Context(), actor(who), p.ID, statement.Digest(data), false); fault.CodeOf(err) != code {
			t.Errorf("%s looks at it: %v, want %q", who.ID, err, code)
		}
	}
	if list, err := d.App.Photos(t.Context(), actor(p.Cast.Association), p.ID); err != nil || list != nil {
		t.Errorf("the association sees %v, %v", list, err)
	}
}

func TestPhotosThatArePhotosOnly(t *testing.T) {
	d, p := dispatched(t)
	good := snap(t, 32, 32)
	exif := slices.Concat(good[:2], []byte{0xFF, 0xFF, 0xE1, 0, 8, 'E', 'x', 'i', 'f', 0, 0}, good[2:])
	huge := slices.Clone(good)
	at := bytes.Index(huge, []byte{0xFF, 0xC0}) // its frame's header claims another size
	huge[at+5], huge[at+6] = 0xFF, 0xFF
	for name, c := range map[string]struct {
		data []byte
		code string
	}{
		"nothing": {nil, "photo_not_jpeg"}, "a text": {[]byte("hello"), "photo_not_jpeg"}, "cut off": {good[:len(good)/2], "photo_not_jpeg"},
		"from a gallery": {exif, "photo_carries_metadata"}, "over the bound": {make([]byte, 240<<10+1), "photo_too_large"}, "a bomb": {huge, "photo_too_large"},
		"no step's": {good, "photo_not_recorded"},
	} {
		if _, err := d.App.PutPhoto(t.Context(), actor(p.Cast.Technician), p.ID, c.data); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// Of an erased merchant nothing is left to look at.
func TestErasedPhotos(t *testing.T) {
	d, p := dispatched(t)
	data := snap(t, 40, 30)
	if err := p.Step(t.Context(), p.Cast.Technician, "mount", visit.Photo{Digest: statement.Digest(data), TakenAt: statement.At(time.Now()), Source: visit.PageCamera}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.App.PutPhoto(t.Context(), actor(p.Cast.Technician), p.ID, data); err != nil {
		t.Fatal(err)
	}
	if err := d.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := d.App.Vault.Erase(t.Context(), tx, p.Cast.Merchant.ID, time.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.App.Photo(t.Context(), actor(p.Cast.Approver), p.ID, statement.Digest(data), true); fault.CodeOf(err) != "vault_value_erased" {
		t.Errorf("an erased shop's photo: %v", err)
	}
}

func TestShrinkKeepsColours(t *testing.T) {
	p := image.NewRGBA(image.Rect(5, 5, 325, 325)) // bounds need not begin at nothing
	for y := 5; y < 325; y++ {
		for x := 5; x < 325; x++ {
			p.Set(x, y, color.RGBA{200, 100, 50, 255})
		}
	}
	small := app.Shrink(p)
	r, g, b, _ := small.At(80, 80).RGBA()
	if small.Bounds().Dx() != 160 || r>>8 != 200 || g>>8 != 100 || b>>8 != 50 {
		t.Errorf("%v %d %d %d", small.Bounds(), r>>8, g>>8, b>>8)
	}
}

// Lan signs for three photos by digests that she made up, and goes. Nobody waits for a picture: the step counts. What has
// not come a day later is a matter with a name, one for the visit however many are missing, that her company answers and
// the merchant reads; and one picture that comes does not answer for the others.
func TestPhotosThatNeverComeAreAMatter(t *testing.T) {
	d, p := dispatched(t)
	real := snap(t, 64, 48)
	at := statement.At(time.Now())
	made := visit.Photo{Digest: statement.Digest([]byte("made up")), TakenAt: at, Source: visit.PageCamera}
	for step, shots := range map[string][]visit.Photo{
		"mount": {made, {Digest: statement.Digest(real), TakenAt: at, Source: visit.PageCamera}}, "counter": {{Digest: statement.Digest([]byte("made up too")), TakenAt: at, Source: visit.PageCamera}}, "check_serial": nil,
	} {
		if err := p.Step(t.Context(), p.Cast.Technician, step, shots...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.App.PutPhoto(t.Context(), actor(p.Cast.Technician), p.ID, real); err != nil {
		t.Fatal(err)
	}
	looks := func(at time.Time) (due []store.Job) {
		t.Helper()
		if err := d.Store.Write(t.Context(), func(tx *store.Tx) (err error) {
			due, err = tx.LeaseJobs(t.Context(), app.JobPhotos, 10, at, time.Minute)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return due
	}
	if early := looks(time.Now().Add(23 * time.Hour)); len(early) != 0 {
		t.Fatalf("%d looks before the day is over", len(early))
	}
	due := looks(time.Now().Add(25 * time.Hour))
	if len(due) != 2 {
		t.Fatalf("%d looks for two steps with photos", len(due))
	}
	for _, job := range append(due, due...) { // and again: a look that nobody heard of
		if err := d.App.ReportPhotos(t.Context(), string(job.Payload), job.Key); err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range []*scenario.Actor{p.Cast.Dispatcher, p.Cast.Merchant, p.Cast.Risk} {
		list, _, err := d.App.Tickets(t.Context(), actor(who), "", "", 0)
		if err != nil || len(list) != 1 || list[0].Row.Kind != "photos_missing" || list[0].Row.Visit != p.ID {
			t.Errorf("%s reads %+v, %v", who.ID, list, err)
		}
	}
	if n, err := d.App.PhotosMissing(t.Context(), p.ID); err != nil || n != 2 {
		t.Errorf("%d are missing, %v", n, err)
	}
}

// Photos that came in time make no matter.
func TestPhotosThatCameAreNoMatter(t *testing.T) {
	d, p := dispatched(t)
	data := snap(t, 64, 48)
	shot := visit.Photo{Digest: statement.Digest(data), TakenAt: statement.At(time.Now()), Source: visit.PageCamera}
	if err := p.Step(t.Context(), p.Cast.Technician, "mount", shot); err != nil {
		t.Fatal(err)
	}
	if _, err := d.App.PutPhoto(t.Context(), actor(p.Cast.Technician), p.ID, data); err != nil {
		t.Fatal(err)
	}
	if err := d.App.ReportPhotos(t.Context(), p.ID, "its step"); err != nil {
		t.Fatal(err)
	}
	if list, _, err := d.App.Tickets(t.Context(), actor(p.Cast.Dispatcher), "", "", 0); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}
