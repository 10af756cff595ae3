package main

import (
	"testing"

	"github.com/pgcrossfade/crossfade/migrator"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	contains(t, s.must(exitNotFound, "check", s.file).stderr, "crossfade init")
	s.must(exitOK, "init")
	contains(t, s.must(exitOK, "check").stdout, "nothing to wait for")
	contains(t, s.must(exitNotFound, "check", s.file).stderr, "users-name: nobody has started it", "hint: start it before the rollout")

	conn := s.db.Conn(t) // a session without the hook: the first drain waits for it
	s.must(exitWaiting, "start", s.file, "--drain-timeout", "50ms")
	contains(t, s.must(exitWaiting, "check", s.file, "--wait", "20ms").stderr, "first drain has not drained yet, 1 sessions are waited for; no migrator is at work", "hint: wait")
	s.must(exitWaiting, "check")
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.must(exitOK, "start", s.file)
	s.must(exitOK, "check", s.file)
	s.must(exitOK, "check", "users-name")
	contains(t, s.must(exitWaiting, "check", s.file, "--phase", "users-name=dualwrite").stderr, "it is in phase off, before dualwrite")

	s.must(exitOK, "run", s.file, "--until", "dualwrite")
	s.must(exitOK, "check", "--phase", "users-name=dualwrite")
	s.must(exitOK, "check", "--phase", "users-name=off")
	// The gravest counts.
	o := s.must(exitNotFound, "check", "--phase", "users-name=live,nobody=off", "--wait", "1ms", s.file)
	contains(t, o.stderr, "before live", "nobody: nobody has started it")
}

func TestCheckOfWhatFailed(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	s.must(exitOK, "start", s.file)
	other := writeFile(t, "other.yaml", "name: users-name\ntable: users\nrename: {from: email, to: mail}\n")
	contains(t, s.must(exitRefused, "check", other).stderr, "is another one than the file's")
	s.db.Exec(t, "update crossfade.transition set underway = 'expand'") // as a migrator leaves it that was killed
	contains(t, s.must(exitRefused, "check", "users-name").stderr, "step expand stopped half way", "hint: run it again")
	s.must(exitOK, "rollback", "users-name")
	s.must(exitOK, "check", "users-name")

	index := writeFile(t, "index.yaml", "name: mails\ntable: users\nadd_index: {name: users_email, on: (email)}\n")
	s.must(exitOK, "start", index)
	contains(t, s.must(exitWaiting, "check", index).stderr, "its steps are not all done")
	s.must(exitOK, "run", index)
	list := document[[]migrator.Checked](t, s.must(exitOK, "check", index, "users-name", "-o", "json"))
	if len(list) != 2 || list[0].Readiness != migrator.Ready || list[0].Position.Step != "build" {
		t.Errorf("checked: %+v", list)
	}
	s.must(exitOK, "remove", "mails")
	s.must(exitOK, "check", index) // it is over, and what it made stays
	s.must(exitOK, "remove", "users-name")
	contains(t, s.must(exitNotFound, "check", s.file).stderr, "rolled back and removed")
}

func TestCheckUsage(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"users-name", "users-name=nowhere"} {
		contains(t, bare(t, "check", "--phase", phase).stderr, "is not NAME=PHASE", "dualwrite")
	}
}
