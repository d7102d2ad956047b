package transparency

import (
	"context"
	"sync"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
)

// proverHolds bounds the tiles and the entry bundles that a prover keeps; past it, it begins anew.
const proverHolds = 64

// prover makes inclusion proofs in a tree of one size. A checkpoint brings hundreds of leaves at once, next to
// each other: every tile and bundle is read, and every inner node hashed, once for all of them. What it gives
// is nothing that counts before it is verified as a receipt.
type prover struct {
	log  *Log
	size uint64

	mu      sync.Mutex
	bundles map[uint64][][]byte
	tiles   map[tileAt]api.HashTile
	nodes   map[compact.NodeID][]byte
}

type tileAt struct{ level, index uint64 }

// proverFor gives the prover of a size, the one of the last time if the tree has not grown.
func (l *Log) proverFor(size uint64) *prover {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.prover == nil || l.prover.size != size {
		l.prover = &prover{log: l, size: size}
	}
	return l.prover
}

// prove gives the entry at an index and its inclusion proof.
func (p *prover) prove(ctx context.Context, index uint64) (entry []byte, hashes [][]byte, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.nodes == nil || len(p.tiles) > proverHolds || len(p.bundles) > proverHolds {
		p.clear()
	}
	at := index / layout.EntryBundleWidth
	entries, ok := p.bundles[at]
	if !ok {
		if entries, err = p.log.bundle(ctx, at, p.size); err != nil {
			return nil, nil, err
		}
		p.bundles[at] = entries
	}
	nodes, err := proof.Inclusion(index, p.size)
	if err != nil {
		return nil, nil, errUnreadable.Because(err)
	}
	for _, id := range nodes.IDs {
		hash, err := p.node(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		hashes = append(hashes, hash)
	}
	if hashes, err = nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren); err != nil {
		return nil, nil, errUnreadable.Because(err)
	}
	return entries[index%layout.EntryBundleWidth], hashes, nil
}

// forget has everything read again: it did not prove what it should.
func (p *prover) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *prover) clear() {
	p.bundles, p.tiles, p.nodes = map[uint64][][]byte{}, map[tileAt]api.HashTile{}, map[compact.NodeID][]byte{}
}

// node gives the hash of a perfect subtree: a tile has it, or it is its two children's.
func (p *prover) node(ctx context.Context, id compact.NodeID) ([]byte, error) {
	if hash, ok := p.nodes[id]; ok {
		return hash, nil
	}
	if id.Level%layout.TileHeight == 0 {
		return p.inTile(ctx, id)
	}
	left, err := p.node(ctx, compact.NewNodeID(id.Level-1, 2*id.Index))
	if err != nil {
		return nil, err
	}
	right, err := p.node(ctx, compact.NewNodeID(id.Level-1, 2*id.Index+1))
	if err != nil {
		return nil, err
	}
	p.nodes[id] = rfc6962.DefaultHasher.HashChildren(left, right)
	return p.nodes[id], nil
}

// inTile gives a node that is written down: the lowest row of a tile.
func (p *prover) inTile(ctx context.Context, id compact.NodeID) ([]byte, error) {
	at := tileAt{uint64(id.Level) / layout.TileHeight, id.Index / layout.TileWidth}
	tile, ok := p.tiles[at]
	if !ok {
		data, err := p.log.reader.ReadTile(ctx, at.level, at.index, layout.PartialTileSize(at.level, at.index, p.size))
		if err == nil {
			err = tile.UnmarshalText(data)
		}
		if err != nil {
			return nil, errUnreadable.Because(err)
		}
		p.tiles[at] = tile
	}
	within := id.Index % layout.TileWidth
	if within >= uint64(len(tile.Nodes)) {
		return nil, errUnreadable.At("tile")
	}
	return tile.Nodes[within], nil
}
