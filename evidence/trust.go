package evidence

import (
	"slices"

	"github.com/menshen-project/menshen/internal/attest"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
)

// TrustFormat is the first member of every trust file.
const TrustFormat = "menshen-trust-v1"

// TrustFile is what a reader believes before he reads a bundle: who compiles the trust list, which
// log, which witnesses, which device roots. It comes from its publisher, never from menshen's
// operator; every report prints its fingerprint so that two readers can compare.
type TrustFile struct {
	Format        string         `json:"format"`
	Name          string         `json:"name"`
	Demonstration bool           `json:"demonstration"` // simulated devices count only when true
	Publisher     string         `json:"publisher"`
	PublishedAt   statement.Time `json:"published_at"`
	TrustListKey  statement.Key  `json:"trust_list_key"`
	Log           LogTrust       `json:"log"`
	Witnesses     []WitnessTrust `json:"witnesses"`
	Quorum        int            `json:"quorum"`
	DeviceRoots   []DeviceRoot   `json:"device_roots"`
	Revocations   Revocations    `json:"revocations"` // of device certificates, dated

}

// LogTrust names the log and its note verifier key.
type LogTrust struct {
	Origin   string `json:"origin"`
	Key      string `json:"key"`      // C2SP signed-note verifier key
	Operator string `json:"operator"` // party that runs the log; it never counts towards the quorum
}

// WitnessTrust is one witness and the party that runs it.
type WitnessTrust struct {
	Party string `json:"party"`
	Key   string `json:"key"` // C2SP cosignature/v1 verifier key

	UntilSize int64 `json:"until_size,omitempty"` // the key ended: it counts under so many leaves, beside one that stands; 0 for never
}

// InPolicy is the witness as the log's policy names it.
func (w WitnessTrust) InPolicy() record.Witness {
	return record.Witness{Party: w.Party, VKey: w.Key, UntilSize: w.UntilSize}
}

// DeviceRoot is a maker's root certificate.
type DeviceRoot struct {
	Maker         string `json:"maker"`
	Certificate   string `json:"certificate"` // base64 DER
	Demonstration bool   `json:"demonstration"`
}

// Revocations is the publisher's dated list of device certificates that no longer count.
type Revocations = attest.Revocations

// Trust is a trust file that was read and checked. The zero value trusts nothing.
type Trust struct {
	file        TrustFile
	fingerprint string
	policy      record.Policy
	roots       []attest.Root
	ok          bool
}

var (
	errTrustFormat = fault.New(fault.Invalid, "trust_file_format", "这不是 menshen 的信任文件。", "This is not a menshen trust file.")
	errNoTrust     = fault.New(fault.Refused, "trust_file_absent", "没有信任文件，什么都不能相信。", "Without a trust file nothing can be trusted.")
)

// ParseTrust reads a trust file strictly; its one form keeps two readers' fingerprints comparable.
func ParseTrust(data []byte) (Trust, error) {
	var f TrustFile
	if err := statement.DecodeCanonical(data, &f); err != nil {
		return Trust{}, fault.At(err, "trust file")
	}
	if f.Format != TrustFormat || identifier.CheckID(f.Publisher) != nil || f.Name == "" {
		return Trust{}, errTrustFormat
	}
	if _, err := f.PublishedAt.Parse(); err != nil {
		return Trust{}, fault.At(err, "published_at")
	}
	if _, err := f.TrustListKey.Public(); err != nil {
		return Trust{}, fault.At(err, "trust_list_key")
	}
	t := Trust{file: f, fingerprint: statement.Digest(data), ok: true}
	if err := t.readLog(); err != nil {
		return Trust{}, err
	}
	if err := t.readDevices(); err != nil {
		return Trust{}, err
	}
	return t, nil
}

func (t *Trust) readLog() error {
	witnesses := make([]record.Witness, 0, len(t.file.Witnesses))
	for _, w := range t.file.Witnesses {
		witnesses = append(witnesses, w.InPolicy())
	}
	policy, err := record.NewPolicy(record.PolicyConfig{Origin: t.file.Log.Origin, LogKey: t.file.Log.Key,
		Operator: t.file.Log.Operator, Witnesses: witnesses, Quorum: t.file.Quorum})
	t.policy = policy
	return fault.At(err, "log")
}

func (t *Trust) readDevices() error {
	for _, r := range t.file.DeviceRoots {
		der, err := statement.Base64(r.Certificate)
		if err != nil {
			return fault.At(err, "device_roots")
		}
		t.roots = append(t.roots, attest.Root{Maker: r.Maker, DER: der, Demonstration: r.Demonstration})
	}
	return nil
}

// Fingerprint is the SHA-256 of the file, lower-case hex, "" for the zero value.
func (t Trust) Fingerprint() string { return t.fingerprint }

// File is a copy of what was read; writing into it changes nothing here.
func (t Trust) File() TrustFile {
	f := t.file
	f.TrustListKey.Origins = slices.Clone(f.TrustListKey.Origins)
	f.Witnesses, f.DeviceRoots = slices.Clone(f.Witnesses), slices.Clone(f.DeviceRoots)
	f.Revocations.Serials, f.Revocations.Keys = slices.Clone(f.Revocations.Serials), slices.Clone(f.Revocations.Keys)
	return f
}

// OK is false for the zero value.
func (t Trust) OK() bool { return t.ok }
