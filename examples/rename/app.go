package main

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcrossfade/crossfade/dualwrite"
)

// app is the application: it has a *pgxpool.Pool and a *sql.DB, as any other
// application, and SQL that names one column. Only connect knows of Crossfade.
type app struct {
	settings settings
	pool     *pgxpool.Pool
	db       *sql.DB
	queries  queries
	tally    *tally
	out      *sender
	gate     *gate // see unsafe.go; nil unless a write is to be held back
}

// connect opens the application's pools. This is all there is to embedding
// the hook. It stays in the application for good: a later migration needs no
// change of code, and without one the hook does nothing.
//
// The returned function ends it all.
func (a *app) connect(ctx context.Context) (func(), error) {
	if a.settings.Legacy {
		return a.connectPlain() // see legacy.go
	}

	// Where the SQL names no column, as in `select *`, the hook has to know
	// under which name this program expects it: the one it was written for.
	stars := dualwrite.StarsSource
	if a.settings.Column == targetColumn {
		stars = dualwrite.StarsTarget
	}
	hook, err := dualwrite.New(dualwrite.Config{Stars: stars})
	if err != nil {
		return nil, err
	}

	// A pool of pgx: take the configuration to the hook instead of to
	// pgxpool.NewWithConfig.
	config, err := pgxpool.ParseConfig(a.settings.URL)
	if err != nil {
		return nil, err
	}
	a.customize(config)
	if a.pool, err = hook.NewPool(ctx, config); err != nil {
		return nil, err
	}

	// A pool of database/sql: the same, instead of stdlib.OpenDB.
	if a.db, err = hook.OpenDB(*config.ConnConfig); err != nil {
		a.pool.Close()
		return nil, err
	}
	a.db.SetMaxOpenConns(3)

	// Run hears of every new phase and replaces idle connections. Without it
	// nothing breaks, but flips wait longer.
	follow, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = hook.Run(follow) }) // ends with its context, for no other reason

	return func() {
		stop()
		running.Wait()
		_ = a.db.Close()
		a.pool.Close()
	}, nil
}

// customize is an application's own: the hook leaves it alone.
func (a *app) customize(config *pgxpool.Config) {
	config.MaxConns = 8
	config.ConnConfig.RuntimeParams["application_name"] = fmt.Sprintf("app %d (%s)", a.settings.Index+1, a.settings.Column)
	config.ConnConfig.Tracer = a.tally // counts and times statements
	if a.settings.Pause {
		config.ConnConfig.AfterNetConnect = a.tamper // see unsafe.go
	}
}
