package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// traffic is the application: it knows neither the migrator nor the new columns.
type traffic struct {
	pool    *pgxpool.Pool
	rows    int
	stopped chan struct{}
	workers sync.WaitGroup

	mu     sync.Mutex // guards what follows
	totals totals
}

type totals struct {
	statements, inserted, raised, errors int64
	longestStall                         time.Duration
}

func (t *traffic) start(ctx context.Context, workers int) {
	for n := range workers {
		t.workers.Go(func() { t.work(ctx, n) })
	}
}

// stop lets every worker finish what it has begun.
func (t *traffic) stop() totals {
	close(t.stopped)
	t.workers.Wait()
	return t.totals
}

func (t *traffic) work(ctx context.Context, worker int) {
	for serial := 0; ; serial++ {
		select {
		case <-t.stopped:
			return
		case <-time.After(rand.N(4 * time.Millisecond)):
		}
		var inserted, raised int64
		sql, args := `select id, email, amount from orders where id = $1`, []any{rand.IntN(t.rows) + 1}
		switch rand.IntN(4) {
		case 0:
			sql, inserted = `insert into orders (customer, number, email, team) values ($1, $2, $3, 1)`, 1
			args = []any{rand.IntN(100) + 1, fmt.Sprintf("w%d-%d", worker, serial), "late@example.com"}
		case 1, 2:
			sql, raised = `update orders set amount = amount + 1 where id = $1`, 1
		}
		began := time.Now()
		_, err := t.pool.Exec(ctx, sql, args...)
		t.mu.Lock()
		t.totals.statements++
		t.totals.longestStall = max(t.totals.longestStall, time.Since(began))
		if err != nil {
			t.totals.errors++
			fmt.Fprintf(os.Stderr, "the application got an error: %v\n", err)
		} else {
			t.totals.inserted += inserted
			t.totals.raised += raised
		}
		t.mu.Unlock()
	}
}
