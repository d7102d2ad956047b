// Package statement is what menshen means by "signed": a DSSE envelope around an in-toto
// Statement v1, one signature, ES256 or WebAuthn, over strict JSON that holds commitments
// instead of personal values.
//
// Only Verify makes a Verified. Everything else that can be read from an envelope is an
// unproven claim and is named so.
package statement
