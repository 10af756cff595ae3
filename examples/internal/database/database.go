// Package database gives each example a database of its own, on a server that it
// found or started.
package database

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

// Config says what an example needs.
type Config struct {
	// Name is the example's name, and the beginning of the database's.
	Name string
	// URL is an existing server to use; empty means the one of the environment,
	// else one that is started.
	URL string
	// Connections is how many a server that is started must take.
	Connections int
	// Fill makes the tables, on a connection without the hook; nil makes none.
	Fill func(context.Context, *pgx.Conn) error
	// What says what it fills, for people who wait; empty says nothing.
	What string
}

// Database is a database that nobody else uses.
type Database struct {
	server *postgres.Server
	name   string
	// foreign: the server was there before.
	foreign bool
}

// Open finds or starts a server, creates the database and fills it. End it with
// End.
func Open(ctx context.Context, c Config) (*Database, error) {
	if c.What != "" {
		fmt.Fprintln(os.Stderr, "starting PostgreSQL ...")
	}
	server, err := postgres.Start(ctx, postgres.Config{
		URL: c.URL,
		Parameters: map[string]string{
			"max_connections": strconv.Itoa(c.Connections),
			"max_wal_size":    "2GB",
		},
		Log: os.Stderr,
	})
	if err != nil {
		return nil, err
	}
	d := &Database{server: server, name: fmt.Sprintf("crossfade_%s_%d", c.Name, os.Getpid())}
	d.foreign = c.URL != "" || os.Getenv(postgres.EnvURL) != ""
	// Sorted by bytes, as Go sorts strings: the examples check the order.
	create := `create database ` + pgx.Identifier{d.name}.Sanitize() +
		` template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`
	if err := WithConn(ctx, server.URL(""), func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, create)
		return err
	}); err != nil {
		return nil, errors.Join(fmt.Errorf("create database: %w", err), server.Stop())
	}
	if c.What != "" {
		fmt.Fprintf(os.Stderr, "PostgreSQL %s; filling %s ...\n", d.Version(), c.What)
	}
	if c.Fill == nil {
		return d, nil
	}
	if err := WithConn(ctx, d.URL(), func(conn *pgx.Conn) error { return c.Fill(ctx, conn) }); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// URL is its connection string.
func (d *Database) URL() string { return d.server.URL(d.name) }

// Version is the server's version, such as "18.1".
func (d *Database) Version() string { return d.server.Version() }

// End is what an example does last: it keeps the database, if it is to be kept
// and nobody has interrupted, or closes it.
func (d *Database) End(ctx context.Context, keep bool) error {
	if keep && ctx.Err() == nil {
		return d.keep(ctx)
	}
	return d.close()
}

// close drops the database and stops the server, if the example started it.
func (d *Database) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	drop := `drop database ` + pgx.Identifier{d.name}.Sanitize() + ` with (force)`
	err := WithConn(ctx, d.server.URL(""), func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, drop)
		return err
	})
	return errors.Join(err, d.server.Stop())
}

// keep leaves the database as it is, for a look with psql. A server that was
// started for the example runs until ctx ends, and then goes with all it has.
func (d *Database) keep(ctx context.Context) error {
	fmt.Fprintf(os.Stderr, "the database is kept: psql '%s'\n", d.URL())
	if d.foreign {
		return nil
	}
	fmt.Fprintln(os.Stderr, "press Ctrl-C to stop the server and remove it")
	<-ctx.Done()
	return d.server.Stop()
}

// WithConn runs f on a connection without the hook. It is closed at once: a
// drain would wait for it.
func WithConn(ctx context.Context, url string, f func(*pgx.Conn) error) error {
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
