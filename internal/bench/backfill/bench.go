package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/sweep"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// bench is a server with the table item, and a transition of it.
type bench struct {
	url  string
	conn *pgx.Conn
	more *pgx.Conn // of a second worker
	rows int
	to   ledger.Transition
}

type method struct {
	name string
	run  func(context.Context) error
}

func open(ctx context.Context, url string, rows int) (*bench, error) {
	b := &bench{url: url, rows: rows}
	var err error
	if b.conn, err = pgx.Connect(ctx, url); err != nil {
		return nil, err
	}
	if b.more, err = pgx.Connect(ctx, url); err != nil {
		return nil, err
	}
	if err := ledger.Migrate(ctx, b.conn, nil); err != nil {
		return nil, err
	}
	b.to = ledger.Transition{Name: "move", Schema: "public", Table: "item",
		Definition: ledger.Definition{Move: transform.Renamed(transform.Column{Name: "src"}, "dst"), Key: []string{"id"}}}
	event := ledger.Event{Actor: "bench", Event: "register"}
	if err := ledger.Register(ctx, b.conn, &b.to, event); err != nil {
		return nil, err
	}
	if err := ledger.Move(ctx, b.conn, &b.to, phase.DualWrite, event); err != nil {
		return nil, err
	}
	return b, b.exec(ctx, `update crossfade.transition set draining = null`)
}

func (b *bench) close(ctx context.Context) {
	_ = b.conn.Close(ctx)
	_ = b.more.Close(ctx)
}

