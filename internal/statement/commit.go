package statement

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errTime    = fault.New(fault.Invalid, "time_malformed", "时间要写成 2026-11-22T12:00:00Z 这样。", "Times are written like 2026-11-22T12:00:00Z, UTC, whole seconds.")
	errOpening = fault.New(fault.Invalid, "opening_malformed", "承诺的原文格式不对。", "The opening of a commitment is malformed.")
	errBase64  = fault.New(fault.Invalid, "base64_malformed", "base64 编码不对。", "This is not strict base64.")
)

// TimeForm is the only form of a time in signed bytes: RFC 3339, UTC, whole seconds.
const TimeForm = "2006-01-02T15:04:05Z"

// Time is a moment in TimeForm. The zero value is no moment; Parse refuses it.
type Time string

// At writes t down, cut to whole seconds.
func At(t time.Time) Time { return Time(t.UTC().Format(TimeForm)) }

// Parse reads the moment and refuses every other way to write it.
func (t Time) Parse() (time.Time, error) {
	var again [len(TimeForm)]byte
	// By the standard's name of the form, which package time reads and writes fastest: of a moment in UTC it writes
	// TimeForm.
	m, err := time.Parse(time.RFC3339, string(t))
	if err != nil || len(t) != len(TimeForm) || string(m.UTC().AppendFormat(again[:0], time.RFC3339)) != string(t) {
		return time.Time{}, errTime
	}
	return m, nil
}

// Commit hides a personal value in signed bytes: hex SHA-256(kind ‖ 0x00 ‖ salt ‖ value). The salt
// is 128 random bits, so that a phone number cannot be found by trying all of them; the zero byte
// ends kind, so that no two (kind, value) pairs share an input.
func Commit(kind string, salt [16]byte, value []byte) string {
	h := sha256.New()
	h.Write([]byte(kind))
	h.Write([]byte{0})
	h.Write(salt[:])
	h.Write(value)
	return hex.EncodeToString(h.Sum(nil))
}

// Opening reveals what a commitment holds, to a reader who is entitled to it.
type Opening struct {
	Kind  string `json:"kind"`
	Salt  string `json:"salt"` // strict base64, 16 bytes
	Value string `json:"value"`
}

// NewOpening writes an opening down.
func NewOpening(kind string, salt [16]byte, value string) Opening {
	return Opening{Kind: kind, Salt: base64.StdEncoding.EncodeToString(salt[:]), Value: value}
}

// Commitment recomputes the commitment that this opening opens.
func (o Opening) Commitment() (string, error) {
	raw, err := Base64(o.Salt)
	if err != nil || len(raw) != 16 || !plainKind(o.Kind) {
		return "", errOpening
	}
	return Commit(o.Kind, [16]byte(raw), []byte(o.Value)), nil
}

func plainKind(kind string) bool {
	for _, r := range kind {
		if r != '_' && (r < 'a' || r > 'z') {
			return false
		}
	}
	return kind != "" && len(kind) <= 40
}

// Base64 decodes standard base64 with padding and refuses every second spelling of the same bytes.
func Base64(s string) ([]byte, error) { return strictBase64(strictStd, s) }

// Base64URL decodes unpadded base64url (RFC 7515) just as strictly.
func Base64URL(s string) ([]byte, error) { return strictBase64(strictURL, s) }

// The strict encodings, made once: making one copies its tables.
var (
	strictStd = base64.StdEncoding.Strict()
	strictURL = base64.RawURLEncoding.Strict()
)

func strictBase64(enc *base64.Encoding, s string) ([]byte, error) {
	raw, err := enc.DecodeString(s)
	// Strict refuses unused bits that are set. What is left are line breaks, which the decoder skips:
	// with one of them, the text is longer than the bytes need.
	if err != nil || enc.EncodedLen(len(raw)) != len(s) {
		return nil, errBase64
	}
	return raw, nil
}

// Digest is the hex SHA-256 that statements, events and bundles name bytes by.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// IsDigest says whether s has the shape of Digest's answer.
func IsDigest(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return true
}
