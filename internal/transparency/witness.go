package transparency

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

const (
	maxRequestBytes = 64 << 10
	maxProofLines   = 63
)

var (
	errWitnessKey   = fault.New(fault.Invalid, "witness_log_key", "要见证的日志，名称或公钥不对。", "The name or key of a log to witness is wrong.")
	errWitnessState = fault.New(fault.Internal, "witness_state_unreadable", "见证方上次确认的记录读不出来，不能继续见证。", "What this witness cosigned last is unreadable or signed with other keys; it must not cosign again before a person has looked.")
)

// LogKey is a log that a witness follows. Several keys for one origin are several entries.
type LogKey struct {
	Origin string
	VKey   string
}

// WitnessConfig is what a witness needs.
type WitnessConfig struct {
	Dir    string         // the witness's own folder; made if missing
	Signer *f_note.Signer // from ParseWitnessSigner
	Logs   []LogKey
}

// Witness answers POST <prefix>/add-checkpoint of https://c2sp.org/tlog-witness. It cosigns a log's
// checkpoint when the log has only grown since the one it cosigned before, so that nobody can be
// shown another past. The comments below quote the specification.
type Witness struct {
	dir    string
	signer *f_note.Signer
	unlock func() error

	mu   sync.Mutex // over check, write and answer: they must be one step
	logs map[string]*followed
}

// followed is a log with the tree head that was cosigned last.
type followed struct {
	keys   []note.Verifier
	latest record.TreeHead // size 0 when none was cosigned yet
}

// NewWitness takes the folder and reads what was cosigned before. Faults: witness_log_key,
// log_folder, log_folder_in_use, witness_state_unreadable.
func NewWitness(c WitnessConfig) (*Witness, error) {
	w := &Witness{dir: c.Dir, signer: c.Signer, logs: map[string]*followed{}}
	for _, l := range c.Logs {
		key, err := note.NewVerifier(l.VKey)
		if err != nil || record.CheckName(l.Origin) != nil {
			return nil, errWitnessKey.Because(err)
		}
		if w.logs[l.Origin] == nil {
			empty := record.TreeHead{Origin: l.Origin, Root: [32]byte(rfc6962.DefaultHasher.EmptyRoot())}
			w.logs[l.Origin] = &followed{latest: empty}
		}
		w.logs[l.Origin].keys = append(w.logs[l.Origin].keys, key)
	}
	var err error
	if w.unlock, err = lockFolder(c.Dir); err != nil {
		return nil, err
	}
	if err := w.load(); err != nil {
		return nil, errors.Join(err, w.unlock())
	}
	return w, nil
}

// Close lets go of the folder. Requests must have ended.
func (w *Witness) Close() error { return w.unlock() }

func (w *Witness) load() error {
	if err := sweepFolder(w.dir); err != nil {
		return err
	}
	for origin, l := range w.logs {
		data, err := files.Read(w.file(origin), maxRequestBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return errWitnessState.At(w.file(origin)).Because(err)
		}
		// Only what this witness itself cosigned counts as seen.
		n, err := note.Open(data, note.VerifierList(w.signer.Verifier()))
		if err != nil {
			return errWitnessState.At(w.file(origin)).Because(err)
		}
		if l.latest, err = record.ParseTreeHead(n.Text); err != nil || l.latest.Origin != origin {
			return errWitnessState.At(w.file(origin)).Because(err)
		}
	}
	return nil
}

func (w *Witness) file(origin string) string {
	return filepath.Join(w.dir, statement.Digest([]byte(origin))+".checkpoint")
}

// refusal is an answer other than 200.
type refusal struct {
	status int
	body   string
	size   bool // body is a tree size
}

var (
	refuseRequest   = &refusal{status: http.StatusBadRequest, body: "malformed request\n"}
	refuseOldSize   = &refusal{status: http.StatusBadRequest, body: "old size is larger than the checkpoint\n"}
	refuseOrigin    = &refusal{status: http.StatusNotFound, body: "unknown log\n"}
	refuseSignature = &refusal{status: http.StatusForbidden, body: "no signature by a key of this log\n"}
	refuseRoot      = &refusal{status: http.StatusConflict, body: "another root was cosigned at this size\n"}
	refuseProof     = &refusal{status: http.StatusUnprocessableEntity, body: "consistency proof does not verify\n"}
	refuseStorage   = &refusal{status: http.StatusInternalServerError, body: "cannot store the checkpoint\n"}
)

