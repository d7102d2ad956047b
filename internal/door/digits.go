package door

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// TwoDigits are what both screens show after an answer, "00" to "99": whoever holds another phone, or
// answers another challenge, shows others in 99 of 100 cases. answer is the hex digest of the
// presentation. The first four bytes, big-endian, of SHA-256("menshen-two-v1\n" ‖ nonce ‖ "\n" ‖
// answer), modulo 100.
func TwoDigits(nonce, answer string) string {
	return fmt.Sprintf("%02d", number("menshen-two-v1\n"+nonce+"\n"+answer)%100)
}

// SixDigits are what a merchant reads out where no camera works, "000000" to "999999": the server gives
// the assigned technician's phone the challenge for them, once. They say nothing of the nonce. The
// first four bytes, big-endian, of SHA-256("menshen-six-v1\n" ‖ visit ‖ "\n" ‖ nonce), modulo 1000000.
func SixDigits(visit, nonce string) string {
	return fmt.Sprintf("%06d", number("menshen-six-v1\n"+visit+"\n"+nonce)%1000000)
}

func number(s string) uint32 {
	sum := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint32(sum[:4])
}
