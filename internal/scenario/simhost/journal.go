package simhost

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/menshen-project/menshen/internal/fault"
)

const (
	journalName   = "journal"
	journalHeader = "menshen-simhost-journal-v1\n"
	hashLength    = 2 * sha256.Size

	// DefaultJournalBytes is about ten thousand visits.
	DefaultJournalBytes = 512 << 20
)

var (
	errFolder  = fault.New(fault.Unavailable, "host_folder", "主机的文件夹不能使用。", "The host's folder cannot be used.")
	errInUse   = fault.New(fault.Conflict, "host_folder_in_use", "已有另一个主机在用这个文件夹。", "Another host uses this folder; two would load one permit twice.")
	errDamaged = fault.New(fault.Refused, "host_journal_damaged", "主机的记录被改过或损坏了，不能接着用。", "The host's journal was changed or damaged; it does not go on from it.")
	errFull    = fault.New(fault.Unavailable, "host_journal_full", "主机的记录满了。", "The host's journal is full.")
	errFailed  = fault.New(fault.Unavailable, "host_journal_failed", "主机记不下来，所以不回答。", "The host cannot keep what it would answer, so it does not.")
)

// journal is an append-only file of changes, one a line behind a hash that covers the line before:
// a change that was altered, dropped or moved shows. Every Append reaches the disk before it returns.
type journal struct {
	mu     sync.Mutex
	file   *os.File
	size   int64
	limit  int64
	chain  string // hash of the last line
	failed bool
}

// openJournal takes a folder for this process and reads what was kept. A last line without its end
// was never answered and is cut off; anything else that does not fit is damage.
func openJournal(dir string, limit int64) (*journal, [][]byte, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, errFolder.Because(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, journalName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, errFolder.Because(err)
	}
	j := &journal{file: f, limit: limit}
	changes, err := j.start(dir)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return j, changes, nil
}

func (j *journal) start(dir string) ([][]byte, error) {
	// The kernel lets go of it when the process dies.
	if err := syscall.Flock(int(j.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errInUse.Because(err)
	}
	info, err := j.file.Stat()
	if err != nil {
		return nil, errFolder.Because(err)
	}
	if info.Size() > j.limit {
		return nil, errFull
	}
	changes, err := j.read()
	if err != nil {
		return nil, err
	}
	if err := j.file.Truncate(j.size); err != nil {
		return nil, errFolder.Because(err)
	}
	if j.size == 0 {
		if err := j.write([]byte(journalHeader)); err != nil {
			return nil, err
		}
	}
	return changes, syncFolder(dir)
}

// read takes the file apart and leaves size and chain at its last whole line.
func (j *journal) read() ([][]byte, error) {
	r := bufio.NewReader(j.file)
	var changes [][]byte
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return changes, nil // without its end: torn while being written, and never answered
		}
		if err != nil {
			return nil, errFolder.Because(err)
		}
		switch {
		case j.size == 0:
			if string(line) != journalHeader {
				return nil, errDamaged.At("header")
			}
		default:
			change, chain, ok := j.open(line)
			if !ok {
				return nil, errDamaged.Atf("line %d", len(changes)+2)
			}
			changes, j.chain = append(changes, change), chain
		}
		j.size += int64(len(line))
	}
}

func (j *journal) open(line []byte) (change []byte, chain string, ok bool) {
	hash, rest, found := bytes.Cut(line, []byte(" "))
	if !found || len(hash) != hashLength {
		return nil, "", false
	}
	change = bytes.TrimSuffix(rest, []byte("\n"))
	chain = next(j.chain, change)
	return change, chain, chain == string(hash)
}

func next(chain string, change []byte) string {
	sum := sha256.Sum256(append([]byte(chain+" "), change...))
	return hex.EncodeToString(sum[:])
}

// Append keeps one change, or fails. After a failed write nobody knows what reached the disk, so
// nothing more is taken until the process starts again and reads it.
func (j *journal) Append(change []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed {
		return errFailed
	}
	if bytes.ContainsRune(change, '\n') {
		return errFailed.At("change")
	}
	chain := next(j.chain, change)
	line := append(append([]byte(chain+" "), change...), '\n')
	if j.size+int64(len(line)) > j.limit {
		return errFull
	}
	if err := j.write(line); err != nil {
		return err
	}
	j.chain = chain
	return nil
}

func (j *journal) write(line []byte) error {
	_, err := j.file.WriteAt(line, j.size)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.failed = true
		return errFailed.Because(err)
	}
	j.size += int64(len(line))
	return nil
}

// Close lets go of the folder.
func (j *journal) Close() error { return j.file.Close() }

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return errFolder.Because(err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return errFolder.Because(err)
	}
	return nil
}
