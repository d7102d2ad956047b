package transparency

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/note"
)

// Names that Tessera's posix storage gives its own state.
const (
	stateFolder   = ".state"
	treeStateName = stateFolder + "/treeState"
	versionName   = stateFolder + "/version"
	gcStateName   = stateFolder + "/gcState"
	stateVersion  = "1"
)

// soundFor is how long a look at the folder holds: Tessera gathers leaves for as long.
const soundFor = batchAge

// KnownLeaf is a leaf that a log must have, because somebody was told its place.
type KnownLeaf struct {
	Index uint64
	Leaf  []byte
}

// treeState is how far Tessera has built its tree.
type treeState struct {
	Size uint64 `json:"size"`
	Root []byte `json:"root"`
}

// tree is a log's folder, read without Tessera: Tessera builds on what it finds there, begins anew where it finds
// nothing, and compares nothing with what was signed.
type tree struct {
	dir  string
	size uint64
	root [32]byte
}

// readTree reads how large the tree is. Faults: log_unreadable.
func readTree(dir string) (tree, error) {
	data, err := os.ReadFile(filepath.Join(dir, treeStateName))
	if err != nil {
		return tree{}, errUnreadable.At("tree state").Because(err)
	}
	var s treeState
	if err := json.Unmarshal(data, &s); err != nil || len(s.Root) != 32 {
		return tree{}, errUnreadable.At("tree state").Because(err)
	}
	return tree{dir, s.Size, [32]byte(s.Root)}, nil
}

// file reads a tile or entry bundle: the partial one, or the whole one that has replaced it.
func (t tree) file(path func(partial uint8) string, partial uint8) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(t.dir, path(partial)))
	if partial > 0 && errors.Is(err, fs.ErrNotExist) {
		data, err = os.ReadFile(filepath.Join(t.dir, path(0)))
	}
	return data, err
}

// tile gives the hashes of a tile, as many as a tree of this size has there.
func (t tree) tile(level, index uint64) ([][]byte, error) {
	partial := layout.PartialTileSize(level, index, t.size)
	data, err := t.file(func(p uint8) string { return layout.TilePath(level, index, p) }, partial)
	var tile api.HashTile
	if err == nil {
		err = tile.UnmarshalText(data)
	}
	want := int(partial)
	if want == 0 {
		want = layout.TileWidth
	}
	if err == nil && len(tile.Nodes) < want {
		err = fmt.Errorf("%d hashes of %d", len(tile.Nodes), want)
	}
	if err != nil {
		return nil, errUnreadable.At(layout.TilePath(level, index, partial)).Because(err)
	}
	return tile.Nodes[:want], nil
}

// entries gives the leaves of a bundle, as many as a tree of this size has there.
func (t tree) entries(index uint64) ([][]byte, error) {
	partial := layout.PartialTileSize(0, index, t.size)
	data, err := t.file(func(p uint8) string { return layout.EntriesPath(index, p) }, partial)
	var b api.EntryBundle
	if err == nil {
		err = b.UnmarshalText(data)
	}
	want := int(partial)
	if want == 0 {
		want = layout.EntryBundleWidth
	}
	if err == nil && len(b.Entries) < want {
		err = fmt.Errorf("%d leaves of %d", len(b.Entries), want)
	}
	if err != nil {
		return nil, errUnreadable.At(layout.EntriesPath(index, partial)).Because(err)
	}
	return b.Entries[:want], nil
}

// bundle compares the leaves of a bundle with their hashes, and gives them.
func (t tree) bundle(index uint64) ([][]byte, error) {
	entries, err := t.entries(index)
	if err != nil {
		return nil, err
	}
	hashes, err := t.tile(0, index)
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		if hash := record.LeafHash(e); !bytes.Equal(hash[:], hashes[i]) {
			return nil, errUnreadable.At(layout.EntriesPath(index, layout.PartialTileSize(0, index, t.size)))
		}
	}
	return entries, nil
}

