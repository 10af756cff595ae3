package main

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// journal is what must be in the table: it never asks the database. A worker
// holds a row for as long as it works on it, so what is read has one right
// value, whoever wrote it last and by which names.
type journal struct {
	mu   sync.Mutex // guards rows; each row has a lock of its own
	rows []*row
}

// row is one order.
type row struct {
	mu sync.Mutex // guards what follows
	order
	gone bool
}

func newJournal(rows int) *journal {
	j := &journal{}
	for id := int64(1); id <= int64(rows); id++ {
		j.rows = append(j.rows, &row{order: seed(id)})
	}
	return j
}

// hold locks a row that nobody works on, every other time one of a few, so that
// rows are written and read again and again.
func (j *journal) hold(random *rand.Rand) *row {
	for {
		j.mu.Lock()
		n := len(j.rows)
		if random.IntN(2) == 0 {
			n = min(n, 100)
		}
		r := j.rows[random.IntN(n)]
		j.mu.Unlock()
		if !r.mu.TryLock() {
			continue
		}
		if !r.gone { // it may have gone since it was picked
			return r
		}
		r.mu.Unlock()
	}
}

// add notes a new order.
func (j *journal) add(o order) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rows = append(j.rows, &row{order: o})
}

// remove notes that an order is gone, which the caller holds.
func (j *journal) remove(r *row) {
	r.gone = true
	j.mu.Lock()
	defer j.mu.Unlock()
	i, last := slices.Index(j.rows, r), len(j.rows)-1
	j.rows[i] = j.rows[last]
	j.rows = j.rows[:last]
}

// all are the orders that must be there, by their ids. The traffic has ended.
func (j *journal) all() map[int64]order {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := map[int64]order{}
	for _, r := range j.rows {
		all[r.ID] = r.order
	}
	return all
}
