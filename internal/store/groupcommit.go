package store

import (
	"context"
	"errors"
	"time"
)

// A batch ends at whichever bound comes first; nobody waits for it to fill.
const (
	batchCommands = 512
	batchTime     = 25 * time.Millisecond
)

// groupWriter owns SQLite's only writing connection. Its goroutine takes waiting commands one
// after another into one transaction, each inside a savepoint, and commits once for all of them:
// the disk's fsync, not the rows, is what a commit costs.
//
// A command runs in its caller's goroutine while the writer waits, so a panic unwinds the caller's
// own stack and never the writer's.
type groupWriter struct {
	conn    *preparedConn
	queue   chan *command // unbuffered: to send is to get one's turn
	closing chan struct{}
	stopped chan struct{}
}

// command is one caller's turn in a batch.
type command struct {
	turn chan turn  // writer → caller: go, or the reason why not
	ran  chan error // caller → writer: how it ended
	done chan error // writer → caller: the batch's commit
}

type turn struct {
	tx  *Tx
	err error
}

func startGroupWriter(conn *preparedConn) *groupWriter {
	w := &groupWriter{
		conn: conn, queue: make(chan *command),
		closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	go w.loop()
	return w
}

// stop lets the batch under way finish.
func (w *groupWriter) stop() {
	close(w.closing)
	<-w.stopped
	w.conn.close()
}

// write waits for a turn, runs fn, and waits for the commit. ctx counts until the turn comes;
// after that the outcome is worth waiting for.
func (w *groupWriter) write(ctx context.Context, fn func(*Tx) error) error {
	c := &command{turn: make(chan turn), ran: make(chan error, 1), done: make(chan error, 1)}
	if err := ctx.Err(); err != nil {
		return errBusy.Because(err)
	}
	select {
	case w.queue <- c:
	case <-ctx.Done():
		return errBusy.Because(ctx.Err())
	case <-w.closing:
		return errClosed
	}
	t := <-c.turn
	if t.err != nil {
		return t.err
	}
	// A refusal waits for the commit too: it may rest on rows of the same batch.
	refused := c.run(t.tx, fn)
	if err := <-c.done; err != nil {
		return err
	}
	return refused
}

// run calls fn and tells the writer how it ended, by panic and runtime.Goexit too.
func (c *command) run(tx *Tx, fn func(*Tx) error) error {
	err := error(errTxOver) // stands unless fn returns
	defer func() {
		tx.db.over.Store(true)
		c.ran <- err
	}()
	err = tx.db.finish(fn(tx))
	return err
}

func (w *groupWriter) loop() {
	defer close(w.stopped)
	for {
		select {
		case c := <-w.queue:
			w.batch(c)
		case <-w.closing:
			return
		}
	}
}

// batch runs first and whoever waits behind it, commits, and answers all of them.
func (w *groupWriter) batch(first *command) {
	if err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		first.turn <- turn{err: failed("begin", err)}
		return
	}
	var waiting []*command
	var lost error // why the whole transaction is gone
	until := time.Now().Add(batchTime)
	for c := first; c != nil; c = w.next(len(waiting), until) {
		waiting = append(waiting, c)
		if lost = w.one(c); lost != nil {
			break
		}
	}
	if lost == nil {
		lost = w.conn.exec("COMMIT")
	}
	var answer error
	if lost != nil {
		// May fail because SQLite rolled back by itself; either way nothing of the batch is left.
		_ = w.conn.exec("ROLLBACK")
		answer = failed("commit", lost)
	}
	for _, c := range waiting {
		c.done <- answer
	}
}

// next gives the next command that is already waiting, nil when the batch is full or nobody is.
func (w *groupWriter) next(taken int, until time.Time) *command {
	if taken >= batchCommands || time.Now().After(until) {
		return nil
	}
	select {
	case c := <-w.queue:
		return c
	default:
		return nil
	}
}

// one gives c its turn inside a savepoint. Its error means that the transaction itself is lost.
func (w *groupWriter) one(c *command) error {
	if err := w.conn.exec("SAVEPOINT command"); err != nil {
		c.turn <- turn{err: failed("savepoint", err)}
		return err
	}
	c.turn <- turn{tx: newTx(w.conn)}
	if refused := <-c.ran; refused != nil {
		if err := w.conn.exec("ROLLBACK TO command"); err != nil {
			return errors.Join(refused, err) // a full disk ends the transaction by itself: the first reason is the one to tell
		}
	}
	return w.conn.exec("RELEASE command")
}
