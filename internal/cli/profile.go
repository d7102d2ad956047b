package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

// profiled has this process write where its processor time goes, from the first SIGUSR1 to the second or to
// its end, into a file that `go tool pprof` reads. `menshen bench --profile` asks its server for it. The file
// appears whole or not at all. wait returns when it is written.
func profiled(ctx context.Context, path string) (wait func() error) {
	ctx, stop := context.WithCancel(ctx)
	asked, done := make(chan os.Signal, 2), make(chan error, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		defer signal.Stop(asked)
		select {
		case <-asked:
			done <- profile(ctx, path, asked)
		case <-ctx.Done():
			done <- nil
		}
	}()
	return func() error { stop(); return <-done }
}

func profile(ctx context.Context, path string, asked <-chan os.Signal) error {
	f, err := os.Create(path + ".part")
	if err != nil {
		return errFolder.Because(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errFolder.Because(errors.Join(err, f.Close()))
	}
	select {
	case <-asked:
	case <-ctx.Done():
	}
	pprof.StopCPUProfile()
	if err := errors.Join(f.Close(), os.Rename(f.Name(), path)); err != nil {
		return errFolder.Because(err)
	}
	return nil
}
