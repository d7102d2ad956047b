// Package custody answers who has had a device, from its maker to the counter (design §8).
//
// Each holder signs the hand-over to the next, and names the hand-over before by digest, so a
// transfer that is left out, repeated or put in by somebody else shows. At the counter the technician
// signs what was found on the parcel, and that must equal what was announced: tracking number, bag
// seal, box serial, device serial. A mismatch refuses; it is never a warning.
//
// Only Verify makes a Verified. Still unproven by it: that each signer's key is enrolled for the
// signer, organisation and role its header names (whoever resolves the keys compares them), that the
// maker is on the trust list, and that a seal found intact was not copied.
package custody
