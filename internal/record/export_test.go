package record

// Remembered is how many checkpoints the verifier holds.
func (v *Verifier) Remembered() int { return v.seen.Len() }

// MemoBound and the rest are the package's own bounds, for tests that stand on them.
const (
	MemoBound          = memoBound
	MaxReceiptBytes    = maxReceiptBytes
	MaxCheckpointBytes = maxCheckpointBytes
	MaxTimestamp       = maxTimestamp
	MaxWitnesses       = maxWitnesses
	MaxNameBytes       = maxNameBytes
	MaxEventNumber     = maxEventNumber
)
