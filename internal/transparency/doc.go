// Package transparency operates what package record verifies: the append-only log, by Tessera on a
// local folder, and the witnesses that cosign it (https://c2sp.org/tlog-witness).
//
// It fails closed. A checkpoint exists for the rest of menshen only when the log's own policy, the
// one that verifiers use, accepts it; while witnesses are silent, leaves are still sequenced, and
// nothing counts as witnessed. Everything recovers by itself when they answer again.
//
// What somebody with write access to a folder can do: to the log's, lose or fork it, which
// witnesses refuse to cosign; to a witness's, make that witness forget what it saw, which a quorum
// of other parties outvotes. Neither folder holds a key.
package transparency
