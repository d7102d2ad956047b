package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

var errChild = fault.New(fault.Unavailable, "process_did_not_start", "有一个进程没有启动起来，请看它的日志。", "A process did not start; see its log file.")

// children are the demonstration's other processes: each with its own folder and keys, as if run by
// other parties.
type children struct {
	program string // this same program
	dir     string // for log files
	mu      sync.Mutex
	all     []*child
}

type child struct {
	name string
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{}
}

// start runs this same program with other arguments and waits until it says where it listens.
func (c *children) start(ctx context.Context, name string, args ...string) error {
	log, err := os.OpenFile(filepath.Join(c.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.Command(c.program, args...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt reaches us alone; we stop them in order
	out, err := cmd.StdoutPipe()
	if err != nil {
		return errors.Join(err, log.Close())
	}
	if err := cmd.Start(); err != nil {
		return errors.Join(errChild.At(name).Because(err), log.Close())
	}
	k := &child{name: name, cmd: cmd, log: log, done: make(chan struct{})}
	c.mu.Lock()
	c.all = append(c.all, k)
	c.mu.Unlock()
	ready := make(chan struct{})
	go k.follow(out, ready)
	select {
	case <-ready:
		return nil
	case <-k.done:
	case <-time.After(30 * time.Second):
	case <-ctx.Done():
	}
	return errChild.At(name + ", " + log.Name())
}

// follow copies what the child prints to its log and notices when it listens.
func (k *child) follow(out io.Reader, ready chan struct{}) {
	defer close(k.done)
	s := bufio.NewScanner(out)
	told := false
	for s.Scan() {
		fmt.Fprintln(k.log, s.Text())
		if !told && strings.HasPrefix(s.Text(), "listening on ") {
			told = true
			close(ready)
		}
	}
	_ = k.cmd.Wait() // how it ended is in its log
}

// stop interrupts every child, the last started first, and waits.
func (c *children) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.all) - 1; i >= 0; i-- {
		c.all[i].end(syscall.SIGTERM)
	}
	c.all = nil
}

// end sends one child a signal, waits until it is gone, and lets go of its log.
func (k *child) end(s syscall.Signal) {
	if k.cmd.Process.Signal(s) == nil {
		select {
		case <-k.done:
		case <-time.After(15 * time.Second):
			_ = k.cmd.Process.Kill() // it had its time
			<-k.done
		}
	}
	_ = k.log.Close() // nothing is written to it any more
}

// run runs this same program to its end.
func (c *children) run(ctx context.Context, out io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return errChild.At(strings.Join(args[:1], " ")).Because(err)
	}
	return nil
}

// Ports from which freeAddress takes one: below those that systems give to clients, so that what is
// free now still is when its process comes to listen, or to listen again.
const (
	lowestPort = 20000
	manyPorts  = 10000
)

// freeAddress finds a loopback address nobody listens on, the wanted one if it is free.
func freeAddress(wanted string) (string, error) {
	for range 100 {
		l, err := net.Listen("tcp", wanted)
		if err == nil {
			return l.Addr().String(), l.Close()
		}
		wanted = anyAddress()
	}
	return "", errListen.At(wanted)
}

// drawn are the addresses that this process has thought of: two of its children that start at once must not get one.
var drawn sync.Map

// anyAddress draws a loopback address, another one each time as long as there are others.
func anyAddress() (address string) {
	for range manyPorts {
		address = fmt.Sprintf("127.0.0.1:%d", lowestPort+rand.IntN(manyPorts))
		if _, again := drawn.LoadOrStore(address, true); !again {
			break
		}
	}
	return address
}
