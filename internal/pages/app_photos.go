package pages

import (
	"context"
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// PhotoView is a picture that a step names.
type PhotoView struct {
	Digest string
	Step   string
	Stored bool // its bytes were brought
}

// photosMissing counts the pictures that were signed for and whose bytes nobody brought.
func (v VisitView) photosMissing() (n int) {
	for _, p := range v.Photos {
		if !p.Stored {
			n++
		}
	}
	return n
}

// withPhotos says that pictures are missing once the work is done: the gate holds by what was signed, and nobody can
// look at what was not brought. It is the turn of whoever has them, and not all is well.
func (s Standing) withPhotos(v VisitView) Standing {
	n, stage := v.photosMissing(), visit.Stage(v.Stage)
	if n == 0 || stage != visit.Live && stage != visit.Closed {
		return s
	}
	if s.Level == LevelGood {
		s.Level = LevelWait
	}
	more := fill("stand.photos", n)
	s.Sentence = Text{Zh: s.Sentence.Zh + more.Zh, En: s.Sentence.En + " " + more.En}
	s.Acts = append(slices.Clone(s.Acts), act("technician", "act.photos"), act("dispatcher", "act.photos.carry"))
	return s
}

func photoHref(id, digest string, small bool) templ.SafeURL {
	return visitHref(id) + "/photos/" + templ.SafeURL(digest) + templ.SafeURL(when(small, "?small=1"))
}

var errPhotoID = fault.New(fault.NotFound, "photo_id_malformed", "没有这张照片。", "There is no such photo.")

// photo shows one picture. It is nobody's to keep: the look is recorded, a copy in a cache would not be.
func (s *Server) photo(w http.ResponseWriter, r *http.Request) error {
	p, id, err := s.lookAtVisit(w, r)
	if err != nil {
		return err
	}
	digest := r.PathValue("digest")
	if !statement.IsDigest(digest) {
		return errPhotoID
	}
	data, err := s.Source.Photo(r.Context(), p.viewer, id, digest, r.URL.Query().Get("small") == "1")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/jpeg")
	if _, err := w.Write(data); err != nil {
		s.Log.Info("the browser went away", "error", err)
	}
	return nil
}

// photosOf lists a visit's pictures for those who may see them.
func (f FromApp) photosOf(ctx context.Context, v Viewer, id string) ([]PhotoView, error) {
	list, err := f.App.Photos(ctx, actorOf(v), id)
	var out []PhotoView
	for _, p := range list {
		out = append(out, PhotoView(p))
	}
	return out, err
}

// Photo gives a picture and records the look.
func (f FromApp) Photo(ctx context.Context, v Viewer, id, digest string, small bool) ([]byte, error) {
	return f.App.Photo(ctx, actorOf(v), id, digest, small)
}
