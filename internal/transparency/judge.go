package transparency

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"golang.org/x/mod/sumdb/note"
)

// maxRounds are sizes that an honest witness tells before it cosigns: one, and one more when another
// server's checkpoint came between.
const maxRounds = 3

var (
	errWitnessSilent    = fault.New(fault.Unavailable, "witness_unreachable", "见证方没有回答。", "The witness does not answer.")
	errWitnessRefuses   = fault.New(fault.Unavailable, "witness_refuses", "见证方不给这个日志签名。", "The witness refuses to cosign this log.")
	errWitnessSawOther  = fault.New(fault.Conflict, "witness_saw_another_log", "见证方说它见过的日志和这一份不一样。", "The witness says that it saw another log than this one.")
	errWitnessMalformed = fault.New(fault.Invalid, "witness_answer_malformed", "见证方的回答看不懂，或者太大、自相矛盾。", "The witness's answer is no cosignature, too large, or contradicts itself.")
	errWitnessOtherKey  = fault.New(fault.Refused, "witness_key_differs", "见证方用的不是策略里写的公钥。", "The witness signed with another key than the policy's.")
	errWitnessDiffers   = fault.New(fault.Refused, "witness_cosignature_differs", "见证方签的不是请它签的那个检查点。", "The witness signed something else than the checkpoint it was asked for.")
	errWitnessOld       = fault.New(fault.Refused, "witness_cosignature_old", "见证方又给了一次以前的签名。", "The witness gave an earlier cosignature again.")
	errWitnessUnusable  = fault.New(fault.Refused, "witness_cosignature_unusable", "见证方的签名，核验者不接受。", "No verifier takes the witness's cosignature in this form.")

	errNextRound = errors.New("the witness told the size that it knows; it is asked again")
)

// judge says of one witness's answers whether they count, and why not. It decides nothing: what counts
// is the verifiers' policy over the whole checkpoint. It tells people which witness to see to.
type judge struct {
	only     record.Policy // with this witness alone
	verifier note.Verifier

	mu     sync.Mutex
	rounds int    // sizes told since the last other answer
	last   string // its last cosignature that counted
}

func newJudge(c record.PolicyConfig, vkey string, v note.Verifier) (*judge, error) {
	for _, w := range c.Witnesses {
		if w.VKey == vkey {
			c.Witnesses = []record.Witness{w}
			break
		}
	}
	c.Quorum = 1
	only, err := record.NewPolicy(c)
	return &judge{only: only, verifier: v}, err
}

// checkpointOf reads the question again: old size, proof, an empty line, the checkpoint.
// https://c2sp.org/tlog-witness
func checkpointOf(r *http.Request) (asked question, err error) {
	body, err := r.GetBody()
	if err != nil {
		return question{}, err
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return question{}, err
	}
	head, checkpoint, _ := bytes.Cut(data, []byte("\n\n"))
	old, _, _ := strings.Cut(strings.TrimPrefix(string(head), "old "), "\n")
	return question{old, checkpoint}, nil
}

// question is what a witness was asked.
type question struct {
	old        string // the size that it is said to have cosigned last
	checkpoint []byte // signed by the log alone
}

// judge gives nil for a cosignature that counts, errNextRound, or why the answer does not count.
func (j *judge) judge(asked question, answer *http.Response, data []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if answer.StatusCode == http.StatusConflict && answer.Header.Get("Content-Type") == "text/x.tlog.size" {
		return j.size(asked, strings.TrimSpace(string(data)))
	}
	j.rounds = 0
	switch {
	case answer.StatusCode == http.StatusConflict, answer.StatusCode == http.StatusUnprocessableEntity:
		return errWitnessSawOther
	case answer.StatusCode != http.StatusOK:
		return errWitnessRefuses.Atf("HTTP %d", answer.StatusCode)
	case len(data) > maxAnswerBytes:
		return errWitnessMalformed.At("size")
	}
	return j.cosignature(asked, string(data))
}

// size judges the answer of a witness that cosigned another size last than it was told.
func (j *judge) size(asked question, told string) error {
	n, err := strconv.ParseUint(told, 10, 64)
	if err != nil {
		return errWitnessMalformed.At("size told")
	}
	lines := strings.SplitN(string(asked.checkpoint), "\n", 3)
	if size, err := strconv.ParseUint(lines[min(1, len(lines)-1)], 10, 64); err == nil && n > size {
		return errWitnessSawOther.Atf("it tells %d, the log has %d", n, size)
	}
	if j.rounds++; j.rounds > maxRounds || told == asked.old {
		return errWitnessMalformed.At("size told again")
	}
	return errNextRound
}

func (j *judge) cosignature(asked question, line string) error {
	signed := string(asked.checkpoint) + line
	_, err := note.Open([]byte(signed), note.VerifierList(j.verifier))
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case err == nil:
		if _, err := j.only.CanonicalCheckpoint([]byte(signed)); err != nil {
			return errWitnessUnusable.Because(err)
		}
		j.last = line
		return nil
	case errors.As(err, &invalid) && line == j.last:
		return errWitnessOld
	case errors.As(err, &invalid):
		return errWitnessDiffers
	case errors.As(err, &unverified) && len(unverified.Note.UnverifiedSigs) > 1: // the first is the log's own
		return errWitnessOtherKey
	}
	return errWitnessMalformed.Because(err)
}
