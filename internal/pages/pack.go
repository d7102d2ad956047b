package pages

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
)

// Contact is somebody to call, on pages and in evidence packs.
type Contact struct {
	Name   Text
	Number string
}

// DefaultContacts are whom to call in China: police, the anti-fraud line, the People's Bank's consumer line
// (办法 of 2020), and UnionPay.
func DefaultContacts() []Contact {
	return []Contact{{say("contact.police"), "110"}, {say("contact.fraud"), "96110"}, {say("contact.bank"), "12363"}, {say("contact.unionpay"), "95516"}}
}

// Report is a visit as it is printed.
type Report struct {
	View     VisitView
	Digest   string // hex SHA-256 of the viewer's bundle, "" where there is none
	QR       string // SVG of a code that holds the digest
	Contacts []Contact
	Cannot   []Text
}

// reportPrefix comes before the digest in a report's code, so that a scanner says what it is.
const reportPrefix = "menshen-bundle-v1 sha256 "

// reportOf makes a report and gives the bundle that it names, nil where nothing is decided yet.
func (s *Server) reportOf(ctx context.Context, v Viewer, id string) (Report, []byte, error) {
	view, err := s.Source.Visit(ctx, v, id)
	if err != nil {
		return Report{}, nil, err
	}
	r := Report{View: view, Contacts: s.Contacts, Cannot: evidence.CannotProve()}
	if !view.MayDownload {
		return r, nil, nil
	}
	bundle, err := s.Source.Bundle(ctx, v, id)
	if err != nil {
		return Report{}, nil, err
	}
	sum := sha256.Sum256(bundle)
	r.Digest = hex.EncodeToString(sum[:])
	r.QR, err = svgOf(reportPrefix + r.Digest)
	return r, bundle, err
}

// svgOf draws a code as a picture by itself, for a file that has no template and no style sheet.
func svgOf(text string) (string, error) {
	rows, err := qrRows(text)
	if err != nil {
		return "", err
	}
	side := len(rows) + 2*qrQuiet
	return fmt.Sprintf(`<svg class="qr" viewBox="0 0 %d %d" role="img" aria-label="QR" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="%s"/></svg>`,
		side, side, side, side, strings.Join(rows, "")), nil
}

// report shows a visit ready to print, in the language of the page.
func (s *Server) report(w http.ResponseWriter, r *http.Request) error {
	p, id, err := s.lookAtVisit(w, r)
	if err != nil {
		return err
	}
	got, _, err := s.reportOf(r.Context(), p.viewer, id)
	if err != nil {
		return err
	}
	return s.show(r.Context(), w, http.StatusOK, reportDocument(p, got, ""))
}

