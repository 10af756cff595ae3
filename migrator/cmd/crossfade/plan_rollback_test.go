package main

import (
	"testing"

	"github.com/pgcrossfade/crossfade/migrator"
)

func TestPlanRollback(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	contains(t, s.must(exitOK, "plan", "--rollback", s.file).stdout, "the way back, before it has begun", "point of no return: step contracted",
		"from phase complete", "undo release", "time: unknown", `update "public"."users" set "full_name" = "name"`, "lost: columns name; every value of theirs stands in full_name too")
	contains(t, s.must(exitUsage, "plan", "users-name").stderr, "--rollback")
	s.must(exitNotFound, "plan", "--rollback", "users-name")
	s.must(exitOK, "init")
	contains(t, s.must(exitNotFound, "plan", "--rollback", "users-name").stderr, "hint: ")
	s.must(exitOK, "run", s.file, "--until", "live")
	contains(t, s.must(exitOK, "plan", "--rollback", "users-name").stdout, "the way back, from phase live", "undo complete  (it has not come so far)", "in all: about ")
	p := document[migrator.RollbackPlan](t, s.must(exitOK, "plan", "--rollback", "users-name", "-o", "json"))
	if p.NoReturn != "contracted" || p.Position == nil || len(p.Steps) == 0 {
		t.Errorf("the plan is %+v", p)
	}
	missing := writeFile(t, "missing.yaml", "name: m\ntable: users\nrename: {from: nick, to: name}\n")
	contains(t, s.must(exitRefused, "plan", "--rollback", missing).stderr, "hint: see what stands in the way: crossfade plan "+missing)
}
