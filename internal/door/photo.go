package door

import (
	"bytes"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// Kinds of the commitments that a dispatch names.
const (
	KindName  = "name"
	KindPhoto = "photo" // the value is strict base64 of the picture
	KindShop  = "address"
)

// MaxPhoto bounds the picture of a person in an order package, in bytes.
const MaxPhoto = 30 << 10

var (
	errPhotoSize = fault.New(fault.TooLarge, "photo_too_large", "照片太大，最多 30 kB。", "The photo is over 30 kB.")
	errPhotoKind = fault.New(fault.Invalid, "photo_kind", "照片要是 JPEG 或 WebP。", "The photo is neither JPEG nor WebP.")
)

// PhotoType says what a committed photo is, "image/jpeg" or "image/webp", by how its bytes begin and
// end; nothing else is handed to a page. Faults: base64_malformed, photo_too_large, photo_kind.
func PhotoType(value string) (string, error) {
	if len(value) > MaxPhoto/3*4+4 {
		return "", errPhotoSize
	}
	raw, err := statement.Base64(value)
	switch {
	case err != nil:
		return "", err
	case len(raw) > MaxPhoto:
		return "", errPhotoSize
	case bytes.HasPrefix(raw, []byte{0xff, 0xd8, 0xff}) && bytes.HasSuffix(raw, []byte{0xff, 0xd9}):
		return "image/jpeg", nil
	case len(raw) > 16 && string(raw[:4]) == "RIFF" && string(raw[8:12]) == "WEBP":
		return "image/webp", nil
	}
	return "", errPhotoKind
}
