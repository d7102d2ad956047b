package transparency

import (
	"net/http"
	"os"
	"path/filepath"

	"github.com/transparency-dev/tessera/api/layout"
)

const maxTileLevel = 7 // 256^8 leaves no longer fit a size

// Handler serves the log to monitors, read-only, as https://c2sp.org/tlog-tiles lays it out:
// checkpoint, tile/<level>/<index> and tile/entries/<index>. It shows nothing that witnesses have
// not cosigned, so that nobody sees leaves a fork could still take back.
func (l *Log) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /checkpoint", l.serveCheckpoint)
	mux.HandleFunc("GET /tile/{level}/{index...}", l.serveTile)
	return mux
}

func (l *Log) serveCheckpoint(w http.ResponseWriter, r *http.Request) {
	_, checkpoint, err := l.Witnessed(r.Context())
	if err != nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, errNotWitnessed.Text.En, http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(checkpoint) // a reader that went away is no fault of ours
}

func (l *Log) serveTile(w http.ResponseWriter, r *http.Request) {
	name, ok := l.tileName(r.PathValue("level"), r.PathValue("index"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	data, err := os.ReadFile(filepath.Join(l.config.Dir, name))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(data)
}

// tileName gives the file of a tile or entry bundle that lies wholly below the witnessed size.
func (l *Log) tileName(level, index string) (name string, ok bool) {
	newest, _ := l.newest()
	size := newest.checkpoint.Size()
	entries, number := level == "entries", level
	if entries {
		number = "0"
	}
	tileLevel, tileIndex, partial, err := layout.ParseTileLevelIndexPartial(number, index)
	if err != nil || tileLevel > maxTileLevel || tileIndex > size {
		return "", false
	}
	// A level's nodes each stand for 256^level leaves, and only whole ones have a place in a tile.
	nodes := size >> (tileLevel * layout.TileHeight)
	width := uint64(partial)
	if width == 0 {
		width = layout.TileWidth
	}
	if tileIndex > nodes/layout.TileWidth || tileIndex*layout.TileWidth+width > nodes {
		return "", false
	}
	name = layout.TilePath(tileLevel, tileIndex, partial)
	if entries {
		name = layout.EntriesPath(tileIndex, partial)
	}
	// The parser also takes names such as "tile/00/000"; each tile has one.
	return name, name == "tile/"+level+"/"+index
}
