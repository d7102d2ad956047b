package cli

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/menshen-project/menshen/internal/transparency"
)

// lyingWitness is a program of its own: lying-witness KEYFILE ADDRESS LIEFILE. It looks at no proof, and signs as the
// word in LIEFILE says, which a test may change while it runs.
func lyingWitness() {
	data, err := os.ReadFile(os.Args[1])
	must(err)
	signer, _, err := transparency.ParseWitnessSigner(strings.TrimSpace(string(data)))
	must(err)
	listener, err := net.Listen("tcp", os.Args[2])
	must(err)
	fmt.Printf("listening on http://%s\n", listener.Addr())
	must(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lie, err := os.ReadFile(os.Args[3])
		must(err)
		body, err := io.ReadAll(r.Body)
		must(err)
		_, checkpoint, _ := strings.Cut(string(body), "\n\n")
		head, _, _ := strings.Cut(checkpoint, "\n\n")
		lines := strings.Split(head, "\n") // origin, size, hash
		switch string(lie) {
		case "fork":
			lines[2] = strings.Repeat("A", 43) + "="
		case "rollback":
			lines[1] = "1"
		case "another log":
			lines[0] += "/other"
		case "larger":
			w.Header().Set("Content-Type", "text/x.tlog.size")
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, "99999\n")
			return
		case "slow":
			select {
			case <-r.Context().Done():
				return
			case <-time.After(time.Minute):
			}
		}
		signed, err := note.Sign(&note.Note{Text: strings.Join(lines, "\n") + "\n"}, signer)
		must(err)
		_, signature, _ := strings.Cut(string(signed), "\n\n")
		_, _ = io.WriteString(w, signature)
	})))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
