package dualwrite

import (
	"encoding/binary"
	"io"
)

// In a COPY FROM, pgconn reads and writes at the same time. Nothing else of a
// connection is used by more than one goroutine: so the writer must not look at
// what the reader changes, but for what mu guards, while COPY data is sent and
// ended.

// isCopy tells whether a message of that kind belongs to the data of a COPY.
func isCopy(kind byte) bool { return kind == 'd' || kind == 'c' || kind == 'f' }

// isCopyData tells whether COPY data is written: pgconn writes each message of
// it by itself. What else begins like one is a part of a message.
func isCopyData(p []byte) bool {
	return len(p) >= headerLen && p[0] == 'd' && headerLen+bodyLen(p) == len(p)
}

// hold keeps what is written while the hook waits for an answer, and tells
// whether it does. COPY data, which may be much, it lets wait for that.
func (w *writer) hold(p []byte) bool {
	if isCopyData(p) {
		<-w.resumed
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting.Load() {
		w.held = append(w.held, p...)
		return true
	}
	return false
}

func isTerminate(p []byte) bool { return string(p) == "X\x00\x00\x00\x04" }

// end tells the server that the connection ends, whatever is held: pgconn keeps
// it, and a pool the place of it, until the server closes it.
func (w *writer) end(terminate []byte) (int, error) {
	_ = w.finish()
	return w.to.Write(terminate)
}

// wait makes Write hold what comes from now on.
func (w *writer) wait() {
	w.resumed = make(chan struct{})
	w.waiting.Store(true)
}

// stop ends the wait for good: err is why there will be no answer.
func (w *writer) stop(err error) {
	if w.waiting.Load() {
		w.broken = err
		w.waiting.Store(false)
		close(w.resumed)
	}
}

// socketBuffer is what every socket takes, whether its other end reads or not.
const socketBuffer = 8 << 10

// resume goes on with what was held. The reader calls it, so it must not wait
// for a server that waits for its answers to be read: what is more than a
// socket takes is written by the way, and the next Write waits for that instead,
// as pgconn reads meanwhile. without: the first message that was held is not
// sent any more.
func (w *writer) resume(without bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if without {
		w.held = w.held[1+binary.BigEndian.Uint32(w.held[1:]):]
	}
	resumed := w.resumed
	// Before that, the server has answered all of it, or discards the rest.
	err := w.finish()
	out := w.process(nil)
	switch {
	case err != nil || len(out) == 0:
	case len(out) <= socketBuffer:
		_, err = w.to.Write(out)
	default:
		w.out = nil
		w.writing = make(chan error, 1)
		go w.writeBehind(out, w.writing)
	}
	w.broken = err
	w.waiting.Store(w.asking != nil && err == nil)
	close(resumed)
	return err
}

// writeBehind ends the connection if it fails: there may be no other Write that
// could tell of it, and the reader would wait for an answer.
func (w *writer) writeBehind(out []byte, done chan<- error) {
	_, err := w.to.Write(out)
	if c, ok := w.to.(io.Closer); ok && err != nil {
		_ = c.Close()
	}
	done <- err
}

// finish waits for the end of what resume has left behind.
func (w *writer) finish() error {
	if w.writing != nil {
		if err := <-w.writing; err != nil {
			w.broken = err
		}
		w.writing = nil
	}
	return w.broken
}