// pack hands out everything about a visit in one ZIP.
func (s *Server) pack(w http.ResponseWriter, r *http.Request) error {
	p, id, err := s.lookAtVisit(w, r)
	if err != nil {
		return err
	}
	files, err := s.Pack(r.Context(), p.viewer, id)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := WriteZip(&b, "menshen-"+id, files, s.Now()); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="menshen-`+id+`.zip"`)
	if _, err := w.Write(b.Bytes()); err != nil {
		s.Log.Info("the browser went away", "error", err)
	}
	return nil
}

// PackFile is one file of an evidence pack.
type PackFile struct {
	Name string
	Data []byte
}

// Pack gathers a visit's evidence pack for a viewer, as far as he may see it: the bundle, the report in both
// languages, the photos, whom to call, and the sums of all. What he may not see is not in it; that he looked
// is recorded. The trust file is not in it: it comes from its publisher, or the pack would vouch for itself.
func (s *Server) Pack(ctx context.Context, v Viewer, id string) ([]PackFile, error) {
	report, bundle, err := s.reportOf(ctx, v, id)
	if err != nil {
		return nil, err
	}
	var files []PackFile
	if bundle != nil {
		files = append(files, PackFile{bundleName(report.View.ID), bundle})
	}
	for _, lang := range []string{zh, en} {
		data, err := s.printed(ctx, v, report, lang)
		if err != nil {
			return nil, err
		}
		files = append(files, PackFile{"report." + lang + ".html", data})
	}
	photos, err := s.photosFor(ctx, v, report.View)
	if err != nil {
		return nil, err
	}
	files = append(files, photos...)
	files = append(files, PackFile{"README.txt", []byte(readmeOf(report))})
	return append(files, PackFile{"SHA256SUMS", sumsOf(files)}), nil
}

// printed renders the report by itself: style inside, no address of this server.
func (s *Server) printed(ctx context.Context, v Viewer, r Report, lang string) ([]byte, error) {
	css, err := embedded.ReadFile("assets/report.css")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	p := &page{lang: lang, viewer: v, now: s.Now(), here: &url.URL{Path: "/"}, assets: s.assets}
	err = reportDocument(p, r, string(css)).Render(ctx, &b)
	return b.Bytes(), err
}

// photosFor reads the pictures that a viewer may see; one that was never brought is left to the report to say.
func (s *Server) photosFor(ctx context.Context, v Viewer, view VisitView) ([]PackFile, error) {
	var out []PackFile
	for i, photo := range view.Photos {
		if !photo.Stored {
			continue
		}
		data, err := s.Source.Photo(ctx, v, view.ID, photo.Digest, false)
		if err != nil {
			return nil, fault.At(err, "photo")
		}
		out = append(out, PackFile{fmt.Sprintf("photos/%02d-%s-%s.jpg", i+1, plainName(photo.Step), photo.Digest[:12]), data})
	}
	return out, nil
}

// plainName keeps what a file name may hold everywhere.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

func sumsOf(files []PackFile) []byte {
	var b bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(f.Data), f.Name)
	}
	return b.Bytes()
}

// readmeOf says in both languages what the pack is and how to check it.
func readmeOf(r Report) string {
	var b strings.Builder
	id := r.View.ID
	fmt.Fprintf(&b, "门神证据包 · menshen evidence pack\n%s\n\n", id)
	if r.Digest == "" {
		fmt.Fprintf(&b, "%s\n%s\n", say("report.none").Zh, say("report.none").En)
	} else {
		fmt.Fprintf(&b, "%s：签过字的证据，任何人都能核对\n%s: the signed evidence, for anybody to check\n  %s\n", bundleName(id), bundleName(id), verifyCommand(id))
		b.WriteString("  trust.json 要从发布它的机构拿，不要用别人随包给的\n  take trust.json from its publisher, never from whoever gave you this pack\n")
	}
	b.WriteString("report.zh.html, report.en.html：经过和结论，可以打印 · what happened and what holds, to print\n")
	b.WriteString("photos/：现场照片，文件名末尾是签字里的摘要 · pictures; each name ends with the digest that was signed\n")
	for _, photo := range r.View.Photos {
		if !photo.Stored {
			fmt.Fprintf(&b, "  缺 · missing: %s %s\n", plainName(photo.Step), photo.Digest)
		}
	}
	b.WriteByte('\n')
	b.WriteString(say("report.calls").Zh + " · " + say("report.calls").En + "\n")
	for _, c := range r.Contacts {
		fmt.Fprintf(&b, "  %s  %s · %s\n", c.Number, c.Name.Zh, c.Name.En)
	}
	return b.String()
}

// WriteZip writes a pack as a ZIP with one folder in it.
func WriteZip(out io.Writer, folder string, files []PackFile, now time.Time) error {
	z := zip.NewWriter(out)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: folder + "/" + f.Name, Method: zip.Deflate, Modified: now.UTC()})
		if err != nil {
			return err
		}
		if _, err := w.Write(f.Data); err != nil {
			return err
		}
	}
	return z.Close()
}

// markWord names a mark in a word, for print: a shape alone does not survive a bad copier.
func markWord(m string) string {
	if !slices.Contains([]string{MarkHolds, MarkFails, MarkWaits, MarkLater}, m) {
		return "mark.word.unopen"
	}
	return "mark.word." + m
}
