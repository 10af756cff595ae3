package main

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestWriters(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	contains(t, s.must(exitNotFound, "writers", "users-name").stderr, "no such transition")
	s.file = writeFile(t, "sync.yaml", "name: users-name\ntable: users\nrename: {from: full_name, to: name}\nsync: trigger\n")
	s.must(exitOK, "run", s.file)
	contains(t, s.must(exitOK, "writers", "users-name").stdout, "users-name: nobody without the hook has been seen")

	config := s.db.Config(t)
	config.RuntimeParams["application_name"] = "nightly"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err == nil {
		_, err = conn.Exec(t.Context(), "update users set full_name = 'x' where id = 1")
	}
	if err != nil {
		t.Fatal(err)
	}
	contains(t, s.must(exitOK, "writers", "users-name").stdout, "ROLE", "nightly", "connected without the hook:", "pid ")
	found := document[migrator.Writers](t, s.must(exitOK, "writers", "users-name", "-o", "json"))
	if len(found.Seen) != 1 || found.Seen[0].Sessions != 1 || len(found.Connected) != 1 {
		t.Errorf("writers: %+v", found)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	contains(t, s.must(exitRefused, "contract", "users-name", "--yes", "--no-snapshot").stderr, "nightly")
	pgtest.WaitFor(t, "the session to end", func() bool {
		return len(document[migrator.Writers](t, s.must(exitOK, "writers", "users-name", "-o", "json")).Connected) == 0
	})
	s.must(exitOK, "contract", "users-name", "--yes", "--no-snapshot", "--writers-quiet", "1ns")
}
