package pages

import (
	"bytes"
	"embed"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/menshen-project/menshen/internal/fault"
)

// built holds what script/verifier puts there: nothing but a README in a fresh clone.
//
//go:embed verifier
var built embed.FS

// Files of the verifier, as script/verifier names them.
const (
	verifierWasm  = "menshen-verify.wasm.gz"
	verifierStart = "wasm_exec.js"
)

// verifierKinds are the files that /verify serves beside itself.
var verifierKinds = map[string]string{verifierWasm: "application/gzip", verifierStart: "text/javascript; charset=utf-8"}

var errVerifierAbsent = fault.New(fault.NotFound, "verifier_not_built", "这台服务器没有带网页版核对程序。请下载 menshen-verify 来核对。", "This server was built without its checker for browsers. Check with menshen-verify instead.")

func (s *Server) verifyRoutes() map[string]handler {
	return map[string]handler{
		"GET /verify":                     s.verifyPage,
		"GET /verify/{name}":              s.verifierFile,
		"GET /verify/menshen-verify.html": s.verifierAlone,
	}
}

// verifyPage is where anybody checks a bundle in the browser: the files that are chosen there go nowhere.
func (s *Server) verifyPage(w http.ResponseWriter, r *http.Request) error {
	allow(w, needs{verifier: true, worker: true})
	_, _, err := s.verifierParts()
	if err != nil && !errors.Is(err, errVerifierAbsent) {
		return err
	}
	return s.show(r.Context(), w, http.StatusOK, verifyPage(s.plain(r), err == nil))
}

// verifierFile serves one of the verifier's two files; their bytes change with the release, their address does not.
func (s *Server) verifierFile(w http.ResponseWriter, r *http.Request) error {
	kind, known := verifierKinds[r.PathValue("name")]
	if !known {
		return errNoRoute
	}
	wasm, start, err := s.verifierParts()
	if err != nil {
		return err
	}
	data := wasm
	if r.PathValue("name") == verifierStart {
		data = start
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.Header().Set("Cache-Control", "no-cache")
	_, err = w.Write(data)
	return err
}

// verifierAlone gives page and program as one file to keep: opened from a disk, under a policy of its own that
// lets it reach nothing.
func (s *Server) verifierAlone(w http.ResponseWriter, r *http.Request) error {
	wasm, start, err := s.verifierParts()
	if err != nil {
		return err
	}
	style := string(s.assets.files["menshen.css"].data)
	script := string(s.assets.files["verify.mjs"].data)
	if strings.Contains(strings.ToLower(style+script+string(start)), "</s") {
		return errNoRoute.Because(errors.New("a part would end its own element"))
	}
	var b bytes.Buffer
	if err := verifyAlone(s.plain(r), style, string(start), script, base64.StdEncoding.EncodeToString(wasm)).Render(r.Context(), &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="menshen-verify.html"`)
	_, err = w.Write(b.Bytes())
	return err
}

// verifierParts reads what was built in. Fault: verifier_not_built.
func (s *Server) verifierParts() (wasm, start []byte, err error) {
	tree := s.Verifier
	if tree == nil {
		if tree, err = fs.Sub(built, "verifier"); err != nil {
			return nil, nil, err
		}
	}
	wasm, err = fs.ReadFile(tree, verifierWasm)
	if err == nil {
		start, err = fs.ReadFile(tree, verifierStart)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = errVerifierAbsent
	}
	return wasm, start, err
}

// verifyTerms are the words that the page's script puts in the place of codes.
func (p *page) verifyTerms() string {
	out := map[string]map[string]string{}
	for name, table := range map[string]map[string]Text{"kind": kindWords, "stage": stageWords, "role": roleWords, "verb": verbWords, "ask": askWords, "say": verifyWords} {
		out[name] = map[string]string{}
		for code, text := range table {
			out[name][code] = p.text(text)
		}
	}
	return jsonText(out)
}

// verifyKeeps lists what a browser keeps to open the page without a server, the page first; the file that people keep needs nobody.
func (p *page) verifyKeeps(alone bool) templ.Attributes {
	if alone {
		return nil
	}
	keep := []string{"/verify", "/verify/" + verifierWasm, "/verify/" + verifierStart}
	for _, name := range p.assets.names() {
		if strings.HasPrefix(name, "menshen.") || strings.HasPrefix(name, "door.svg") || name == "verify.mjs" {
			keep = append(keep, p.assets.href(name))
		}
	}
	return templ.Attributes{"data-keep": jsonText(keep)}
}
