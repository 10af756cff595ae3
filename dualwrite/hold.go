package dualwrite

import "encoding/binary"

// isCopy tells whether COPY data is written, or its end: pgconn writes each of
// these messages by itself. What else begins like one is a part of a message.
func isCopy(p []byte) bool {
	return len(p) >= headerLen && (p[0] == 'd' || p[0] == 'c' || p[0] == 'f') && headerLen+bodyLen(p) == len(p)
}

// wait holds what is written from now on.
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

// resume goes on with what was held. The reader calls it, so it must not wait
// for a server that waits for its answers to be read: much is written by the
// way, and the next Write waits for that instead, as pgconn reads meanwhile.
func (w *writer) resume() error {
	resumed := w.resumed
	out := w.process(nil)
	var err error
	if len(out) <= keepBuffer {
		_, err = w.to.Write(out)
	} else {
		w.out = nil
		writing := make(chan error, 1)
		w.writing = writing
		go func() {
			_, err := w.to.Write(out)
			writing <- err
		}()
	}
	w.waiting.Store(w.asking != nil)
	close(resumed)
	return err
}

// drop forgets the first message that is held.
func (w *writer) drop() {
	w.held = append([]byte(nil), w.held[1+binary.BigEndian.Uint32(w.held[1:]):]...)
}
