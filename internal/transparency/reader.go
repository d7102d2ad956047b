package transparency

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
)

// maxBundleBytes bounds an entry bundle: 256 entries of at most 64 KiB.
const maxBundleBytes = 16 << 20

var (
	errForked  = fault.New(fault.Refused, "log_forked", "日志里的叶子和检查点对不上：日志被改写或分叉了。", "The leaves do not hash to the checkpoint's root: the log was rewritten or forked.")
	errShrunk  = fault.New(fault.Refused, "log_rolled_back", "日志比上次看到的短：被回退了。", "The log is shorter than it was seen before: it was rolled back.")
	errReading = fault.New(fault.Unavailable, "log_not_readable", "日志读不到，请稍后再试。", "The log cannot be read; try again later.")
	errState   = fault.New(fault.Invalid, "log_state_malformed", "上次看到日志哪里的记录坏了。", "The record of how far the log was read is damaged.")
)

// Seen is how far a reader has followed a log: enough to prove that what comes later continues it.
type Seen struct {
	Size   uint64   `json:"size"`
	Hashes [][]byte `json:"hashes"` // of the tree's perfect subtrees, left to right (RFC 6962)
}

// Reader follows a log that somebody else may run: it verifies log signature, quorum and root itself.
type Reader struct {
	policy record.Policy
	fetch  func(ctx context.Context, path string) ([]byte, error)
}

// NewFolderReader reads a log's own folder, also while a server writes there.
func NewFolderReader(dir string, p record.Policy) *Reader {
	return &Reader{policy: p, fetch: func(_ context.Context, path string) ([]byte, error) {
		return files.Read(filepath.Join(dir, filepath.FromSlash(path)), maxBundleBytes)
	}}
}

// NewURLReader reads a log over HTTP, as Handler serves it.
func NewURLReader(base string, p record.Policy) (*Reader, error) {
	root, err := url.Parse(base)
	if err != nil || root.Host == "" || root.Scheme != "http" && root.Scheme != "https" {
		return nil, errEndpoint.Because(err)
	}
	c := &http.Client{Timeout: 30 * time.Second}
	return &Reader{policy: p, fetch: func(ctx context.Context, path string) ([]byte, error) {
		return get(ctx, c, root.JoinPath(path).String())
	}}, nil
}

func get(ctx context.Context, c *http.Client, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := c.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNotFound {
		return nil, fs.ErrNotExist
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", answer.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxBundleBytes+1))
	if err == nil && len(data) > maxBundleBytes {
		err = errors.New("the answer is too long")
	}
	return data, err
}

// Checkpoint gives the newest checkpoint that the policy accepts. Faults: log_not_readable, and those
// of record.Policy.
func (r *Reader) Checkpoint(ctx context.Context) (record.Checkpoint, []byte, error) {
	data, err := r.fetch(ctx, "checkpoint")
	if err != nil {
		return record.Checkpoint{}, nil, errReading.At("checkpoint").Because(err)
	}
	if data, err = r.policy.CanonicalCheckpoint(data); err != nil {
		return record.Checkpoint{}, nil, err
	}
	c, err := r.policy.VerifyCheckpoint(data)
	return c, data, err
}

// Follow gives every leaf from where seen ends to the newest checkpoint, and where that ends. Only when
// it returns without error are the leaves proven: first each is given, then the root is compared.
// Faults: log_forked, log_rolled_back, log_not_readable, log_state_malformed, leaf_malformed.
func (r *Reader) Follow(ctx context.Context, seen Seen, each func(index uint64, leaf []byte) error) (Seen, record.Checkpoint, error) {
	c, _, err := r.Checkpoint(ctx)
	if err != nil {
		return seen, c, err
	}
	if c.Size() < seen.Size {
		return seen, c, errShrunk
	}
	factory := &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	tree, err := factory.NewRange(0, seen.Size, seen.Hashes)
	if err != nil {
		return seen, c, errState.Because(err)
	}
	if err := r.entries(ctx, seen.Size, c.Size(), func(i uint64, leaf []byte) error {
		hash := record.LeafHash(leaf)
		if err := tree.Append(hash[:], nil); err != nil {
			return errState.Because(err)
		}
		return each(i, leaf)
	}); err != nil {
		return seen, c, err
	}
	root, err := tree.GetRootHash(nil)
	if c.Size() == 0 {
		root = rfc6962.DefaultHasher.EmptyRoot()
	}
	if err != nil || [32]byte(root) != c.RootHash() {
		return seen, c, errForked
	}
	return Seen{Size: c.Size(), Hashes: tree.Hashes()}, c, nil
}

// Size is how many leaves the newest checkpoint has.
func (r *Reader) Size(ctx context.Context) (uint64, error) {
	c, _, err := r.Checkpoint(ctx)
	return c.Size(), err
}

// Leaves is Follow from the beginning.
func (r *Reader) Leaves(ctx context.Context, each func(index uint64, leaf []byte) error) (uint64, error) {
	seen, _, err := r.Follow(ctx, Seen{}, each)
	return seen.Size, err
}

func (r *Reader) entries(ctx context.Context, from, size uint64, each func(uint64, []byte) error) error {
	if from >= size {
		return nil
	}
	fetch := func(ctx context.Context, index uint64, partial uint8) ([]byte, error) {
		return r.fetch(ctx, layout.EntriesPath(index, partial))
	}
	for part := range layout.Range(from, size-from, size) {
		b, err := client.GetEntryBundle(ctx, fetch, part.Index, size)
		if err != nil {
			return errReading.At("entry bundle").Because(err)
		}
		if uint64(len(b.Entries)) < uint64(part.First+part.N) {
			return errReading.At("entry bundle")
		}
		for i := part.First; i < part.First+part.N; i++ {
			if err := each(part.Index*layout.EntryBundleWidth+uint64(i), b.Entries[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
