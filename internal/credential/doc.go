// Package credential checks what a person at the door shows and what says that he may be there:
// the badge (SD-JWT VC, RFC 9901), its key binding to one challenge of one order, the issuer's
// status list (draft-ietf-oauth-status-list), and the signed trust list of institutions and
// providers.
//
// It is a profile, not a library: one algorithm, one set of claims, one order of disclosures. What
// the standards leave open is closed here, because every freedom that a verifier grants is one that
// a forger may use. The issuer's key always comes from the caller, who has it from the trust list;
// whatever a token says about keys of its issuer refuses it.
//
// Badge, Presentation, StatusList and Trust are made only by their verifiers. Their zero values
// refuse.
package credential
