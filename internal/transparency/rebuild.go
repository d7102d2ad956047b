package transparency

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/note"
)

var (
	errLeafGone = fault.New(fault.Refused, "log_leaf_gone", "有一条叶子哪里都找不到：用 --from 指出备份里的日志文件夹再试；再没有，只能另起一份新日志。", "A leaf is nowhere to be found: try again with --from and a backup's log folder; if that has it neither, only a new log helps.")
	errDiffers  = fault.New(fault.Refused, "log_leaves_differ", "找到的叶子合不成已经签过的根：先运行 menshen verify-store 看是哪一行，日志原样没动。", "The leaves that were found do not make the root that was signed: menshen verify-store says which row; the log was left as it is.")
)

// Rebuild makes a log's damaged folder anew. Nothing that it is given has to be believed: what comes out has the
// roots that were signed, or nothing is changed.
type Rebuild struct {
	Dir    string   // the log's folder; kept beside the new one
	From   []string // other copies of it, such as a backup's
	Policy record.Policy
	// Leaves gives leaves above an index, in order, a page at a time; empty at the end.
	Leaves func(ctx context.Context, after int64) ([]KnownLeaf, error)
	// Checkpoint is the newest one that the caller has, from a receipt; nil for none.
	Checkpoint []byte
	Now        time.Time
}

// Rebuilt is what came of it.
type Rebuilt struct {
	Size      uint64 // leaves of the log
	Witnessed uint64 // size of the newest checkpoint that was found
	Kept      string // where the damaged folder is now
}

// Run rebuilds. Faults: log_folder, log_folder_in_use, log_leaf_gone, log_leaves_differ, those of Leaves.
func (r Rebuild) Run(ctx context.Context) (Rebuilt, error) {
	unlock, err := lockFolder(r.Dir)
	if err != nil {
		return Rebuilt{}, err
	}
	out, err := r.run(ctx)
	return out, errors.Join(err, unlock())
}

func (r Rebuild) run(ctx context.Context) (Rebuilt, error) {
	s, err := r.signed()
	if err != nil {
		return Rebuilt{}, err
	}
	known, err := r.highest(ctx)
	if err != nil {
		return Rebuilt{}, err
	}
	size := max(s.size, known)
	fresh := r.Dir + ".rebuilt"
	// Leaves that were sequenced and not yet told: a witness may have seen them. Only the folder speaks for them.
	more := s.with(size, r.folders())
	err = r.build(ctx, fresh, more.size, more)
	if more.size > size && err != nil {
		err = r.build(ctx, fresh, size, s)
		more.size = size
	}
	if err != nil {
		return Rebuilt{}, errors.Join(err, os.RemoveAll(fresh))
	}
	kept := r.Dir + ".damaged-" + r.Now.UTC().Format("20060102T150405.000000000Z")
	err = os.Rename(r.Dir, kept)
	if err == nil {
		err = os.Rename(fresh, r.Dir)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(r.Dir))
	}
	if err != nil {
		return Rebuilt{}, errFolder.Because(err)
	}
	return Rebuilt{Size: more.size, Witnessed: s.published, Kept: kept}, nil
}

// signed are the roots that a log must have, by size, and the newest checkpoint that counts.
type signedRoots struct {
	roots      map[uint64][32]byte
	size       uint64 // the largest of them
	checkpoint []byte
	published  uint64
}

func (r Rebuild) folders() []string { return append([]string{r.Dir}, r.From...) }

// signed gathers what the log signed: in the folders, and in the caller's receipt.
func (r Rebuild) signed() (signedRoots, error) {
	log, err := note.NewVerifier(r.Policy.Config().LogKey)
	if err != nil {
		return signedRoots{}, errSigner.Because(err)
	}
	found := [][]byte{r.Checkpoint}
	for _, dir := range r.folders() {
		for _, name := range []string{"checkpoint", "checkpoint.damaged"} {
			if data, err := os.ReadFile(filepath.Join(dir, name)); err == nil { // what cannot be read speaks for nothing
				found = append(found, data)
			}
		}
	}
	s := signedRoots{roots: map[uint64][32]byte{}}
	for _, data := range found {
		head, err := signedHead(data, log)
		if err != nil {
			continue
		}
		if before, ok := s.roots[head.Size]; ok && before != head.Root {
			return s, errDiffers.At(fmt.Sprintf("checkpoint %d", head.Size))
		}
		s.roots[head.Size], s.size = head.Root, max(s.size, head.Size)
		canonical, err := r.Policy.CanonicalCheckpoint(data)
		if err == nil && (s.checkpoint == nil || head.Size > s.published) {
			s.checkpoint, s.published = canonical, head.Size
		}
	}
	return s, nil
}

// with adds the folder's own idea of a larger tree.
func (s signedRoots) with(size uint64, dirs []string) signedRoots {
	more := s
	more.size, more.roots = size, map[uint64][32]byte{}
	for n, root := range s.roots {
		more.roots[n] = root
	}
	if t, err := readTree(dirs[0]); err == nil && t.size > size {
		more.size, more.roots[t.size] = t.size, t.root
	}
	return more
}

// highest is how many leaves the caller knows the place of.
func (r Rebuild) highest(ctx context.Context) (uint64, error) {
	after := int64(-1)
	for {
		page, err := r.Leaves(ctx, after)
		if err != nil || len(page) == 0 {
			return uint64(after + 1), err
		}
		after = int64(page[len(page)-1].Index)
	}
}

