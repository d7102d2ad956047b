// Package record is menshen's memory as bytes: numbered events chained by digest, the leaf that
// stands for an event in the public log, and the receipt that proves the leaf is in it.
//
// It verifies and formats; it runs no log (package transparency does), reads no file, no network
// and no clock. A receipt is a C2SP tlog-proof (https://c2sp.org/tlog-proof) over a checkpoint
// (https://c2sp.org/tlog-checkpoint) that the log signed and a quorum of witnesses cosigned
// (https://c2sp.org/tlog-cosignature). Everything has one canonical form: where the specifications
// let a reader ignore what it does not know, this package refuses, so that no second byte string
// says the same thing.
//
// Only a Policy (or a Verifier, which remembers) makes a Checkpoint or an Inclusion. Their zero
// values and the zero Policy refuse.
package record
