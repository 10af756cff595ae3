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
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// run is the whole of it, and prints the report. That is nil when there is
// nothing to report; there can be one together with an error.
func run(ctx context.Context, o options, stdout io.Writer) (r *report, err error) {
	d, err := database.Open(ctx, database.Config{
		Name: "rename", URL: o.databaseURL, Connections: 40 + 20*o.apps,
		What: "users with " + console.Count(int64(o.rows)) + " rows",
		Fill: func(ctx context.Context, conn *pgx.Conn) error { return createTables(ctx, conn, o.rows) },
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.End(ctx, o.keep)) }()

	output, began := console.NewOutput(os.Stderr, console.Options{}), time.Now()
	v := &view{began: began}
	live := console.NewLive(output, v)
	log := func(format string, args ...any) {
		live.Log(fmt.Sprintf("%6.1fs  ", time.Since(began).Seconds()) + fmt.Sprintf(format, args...))
	}
	m := &migration{
		options: o,
		url:     d.URL(),
		fleet:   &fleet{problem: func(text string) { log("%s", text) }},
		watch:   newWatch(log),
		audit:   &audit{url: d.URL(), log: log, divergent: map[int64]bool{}},
		log:     log,
	}
	v.watch, v.fleet = m.watch, m.fleet
	defer m.fleet.kill()

	var stopped error
	err = live.While(func() error {
		err := m.run(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		stopped = m.fleet.stop(ctx)
		return err
	})
	if ctx.Err() != nil {
		return nil, errors.New("interrupted")
	}
	took := time.Since(began)
	if err := errors.Join(err, stopped); err != nil {
		log("it did not get to the end: %v", err)
		if err := m.compareWhereItStopped(ctx); err != nil {
			log("compare the columns: %v", err)
		}
	}
	// What serves reads is what has to be right, however far it got.
	column := sourceColumn
	if m.phase != "" && m.phase.Behaviour().Read == phase.Target {
		column = targetColumn
	}
	if auditErr := m.audit.compareJournals(ctx, column, o.rows, m.fleet.all()); auditErr != nil {
		return nil, errors.Join(err, stopped, auditErr)
	}
	r = m.report(d.Version(), took, err == nil && stopped == nil)
	r.print(stdout)
	return r, errors.Join(err, stopped)
}
