package main

import (
	"strings"
	"testing"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestTail(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.file = writeFile(t, "sync.yaml", "name: users-name\ntable: users\nrename: {from: full_name, to: name}\nsync: logical\n")
	s.must(exitOK, "init")
	contains(t, s.must(exitOK, "plan", s.file).stdout, "pg_create_logical_replication_slot", "pg_logical_emit_message", "drop publication")
	s.must(exitOK, "start", s.file)
	contains(t, s.must(exitUsage, "tail", "--renew").stderr, "NAME")
	contains(t, s.must(exitRefused, "tail", "users-name", "--renew").stderr, "between the steps sync and unsync")
	for range 4 { // expand, dualwrite, sync, backfill
		s.must(exitOK, "advance", "users-name")
	}
	legacy := s.db.Conn(t)
	if _, err := legacy.Exec(t.Context(), `update users set full_name = 'legacy' where id = 7`); err != nil {
		t.Fatal(err)
	}
	contains(t, s.must(exitOK, "status", "users-name").stdout, "slot crossfade_", "reserved", "nobody follows it")
	var writers string
	pgtest.WaitFor(t, "the row to be put right", func() bool {
		contains(t, s.must(exitWaiting, "run", "users-name", "--drain-timeout", "300ms").stderr, "barrier", "no hook")
		writers = s.must(exitOK, "writers", "users-name").stdout
		return strings.Contains(writers, "put right")
	})
	contains(t, writers, "1 half-written row put right", "key (7), transaction", "connected without the hook")
	if err := legacy.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	contains(t, s.must(exitOK, "tail", "users-name", "--renew").stdout, "after step sync")
	contains(t, s.must(exitOK, "run", "users-name").stdout, "complete")
	contains(t, s.must(exitOK, "tail", "users-name").stdout, "nothing needs to be followed")
	status := document[migrator.Status](t, s.must(exitOK, "status", "users-name", "-o", "json"))
	if tail := status.Tail; tail == nil || tail.Slot != "" || tail.BarrierAt == nil {
		t.Errorf("tail: %+v", tail)
	}
}
