// Package journal is an append-only file that survives kill -9: what a small service of one process
// keeps, for an organisation or a simulated host. Every change is one line behind a hash that covers
// the line before, and is on disk before it is acted on.
package journal

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

// Name is the journal's file in its folder.
const Name = "journal"

const hashLength = 2 * sha256.Size

var (
	errFolder  = fault.New(fault.Unavailable, "journal_folder", "存放记录的文件夹不能使用。", "The journal's folder cannot be used.")
	errInUse   = fault.New(fault.Conflict, "journal_in_use", "已有另一个进程在用这个文件夹。", "Another process uses this folder; two would do one thing twice.")
	errDamaged = fault.New(fault.Refused, "journal_damaged", "记录被改过或损坏了，不能接着用；把这个文件夹最新的备份放回来。", "The journal was changed or damaged; nothing goes on from it: put back the folder's newest backup.")
	errFull    = fault.New(fault.Unavailable, "journal_full", "记录满了：在配置里加大它的上限，再启动。", "The journal is full: raise its bound in the config and start again.")
	errFailed  = fault.New(fault.Unavailable, "journal_failed", "记不下来，所以不回答；磁盘好了，会自己接着记。", "What would be answered cannot be kept, so it is not answered; with the disk mended it goes on by itself.")
)

// Journal is an append-only file of changes, one a line behind a hash that covers the line before:
// a change that was altered, dropped or moved shows. Every Append reaches the disk before it returns.
type Journal struct {
	header string
	mu     sync.Mutex
	file   *os.File
	size   int64
	limit  int64
	chain  string // hash of the last line
	failed bool
}

// Open takes a folder for this process and reads what was kept under this header, a line that names
// the service and the form of its changes. limit bounds the file in bytes. A last line without its
// end was never answered and is cut off; anything else that does not fit is damage.
//
// Faults: journal_folder, journal_in_use, journal_damaged, journal_full.
func Open(dir, header string, limit int64) (*Journal, [][]byte, error) {
	var changes [][]byte
	j, err := OpenEach(dir, header, limit, func(_ int, change []byte) error {
		changes = append(changes, change)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return j, changes, nil
}

// OpenEach is Open for a journal that need not fit into memory: each is told every change, with its line in the file,
// as it is read, and no more than one is held. A line that damage follows has been told by then, so what each built is
// good only once OpenEach has returned without a fault. A fault of each ends the reading and is returned with the line.
func OpenEach(dir, header string, limit int64, each func(line int, change []byte) error) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errFolder.Because(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, Name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errFolder.Because(err)
	}
	j := &Journal{header: header, file: f, limit: limit}
	if err := j.start(dir, each); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

func (j *Journal) start(dir string, each func(int, []byte) error) error {
	// The kernel lets go of it when the process dies.
	if err := syscall.Flock(int(j.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errInUse.Because(err)
	}
	info, err := j.file.Stat()
	if err != nil {
		return errFolder.Because(err)
	}
	if info.Size() > j.limit {
		return errFull
	}
	if err := j.read(each); err != nil {
		return err
	}
	if err := j.file.Truncate(j.size); err != nil {
		return errFolder.Because(err)
	}
	if j.size == 0 {
		if err := j.write([]byte(j.header + "\n")); err != nil {
			return err
		}
	}
	return syncFolder(dir)
}

// read takes the file apart, line by line, and leaves size and chain at its last whole line.
func (j *Journal) read(each func(int, []byte) error) error {
	r := bufio.NewReader(j.file)
	for at := 1; ; at++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // without its end: torn while being written, and never answered
		}
		if err != nil {
			return errFolder.Because(err)
		}
		switch {
		case at == 1:
			if string(line) != j.header+"\n" {
				return errDamaged.At("header")
			}
		default:
			change, chain, ok := j.open(line)
			if !ok {
				return errDamaged.Atf("line %d", at)
			}
			if err := each(at, change); err != nil {
				return fault.Of(err).Atf("journal line %d", at)
			}
			j.chain = chain
		}
		j.size += int64(len(line))
	}
}

func (j *Journal) open(line []byte) (change []byte, chain string, ok bool) {
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

// Append keeps one change, or fails. After a failed write nobody knows what reached the disk, and nobody was
// answered: before anything more is taken, it is cut off again, and the cut is on the disk.
func (j *Journal) Append(change []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed {
		if err := errors.Join(j.file.Truncate(j.size), j.file.Sync()); err != nil {
			return errFailed.Because(err)
		}
		j.failed = false
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

func (j *Journal) write(line []byte) error {
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

// Size is the file's length in bytes.
func (j *Journal) Size() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size
}

// Close lets go of the folder; a second time it does nothing.
func (j *Journal) Close() error {
	if err := j.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

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
