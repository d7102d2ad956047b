// Package evidence judges a visit from its signed evidence, and nothing else.
//
// It is public: the acquirer's host, an offline verifier and the server call the same Judge over
// the same bytes, with a trust file of their own, and must reach the same decision. It reads no
// disk, network, database or clock; the caller passes bytes, trust and the time.
//
// Open reads a bundle, Verify replays every decision in it, Judge asks the gate about a dossier.
package evidence
