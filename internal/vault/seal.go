package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
)

const (
	keySize  = 32
	saltSize = 16
	// sealVersion begins every sealed value and wrapped key, so that another form can come later.
	sealVersion = 1
)

// keys are what is derived from the key-encryption key: one key for each use, none used twice.
type keys struct {
	wrapping []byte // seals data keys
	lookup   []byte // HKDF's input for the fields' lookup keys
	rows     []byte // seals rows that no signed event speaks for
}

func deriveKeys(keyEncryptionKey []byte) (*keys, error) {
	if len(keyEncryptionKey) != keySize {
		return nil, errKey
	}
	return &keys{
		wrapping: derive(keyEncryptionKey, "menshen-vault-wrap-v1"),
		lookup:   derive(keyEncryptionKey, "menshen-vault-lookup-v1"),
		rows:     derive(keyEncryptionKey, "menshen-row-seal-v1"),
	}, nil
}

// derive is HKDF-SHA256 (RFC 5869) without salt.
func derive(secret []byte, info string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, info, keySize)
	if err != nil {
		panic(err) // only for lengths over 255 hashes
	}
	return key
}

func (k *keys) fingerprint(field, value string) string {
	mac := hmac.New(sha256.New, derive(k.lookup, field))
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

// newDataKey makes a person's key and its wrapped form.
func (k *keys) newDataKey(subject string) (key, wrapped []byte) {
	key = make([]byte, keySize)
	rand.Read(key) // never fails (Go 1.24)
	return key, seal(k.wrapping, key, wrapLabel(subject))
}

func (k *keys) unwrap(row store.VaultSubject) ([]byte, error) {
	key, ok := unseal(k.wrapping, row.WrappedKey, wrapLabel(row.ID))
	if !ok || len(key) != keySize {
		return nil, errDamaged.At("data key")
	}
	return key, nil
}

func wrapLabel(subject string) string { return "data key|" + subject }

// sealOpening seals salt and value, bound to person and field.
func sealOpening(key []byte, subject string, o statement.Opening) ([]byte, error) {
	salt, err := statement.Base64(o.Salt)
	if err != nil {
		return nil, err
	}
	return seal(key, append(salt, o.Value...), subject+"|"+o.Kind), nil
}

// unsealOpening opens a row and checks that it opens the commitment it is stored under.
func unsealOpening(key []byte, row store.VaultValue) (statement.Opening, error) {
	plain, ok := unseal(key, row.Ciphertext, row.Subject+"|"+row.Field)
	if !ok || len(plain) < saltSize {
		return statement.Opening{}, errDamaged.At(row.Field)
	}
	salt := [saltSize]byte(plain[:saltSize])
	if statement.Commit(row.Field, salt, plain[saltSize:]) != row.Commitment {
		return statement.Opening{}, errDamaged.At(row.Field)
	}
	return statement.NewOpening(row.Field, salt, string(plain[saltSize:])), nil
}

// seal is version ‖ 96-bit random nonce ‖ AES-256-GCM. A person's key seals few values, so random
// nonces do not meet.
func seal(key, plain []byte, label string) []byte {
	return gcm(key).Seal([]byte{sealVersion}, nil, plain, []byte(label))
}

func unseal(key, sealed []byte, label string) ([]byte, bool) {
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, false
	}
	plain, err := gcm(key).Open(nil, nil, sealed[1:], []byte(label))
	return plain, err == nil
}

func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // keys are of one size, made here
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only for other block sizes than AES's
	}
	return aead
}
