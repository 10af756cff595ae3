package pgtest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// DB is a database of one test.
type DB struct {
	// URL is its connection string, which other processes can use too.
	URL string
	// Name is its name on the server.
	Name string
}

// New returns an empty database, dropped at cleanup.
func New(t testing.TB) *DB {
	t.Helper()
	return NewFrom(t, "")
}

// NewFrom returns a database in which the SQL script setup has run, dropped at
// cleanup. The script runs once for all tests that give the same one.
func NewFrom(t testing.TB, setup string) *DB {
	t.Helper()
	server := shared.get(t)
	template := "template0"
	if setup != "" {
		template = shared.templates.get(t, server, setup)
	}
	name := newName()
	if err := createDatabase(server, name, template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dropDatabase(server, name); err != nil {
			t.Error(err)
		}
	})
	return &DB{URL: server.URL(name), Name: name}
}

// Config returns the parsed URL, for the caller to change.
func (db *DB) Config(t testing.TB) *pgx.ConnConfig {
	t.Helper()
	config, err := pgx.ParseConfig(db.URL)
	if err != nil {
		t.Fatalf("parse URL of test database: %v", err)
	}
	return config
}

// Conn returns a new connection, closed at cleanup. Like any pgx.Conn it is for
// one goroutine at a time.
func (db *DB) Conn(t testing.TB) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, db.URL)
	if err != nil {
		t.Fatalf("connect to test database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
		defer cancel()
		_ = conn.Close(ctx) // the test may have closed or broken it
	})
	return conn
}

// Exec runs SQL on a connection of its own. Without args, sql may hold several
// statements.
func (db *DB) Exec(t testing.TB, sql string, args ...any) pgconn.CommandTag {
	t.Helper()
	var tag pgconn.CommandTag
	err := withConn(db.URL, func(ctx context.Context, conn *pgx.Conn) (err error) {
		tag, err = conn.Exec(ctx, sql, args...)
		return err
	})
	if err != nil {
		t.Fatalf("run SQL: %v\n%s", err, sql)
	}
	return tag
}

// WaitFor calls cond until it is true, and fails the test with what it waited
// for after a minute. Call it from the test's own goroutine.
func WaitFor(t testing.TB, what string, cond func() bool) {
	t.Helper()
	const (
		patience = time.Minute
		pause    = 5 * time.Millisecond
	)
	for deadline := time.Now().Add(patience); !cond(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}