func (b *bench) exec(ctx context.Context, sql ...string) error {
	for _, s := range sql {
		if _, err := b.conn.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// fresh makes the table anew, as one that has been in use for a while.
func (b *bench) fresh(ctx context.Context) error {
	return b.exec(ctx, `delete from crossfade.progress`, `drop table if exists item`,
		`create table item (id bigint primary key, src text, email text, created_at timestamptz, dst text)`,
		fmt.Sprintf(`insert into item select i, 'Name of number ' || i, 'user' || i || '@example.com', now()
			from generate_series(1, %d) i`, b.rows), `vacuum analyze item`, `checkpoint`)
}

// check requires that every row is filled.
func (b *bench) check(ctx context.Context) error {
	var left int
	err := b.conn.QueryRow(ctx, `select count(*) from item where dst is distinct from src`).Scan(&left)
	if err == nil && left > 0 {
		err = fmt.Errorf("%d rows are not filled", left)
	}
	return err
}

// methods are what is compared; the first is the measure.
func (b *bench) methods() []method {
	return []method{
		{"one UPDATE", func(ctx context.Context) error {
			return b.exec(ctx, `update item set dst = src where dst is distinct from src`)
		}},
		{"DO block, 10,000 rows each", func(ctx context.Context) error {
			return b.exec(ctx, `do $$ declare low bigint := 0; high bigint; begin
				select max(id) into high from item;
				while low < high loop
					update item set dst = src where id > low and id <= low + 10000 and dst is distinct from src;
					commit;
					low := low + 10000;
				end loop;
			end $$`)
		}},
		{"crossfade, 1 worker", func(ctx context.Context) error { return b.copy(ctx, nil) }},
		{"crossfade, 2 workers", func(ctx context.Context) error { return b.copy(ctx, []*pgx.Conn{b.more}) }},
	}
}

func (b *bench) copy(ctx context.Context, helpers []*pgx.Conn) error {
	token, err := ledger.Allow(ctx, b.conn, b.to, ledger.Backfill)
	if err != nil {
		return err
	}
	_, err = sweep.Copy(ctx, b.conn, sweep.Options{Transition: b.to, Job: ledger.Backfill, Token: token, Helpers: helpers, Signals: []sweep.Signal{}})
	return err
}

// result is how long something took, and what writers saw meanwhile.
type result struct {
	took    time.Duration
	latency []time.Duration // sorted
}

// beside runs something beside writers, each of which updates single rows, both
// columns, as fast as it can.
func (b *bench) beside(ctx context.Context, writers int, run func(context.Context) error) (result, error) {
	writing, stop := context.WithCancel(ctx)
	defer stop()
	var group sync.WaitGroup
	seen := make([][]time.Duration, writers)
	errs := make([]error, writers)
	for i := range writers {
		conn, err := pgx.Connect(ctx, b.url)
		if err != nil {
			return result{}, err
		}
		group.Go(func() {
			defer func() { _ = conn.Close(ctx) }()
			for writing.Err() == nil {
				began := time.Now()
				_, errs[i] = conn.Exec(ctx, `update item set src = $2, dst = $2 where id = $1`, 1+rand.IntN(b.rows), "written")
				if errs[i] != nil {
					return
				}
				seen[i] = append(seen[i], time.Since(began))
			}
		})
	}
	began := time.Now()
	err := run(ctx)
	r := result{took: time.Since(began)}
	stop()
	group.Wait()
	for i := range writers {
		if err == nil {
			err = errs[i]
		}
		r.latency = append(r.latency, seen[i]...)
	}
	slices.Sort(r.latency)
	return r, err
}

func (r result) print(w io.Writer, writers int, name string, rows int, whole time.Duration) {
	line := fmt.Sprintf("%d\t%s\t%.2f\t", writers, name, r.took.Seconds())
	if rows > 0 {
		line += fmt.Sprintf("%.0f\t%.0f\t", float64(rows)/r.took.Seconds(), 100*whole.Seconds()/r.took.Seconds())
	} else {
		line += "\t\t"
	}
	if n := len(r.latency); n > 0 {
		at := func(share float64) time.Duration {
			return r.latency[min(int(share*float64(n)), n-1)].Round(10 * time.Microsecond)
		}
		line += fmt.Sprintf("%.0f\t%v\t%v\t%v\t", float64(n)/r.took.Seconds(), at(0.5), at(0.99), at(1))
	} else {
		line += "\t\t\t\t"
	}
	fmt.Fprintln(w, line)
}

// verify compares a verification, by one worker and by two, with a count of the
// rows that goes through the table too.
func (b *bench) verify(ctx context.Context) error {
	var times []time.Duration
	for _, run := range []func() error{
		func() error {
			return b.exec(ctx, `begin`, `set local enable_indexonlyscan = off`, `set local max_parallel_workers_per_gather = 0`,
				`select count(*) from item`, `commit`)
		},
		func() error { return b.compare(ctx, nil) },
		func() error { return b.compare(ctx, []*pgx.Conn{b.more}) },
	} {
		took := time.Duration(1<<63 - 1)
		for range 3 { // the best of three
			if err := b.exec(ctx, `delete from crossfade.progress`); err != nil {
				return err
			}
			began := time.Now()
			if err := run(); err != nil {
				return err
			}
			took = min(took, time.Since(began))
		}
		times = append(times, took)
	}
	fmt.Printf("count(*): %.2f s; verify: %.2f s (%.1f times); verify by 2 workers: %.2f s (%.1f times)\n", times[0].Seconds(),
		times[1].Seconds(), times[1].Seconds()/times[0].Seconds(), times[2].Seconds(), times[2].Seconds()/times[0].Seconds())
	return nil
}

func (b *bench) compare(ctx context.Context, helpers []*pgx.Conn) error {
	p, err := sweep.Compare(ctx, b.conn, sweep.Options{Transition: b.to, Job: ledger.Verify, Helpers: helpers, Signals: []sweep.Signal{}})
	if err == nil && p.Mismatches > 0 {
		err = fmt.Errorf("%d rows differ", p.Mismatches)
	}
	return err
}

// sampleMemory begins to sample what the runtime has taken of the system, and
// returns what tells the least and the most of it. Latencies of writers are kept,
// so it is the migrator's alone only without writers.
func sampleMemory() func() string {
	stop, stopped := make(chan struct{}), make(chan struct{})
	least, most := uint64(1<<63), uint64(0)
	go func() {
		defer close(stopped)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			taken := m.Sys - m.HeapReleased
			least, most = min(least, taken), max(most, taken)
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() string {
		close(stop)
		<-stopped
		return fmt.Sprintf("%.1f to %.1f MB", float64(least)/(1<<20), float64(most)/(1<<20))
	}
}
