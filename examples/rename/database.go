package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/postgres"
)

// database is a database of the example's own, on a server that it found or
// started.
type database struct {
	server *postgres.Server
	name   string
	url    string
	// foreign: the server was there before.
	foreign bool
}

func openDatabase(ctx context.Context, o options) (*database, error) {
	server, err := postgres.Start(ctx, postgres.Config{
		URL: o.databaseURL,
		Parameters: map[string]string{
			"max_connections": strconv.Itoa(40 + 20*o.apps),
			"max_wal_size":    "2GB",
		},
		Log: os.Stderr,
	})
	if err != nil {
		return nil, err
	}
	d := &database{server: server, name: fmt.Sprintf("crossfade_rename_%d", os.Getpid())}
	d.url = server.URL(d.name)
	d.foreign = o.databaseURL != "" || os.Getenv(postgres.EnvURL) != ""
	// Sorted by bytes, as Go sorts strings: the processes check the order.
	create := `create database ` + pgx.Identifier{d.name}.Sanitize() +
		` template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`
	if err := withConn(ctx, server.URL(""), func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, create)
		return err
	}); err != nil {
		return nil, errors.Join(fmt.Errorf("create database: %w", err), server.Stop())
	}
	return d, nil
}

// close drops the database and stops the server, if the example started it.
func (d *database) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	drop := `drop database ` + pgx.Identifier{d.name}.Sanitize() + ` with (force)`
	err := withConn(ctx, d.server.URL(""), func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, drop)
		return err
	})
	return errors.Join(err, d.server.Stop())
}

// keep leaves the database as it is, for a look with psql. A server that was
// started for the example runs until ctx ends, and then goes with all it has.
func (d *database) keep(ctx context.Context) error {
	fmt.Fprintf(os.Stderr, "the database is kept: psql '%s'\n", d.url)
	if d.foreign {
		return nil
	}
	fmt.Fprintln(os.Stderr, "press Ctrl-C to stop the server and remove it")
	<-ctx.Done()
	return d.server.Stop()
}

// withConn runs f on a connection without the hook. It is closed at once: a
// drain would wait for it.
func withConn(ctx context.Context, url string, f func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	return f(conn)
}