// build writes a folder with that many leaves, and compares every root that was signed.
func (r Rebuild) build(ctx context.Context, dir string, size uint64, s signedRoots) error {
	if err := os.RemoveAll(dir); err != nil {
		return errFolder.Because(err)
	}
	b := newBuilder(dir)
	var page []KnownLeaf
	after := int64(-1)
	for i := range size {
		for len(page) > 0 && page[0].Index < i {
			page = page[1:]
		}
		if len(page) == 0 {
			var err error
			if page, err = r.Leaves(ctx, after); err != nil {
				return err
			}
			if len(page) > 0 {
				after = int64(page[len(page)-1].Index)
			}
		}
		leaf, err := r.leaf(i, size, s, page)
		if err != nil {
			return err
		}
		if err := b.add(leaf); err != nil {
			return errFolder.Because(err)
		}
		if err := b.holds(i+1, s); err != nil {
			return err
		}
	}
	if err := b.finish(s.checkpoint); err != nil {
		return errFolder.Because(err)
	}
	return nil
}

// leaf gives the leaf at an index: the caller's, or else a folder's.
func (r Rebuild) leaf(i, size uint64, s signedRoots, page []KnownLeaf) ([]byte, error) {
	if len(page) > 0 && page[0].Index == i {
		return page[0].Leaf, nil
	}
	for _, dir := range r.folders() {
		for _, n := range append(sizesOf(dir), size, s.published) {
			if n <= i {
				continue
			}
			if entries, err := (tree{dir: dir, size: n}).entries(i / layout.EntryBundleWidth); err == nil {
				return entries[i%layout.EntryBundleWidth], nil
			}
		}
	}
	return nil, errLeafGone.At(fmt.Sprintf("leaf %d of %d", i, size))
}

func sizesOf(dir string) []uint64 {
	if t, err := readTree(dir); err == nil {
		return []uint64{t.size}
	}
	return nil
}

// builder writes a log's folder leaf by leaf, in the form of https://c2sp.org/tlog-tiles and of Tessera's state.
type builder struct {
	dir    string
	size   uint64
	bundle bytes.Buffer
	levels [][][]byte // of each level of tiles, the hashes that no whole tile holds yet
	tiles  []uint64   // of each level, how many whole tiles there are
	tree   *compact.Range
}

func newBuilder(dir string) *builder {
	factory := &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	return &builder{dir: dir, tree: factory.NewEmptyRange(0)}
}

func (b *builder) add(leaf []byte) error {
	hash := record.LeafHash(leaf)
	if err := b.tree.Append(hash[:], nil); err != nil {
		return err
	}
	if len(leaf) > 1<<16-1 {
		return fmt.Errorf("a leaf of %d bytes", len(leaf))
	}
	b.bundle.Write(binary.BigEndian.AppendUint16(nil, uint16(len(leaf))))
	b.bundle.Write(leaf)
	b.size++
	if b.size%layout.EntryBundleWidth == 0 {
		if err := b.write(layout.EntriesPath(b.size/layout.EntryBundleWidth-1, 0), b.bundle.Bytes()); err != nil {
			return err
		}
		b.bundle.Reset()
	}
	return b.push(0, hash[:])
}

// push adds a hash to a level; a whole tile's root goes one level up.
func (b *builder) push(level int, hash []byte) error {
	if level == len(b.levels) {
		b.levels, b.tiles = append(b.levels, nil), append(b.tiles, 0)
	}
	b.levels[level] = append(b.levels[level], hash)
	nodes := b.levels[level]
	if len(nodes) < layout.TileWidth {
		return nil
	}
	if err := b.write(layout.TilePath(uint64(level), b.tiles[level], 0), bytes.Join(nodes, nil)); err != nil {
		return err
	}
	b.levels[level] = nil
	b.tiles[level]++
	return b.push(level+1, perfect(nodes))
}

// holds compares the root at a size at which one was signed.
func (b *builder) holds(size uint64, s signedRoots) error {
	want, ok := s.roots[size]
	if !ok {
		return nil
	}
	root, err := b.tree.GetRootHash(nil)
	if err != nil || !bytes.Equal(root, want[:]) {
		return errDiffers.At(fmt.Sprintf("checkpoint %d", size)).Because(err)
	}
	return nil
}

// finish writes what is not whole, the state and the checkpoint.
func (b *builder) finish(checkpoint []byte) error {
	if n := b.size % layout.EntryBundleWidth; n > 0 {
		if err := b.write(layout.EntriesPath(b.size/layout.EntryBundleWidth, uint8(n)), b.bundle.Bytes()); err != nil {
			return err
		}
	}
	for level, nodes := range b.levels {
		if len(nodes) > 0 {
			if err := b.write(layout.TilePath(uint64(level), b.tiles[level], uint8(len(nodes))), bytes.Join(nodes, nil)); err != nil {
				return err
			}
		}
	}
	root := rfc6962.DefaultHasher.EmptyRoot()
	if b.size > 0 {
		var err error
		if root, err = b.tree.GetRootHash(nil); err != nil {
			return err
		}
	}
	state, err := json.Marshal(treeState{b.size, root})
	if err != nil {
		return err
	}
	if err := errors.Join(b.write(versionName, []byte(stateVersion)), b.write(treeStateName, state)); err != nil || checkpoint == nil {
		return err
	}
	return b.write("checkpoint", checkpoint)
}

func (b *builder) write(name string, data []byte) error {
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
