package transparency

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
)

// firstPath is where a witness gives out the first checkpoint that it cosigned on a UTC day: what draws
// which visits of the days before are audited (design §10). GET /first/2026-11-29?origin=ORIGIN; a witness
// of one log needs no origin.
const firstPath = "/first/"

// firstFile is where the first checkpoint of a day is kept, for good.
func (w *Witness) firstFile(origin, day string) string {
	return filepath.Join(w.dir, statement.Digest([]byte(origin))+".first-"+day)
}

// keepFirst keeps a checkpoint if it is the first of its day, before anybody gets its cosignature: whoever
// could choose among the day's cosignatures could choose who is audited. The day is the cosignature's own.
func (w *Witness) keepFirst(origin string, cosigned []byte) error {
	at, ok := cosignedAt(cosigned)
	if !ok {
		return errWitnessState
	}
	name := w.firstFile(origin, at.Format(time.DateOnly))
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return replaceFile(name, cosigned)
}

// cosignedAt reads the time in a checkpoint's last signature, the witness's own: 4 bytes of key id, then 8 of
// seconds since the epoch (https://c2sp.org/tlog-cosignature).
func cosignedAt(cosigned []byte) (time.Time, bool) {
	lines := strings.Split(strings.TrimSuffix(string(cosigned), "\n"), "\n")
	fields := strings.Fields(lines[len(lines)-1])
	if len(fields) != 3 {
		return time.Time{}, false
	}
	raw, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil || len(raw) < 12 {
		return time.Time{}, false
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw[4:12])), 0).UTC(), true
}

// serveFirst gives out the first checkpoint of a day.
func (w *Witness) serveFirst(rw http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		rw.Header().Set("Allow", "GET, HEAD")
		http.Error(rw, "a day's first checkpoint is a GET", http.StatusMethodNotAllowed)
		return
	}
	day, err := time.Parse(time.DateOnly, strings.TrimPrefix(r.URL.Path, firstPath))
	origin, known := w.originAsked(r.URL.Query().Get("origin"))
	if err != nil || !known {
		http.Error(rw, "want /first/YYYY-MM-DD and, of several logs, ?origin=", http.StatusBadRequest)
		return
	}
	data, err := files.Read(w.firstFile(origin, day.Format(time.DateOnly)), maxRequestBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		http.Error(rw, "nothing was cosigned on this day", http.StatusNotFound)
	case err != nil:
		http.Error(rw, "cannot read the checkpoint", http.StatusInternalServerError)
	default:
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = rw.Write(data) // the client may have gone
	}
}

// originAsked is the log that a question is about; the only one needs no name.
func (w *Witness) originAsked(origin string) (string, bool) {
	if origin == "" && len(w.logs) == 1 {
		for only := range w.logs {
			return only, true
		}
	}
	_, known := w.logs[origin]
	return origin, known && record.CheckName(origin) == nil
}
