package scenario

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"image"
	"image/jpeg"

	"github.com/menshen-project/menshen/internal/httpapi"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// gallery is a venue that takes pictures' bytes too.
type gallery interface {
	BringPhoto(ctx context.Context, by *Actor, visitID string, jpeg []byte) error
}

// BringPhoto posts the bytes of a picture that a step names.
func (v *HTTPVenue) BringPhoto(ctx context.Context, by *Actor, visitID string, jpeg []byte) error {
	body := httpapi.PhotoFiling{Photo: base64.StdEncoding.EncodeToString(jpeg)}
	return v.post(ctx, by, httpapi.PathOf(visit.StreamVisit, visitID, "photos"), body, &httpapi.PhotoKept{})
}

// Shot is a photo that the page's camera took just now, a small one of nothing in particular.
func (p *Play) Shot(what string) visit.Photo {
	data := picture(p.ID + what)
	digest := statement.Digest(data)
	if p.pictures == nil {
		p.pictures = map[string][]byte{}
	}
	p.pictures[digest] = data
	return visit.Photo{Digest: digest, TakenAt: statement.At(p.Now()), Source: visit.PageCamera}
}

// picture is another one for each name, and always the same for one.
func picture(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	img := image.NewGray(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 { // one square of eight by eight for each byte, and once more below
			img.Pix[y*64+x] = sum[(y/8*8+x/8)%len(sum)]
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}) // into memory: it does not fail
	return b.Bytes()
}

// bring sends what a step named after its signature, as the technician's app does.
func (p *Play) bring(ctx context.Context, by *Actor, photos []visit.Photo) error {
	g, ok := p.Venue.(gallery)
	if !ok {
		return nil
	}
	for _, shot := range photos {
		data, taken := p.pictures[shot.Digest]
		if !taken {
			continue
		}
		if err := g.BringPhoto(ctx, by, p.ID, data); err != nil {
			return err
		}
	}
	return nil
}
