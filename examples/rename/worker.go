package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// worker is one line of work in the application: one operation after the
// other, on rows of its own and on shared ones.
type worker struct {
	name    string
	mix     []operation // nil for the one that holds a write back
	pool    *pgxpool.Pool
	db      *sql.DB
	queries queries
	journal *journal
	tally   *tally
	out     *sender
	stop    <-chan struct{}
	random  *rand.Rand
	long    time.Duration

	written  int // for names that never repeat
	problems int
}

// operation is something that the application does, and how often.
type operation struct {
	name   string
	weight int
	run    func(*worker, context.Context) error
}

// The last worker of a process has nothing to do unless a write is to be held
// back. It owns rows like the others.
const (
	workersPerApp = 6
	heldWorker    = workersPerApp - 1
)

func (a *app) workers(stop <-chan struct{}) []*worker {
	mixes := [workersPerApp][]operation{requests, requests, requests, transactions, throughSQL, nil}
	if a.settings.Legacy {
		mixes = [workersPerApp][]operation{legacy, legacy, legacy}
	}
	slots := int64(a.settings.Apps * workersPerApp)
	workers := make([]*worker, workersPerApp)
	for i, mix := range mixes {
		slot := int64(a.settings.Index*workersPerApp + i)
		workers[i] = &worker{
			name:    fmt.Sprintf("app %d (%s), worker %d", a.settings.Index+1, a.settings.Column, i+1),
			mix:     mix,
			pool:    a.pool,
			db:      a.db,
			queries: a.queries,
			journal: newJournal(owner{slot: slot, slots: slots, rows: int64(a.settings.Rows)}),
			tally:   a.tally,
			out:     a.out,
			stop:    stop,
			random:  rand.New(rand.NewPCG(uint64(slot), rand.Uint64())),
			long:    a.settings.Long,
		}
	}
	return workers
}

// think is how long a worker pauses between two operations, at most: the
// traffic should keep the server busy, but not choke it.
const think = 8 * time.Millisecond

// run works until it is told to stop; it always finishes what it has begun.
func (w *worker) run(ctx context.Context) {
	total := 0
	for _, o := range w.mix {
		total += o.weight
	}
	for w.pause(time.Duration(w.random.Int64N(int64(think)))) {
		n := w.random.IntN(total)
		for _, o := range w.mix {
			if n -= o.weight; n < 0 {
				w.operate(ctx, o)
				break
			}
		}
	}
}

func (w *worker) operate(ctx context.Context, o operation) {
	err := o.run(w, ctx)
	if err == nil || errors.Is(err, errUndo) {
		return
	}
	w.tally.failed(err)
	w.problem("%s: %v", o.name, err)
}

// pause waits; false when it is time to stop.
func (w *worker) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.stop:
		return false
	}
}

// newName returns a name that nobody has used before, and that sorts among
// those of other people.
func (w *worker) newName() string {
	w.written++
	return fmt.Sprintf("%s #%d.%d", seedName(int64(1000+w.random.IntN(1000))), w.journal.owner.slot, w.written)
}

func (w *worker) newEmail() string {
	w.written++
	return fmt.Sprintf("new%d.%d@example.com", w.journal.owner.slot, w.written)
}

// write makes changes to own rows, and counts them.
func (w *worker) write(f func() error, changes ...change) error {
	err := w.journal.write(f, changes...)
	if err == nil {
		w.tally.written()
	}
	return err
}

// expect checks what was read of an own row.
func (w *worker) expect(what string, r *record, got state) {
	w.tally.checked()
	if !r.allows(got) {
		w.wrong("%s of user %d gives %q, knows %q", what, r.ID, got, r.May)
		return
	}
	r.May = []state{got} // of several, now one is known
}

// same checks what was read against what was written in the same transaction.
func (w *worker) same(what string, r *record, got, want state) {
	w.tally.checked()
	if got != want {
		w.wrong("%s of user %d gives %q, has written %q", what, r.ID, got, want)
	}
}

func (w *worker) wrong(format string, args ...any) {
	w.tally.wrongRead()
	w.problem("wrong read: "+format, args...)
}

// problem tells of the first few errors in words; all are counted.
func (w *worker) problem(format string, args ...any) {
	if w.problems++; w.problems <= 3 {
		w.out.send(message{Problem: w.name + ": " + fmt.Sprintf(format, args...)})
	}
}

// row is a row of pgx or of database/sql.
type row interface{ Scan(...any) error }

// readState reads the name in a row that may not be there.
func readState(r row) (state, error) {
	var name string
	err := r.Scan(&name)
	if errors.Is(err, sql.ErrNoRows) { // pgx.ErrNoRows is one too
		return state{}, nil
	}
	return state{Exists: err == nil, Name: name}, err
}
