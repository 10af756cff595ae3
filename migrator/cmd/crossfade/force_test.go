package main

import "testing"

func TestPlansAreRecordedAndForced(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	byName := "select id from users where full_name = $1"
	record := []string{"explain", "-t", "users-name", "--gate", "--record", byName}
	s.must(exitOK, "init")
	s.must(exitOK, "start", s.file)
	contains(t, s.must(exitUsage, "explain", "-t", s.file, "--record", byName).stderr, "an active transition")
	contains(t, s.must(exitRefused, record...).stderr, "nothing is recorded", "the target name does not exist yet")
	contains(t, s.must(exitOK, "status", "users-name").stdout, "plans      not compared; before live: crossfade explain -t users-name --gate --record")

	s.must(exitOK, "run", "users-name", "--until", "shadow")
	s.db.Exec(t, "drop index users_name_idx; create index users_name_idx on users (name) where id < 0")
	s.must(exitRefused, record...)
	contains(t, s.must(exitOK, "status", "users-name").stdout, "1 statement compared at ", ", 1 get worse")
	o := s.must(exitRefused, "run", "users-name", "--until", "live")
	contains(t, o.stderr, `transition "users-name", gate plan-regression: 1 of 1 statements would get a worse plan`,
		"or accept it: --force plan-regression --reason '...'")
	contains(t, s.must(exitUsage, "run", "users-name", "--until", "live", "--force", "plan-regression").stderr, "without a reason")
	contains(t, s.must(exitUsage, "advance", "users-name", "--force", "verified", "--reason", "x").stderr, "keeps rows from being lost")
	s.must(exitOK, "run", "users-name", "--until", "live", "--force", "plan-regression", "--reason", "rarely asked")
	contains(t, s.must(exitOK, "status", "users-name").stdout, "shadow -> live, gate plan-regression forced: rarely asked")
}
