//go:build postgres

package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named "pgx"
)

var engines = []Engine{sqlite, postgres}

var postgres = Engine{Name: "postgres", DSN: newDatabase}

// server is the one throw-away PostgreSQL of this process.
type server struct {
	dir    string // holds data, log and the socket
	cmd    *exec.Cmd
	exited chan error
	admin  *sql.DB
}

var (
	startOnce sync.Once
	running   *server
	startErr  error
	databases atomic.Int64
)

func newDatabase(t testing.TB) string {
	t.Helper()
	if !mainRuns.Load() {
		t.Fatal("the package needs func TestMain(m *testing.M) { storetest.Main(m) }")
	}
	startOnce.Do(func() { running, startErr = startServer() })
	if startErr != nil {
		t.Fatal(startErr)
	}
	name := "test" + strconv.FormatInt(databases.Add(1), 10)
	if _, err := running.admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := running.admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return running.dsn(name)
}

func (s *server) dsn(database string) string {
	return "postgres://postgres@/" + database + "?host=" + s.dir
}

// startServer makes a cluster and starts it on a socket of its own. ICU collation sorts unlike
// bytes do, so that a list that leans on byte order shows.
func startServer() (*server, error) {
	dir, err := os.MkdirTemp("", "menshen-pg-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, exited: make(chan error, 1)}
	account, err := unprivileged(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	initdb := program("initdb", "-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=und", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = dir, &syscall.SysProcAttr{Credential: account}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, out), os.RemoveAll(dir))
	}
	if err := s.start(account); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *server) start(account *syscall.Credential) error {
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	// Nothing of a test outlives the process, so nothing needs to reach the disk.
	s.cmd = program("postgres", "-D", filepath.Join(s.dir, "data"), "-c", "listen_addresses=",
		"-c", "unix_socket_directories="+s.dir, "-c", "fsync=off", "-c", "full_page_writes=off",
		"-c", "synchronous_commit=off", "-c", "max_connections=200", "-c", "autovacuum=off")
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, log, log
	// SIGINT is PostgreSQL's fast shutdown; it comes too when this process is killed.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account, Pdeathsig: syscall.SIGINT}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Pdeathsig follows the thread that started the child
		if err := s.cmd.Start(); err != nil {
			s.cmd = nil
			started <- err
			return
		}
		started <- nil
		s.exited <- s.cmd.Wait()
	}()
	if err := <-started; err != nil {
		return err
	}
	if s.admin, err = sql.Open("pgx", s.dsn("postgres")); err != nil {
		return err
	}
	return s.await()
}

// await waits until the server answers.
func (s *server) await() error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		err := s.admin.PingContext(ctx)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case exit := <-s.exited:
			s.cmd = nil
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("postgres ended: %v: %s", exit, log)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("postgres does not answer: %w", err)
		}
	}
}

func (s *server) stop() error {
	if s.admin != nil {
		_ = s.admin.Close()
	}
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(syscall.SIGINT)
		select {
		case <-s.exited:
		case <-time.After(10 * time.Second):
			_ = s.cmd.Process.Kill()
			<-s.exited
		}
	}
	return os.RemoveAll(s.dir)
}

func stopServer() error {
	if running == nil {
		return nil
	}
	return running.stop()
}

// unprivileged gives dir to an account that PostgreSQL agrees to run under: it refuses root.
func unprivileged(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
}

// program finds a server program on the path or where Debian keeps it, newest version first.
func program(name string, args ...string) *exec.Cmd {
	if _, err := exec.LookPath(name); err == nil {
		return exec.Command(name, args...)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return exec.Command(name, args...) // whose error names what is missing
	}
	return exec.Command(found[len(found)-1], args...)
}
