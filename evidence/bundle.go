package evidence

import (
	"errors"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// BundleFormat is the first member of every bundle.
const BundleFormat = "menshen-bundle-v1"

// MaxBundle bounds a bundle in bytes; an ordinary visit's is a few hundred kilobytes.
const MaxBundle = 16 << 20

const maxEntries = 2000

// TypeClosing is the platform's statement over one export.
const TypeClosing = "closing"

// Entry is one event with the statement it records, the salt of its leaf and its receipt.
type Entry struct {
	Event     string `json:"event"`     // base64 of the event bytes
	Statement string `json:"statement"` // base64 of the envelope bytes
	Salt      string `json:"salt"`      // base64, 16 bytes
	Day       string `json:"day"`
	Province  string `json:"province"`
	Receipt   string `json:"receipt"` // C2SP tlog-proof; "" only where a decision needs none
}

// Bundle is everything a visit's decisions rest on, in one file and one form.
type Bundle struct {
	Format   string              `json:"format"`
	Visit    string              `json:"visit"`
	Entries  []Entry             `json:"entries"` // streams in order of name, events in order of number
	Openings []statement.Opening `json:"openings"`
	Closing  string              `json:"closing"` // base64 of the closing statement's envelope
}

// Closing is the body of the platform's statement that makes an export one thing: nothing can be
// added to it, dropped from it or moved in it.
type Closing struct {
	Visit    string `json:"visit"`
	Reader   string `json:"reader"`   // for which role the openings were chosen
	Entries  string `json:"entries"`  // digest of the canonical JSON of entries
	Openings string `json:"openings"` // digest of the canonical JSON of openings
	LogSize  int64  `json:"log_size"` // leaves in the log when the export was made
}

var (
	errBundleFormat = fault.New(fault.Invalid, "bundle_format", "这不是 menshen 的证据包。", "This is not a menshen bundle.")
	errBundleMany   = fault.New(fault.TooLarge, "bundle_too_many_entries", "证据包里的条目太多。", "The bundle has too many entries.")
	errEntryMissing = fault.New(fault.Invalid, "entry_malformed", "证据包里有一条读不出来。", "An entry of the bundle cannot be read.")
)

// Open reads a bundle in its one canonical form. Nothing in it is proven yet: see Verify.
func Open(data []byte) (*Bundle, error) {
	var b Bundle
	if err := statement.DecodeCanonicalWithin(data, &b, MaxBundle); err != nil {
		return nil, fault.At(err, "bundle")
	}
	if b.Format != BundleFormat {
		return nil, errBundleFormat.At("format")
	}
	if len(b.Entries) > maxEntries || len(b.Openings) > maxEntries {
		return nil, errBundleMany.At("bundle")
	}
	return &b, nil
}

// Bytes writes the bundle in its one form.
func (b *Bundle) Bytes() ([]byte, error) { return b.CanonicalBytes() }

// ClosingFor gives the body that a platform signs for this export.
func (b *Bundle) ClosingFor(reader string, logSize int64) (Closing, error) {
	entries, errE := canonicalEntries(b.Entries)
	openings, errO := statement.Canonical(b.Openings)
	return Closing{Visit: b.Visit, Reader: reader, Entries: statement.Digest(entries), Openings: statement.Digest(openings), LogSize: logSize},
		errors.Join(errE, errO)
}

// Dossier is what one ask is judged on.
type Dossier struct {
	Visit    string
	Entries  []Entry
	Openings []statement.Opening
	LogSize  int64 // every entry must lie below; 0 where the ask needs no receipts
}
