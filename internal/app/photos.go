package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"image"
	"image/jpeg"
	"slices"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
)

// Bounds of a picture. A page's camera gives less than any of them.
const (
	maxPhotoBytes = 240 << 10 // sealed as one value of the vault
	maxPhotoSide  = 2048      // pixels
	thumbSide     = 160
)

// What pictures are kept as in the vault, and what they may be shown for.
const (
	fieldPhoto   = "photo_file"
	fieldThumb   = "photo_thumbnail"
	purposeVisit = "visit"
)

var (
	errPhotoLarge    = fault.New(fault.TooLarge, "photo_too_large", "照片太大：最多 240 KB，边长最多 2048 点。请在页面里重拍。", "The photo is too large: at most 240 kB and 2048 pixels a side. Take it again inside the page.")
	errPhotoForm     = fault.New(fault.Invalid, "photo_not_jpeg", "这不是完整的 JPEG 照片，请在页面里重拍。", "This is no whole JPEG; take the photo again inside the page.")
	errPhotoMeta     = fault.New(fault.Refused, "photo_carries_metadata", "照片里带着位置或设备信息，不是页面相机拍的。请在页面里重拍。", "The photo carries a place or device data, so it is not from the page's camera; take it again inside the page.")
	errPhotoNowhere  = fault.New(fault.Refused, "photo_not_recorded", "没有哪一步的签字提到这张照片。请先提交那一步。", "No signed step of this visit names this photo; file the step first.")
	errPhotoNotThere = fault.New(fault.NotFound, "photo_not_there", "照片还没有传到。", "The photo has not been brought yet.")
)

// Photo is a picture that a step of a visit names, and whether its bytes are there.
type Photo struct {
	Digest string
	Step   string
	Stored bool
}

// mayBring says whether somebody may bring a picture's bytes: who records steps, and who carries a
// phone's file for him. Bytes that fit a signed digest are right whoever brings them.
func (a *App) mayBring(ctx context.Context, actor Actor, visitID string) (cachedState, error) {
	s, err := a.visitStanding(ctx, visitID)
	if err != nil {
		return s, err
	}
	role, rel := access.Role(actor.Role), Relation(actor, s.order, s.state.Dispatched())
	if !access.Decide(role, access.ReadVisit, rel).Allowed() {
		return s, errNoVisit
	}
	if access.Decide(role, "record_step", rel).Allowed() {
		return s, nil
	}
	return s, access.Require(role, access.Carry, rel)
}

// PutPhoto keeps the bytes of a picture that a recorded step of the visit names, and gives their
// digest. Faults: photo_too_large, photo_not_jpeg, photo_carries_metadata, photo_not_recorded.
func (a *App) PutPhoto(ctx context.Context, actor Actor, visitID string, data []byte) (digest string, err error) {
	s, err := a.mayBring(ctx, actor, visitID)
	if err != nil {
		return "", err
	}
	thumb, err := thumbnail(data)
	if err != nil {
		return "", err
	}
	digest = statement.Digest(data)
	return digest, a.Store.Write(ctx, func(tx *store.Tx) error {
		named, err := tx.PhotosOfVisit(ctx, visitID)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(named, func(p store.Photo) bool { return p.Sha256 == digest }) {
			return errPhotoNowhere
		}
		if _, there, err := tx.PhotoFile(ctx, digest); err != nil || there {
			return err
		}
		file := store.PhotoFile{Sha256: digest, Visit: visitID, Subject: s.order.Merchant, Bytes: int64(len(data)), StoredAt: store.At(a.Now())}
		if file.Whole, err = a.sealPhoto(ctx, tx, file.Subject, fieldPhoto, data); err != nil {
			return err
		}
		if file.Thumbnail, err = a.sealPhoto(ctx, tx, file.Subject, fieldThumb, thumb); err != nil {
			return err
		}
		_, err = tx.AddPhotoFile(ctx, file)
		return err
	})
}

