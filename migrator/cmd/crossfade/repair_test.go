package main

import (
	"testing"

	"github.com/pgcrossfade/crossfade/migrator"
)

func TestRepairExplainsItself(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	s.must(exitOK, "start", s.file)
	contains(t, s.must(exitNotFound, "backfill", "users-name").stderr, "no backfill, refill or verification is under way")
	contains(t, s.must(exitRefused, "repair", "users-name").stderr, "verify between the backfill and complete")
	s.must(exitOK, "run", s.file, "--until", "shadow", "--workers", "3")
	s.db.Exec(t, "alter table users drop constraint crossfade_t1_equal")
	s.db.Exec(t, "update users set full_name = E'O''Neil\n' where id = 4; update users set name = '' where id = 700")

	const says = "users-name: in phase shadow the source is what is read, so name "
	o := s.must(exitOK, "repair", "users-name", "--dry-run", "--show-values")
	contains(t, o.stdout, says+"would be set from full_name\n",
		"  (id)   full_name   name      becomes\n", `  (4)    "O'Neil\n"  "user 4"  "O'Neil\n"`, `  (700)  "user 700"  ""        "user 700"`,
		"2 of 1,000 rows differ\n")
	o = s.must(exitOK, "repair", "users-name", "--limit", "1")
	contains(t, o.stdout, says+"is set from full_name\n", "  (id)\n  (4)\n  and 1 more\n",
		"2 of 1,000 rows differed, 2 repaired; then all 1,000 rows were equal\n")
	r := document[migrator.Repair](t, s.must(exitOK, "repair", "users-name", "-o", "json"))
	if r.Differed != 0 || r.Scanned != 1000 || r.Authority != "source" {
		t.Errorf("after it: %+v", r)
	}
	contains(t, s.must(exitOK, "status", "users-name").stdout, "repair ", "2 rows, name from full_name")
}
