package pages

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errUpload      = fault.New(fault.Invalid, "upload_malformed", "没有收到表格，请重新选一次。", "No sheet arrived; choose the files again.")
	errUploadLarge = fault.New(fault.TooLarge, "upload_too_large", "表格一共不能超过 64 MiB。", "The sheets are over 64 MiB together.")
	errUploadTwice = fault.New(fault.Invalid, "sheet_twice", "同一张表给了两个文件。", "One sheet is there as two files.")
)

// maxUpload bounds all sheets of one upload, in bytes.
const maxUpload = 64 << 20

func (s *Server) importPage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	allow(w, needs{api: true})
	return s.show(r.Context(), w, http.StatusOK, importView(p, p.viewer.Role == visit.RoleApprover))
}

// readSheets takes the files of an upload into memory: what they hold reaches no disk but the vault.
func readSheets(w http.ResponseWriter, r *http.Request) (map[string][]byte, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload+maxForm)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, errUpload.Because(err)
	}
	out := map[string][]byte{}
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, errUpload.Because(err)
		}
		if part.FileName() == "" {
			continue
		}
		name, err := app.SheetNamed(part.FileName())
		if err != nil {
			return nil, err
		}
		if out[name] != nil {
			return nil, errUploadTwice.At(name)
		}
		data, err := io.ReadAll(io.LimitReader(part, maxUpload+1))
		if err != nil || len(data) > maxUpload {
			return nil, errUploadLarge.Because(err)
		}
		out[name] = data
	}
	if len(out) == 0 {
		return nil, errUpload
	}
	return out, nil
}

// importLine is one line of the answer to an upload: progress, then what came of it or why nothing did.
type importLine struct {
	Sheet    string       `json:"sheet,omitempty"`
	Lines    int          `json:"lines,omitempty"`
	Done     bool         `json:"done,omitempty"`
	Dry      bool         `json:"dry,omitempty"`
	Imported app.Imported `json:"imported,omitempty"`
	Problems []importNote `json:"problems,omitempty"`
	Notes    []importNote `json:"notes,omitempty"`
	More     int          `json:"more,omitempty"`
	Summary  string       `json:"summary,omitempty"` // what came of it, where it is no count of lines
	Fault    *problem     `json:"fault,omitempty"`
}

// importNote is one thing about one cell, in the page's language. It never holds the cell.
type importNote struct {
	Sheet  string `json:"sheet"`
	Line   int    `json:"line"`
	Column string `json:"column"`
	Code   string `json:"code"`
	Text   string `json:"text"`
}

// upload checks sheets and, unless it is a dry run, imports them. It answers line by line (NDJSON), so that long
// work shows progress.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ofAcquirer(w, r)
	if err != nil {
		return err
	}
	dry := r.URL.Query().Get("dry") != "0"
	files, err := readSheets(w, r)
	w.Header().Set("Content-Type", "application/x-ndjson")
	out, flush := json.NewEncoder(w), http.NewResponseController(w)
	tell := func(l importLine) {
		_ = out.Encode(l) // the browser may have gone; the import goes on and is told when it asks again
		_ = flush.Flush()
	}
	if err == nil {
		err = s.importSheets(r, p, files, dry, tell)
	}
	if err != nil {
		s.tellFault(tell, err)
	}
	return nil
}

func (s *Server) importSheets(r *http.Request, p *page, files map[string][]byte, dry bool, tell func(importLine)) error {
	done, err := s.Desk.App.ImportOwn(r.Context(), actorOf(p.viewer), app.ImportRequest{Dry: dry, Tell: func(sheet string, lines int) { tell(importLine{Sheet: sheet, Lines: lines}) },
		Open: func(name string) (io.ReadCloser, error) {
			data, given := files[name]
			if !given {
				return nil, fs.ErrNotExist
			}
			return io.NopCloser(bytes.NewReader(data)), nil
		}})
	if err != nil && fault.CodeOf(err) != "import_problems" {
		return err
	}
	tell(importLine{Done: true, Dry: dry, Imported: done.Imported, Problems: p.importNotes(done.Problems), Notes: p.importNotes(done.Notes), More: done.More})
	return nil
}

func (p *page) importNotes(list []app.Problem) []importNote {
	out := make([]importNote, 0, len(list))
	for _, one := range list {
		out = append(out, importNote{Sheet: one.Sheet, Line: one.Line, Column: one.Column, Code: one.Code, Text: p.text(one.Text)})
	}
	return out
}

// template gives an empty sheet of a kind, as a file.
func (s *Server) sheetTemplate(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.ofAcquirer(w, r); err != nil {
		return err
	}
	name, err := app.SheetNamed(r.PathValue("name"))
	if err != nil {
		return errNoRoute
	}
	table, _, err := app.SheetTemplate(name)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, err = w.Write(table)
	return err
}

// importable are the sheets that an acquirer's own people import.
var importable = []string{"merchants.csv", "shops.csv", "orders.csv", "staff.csv"}
