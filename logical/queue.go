package logical

import (
	"context"
	"sync"
	"time"
)

// queue holds what has been received and not been applied. One goroutine adds
// and one takes.
type queue struct {
	batch int           // the most changes of a batch
	ready chan struct{} // something was added
	much  chan struct{} // enough for a batch was added
	space chan struct{} // something was taken

	mu       sync.Mutex // guards everything below
	pending  []*pending
	count    int // of changes in pending
	bytes    int
	applying bool
	since    time.Time // commit of the first transaction of what is being applied
	skip     LSN       // transactions that committed before have been applied
	stored   LSN       // everything before is durable
	applied  int64     // changes, since the start
}

// pending is a transaction, as far as it has been received, or a position.
type pending struct {
	tx      *Transaction // nil for a position
	changes []Change
	end     LSN  // zero while the commit has not been received
	late    bool // it was received long after it had committed
	begun   bool // a part has been taken
}

func newQueue(batch int) *queue {
	return &queue{batch: batch, ready: make(chan struct{}, 1), much: make(chan struct{}, 1), space: make(chan struct{}, 1), applying: true}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// add adds a change of a transaction, which becomes the last one.
func (q *queue) add(c Change) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.pending); n == 0 || q.pending[n-1].tx != c.Transaction {
		q.pending = append(q.pending, &pending{tx: c.Transaction})
	}
	last := q.pending[len(q.pending)-1]
	last.changes = append(last.changes, c)
	q.count++
	q.bytes += c.size()
	if len(last.changes) > q.batch || q.full() {
		signal(q.ready)
	}
	if q.count >= q.batch {
		signal(q.much)
	}
}

// commit ends the transaction that was added last, and that was sent at a time
// by the server's clock.
func (q *queue) commit(end LSN, sent time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	last := q.pending[len(q.pending)-1]
	last.end, last.late = end, sent.Sub(last.tx.Time) > lateness
	signal(q.ready)
}

// advance adds a position to store, when nothing waits.
func (q *queue) advance(end LSN) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pending) == 0 && !q.applying && end > q.stored {
		q.pending = append(q.pending, &pending{end: end})
		signal(q.ready)
	}
}

// full tells that no more should be read. One change alone never fills the
// queue, so that the last one of a transaction can be held back.
func (q *queue) full() bool {
	return q.count >= queued*q.batch || q.count > 1 && q.bytes >= queuedBytes
}

func (q *queue) isFull() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.full()
}

// take waits for a batch. The caller gives it back with done.
func (q *queue) take(ctx context.Context) (Batch, error) {
	for {
		if q.late() {
			select {
			case <-q.much:
			case <-time.After(linger):
			}
		}
		if b, ok := q.next(); ok {
			return b, nil
		}
		select {
		case <-ctx.Done():
			return Batch{}, ctx.Err()
		case <-q.ready:
		}
	}
}

// A tailer that is behind gains from full batches; being behind by lateness
// anyway, it can wait a little for one to fill.
const (
	lateness = 200 * time.Millisecond
	linger   = 20 * time.Millisecond
)

// late tells whether to wait until there are enough changes for a batch.
func (q *queue) late() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pending) == 0 || !q.pending[0].late || q.count >= q.batch {
		return false
	}
	select {
	case <-q.much: // of an earlier batch
	default:
	}
	return true
}

func (q *queue) next() (b Batch, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer signal(q.space)
	for len(q.pending) > 0 {
		head := q.pending[0]
		whole := head.end != 0
		if head.tx != nil && head.tx.Commit < q.skip {
			q.move(head, len(head.changes), nil)
			if !whole {
				break
			}
			q.pending = q.pending[1:]
			continue
		}
		if whole && len(head.changes) <= q.batch-len(b.Changes) {
			b.Continues = b.Continues || head.begun
			q.move(head, len(head.changes), &b)
			b.End = head.end
			q.pending = q.pending[1:]
			continue
		}
		if b.End != 0 {
			break // a part is a batch of its own
		}
		part := 0
		switch {
		case len(head.changes) > q.batch:
			part = q.batch
		case q.full():
			part = len(head.changes) - 1 // Partial promises that something follows
		}
		if part > 0 {
			b.Continues, b.Partial = head.begun, true
			head.begun = true
			q.move(head, part, &b)
		}
		break
	}
	if len(b.Changes) == 0 && b.End == 0 {
		return Batch{}, false
	}
	q.applying = true
	q.since = time.Time{}
	if len(b.Changes) > 0 {
		q.since = b.Changes[0].Transaction.Time
	}
	return b, true
}

// move takes n changes out of the queue, into b unless that is nil.
func (q *queue) move(from *pending, n int, b *Batch) {
	q.count -= n
	for i := range from.changes[:n] {
		q.bytes -= from.changes[i].size()
	}
	if b != nil {
		b.Changes = append(b.Changes, from.changes[:n]...)
	}
	clear(from.changes[:n]) // the array stays; what it pointed to need not
	from.changes = from.changes[n:]
}

// done notes that a batch is durable.
func (q *queue) done(b Batch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.applying = false
	q.applied += int64(len(b.Changes))
	q.stored = max(q.stored, b.End)
}

// resume notes where an earlier process has stopped. Until then the queue
// counts as busy.
func (q *queue) resume(stored LSN) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.skip, q.stored, q.applying = stored, stored, false
}

// progress is what the queue knows at one moment.
type progress struct {
	stored  LSN
	idle    bool // nothing waits and nothing is being applied
	waiting int  // changes in the queue
	applied int64
	oldest  time.Time // commit of the oldest transaction that is not applied
}

func (q *queue) progress() progress {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := progress{stored: q.stored, idle: len(q.pending) == 0 && !q.applying, waiting: q.count, applied: q.applied}
	switch {
	case q.applying:
		p.oldest = q.since
	case len(q.pending) > 0 && q.pending[0].tx != nil:
		p.oldest = q.pending[0].tx.Time
	}
	return p
}
