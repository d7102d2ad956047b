package scenario

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"

	"github.com/menshen-project/menshen/internal/door"
	"github.com/menshen-project/menshen/internal/statement"
)

// PortraitMark is how the base64 of every simulated portrait can be known, wherever it leaked to.
var PortraitMark = base64.StdEncoding.EncodeToString([]byte(portraitOf))

const portraitOf = "portrait of " // 12 bytes, six bytes into the file: base64 keeps them together

// portrait is a small JPEG picture that is some person's and nobody else's.
func portrait(id string) string {
	sum := sha256.Sum256([]byte(id))
	img := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := range img.Pix {
		img.SetGray(i%16, i/16, color.Gray{Y: sum[i%len(sum)]})
	}
	var b bytes.Buffer
	must(jpeg.Encode(&b, img, nil))
	comment := portraitOf + id
	out := append([]byte{0xff, 0xd8, 0xff, 0xfe, 0, byte(len(comment) + 2)}, comment...)
	return base64.StdEncoding.EncodeToString(append(out, b.Bytes()[2:]...))
}

// Likeness is a person's name and photo, committed to once, when the employer enrolled the person: badge
// and dispatch name the same commitments. The salts are known to whoever has the person's key, here.
func (c *Cast) Likeness(a *Actor) (name, photo Hidden) {
	hide := func(kind, value string) Hidden {
		secret, err := a.Key.Bytes()
		must(err)
		sum := sha256.Sum256(append(secret, kind...))
		salt := [16]byte(sum[:16])
		return Hidden{Opening: statement.NewOpening(kind, salt, value), Commitment: statement.Commit(kind, salt, []byte(value))}
	}
	return hide(door.KindName, c.NameOf(a)), hide(door.KindPhoto, portrait(a.ID))
}
