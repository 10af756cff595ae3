package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/examples/internal/database"
	"github.com/pgcrossfade/crossfade/migrator"
)

const schema = `
create table users (id bigint primary key, full_name text not null);
create table orders (id bigint primary key)`

var rename = migrator.Transition{
	Name: "users-name", Table: "users", Rename: &migrator.Rename{From: "full_name", To: "name"},
}

// run migrates under traffic, and returns what there was to see.
func run(ctx context.Context, url string, o options) (seen *seen, err error) {
	err = database.WithConn(ctx, url, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, schema)
		if err == nil {
			_, err = conn.Exec(ctx, `insert into users select i, 'user ' || i from generate_series(1, $1) i`, o.rows)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	p, err := newProviders(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.shutdown(ctx)) }()
	stop, err := p.serve(o.listen)
	if err != nil {
		return nil, err
	}
	defer stop()
	app, err := newApplication(ctx, url, p)
	if err != nil {
		return nil, err
	}
	defer app.close()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- app.follow(ctx) }()
	migrated := migrate(ctx, url, p, o.linger)
	// While the application is still connected.
	now, err := look(p)
	cancel()
	return now, errors.Join(migrated, err, <-ended)
}

// migrate does every phase with a migrator of its own, as a command in a terminal
// would: the spans of all are in one trace.
func migrate(ctx context.Context, url string, p *providers, linger time.Duration) error {
	ctx, span := p.tracer.Tracer("deploy").Start(ctx, "deploy")
	defer span.End()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	with := func(do func(*migrator.Migrator) error) error {
		m, err := migrator.New(config, migrator.Config{
			TracerProvider: p.tracer, MeterProvider: p.meter, Logger: slog.New(slog.DiscardHandler), BatchTarget: 20 * time.Millisecond,
		})
		if err != nil {
			return err
		}
		if err := do(m); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(linger):
			return nil
		}
	}
	err = with(func(m *migrator.Migrator) error {
		if err := m.Init(ctx, migrator.InitOptions{}); err != nil {
			return err
		}
		_, err := m.Start(ctx, rename)
		return err
	})
	for _, phase := range migrator.Phases() {
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		if phase == migrator.Off || phase == migrator.Contracted {
			continue
		}
		err = with(func(m *migrator.Migrator) error {
			_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: phase})
			return err
		})
	}
	return err
}
