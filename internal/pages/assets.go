package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed assets
var embedded embed.FS

// assets are the embedded files under names that hold their content's hash, so that a browser may keep
// each for ever and never shows an old one.
type assets struct {
	byName map[string]string // menshen.css → menshen.1a2b3c4d5e6f.css
	files  map[string]asset
}

type asset struct {
	kind string
	data []byte
}

var kinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

const assetPrefix = "/assets/"

func loadAssets() *assets {
	a := &assets{byName: map[string]string{}, files: map[string]asset{}}
	entries, err := fs.ReadDir(embedded, "assets")
	if err != nil {
		panic(err) // embedded at build time
	}
	for _, e := range entries {
		data, err := embedded.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(data)
		ext := path.Ext(e.Name())
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.byName[e.Name()] = hashed
		a.files[hashed] = asset{kind: kinds[ext], data: data}
	}
	return a
}

// href is a file's address; an unknown name is a defect that a test finds.
func (a *assets) href(name string) string { return assetPrefix + a.byName[name] }

func (s *Server) serveAsset(w http.ResponseWriter, r *http.Request) error {
	f, ok := s.assets.files[r.PathValue("name")]
	if !ok {
		return errNoRoute
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, err := w.Write(f.data)
	return err
}