// ServeHTTP answers add-checkpoint, and the first checkpoint of a day to whoever asks.
func (w *Witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, firstPath) {
		w.serveFirst(rw, r)
		return
	}
	if r.URL.Path != "/add-checkpoint" {
		http.NotFound(rw, r)
		return
	}
	// "The request MUST be an HTTP POST."
	if r.Method != http.MethodPost {
		rw.Header().Set("Allow", http.MethodPost)
		http.Error(rw, "add-checkpoint is a POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxRequestBytes))
	if err != nil {
		http.Error(rw, "request too large or cut off", http.StatusRequestEntityTooLarge)
		return
	}
	cosignature, refused := w.addCheckpoint(string(body))
	if refused != nil {
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if refused.size {
			// "The response MUST have a Content-Type of text/x.tlog.size."
			rw.Header().Set("Content-Type", "text/x.tlog.size")
		}
		rw.WriteHeader(refused.status)
		_, _ = io.WriteString(rw, refused.body)
		return
	}
	_, _ = io.WriteString(rw, cosignature)
}

func (w *Witness) addCheckpoint(body string) (cosignature string, refused *refusal) {
	old, hashes, checkpoint, ok := parseRequest(body)
	if !ok {
		return "", refuseRequest
	}
	origin, _, _ := strings.Cut(checkpoint, "\n")
	w.mu.Lock()
	defer w.mu.Unlock()

	// "If the checkpoint origin is unknown, the witness MUST respond with a "404 Not Found"."
	l := w.logs[origin]
	if l == nil {
		return "", refuseOrigin
	}
	// "The witness MUST verify the checkpoint signature against the public key(s) it trusts for the
	// checkpoint origin, and it MUST ignore signatures from unknown keys. […] If none of the
	// signatures verify against a trusted public key, the witness MUST respond with a "403
	// Forbidden"."
	signed, err := note.Open([]byte(checkpoint), note.VerifierList(l.keys...))
	if err != nil {
		return "", refuseSignature
	}
	head, err := record.ParseTreeHead(signed.Text)
	if err != nil {
		return "", refuseRequest
	}
	if refused := l.check(old, hashes, head); refused != nil {
		return "", refused
	}
	return w.cosign(l, head, signed)
}

// check is what the log must not get wrong.
func (l *followed) check(old uint64, hashes [][]byte, head record.TreeHead) *refusal {
	// "The old size MUST be equal to or lower than the checkpoint size. Otherwise, the witness MUST
	// respond with a "400 Bad Request"."
	if old > head.Size {
		return refuseOldSize
	}
	// "The witness MUST check that the old size matches the size of the latest checkpoint it
	// cosigned for the checkpoint's origin (or zero if it never cosigned a checkpoint for that
	// origin). If it doesn't match, the witness MUST respond with a "409 Conflict". The response
	// body MUST consist of the tree size of the latest cosigned checkpoint in decimal, followed by
	// a newline."
	if old != l.latest.Size {
		return &refusal{http.StatusConflict, fmt.Sprintf("%d\n", l.latest.Size), true}
	}
	// "If the old size matches the checkpoint size, the witness MUST check that the root hashes are
	// also identical. If they don't match, the witness MUST respond with a "409 Conflict"."
	if old == head.Size && head.Root != l.latest.Root {
		return refuseRoot
	}
	// "The consistency proof lines MUST encode a Merkle Consistency Proof from the old size to the
	// checkpoint size according to RFC 6962, Section 2.1.2. The proof MUST be empty if the old size
	// is zero. If the Merkle Consistency Proof doesn't verify, the witness MUST respond with a "422
	// Unprocessable Entity"."
	if proof.VerifyConsistency(rfc6962.DefaultHasher, old, head.Size, hashes, l.latest.Root[:], head.Root[:]) != nil {
		return refuseProof
	}
	return nil
}

// cosign signs, stores and only then answers. "The witness MUST persist the new checkpoint before
// responding."
func (w *Witness) cosign(l *followed, head record.TreeHead, signed *note.Note) (string, *refusal) {
	signed.UnverifiedSigs = nil
	data, err := note.Sign(signed, w.signer)
	if err != nil {
		return "", refuseStorage
	}
	if err := w.keepFirst(head.Origin, data); err != nil {
		return "", refuseStorage
	}
	if err := replaceFile(w.file(head.Origin), data); err != nil {
		return "", refuseStorage
	}
	l.latest = head
	// "The response body MUST be a sequence of one or more note signature lines […]. The signatures
	// MUST be cosignatures from the witness key(s) on the checkpoint." Ours is the last line.
	all := strings.SplitAfter(string(data), "\n")
	return all[len(all)-2], nil
}

// parseRequest reads "a sequence of an old size line, zero or more consistency proof lines, and an
// empty line, followed by a checkpoint". "The client MUST NOT send more than 63 consistency proof
// lines."
func parseRequest(body string) (old uint64, hashes [][]byte, checkpoint string, ok bool) {
	head, checkpoint, ok := strings.Cut(body, "\n\n")
	lines := strings.Split(head, "\n")
	size, isOld := strings.CutPrefix(lines[0], "old ")
	old, err := strconv.ParseUint(size, 10, 64)
	// "encoded as an ASCII decimal with no leading zeroes"
	if !ok || !isOld || err != nil || strconv.FormatUint(old, 10) != size || len(lines) > 1+maxProofLines {
		return 0, nil, "", false
	}
	for _, line := range lines[1:] {
		hash, err := statement.Base64(line)
		if err != nil || len(hash) != rfc6962.DefaultHasher.Size() {
			return 0, nil, "", false
		}
		hashes = append(hashes, hash)
	}
	return old, hashes, checkpoint, true
}
