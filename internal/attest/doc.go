// Package attest answers whether a device is the one its maker vouched for, from a proof that the
// device makes over a nonce of the server (design §8). There is one file per proof format.
//
// Only Verify makes a Verified. It says what the proof shows and what it leaves open; Proven and
// NotProven name both, and reports print both. Not asked here: whether the nonce was fresh and unused
// (the visit knows), whether model, software and boot state are listed (the gate asks), and whether a
// demonstration is allowed (the trust file says).
package attest
