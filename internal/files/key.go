package files

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"github.com/menshen-project/menshen/internal/fault"
)

// ErrNotKey is what a key or token file is refused with that holds something else, in each program that reads one.
var ErrNotKey = fault.New(fault.Invalid, "key_file_content", "文件里不是要的那种密钥或口令：从存放它的地方拿回来。", "What stands in the file is not the kind of key or token that is wanted: put it back from where you keep it.")

var errNotP256 = errors.New("not a P-256 private key in PEM (PKCS #8)")

// ParseP256 reads a P-256 private key in PEM (PKCS #8), as the files of operator and organisations hold them.
// Callers put its error under a fault of their own.
func ParseP256(data []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errNotP256
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, errors.Join(errNotP256, err)
	}
	return key, nil
}
