package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcrossfade/crossfade/dualwrite"
)

// workersPerClient is how many goroutines run the code of each client.
const workersPerClient = 3

// connect opens the application's pool. This is all that it knows of Crossfade;
// the returned function ends it.
func connect(ctx context.Context, url string) (*pgxpool.Pool, func(), error) {
	// RecycleWithin spreads reconnecting after a flip over a second, so that a
	// fleet does not do it at once. This is one process, with many flips to show.
	hook, err := dualwrite.New(dualwrite.Config{RecycleWithin: 50 * time.Millisecond})
	if err != nil {
		return nil, nil, err
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, nil, err
	}
	config.MaxConns = 2*workersPerClient + 2
	config.ConnConfig.RuntimeParams["application_name"] = "shop"
	pool, err := hook.NewPool(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	follow, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = hook.Run(follow) }) // ends with its context, for no other reason
	return pool, func() {
		stop()
		running.Wait()
		pool.Close()
	}, nil
}

// traffic is the shop at work.
type traffic struct {
	pool    *pgxpool.Pool
	journal *journal
	log     func(format string, args ...any)
	stopped chan struct{} // closed when it is time to stop
	running sync.WaitGroup
	clients []client    // those that have been started
	held    atomic.Bool // a column is about to take its final name

	mu     sync.Mutex // guards totals
	totals totals
}

// totals are what the workers have counted.
type totals struct {
	Statements, Writes, Reads          int64 // reads are rows that were compared
	Errors, Refused, Stale, WrongReads int64
	LongestStall                       time.Duration
	LongestHeld                        time.Duration // of statements while a column took its final name
}

func (t *traffic) count(f func(*totals)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.totals)
}

func (t *traffic) sum() totals {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.totals
}

// start lets workers run that are written against a client's names.
func (t *traffic) start(ctx context.Context, c client) {
	t.clients = append(t.clients, c)
	for i := range workersPerClient {
		w := newWorker(t, c, i)
		t.running.Go(func() { w.run(ctx) })
	}
	t.log("%d workers run, written against the %s", workersPerClient, c.names)
}

// stop waits until every worker has finished what it is about.
func (t *traffic) stop() {
	close(t.stopped)
	t.running.Wait()
}

// failed counts an error; the first few are told.
func (t *traffic) failed(err error) {
	_, refused := dualwrite.AsRefusal(err)
	t.count(func(n *totals) {
		n.Errors++
		if refused {
			n.Refused++
		}
	})
	t.tell(err.Error())
}

// wrong counts a read that is not what the journal says.
func (t *traffic) wrong(format string, args ...any) {
	t.count(func(n *totals) { n.WrongReads++ })
	t.tell("wrong read: " + fmt.Sprintf(format, args...))
}

func (t *traffic) tell(problem string) {
	const most = 10
	if n := t.sum(); n.Errors+n.WrongReads <= most {
		t.log("%s", problem)
	}
}
