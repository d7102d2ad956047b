package store

import (
	"context"
	"errors"
	"time"
)

// A batch ends at whichever bound comes first; nobody waits for it to fill.
const (
	sqliteBatch   = 512 // commands
	postgresBatch = 64  // commands: with more, a transaction's savepoints do not fit the server's shared memory and slow all readers
	batchTime     = 25 * time.Millisecond
)

// sharedTx is one transaction in which commands of many callers run one after another. Its statements do not listen
// to the context that they are given: a caller who goes away must not end what is everybody's.
type sharedTx interface {
	DBTX
	mark() error              // what was done so far outlasts the next undo
	undo() error              // back to the mark
	commit() error            // its error, too, ends the transaction
	rollback()                // also when the engine has undone all by itself
	expired() <-chan struct{} // closed when the engine waits no longer for whose turn it is; nil for never
}

// groupWriter puts the commands of many callers into one transaction: its goroutine takes whoever waits, one after
// another, and commits once for all of them. What does not grow with the rows is so paid once: on SQLite the disk's
// fsync, on PostgreSQL also the conflicts between transactions that run beside each other.
//
// A command runs in its caller's goroutine while the writer waits, so a panic unwinds the caller's
// own stack and never the writer's.
type groupWriter struct {
	begin   func() (sharedTx, error)
	most    int           // commands in a batch
	queue   chan *command // unbuffered: to send is to get one's turn
	closing chan struct{}
	stopped chan struct{}
}

// command is one caller's turn in a batch.
type command struct {
	turn chan turn  // writer → caller: go, or the reason why not
	ran  chan error // caller → writer: how it ended
	done chan error // writer → caller: what became of it

	// The writer's own.
	refused error // how it ended
	broke   bool  // the database refused it something, or it took too long
}

type turn struct {
	tx  *Tx
	err error
}

// undone is why a batch was undone, and surely so, by what was not the command's doing: it may run again.
type undone struct{ error }

func (u undone) Unwrap() error { return u.error }

func startGroupWriter(most int, begin func() (sharedTx, error)) *groupWriter {
	w := &groupWriter{
		begin: begin, most: most, queue: make(chan *command),
		closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	go w.loop()
	return w
}

// stop lets the batch under way finish.
func (w *groupWriter) stop() {
	close(w.closing)
	<-w.stopped
}

// write waits for a turn, runs fn, and waits for the commit. ctx counts until the turn comes;
// after that the outcome is worth waiting for.
func (w *groupWriter) write(ctx context.Context, fn func(*Tx) error) error {
	c := &command{turn: make(chan turn, 1), ran: make(chan error, 1), done: make(chan error, 1)}
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
	c.run(t.tx, fn)
	return <-c.done
}

// run calls fn and tells the writer how it ended, by panic and runtime.Goexit too.
func (c *command) run(tx *Tx, fn func(*Tx) error) {
	err := error(errTxOver) // stands unless fn returns
	defer func() {
		tx.db.over.Store(true)
		if retryable(tx.db.failed) {
			err = tx.db.failed // whatever fn made of it: the transaction is not to be saved
		}
		c.ran <- err
	}()
	err = tx.db.finish(fn(tx))
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
	tx, err := w.begin()
	if err != nil {
		// Whoever waits would wait for the same, one after the other.
		for c := first; c != nil; c = w.next() {
			c.turn <- turn{err: failed("begin", err)}
		}
		return
	}
	if w.one(tx, first); first.refused != nil {
		tx.rollback() // what costs least, and all that is in it is first's own
		first.done <- first.refused
		return
	}
	waiting := []*command{first}
	until := time.Now().Add(batchTime)
	for len(waiting) < w.most && time.Now().Before(until) {
		c := w.next()
		if c == nil {
			break
		}
		if err := w.another(tx, c); err != nil {
			tx.rollback()
			for _, c := range waiting {
				c.done <- failed("batch", undone{err})
			}
			return
		}
		waiting = append(waiting, c)
	}
	err = tx.commit()
	for _, c := range waiting {
		if err != nil {
			c.done <- failed("commit", err)
			continue
		}
		c.done <- c.refused // not before: it may rest on rows of the same batch
	}
}

// next gives the next command that is already waiting, nil when nobody is.
func (w *groupWriter) next() *command {
	select {
	case c := <-w.queue:
		return c
	default:
		return nil
	}
}

// another gives c its turn behind others. By its error the transaction is lost, and c has its answer.
func (w *groupWriter) another(tx sharedTx, c *command) error {
	if err := tx.mark(); err != nil {
		c.turn <- turn{err: failed("savepoint", undone{err})}
		return err
	}
	w.one(tx, c)
	if c.refused == nil {
		return nil
	}
	if retryable(c.refused) {
		c.done <- c.refused
		return c.refused
	}
	err := tx.undo()
	if err == nil {
		return nil
	}
	// A full disk and a lost connection end the transaction by themselves: the first reason is the one to tell.
	lost := errors.Join(c.refused, err)
	if c.broke {
		c.done <- c.refused
	} else {
		c.done <- failed("batch", undone{lost}) // its refusal may rest on rows that are gone
	}
	return lost
}

// one gives c its turn and waits until it has ended, or for as long as the engine does.
func (w *groupWriter) one(tx sharedTx, c *command) {
	mine := newTx(tx)
	c.turn <- turn{tx: mine}
	select {
	case c.refused = <-c.ran:
		c.broke = mine.db.failed != nil
	case <-tx.expired():
		mine.db.over.Store(true)
		c.refused, c.broke = failed("command", context.DeadlineExceeded), true
	}
}
