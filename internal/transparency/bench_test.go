package transparency_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/transparency"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
)

const writers = 512 // leaves under way at once, a busy outbox

// BenchmarkAdd is the log with two witnesses of two over loopback, to set beside BenchmarkTessera.
func BenchmarkAdd(b *testing.B) {
	w := newWorld(b, 2, "association", "bank")
	w.config.Interval = time.Second
	l := w.open(b)
	parallel(b, func(leaf []byte) error {
		_, err := l.Add(context.Background(), leaf)
		return err
	})
}

// BenchmarkTessera is the same storage and batching bare: no witnesses, no policy, no leaf checks.
func BenchmarkTessera(b *testing.B) {
	secret, _, err := transparency.GenerateLogKey(origin)
	if err != nil {
		b.Fatal(err)
	}
	signer, _, err := transparency.ParseLogSigner(secret)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	driver, err := posix.New(ctx, posix.Config{Path: folder(b)})
	if err != nil {
		b.Fatal(err)
	}
	appender, _, _, err := tessera.NewAppender(ctx, driver, tessera.NewAppendOptions().WithCheckpointSigner(signer).
		WithCheckpointInterval(time.Second).WithBatching(256, 50*time.Millisecond))
	if err != nil {
		b.Fatal(err)
	}
	parallel(b, func(leaf []byte) error {
		_, err := appender.Add(ctx, tessera.NewEntry(leaf))()
		return err
	})
}

func parallel(b *testing.B, add func([]byte) error) {
	var n atomic.Int64
	b.SetParallelism(writers / 2) // of GOMAXPROCS each
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := add(leaf(int(n.Add(1)))); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
}

// BenchmarkReceipt is one self-checked receipt from disk.
func BenchmarkReceipt(b *testing.B) {
	w := newWorld(b, 1, "bank")
	l := w.open(b)
	for n := range 4 {
		if _, err := l.Add(context.Background(), leaf(n)); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := l.WaitWitnessed(within(b), 3); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := l.Receipt(context.Background(), 2); err != nil {
			b.Fatal(err)
		}
	}
}