// rootAt computes the root of the first leaves from the tiles.
func (t tree) rootAt(size uint64) (root [32]byte, err error) {
	if size == 0 {
		return [32]byte(rfc6962.DefaultHasher.EmptyRoot()), nil
	}
	factory := &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	var hashes [][]byte
	for _, id := range compact.RangeNodes(0, size, nil) {
		level, index, below, within := layout.NodeCoordsToTileAddress(uint64(id.Level), id.Index)
		nodes, err := t.tile(level, index)
		if err != nil {
			return root, err
		}
		first, n := within<<below, uint64(1)<<below
		if first+n > uint64(len(nodes)) {
			return root, errUnreadable.At(layout.TilePath(level, index, layout.PartialTileSize(level, index, t.size)))
		}
		hashes = append(hashes, perfect(nodes[first:first+n]))
	}
	r, err := factory.NewRange(0, size, hashes)
	if err != nil {
		return root, errUnreadable.Because(err)
	}
	hash, err := r.GetRootHash(nil)
	if err != nil {
		return root, errUnreadable.Because(err)
	}
	return [32]byte(hash), nil
}

// perfect hashes a perfect subtree; the number of nodes is a power of two.
func perfect(nodes [][]byte) []byte {
	if len(nodes) == 1 {
		return nodes[0]
	}
	half := len(nodes) / 2
	return rfc6962.DefaultHasher.HashChildren(perfect(nodes[:half]), perfect(nodes[half:]))
}

// edge compares what the next leaf would be built upon: root, right-hand tiles and the last bundle.
func (t tree) edge() error {
	root, err := t.rootAt(t.size)
	if err != nil {
		return err
	}
	if root != t.root {
		return errUnreadable.At("tree state")
	}
	if t.size > 0 {
		_, err = t.bundle((t.size - 1) / layout.EntryBundleWidth)
	}
	return err
}

// latest compares the leaves of as many bundles as a restart reads.
func (t tree) latest() error {
	from := t.size - min(t.size, rememberLeaves)
	for i := from / layout.EntryBundleWidth; i*layout.EntryBundleWidth < t.size; i++ {
		if _, err := t.bundle(i); err != nil {
			return err
		}
	}
	return nil
}

// has demands a leaf that somebody was told the place of.
func (t tree) has(k KnownLeaf) error {
	if k.Index >= t.size {
		return errOlder.At(fmt.Sprintf("leaf %d of %d", k.Index, t.size))
	}
	entries, err := t.bundle(k.Index / layout.EntryBundleWidth)
	if err != nil {
		return err
	}
	if !bytes.Equal(entries[k.Index%layout.EntryBundleWidth], k.Leaf) {
		return errOlder.At(fmt.Sprintf("leaf %d", k.Index))
	}
	return nil
}

// holds compares the tree with a checkpoint that the log signed.
func (t tree) holds(head record.TreeHead) error {
	if head.Size > t.size {
		return errOlder.At(fmt.Sprintf("checkpoint %d of %d", head.Size, t.size))
	}
	root, err := t.rootAt(head.Size)
	if err != nil {
		return err
	}
	if root != head.Root {
		return errUnreadable.At("checkpoint")
	}
	return nil
}

// usable says whether this process may write where Tessera writes. Tessera ends the process when it cannot.
func usable(dir string) error {
	for _, name := range []string{"", stateFolder, "tile", "tile/entries"} {
		err := syscall.Access(filepath.Join(dir, name), 2 /* W_OK */)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errFolder.At(name).Because(err)
		}
	}
	return nil
}

