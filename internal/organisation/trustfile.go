package organisation

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"path/filepath"
	"slices"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/statement"
)

// TrustDraft is what the publisher of a trust file writes by hand, in YAML. Format, publisher, time and the
// trust list's key are the publisher's own and come from its folder.
type TrustDraft struct {
	Name          string `yaml:"name"`
	Demonstration bool   `yaml:"demonstration"`
	Log           struct {
		Origin   string `yaml:"origin"`
		Key      string `yaml:"key"`
		Operator string `yaml:"operator"`
	} `yaml:"log"`
	Witnesses []struct {
		Party string `yaml:"party"`
		Key   string `yaml:"key"`

		UntilSize int64 `yaml:"until_size"` // the key ended, and counts for so many leaves; 0: it stands
	} `yaml:"witnesses"`
	Quorum      int `yaml:"quorum"`
	DeviceRoots []struct {
		Maker         string `yaml:"maker"`
		File          string `yaml:"file"` // certificate, PEM or DER, beside the draft
		Demonstration bool   `yaml:"demonstration"`
	} `yaml:"device_roots"`
	Revocations struct {
		Number  int64    `yaml:"number"`
		Days    int      `yaml:"days"` // until the next one, at most 35
		Serials []string `yaml:"serials"`
		Keys    []string `yaml:"keys"`
	} `yaml:"revocations"`
}

var (
	errDraft        = fault.New(fault.Invalid, "trust_draft_invalid", "信任文件的草稿有不对的地方。", "The draft of the trust file has problems.")
	errNotPublisher = fault.New(fault.Refused, "trust_file_not_its", "只有监管一方（regulator）发布信任文件：用它自己的文件夹。", "Only a regulator publishes a trust file: use its own folder.")
	errCertificate  = fault.New(fault.Invalid, "trust_certificate_unreadable", "这不是证书（PEM 或 DER）。", "This is no certificate, PEM or DER.")
)

// TrustFile makes the trust file out of a draft, with the key in the publisher's folder, and reads it as
// everybody else will. It gives the file's bytes and their fingerprint.
func TrustFile(c Config, draft string, now time.Time) (data []byte, fingerprint string, err error) {
	if !slices.Contains(c.Kinds, credential.KindRegulator) {
		return nil, "", errNotPublisher
	}
	keys, err := c.keys()
	if err != nil {
		return nil, "", err
	}
	text, err := files.Read(draft, files.MaxSmall)
	if err != nil {
		return nil, "", errDraft.At(draft).Because(err)
	}
	var d TrustDraft
	if err := files.YAML(text, &d); err != nil {
		return nil, "", errDraft.At(draft + ": " + fault.Of(err).Where).Because(err)
	}
	file, err := d.file(c, statement.KeyOf(&keys.Own.PublicKey), filepath.Dir(draft), now.UTC().Truncate(time.Second))
	if err != nil {
		return nil, "", err
	}
	if err := file.Revocations.Check(now); err != nil {
		return nil, "", fault.At(err, "revocations")
	}
	if data, err = statement.Canonical(file); err != nil {
		return nil, "", err
	}
	trust, err := evidence.ParseTrust(data)
	if err != nil {
		return nil, "", err
	}
	return data, trust.Fingerprint(), nil
}

// file puts the publisher's own parts and the certificates beside the draft to what was written by hand.
func (d TrustDraft) file(c Config, key statement.Key, dir string, now time.Time) (evidence.TrustFile, error) {
	f := evidence.TrustFile{Format: evidence.TrustFormat, Name: d.Name, Demonstration: d.Demonstration, Publisher: c.Organisation,
		PublishedAt: statement.At(now), TrustListKey: key, Log: evidence.LogTrust(d.Log), Quorum: d.Quorum,
		Witnesses: []evidence.WitnessTrust{}, DeviceRoots: []evidence.DeviceRoot{},
		Revocations: evidence.Revocations{Number: d.Revocations.Number, IssuedAt: statement.At(now), NextAt: statement.At(now.AddDate(0, 0, d.Revocations.Days)),
			Serials: append([]string{}, d.Revocations.Serials...), Keys: append([]string{}, d.Revocations.Keys...)}}
	for _, w := range d.Witnesses {
		f.Witnesses = append(f.Witnesses, evidence.WitnessTrust(w))
	}
	for _, r := range d.DeviceRoots {
		der, err := certificate(filepath.Join(dir, r.File))
		if err != nil {
			return f, fault.At(err, "device_roots: "+r.Maker)
		}
		f.DeviceRoots = append(f.DeviceRoots, evidence.DeviceRoot{Maker: r.Maker, Certificate: base64.StdEncoding.EncodeToString(der), Demonstration: r.Demonstration})
	}
	return f, nil
}

func certificate(path string) ([]byte, error) {
	data, err := files.Read(path, files.MaxSmall)
	if err != nil {
		return nil, errCertificate.At(path).Because(err)
	}
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	if _, err := x509.ParseCertificate(data); err != nil {
		return nil, errCertificate.At(path).Because(err)
	}
	return data, nil
}
