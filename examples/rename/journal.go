package main

import (
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// journal is what a worker knows about the rows that only it writes, and about
// its share in the rows that everybody writes. Reads are checked against it
// while the traffic runs, and the table at the end. It never asks the
// database what is right.
type journal struct {
	owner    owner
	rows     map[int64]*record
	inserted map[string]*record
	lost     []*record // inserts of which nobody knows the outcome, nor so the id
	alive    []int64   // rows that exist, seeds included
	counters map[string]*interval
}

// state is what a row holds: its name, or that there is no row.
type state struct {
	Exists bool   `json:"exists"`
	Name   string `json:"name,omitempty"`
}

func (s state) String() string {
	if !s.Exists {
		return "no row"
	}
	return s.Name
}

// named is the state of a row of that name.
func named(name string) state { return state{Exists: true, Name: name} }

// record is one row.
type record struct {
	ID    int64  `json:"id"`
	Email string `json:"email"`
	// May are the states that the row can be in. It is one, except during a
	// write and after a write of unknown outcome, as when a connection is lost.
	May []state `json:"may"`
}

// allows tells whether a read may give that.
func (r *record) allows(s state) bool { return slices.Contains(r.May, s) }

// interval is what a worker has added to a shared row: at least Acked, at most
// Started.
type interval struct {
	Email   string `json:"email"`
	Acked   int64  `json:"acked"`
	Started int64  `json:"started"`
	// Seen is the greatest value read. Later reads must not give less.
	Seen int64 `json:"seen"`
}

// owner says which rows of the beginning are whose: every nth.
type owner struct {
	slot, slots int64
	rows        int64
}

func (o owner) ownsSeed(id int64) bool {
	return id > sharedRows && id <= o.rows && id%o.slots == o.slot
}

func newJournal(o owner) *journal {
	j := &journal{owner: o, rows: map[int64]*record{}, inserted: map[string]*record{}, counters: map[string]*interval{}}
	for id := int64(sharedRows + 1); id <= o.rows; id++ {
		if o.ownsSeed(id) {
			j.alive = append(j.alive, id)
		}
	}
	return j
}

// mine returns the record of a row of this worker, nil for another's.
func (j *journal) mine(id int64) *record {
	r := j.rows[id]
	if r == nil && j.owner.ownsSeed(id) {
		r = &record{ID: id, Email: seedEmail(id), May: []state{named(seedName(id))}}
		j.rows[id] = r
	}
	return r
}

// withEmail returns the row that this worker has inserted with that address.
func (j *journal) withEmail(email string) *record { return j.inserted[email] }

// pick returns a row that exists; every other time one of a few, so that rows
// are written and read again and again.
func (j *journal) pick(random *rand.Rand) *record {
	n := len(j.alive)
	if random.IntN(2) == 0 {
		n = min(n, 50)
	}
	return j.mine(j.alive[random.IntN(n)])
}

// pickTwo returns two different rows.
func (j *journal) pickTwo(random *rand.Rand) (*record, *record) {
	for {
		if a, b := j.pick(random), j.pick(random); a != b {
			return a, b
		}
	}
}

// change is what a write does to a row when it succeeds.
type change struct {
	row *record
	to  state
}

// write runs f, which makes all of the changes or none.
func (j *journal) write(f func() error, changes ...change) error {
	before := make([][]state, len(changes))
	for i, c := range changes {
		before[i] = c.row.May
		c.row.May = append(slices.Clone(c.row.May), c.to)
	}
	err := f()
	for i, c := range changes {
		switch {
		case err == nil:
			c.row.May = []state{c.to}
		case notExecuted(err):
			c.row.May = before[i]
		}
	}
	if err == nil {
		for _, c := range changes {
			if !c.to.Exists {
				j.alive = slices.DeleteFunc(j.alive, func(id int64) bool { return id == c.row.ID })
			}
		}
	}
	return err
}

// insert runs f, which inserts a row and returns its id. It returns nil when
// there may be no such row.
func (j *journal) insert(email, name string, f func() (int64, error)) (*record, error) {
	r := &record{Email: email, May: []state{{}}}
	err := j.write(func() (err error) {
		r.ID, err = f()
		return err
	}, change{r, named(name)})
	switch {
	case err == nil:
		j.rows[r.ID], j.inserted[email] = r, r
		j.alive = append(j.alive, r.ID)
		return r, nil
	case !notExecuted(err):
		j.lost = append(j.lost, r)
	}
	return nil, err
}

// count runs f, which adds 1 to a shared row and returns the result.
func (j *journal) count(email string, f func() (int64, error)) (int64, error) {
	c := j.counter(email)
	c.Started++
	n, err := f()
	switch {
	case err == nil:
		c.Acked++
	case notExecuted(err):
		c.Started--
	}
	return n, err
}

func (j *journal) counter(email string) *interval {
	c := j.counters[email]
	if c == nil {
		c = &interval{Email: email}
		j.counters[email] = c
	}
	return c
}

// report sends all of it.
func (j *journal) report(out *sender) {
	for _, r := range j.rows {
		out.send(message{Row: r})
	}
	for _, r := range j.lost {
		out.send(message{Row: r})
	}
	for _, c := range j.counters {
		out.send(message{Counter: c})
	}
}

// errUndo ends a transaction on purpose.
var errUndo = errors.New("rolled back on purpose")

// notExecuted tells whether a write that failed has certainly left no trace:
// the server said so, or it was never sent. Anything else, such as a lost
// connection, leaves both outcomes possible.
func notExecuted(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Severity == "ERROR" || pgconn.SafeToRetry(err) ||
		errors.Is(err, errUndo) || errors.Is(err, pgx.ErrTxCommitRollback)
}