// unbegun says whether a folder is one in which no log has begun.
func unbegun(dir string) bool {
	for _, name := range []string{treeStateName, "checkpoint", "tile"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

// signedHead gives the tree head of a checkpoint that this log signed, cosigned or not.
func signedHead(data []byte, log note.Verifier) (record.TreeHead, error) {
	n, err := note.Open(data, note.VerifierList(log))
	if err != nil {
		return record.TreeHead{}, err
	}
	return record.ParseTreeHead(n.Text)
}

// examine looks whether the folder is what the next leaf may be built upon: Tessera would sign whatever comes of
// it. Faults: log_folder, log_unreadable, log_folder_older.
func (l *Log) examine() (size uint64, err error) {
	dir := l.config.Dir
	if err := usable(dir); err != nil {
		return 0, err
	}
	if unbegun(dir) {
		if l.config.Known == nil && l.floor.Load() == 0 {
			return 0, nil
		}
		return 0, errOlder.At("no log")
	}
	if version, err := os.ReadFile(filepath.Join(dir, versionName)); err != nil || string(version) != stateVersion {
		return 0, errUnreadable.At("version of the state").Because(err)
	}
	t, err := readTree(dir)
	if err != nil {
		return 0, err
	}
	if floor := l.floor.Load(); t.size < floor {
		return 0, errOlder.At(fmt.Sprintf("%d of %d", t.size, floor))
	}
	if err := t.edge(); err != nil {
		return 0, err
	}
	return t.size, l.examineCheckpoint(t)
}

// examineCheckpoint compares the published checkpoint with the tree. One that this log never signed, or that was
// cut, says nothing: it is laid aside, and the log publishes another.
func (l *Log) examineCheckpoint(t tree) error {
	path := filepath.Join(l.config.Dir, "checkpoint")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return errUnreadable.At("checkpoint").Because(err)
	}
	if len(data) > 0 && bytes.Equal(data, l.heldFor) {
		return nil
	}
	head, err := signedHead(data, l.key)
	if err != nil {
		l.logger.Warn("checkpoint is laid aside", "code", errUnreadable.Code, "as", "checkpoint.damaged", "cause", err)
		if err := os.Rename(path, path+".damaged"); err != nil {
			return errFolder.At("checkpoint").Because(err)
		}
		return nil
	}
	// It may be newer than the tree that was read a moment ago.
	if newer, err := readTree(l.config.Dir); err == nil && newer.size > t.size {
		t = newer
	}
	if err := t.holds(head); err != nil {
		return err
	}
	l.heldFor = data
	return nil
}

// examineBegun is examine when the log opens: also what it added before, and what others were told.
func (l *Log) examineBegun() error {
	l.looking.Lock()
	defer l.looking.Unlock()
	size, err := l.examine()
	if err != nil || size == 0 && l.config.Known == nil {
		return err
	}
	t, err := readTree(l.config.Dir)
	if err != nil {
		return err
	}
	if k := l.config.Known; k != nil {
		if err := t.has(*k); err != nil {
			return err
		}
	}
	return t.latest()
}

// sound is examine, at most once in a short while. What is mended is sound again by itself; a place that was given
// twice is not.
func (l *Log) sound(now time.Time) error {
	if now.UnixNano() < l.soundAt.Load() {
		return nil
	}
	l.looking.Lock()
	defer l.looking.Unlock()
	if now.Sub(l.lookedAt) < soundFor {
		return l.Trouble()
	}
	err := l.trampled
	if err == nil {
		var size uint64
		if size, err = l.examine(); err == nil {
			l.raise(size)
		}
	}
	l.lookedAt = time.Now()
	if l.soundAt.Store(0); err == nil {
		l.soundAt.Store(l.lookedAt.Add(soundFor).UnixNano())
	}
	l.tell(err)
	return err
}

// raise keeps how large the tree has been.
func (l *Log) raise(size uint64) {
	for {
		before := l.floor.Load()
		if size <= before || l.floor.CompareAndSwap(before, size) {
			return
		}
	}
}

// tell keeps what is wrong with the folder, and says so once, and once when it is over.
func (l *Log) tell(err error) {
	l.mu.Lock()
	before := l.trouble
	l.trouble = err
	l.mu.Unlock()
	switch {
	case err == nil && before != nil:
		l.logger.Info("log's folder is whole again", "was", fault.CodeOf(before))
	case err != nil && (before == nil || fault.Of(before).Code != fault.Of(err).Code || fault.Of(before).Where != fault.Of(err).Where):
		f := fault.Of(err)
		l.logger.Error("log's folder cannot be used; nothing is sequenced", "code", f.Code, "where", f.Where, "zh", f.Text.Zh, "en", f.Text.En, "cause", err.Error())
	}
}

// Trouble says why nothing is sequenced, or nil: log_folder, log_unreadable, log_folder_older. What is recorded
// meanwhile waits with its caller.
func (l *Log) Trouble() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trouble
}
