package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcrossfade/crossfade/examples/internal/database"
	"github.com/pgcrossfade/crossfade/internal/console"
)

// report is what happened. As JSON it is the last line of the output.
type report struct {
	// OK: the next three are 0.
	OK          bool  `json:"ok"`
	Errors      int64 `json:"errors"`
	LostUpdates int64 `json:"lost_updates"` // writes of the application that are not there
	Unfinished  int64 `json:"unfinished"`   // 1: the table is not what it should be

	Operations     int     `json:"operations"`
	Statements     int64   `json:"statements"`
	LongestStallMS float64 `json:"longest_stall_ms"`
	FilledRows     int64   `json:"filled_rows"`
	CountedRows    int64   `json:"counted_rows"`
	Rows           int     `json:"rows"`
	Seconds        float64 `json:"seconds"`
	PostgreSQL     string  `json:"postgresql"`
}

// run is the whole of it.
func run(ctx context.Context, o options) (r *report, err error) {
	d, err := database.Open(ctx, database.Config{
		Name: "alter", URL: o.databaseURL, Connections: 30,
		Fill: func(ctx context.Context, conn *pgx.Conn) error { return createTables(ctx, conn, o.rows) },
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.End(ctx, false)) }()
	pool, err := pgxpool.New(ctx, d.URL())
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	m, err := newMigration(d.URL())
	if err != nil {
		return nil, err
	}
	t := &traffic{pool: pool, rows: o.rows, stopped: make(chan struct{})}
	began := time.Now()
	t.start(ctx, o.workers)
	err = m.run(ctx)
	sum := t.stop()
	if err != nil {
		return nil, err
	}
	r = &report{
		Errors: sum.errors, Operations: len(operations), Statements: sum.statements,
		LongestStallMS: float64(sum.longestStall.Microseconds()) / 1000, FilledRows: m.filled, CountedRows: m.counted, Rows: o.rows,
		Seconds: math.Round(time.Since(began).Seconds()*10) / 10, PostgreSQL: d.Version(),
	}
	err = database.WithConn(ctx, d.URL(), func(conn *pgx.Conn) error { return r.audit(ctx, conn, sum) })
	r.OK = err == nil && r.Errors+r.LostUpdates+r.Unfinished == 0
	return r, err
}

// audit compares the table with what the application has written, and with what
// was to become of it.
func (r *report) audit(ctx context.Context, conn *pgx.Conn, sum totals) error {
	var rows, raised int64
	if err := conn.QueryRow(ctx, `select count(*), sum(amount)::bigint from orders`).Scan(&rows, &raised); err != nil {
		return err
	}
	r.LostUpdates = abs(int64(r.Rows)+sum.inserted-rows) + abs(sum.raised-raised)
	var finished bool
	if err := conn.QueryRow(ctx, altered).Scan(&finished); err != nil {
		return err
	}
	if !finished {
		r.Unfinished = 1
	}
	return nil
}

func abs(n int64) int64 { return max(n, -n) }

// print writes the report in words, and as JSON on the last line.
func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, `
In %.1f s, %d operations on one table were done, taken back and done again, while its
application ran %s statements, on PostgreSQL %s.

  application errors  %8s
  lost updates        %8s
  unfinished          %8s
  longest stall       %8.0f   ms
  filled              %8s   rows
  looked at           %8s   rows, before a rule came into force

`, r.Seconds, r.Operations, console.Count(r.Statements), r.PostgreSQL, console.Count(r.Errors), console.Count(r.LostUpdates),
		console.Count(r.Unfinished), r.LongestStallMS, console.Count(r.FilledRows), console.Count(r.CountedRows))
	_ = json.NewEncoder(w).Encode(r)
}
