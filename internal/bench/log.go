package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"

	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/transparency"
)

const (
	logOrigin = "menshen.example/bench"
	writers   = 512 // leaves under way at once, as from a busy outbox
)

// Logging measures leaves sequenced by the log with two witnesses of two over loopback, beside Tessera
// with the same storage and batching and nothing else.
func Logging(ctx context.Context, dir string, budget time.Duration) ([]Figure, error) {
	best, err := rounds(filepath.Join(dir, "log"), budget,
		func(dir string, budget time.Duration) (float64, error) { return witnessedLog(ctx, dir, budget) },
		func(dir string, budget time.Duration) (float64, error) { return bareTessera(ctx, dir, budget) })
	if err != nil {
		return nil, err
	}
	return []Figure{figure("log_entries", "日志每秒写入", "log entries, two witnesses of two", best[0], "/s").
		Beside(best[1], "裸的 Tessera", "bare Tessera").Aimed(Aim{Bound: 0.8, AtLeast: true, OfRatio: true})}, nil
}

// leafOf is the n-th leaf.
func leafOf(n int64) ([]byte, error) {
	l, err := record.LeafFor(fmt.Append(nil, "event ", n), [16]byte{1}, "2026-11-22", "31")
	return l.Bytes(), err
}

// adds has many writers add leaves.
func adds(ctx context.Context, budget time.Duration, add func([]byte) error) (float64, error) {
	var n atomic.Int64
	first, err := leafOf(0)
	if err == nil {
		err = add(first) // a log begins when its witnesses answer; how long that takes is no rate
	}
	if err != nil {
		return 0, err
	}
	rate, _, err := Loop(ctx, writers, budget, func(context.Context, int) error {
		leaf, err := leafOf(n.Add(1))
		if err != nil {
			return err
		}
		return add(leaf)
	})
	return rate, err
}

func witnessedLog(ctx context.Context, dir string, budget time.Duration) (rate float64, err error) {
	signer, vkey, err := newLogKey()
	if err != nil {
		return 0, err
	}
	c := transparency.Config{Dir: dir, Signer: signer, Interval: time.Second, Logger: slog.New(slog.DiscardHandler),
		Policy: record.PolicyConfig{Origin: logOrigin, Operator: "operator", LogKey: vkey, Quorum: 2}}
	for _, party := range []string{"association", "bank"} {
		url, key, end, err := witness(filepath.Join(dir+"-"+party), party, vkey)
		if err != nil {
			return 0, err
		}
		defer end()
		c.Policy.Witnesses = append(c.Policy.Witnesses, record.Witness{Party: party, VKey: key})
		c.Witnesses = append(c.Witnesses, transparency.WitnessEndpoint{VKey: key, URL: url})
	}
	l, err := transparency.Open(ctx, c)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	return adds(ctx, budget, func(leaf []byte) error { _, err := l.Add(ctx, leaf); return err })
}

func newLogKey() (note.Signer, string, error) {
	secret, vkey, err := transparency.GenerateLogKey(logOrigin)
	if err != nil {
		return nil, "", err
	}
	signer, _, err := transparency.ParseLogSigner(secret)
	return signer, vkey, err
}

// witness serves one on loopback until end is called.
func witness(dir, party, logKey string) (url, vkey string, end func(), err error) {
	secret, vkey, err := transparency.GenerateWitnessKey("witness.example/" + party)
	if err != nil {
		return "", "", nil, err
	}
	signer, _, err := transparency.ParseWitnessSigner(secret)
	if err != nil {
		return "", "", nil, err
	}
	w, err := transparency.NewWitness(transparency.WitnessConfig{Dir: dir, Signer: signer, Logs: []transparency.LogKey{{Origin: logOrigin, VKey: logKey}}})
	if err != nil {
		return "", "", nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", nil, errors.Join(err, w.Close())
	}
	server := &http.Server{Handler: w, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with Close
	return "http://" + listener.Addr().String(), vkey, func() { _ = errors.Join(server.Close(), w.Close()) }, nil
}

func bareTessera(ctx context.Context, dir string, budget time.Duration) (rate float64, err error) {
	signer, _, err := newLogKey()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return 0, err
	}
	appender, shutdown, _, err := tessera.NewAppender(ctx, driver, tessera.NewAppendOptions().WithCheckpointSigner(signer).
		WithCheckpointInterval(time.Second).WithBatching(256, 50*time.Millisecond))
	if err != nil {
		return 0, err
	}
	rate, err = adds(ctx, budget, func(leaf []byte) error { _, err := appender.Add(ctx, tessera.NewEntry(leaf))(); return err })
	return rate, errors.Join(err, shutdown(ctx))
}