func (a *App) sealPhoto(ctx context.Context, tx *store.Tx, subject, field string, data []byte) (string, error) {
	var salt [16]byte
	_, _ = rand.Read(salt[:]) // never fails, says its documentation
	return a.Vault.Put(ctx, tx, subject, statement.NewOpening(field, salt, string(data)), vault.Tag{Purposes: []string{purposeVisit}}, a.Now())
}

// Photo gives a picture's bytes, small or whole, to somebody who may see it, and records the look.
func (a *App) Photo(ctx context.Context, actor Actor, visitID, digest string, small bool) ([]byte, error) {
	if err := a.maySee(ctx, actor, visitID, access.ReadPhotos); err != nil {
		return nil, err
	}
	var data []byte
	err := a.Store.Write(ctx, func(tx *store.Tx) error {
		file, there, err := tx.PhotoFile(ctx, digest)
		if err != nil {
			return err
		}
		if !there || file.Visit != visitID {
			return errPhotoNotThere
		}
		commitment := file.Whole
		if small {
			commitment = file.Thumbnail
		}
		o, err := a.Vault.Get(ctx, tx, file.Subject, commitment, vault.Look{Who: actor.Person, Purpose: purposeVisit, At: a.Now()})
		data = []byte(o.Value)
		return err
	})
	return data, err
}

// Photos lists the pictures that a visit's steps name; none for who may not see them.
func (a *App) Photos(ctx context.Context, actor Actor, visitID string) ([]Photo, error) {
	err := a.maySee(ctx, actor, visitID, access.ReadPhotos)
	if fault.CodeOf(err) == errNoVisit.Code {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Photo
	err = a.Store.Read(ctx, func(tx *store.Tx) (err error) {
		out, err = photosOf(ctx, tx, visitID)
		return err
	})
	return out, err
}

// thumbnail reads a picture, which shows that it is a whole one, and gives a small one of it. Size is
// asked before decoding: a few hundred bytes can claim a picture of gigabytes.
func thumbnail(data []byte) ([]byte, error) {
	if len(data) > maxPhotoBytes {
		return nil, errPhotoLarge
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, errPhotoForm.Because(err)
	}
	if c.Width > maxPhotoSide || c.Height > maxPhotoSide {
		return nil, errPhotoLarge
	}
	if carriesMetadata(data) {
		return nil, errPhotoMeta
	}
	whole, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, errPhotoForm.Because(err)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, shrink(whole), &jpeg.Options{Quality: 70}); err != nil {
		return nil, errPhotoForm.Because(err)
	}
	return out.Bytes(), nil
}

// carriesMetadata looks for an APP1 segment (Exif, XMP: ITU-T T.81 Annex B, CIPA DC-008) before the
// picture's data begins. A canvas writes none; a gallery's file has one, often with the place.
func carriesMetadata(data []byte) bool {
	for at := 2; at+4 <= len(data) && data[at] == 0xFF; {
		kind := data[at+1]
		switch kind {
		case 0xE1:
			return true
		case 0xDA: // the picture's data
			return false
		case 0xFF: // filling
			at++
			continue
		}
		at += 2 + int(data[at+2])<<8 + int(data[at+3])
	}
	return false
}

// shrink averages whole blocks of pixels, so that text stays as readable as it can be.
func shrink(whole image.Image) image.Image {
	b := whole.Bounds()
	block := max(1, (max(b.Dx(), b.Dy())+thumbSide-1)/thumbSide)
	w, h := max(1, b.Dx()/block), max(1, b.Dy()/block)
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			at := image.Rect(x*block, y*block, (x+1)*block, (y+1)*block).Add(b.Min).Intersect(b)
			i := small.PixOffset(x, y)
			copy(small.Pix[i:i+4], average(whole, at))
		}
	}
	return small
}

func average(p image.Image, in image.Rectangle) []uint8 {
	var r, g, b, n uint64
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			cr, cg, cb, _ := p.At(x, y).RGBA()
			r, g, b, n = r+uint64(cr), g+uint64(cg), b+uint64(cb), n+1
		}
	}
	if n == 0 {
		return []uint8{0, 0, 0, 255}
	}
	return []uint8{uint8(r / n >> 8), uint8(g / n >> 8), uint8(b / n >> 8), 255}
}
