package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/examples/internal/database"
	"github.com/pgcrossfade/crossfade/internal/console"
)

// run is the whole of it, and prints the report. That is nil when there is
// nothing to report; there can be one together with an error.
func run(ctx context.Context, o options, stdout io.Writer) (r *report, err error) {
	d, err := database.Open(ctx, database.Config{
		Name: "kinds", URL: o.databaseURL, Connections: 40,
		What: "orders with " + console.Count(int64(o.rows)) + " rows",
		Fill: func(ctx context.Context, conn *pgx.Conn) error { return createTable(ctx, conn, o.rows) },
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.End(ctx, o.keep)) }()
	pool, disconnect, err := connect(ctx, d.URL())
	if err != nil {
		return nil, err
	}
	defer disconnect()

	t := &traffic{pool: pool, journal: newJournal(o.rows), stopped: make(chan struct{})}
	w := newWatch(t)
	live := console.NewLive(console.NewOutput(os.Stderr, console.Options{}), w)
	t.log = func(format string, args ...any) {
		live.Log(fmt.Sprintf("%6.1fs  ", time.Since(w.began).Seconds()) + fmt.Sprintf(format, args...))
	}
	m := &migration{options: o, url: d.URL(), traffic: t, watch: w, audit: &audit{url: d.URL(), log: t.log}, log: t.log}
	err = live.While(func() error {
		defer t.stop()
		return m.run(ctx)
	})
	if ctx.Err() != nil {
		return nil, errors.New("interrupted")
	}
	took := time.Since(w.began)
	if err != nil {
		t.log("it did not get to the end: %v", err)
	}
	// All names in use must give what the shop knows, however far it got.
	if auditErr := m.audit.compareJournal(ctx, t); auditErr != nil {
		return nil, errors.Join(err, auditErr)
	}
	r = m.report(d.Version(), took, err == nil)
	r.print(stdout)
	return r, err
}
