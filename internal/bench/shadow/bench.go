package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/migrator"
)

type bench struct {
	url   string
	rows  int
	admin *pgx.Conn
}

// open makes the table and leads its transition to phase shadow.
func open(ctx context.Context, url string, rows int) (*bench, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = "bench"
	admin, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	b := &bench{url: url, rows: rows, admin: admin}
	_, err = admin.Exec(ctx, fmt.Sprintf(`create table users (id bigint primary key, full_name text not null, team int not null);
		insert into users select i, 'user ' || i, i %% 20000 from generate_series(1, %d) i;
		create index on users (full_name); create index on users (team); analyze users`, rows))
	if err != nil {
		return b, err
	}
	m, err := migrator.New(config, migrator.Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), IgnoreApplications: []string{"bench"}})
	if err != nil {
		return b, err
	}
	if err := m.Init(ctx, migrator.InitOptions{}); err != nil {
		return b, err
	}
	rename := migrator.Transition{Name: "users-name", Table: "users", Rename: &migrator.Rename{From: "full_name", To: "name"}}
	if _, err := m.Start(ctx, rename); err != nil {
		return b, err
	}
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	return b, err
}

func (b *bench) close(ctx context.Context) { _ = b.admin.Close(ctx) }

// result is what a round has come to.
type result struct {
	took                          time.Duration
	cpu                           float64 // seconds of the server's processes
	latency                       []time.Duration
	compared, dropped, mismatched uint64
}

func (r result) throughput() float64   { return float64(len(r.latency)) / r.took.Seconds() }
func (r result) perStatement() float64 { return 1e6 * r.cpu / float64(len(r.latency)) }

func latencyAt(share float64) func(result) float64 {
	return func(r result) float64 { return float64(r.latency[int(share*float64(len(r.latency)-1))]) }
}

// run is one round: each worker reads and writes as fast as it can.
func (b *bench) run(ctx context.Context, rate float64, workers int, round time.Duration) (r result, err error) {
	hook, err := dualwrite.New(dualwrite.Config{Shadow: dualwrite.Shadow{Rate: rate, Concurrency: 2, StatementsPerSecond: -1}})
	if err != nil {
		return r, err
	}
	config, err := pgxpool.ParseConfig(b.url)
	if err != nil {
		return r, err
	}
	config.MaxConns, config.MinConns = int32(workers), int32(workers)
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	pool, err := hook.NewPool(ctx, config)
	if err != nil {
		return r, err
	}
	defer pool.Close()
	running, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { _ = hook.Run(running) })
	defer func() { stop(); all.Wait() }()

	seen, errs := make([][]time.Duration, workers), make([]error, workers)
	work := func(d time.Duration) {
		end := time.Now().Add(d)
		var group sync.WaitGroup
		for i := range workers {
			seen[i] = seen[i][:0]
			group.Go(func() {
				for n := i; errs[i] == nil && time.Now().Before(end); n++ {
					began := time.Now()
					errs[i] = b.statement(ctx, pool, n)
					seen[i] = append(seen[i], time.Since(began))
				}
			})
		}
		group.Wait()
	}
	work(500 * time.Millisecond) // caches, and the connections that compare
	before, stats := b.cpu(ctx), hook.Stats()
	began := time.Now()
	work(round)
	r.took, r.cpu = time.Since(began), since(b.cpu(ctx), before)
	after := hook.Stats()
	r.compared, r.dropped, r.mismatched = after.Compared-stats.Compared, after.Dropped-stats.Dropped, after.Mismatched
	for i := range workers {
		if errs[i] != nil {
			return r, errs[i]
		}
		r.latency = append(r.latency, seen[i]...)
	}
	slices.Sort(r.latency)
	return r, nil
}

// statement is one of the workload: six point reads, two reads of ten rows, two writes.
func (b *bench) statement(ctx context.Context, pool *pgxpool.Pool, n int) error {
	id := 1 + rand.IntN(b.rows)
	var err error
	switch n % 10 {
	case 0, 5:
		_, err = pool.Exec(ctx, `update users set full_name = $1 where id = $2`, fmt.Sprint("user ", rand.Uint32()), id)
	case 1, 6:
		_, err = pool.Exec(ctx, `select id, full_name from users where team = $1`, id%20000)
	default:
		_, err = pool.Exec(ctx, `select id, full_name from users where id = $1`, id)
	}
	return err
}

// cpu is what each of the server's sessions has used of the processors, in seconds;
// nothing where the system does not tell.
func (b *bench) cpu(ctx context.Context) map[int]float64 {
	used := map[int]float64{}
	rows, err := b.admin.Query(ctx, `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`)
	if err != nil {
		return used
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return used
	}
	for _, pid := range pids {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid)); err == nil {
			ns, _ := strconv.ParseFloat(strings.Fields(string(stat))[0], 64)
			used[pid] = ns / 1e9
		}
	}
	return used
}

func since(now, before map[int]float64) (seconds float64) {
	for pid, used := range now {
		seconds += used - before[pid]
	}
	return seconds
}
