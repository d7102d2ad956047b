package pages

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed assets
var embedded embed.FS

// assets are the embedded files under one address that holds the hash of the whole set: a browser may
// keep each for ever, never mixes two releases, and modules find each other by relative import.
type assets struct {
	set   string           // 12 hex digits over every name and content
	files map[string]asset // by path below the set: menshen.css, vendor/zxing.wasm
}

type asset struct {
	kind   string
	data   []byte
	packed func() []byte // gzip of data, made at the first ask; nil where that gains nothing
}

// kinds are the file types there are; a browser runs no module and compiles no wasm under another one.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".wasm": "application/wasm", ".webmanifest": "application/manifest+json",
	".txt": "text/plain; charset=utf-8", ".json": "application/json",
}

// incompressible are the kinds that are compressed already.
var incompressible = []string{".png"}

const assetPrefix = "/assets/"

// loadAssets reads the embedded files once for all servers of a process.
var loadAssets = sync.OnceValue(func() *assets {
	a, err := readAssets(embedded, "assets")
	if err != nil {
		panic(err) // embedded at build time
	}
	return a
})

func readAssets(tree fs.FS, root string) (*assets, error) {
	a := &assets{files: map[string]asset{}}
	err := fs.WalkDir(tree, root, func(p string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(tree, p)
		if err != nil {
			return err
		}
		ext := path.Ext(p)
		f := asset{kind: kinds[ext], data: data}
		if f.kind == "" {
			return fmt.Errorf("%s: no kind of asset ends in %q", p, ext)
		}
		if !slices.Contains(incompressible, ext) {
			f.packed = sync.OnceValue(func() []byte { return pack(data) })
		}
		a.files[strings.TrimPrefix(p, root+"/")] = f
		return nil
	})
	a.set = a.hash()
	return a, err
}

// hash is over names and contents in order of name; lengths keep the two apart.
func (a *assets) hash() string {
	h := sha256.New()
	for _, name := range a.names() {
		fmt.Fprintf(h, "%d %s %d ", len(name), name, len(a.files[name].data))
		h.Write(a.files[name].data)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// names lists the set in order.
func (a *assets) names() []string { return slices.Sorted(maps.Keys(a.files)) }

// sums has the SHA-256 of each file, base64: what a service worker may keep, and as what.
func (a *assets) sums() map[string]string {
	out := map[string]string{}
	for name, f := range a.files {
		sum := sha256.Sum256(f.data)
		out[name] = base64.StdEncoding.EncodeToString(sum[:])
	}
	return out
}

// href is a file's address; an unknown name is a defect that a test finds.
func (a *assets) href(name string) string { return assetPrefix + a.set + "/" + name }

// pack gives gzip at its best, nil where the result is no smaller.
func pack(data []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one there is
	_, _ = w.Write(data)                                  // into memory
	_ = w.Close()
	if b.Len() >= len(data) {
		return nil
	}
	return b.Bytes()
}

func (s *Server) serveAsset(w http.ResponseWriter, r *http.Request) error {
	set, name, _ := strings.Cut(r.PathValue("path"), "/")
	f, ok := s.assets.files[name]
	if !ok || set != s.assets.set {
		return errNoRoute
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	data := f.data
	if f.packed != nil && takesGzip(r.Header.Get("Accept-Encoding")) {
		if packed := f.packed(); packed != nil {
			h.Set("Content-Encoding", "gzip")
			data = packed
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	_, err := w.Write(data)
	return err
}

// takesGzip reads Accept-Encoding (RFC 9110 §12.5.3) as far as is needed: gzip named, and not with weight 0.
func takesGzip(accepted string) bool {
	for part := range strings.SplitSeq(accepted, ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q, has := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
			return !has || strings.Trim(q, "0.") != ""
		}
	}
	return false
}
