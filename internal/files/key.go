package files

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
)

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
