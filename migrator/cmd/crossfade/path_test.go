package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/pgcrossfade/crossfade/migrator"
)

func TestWholePath(t *testing.T) {
	t.Parallel()
	s := newShell(t)

	// A plan needs no ledger.
	contains(t, s.must(exitOK, "plan", s.file, "-v").stdout, "column full_name becomes name", "expand  in phase off",
		"backfill: about 1,000 rows; up to ", "lock ACCESS EXCLUSIVE on", "hazard: ", "to undo it:", "point of no return: contract")
	contains(t, s.must(exitNotFound, "start", s.file).stderr, "crossfade init")

	contains(t, s.must(exitOK, "init").stdout, "the ledger is ready (schema crossfade, version ")
	contains(t, s.must(exitOK, "status").stdout, "no transitions")
	contains(t, s.must(exitOK, "start", s.file).stdout, "users-name is in phase off, after step register\n")
	contains(t, s.must(exitOK, "status").stdout, "NAME        TABLE         SOURCE     TARGET", "users-name  public.users  full_name  name    off ")

	advance := s.must(exitOK, "advance", "users-name")
	contains(t, advance.stdout, "users-name is in phase off, after step expand\n")
	contains(t, advance.stderr, "done     expand")
	live := s.must(exitOK, "run", "users-name", "--until", "live")
	contains(t, live.stdout, "users-name is in phase live")
	contains(t, live.stderr, "done     backfill ", "1,000 rows, 1,000 changed", "1,000 rows (foreseen: 1,000), ", "WAL of the server ")
	contains(t, s.must(exitOK, "verify", "users-name").stdout, "users-name: full_name and name are equal in all 1,000 rows\n")
	contains(t, s.must(exitOK, "rollback", "users-name", "--to", "dualwrite").stdout, "users-name is in phase dualwrite")

	contains(t, s.must(exitOK, "run", s.file).stdout, "users-name is in phase complete", "next, after a soak: crossfade contract users-name\n")
	contains(t, s.must(exitOK, "status", "users-name").stdout, "table public.users, column full_name becomes name", "phase      complete", "backfill   1,000 rows, 1,000 changed, finished in", "history:")

	refused := s.must(exitUsage, "contract", "users-name")
	contains(t, refused.stderr, "drops column full_name of table public.users", "--yes", "--snapshot")
	contains(t, s.must(exitUsage, "contract", "users-name", "--yes").stderr, "--snapshot", "--no-snapshot", "--yes does not say that")
	s.must(exitUsage, "contract", "users-name", "--yes", "--snapshot", "x", "--no-snapshot")
	contains(t, s.must(exitOK, "status", "users-name").stdout, "phase      complete")
	contract := s.must(exitOK, "contract", "users-name", "--yes", "--snapshot", "rds:shop-monday")
	contains(t, s.must(exitOK, "status", "users-name", "--events", "50").stdout, "snapshot", "rds:shop-monday")
	contains(t, contract.stdout, "users-name is in phase contracted", "next")
	contains(t, contract.stderr, "point of no return: this drops column full_name of table public.users.")

	contains(t, s.must(exitRefused, "rollback", "users-name").stderr, "point of no return", "hint: ")
	contains(t, s.must(exitOK, "remove", "users-name").stdout, "users-name is removed\n")
	s.must(exitNotFound, "status", "users-name")
}

func TestWholePathInJSON(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	version := document[struct{ Version int }](t, s.must(exitOK, "init", "-o", "json"))
	if version.Version < 1 {
		t.Errorf("ledger version %d", version.Version)
	}
	plan := document[migrator.Plan](t, s.must(exitOK, "plan", s.file, "-o", "json"))
	if plan.Refused() || len(plan.Steps) < 5 || plan.Transition.Name != "users-name" {
		t.Errorf("plan: %+v", plan)
	}
	if list := document[[]migrator.Status](t, s.must(exitOK, "status", "-o", "json")); list == nil || len(list) > 0 {
		t.Errorf("status of nothing: %v", list)
	}

	run := s.must(exitOK, "run", s.file, "--until", "contracted", "--yes", "--no-snapshot", "-o", "json")
	if position := document[migrator.Position](t, run); position.Phase != migrator.Contracted {
		t.Errorf("position after run: %+v", position)
	}
	kinds := map[string]int{}
	for _, event := range events(t, run) {
		kinds[event["event"].(string)]++
		if event["at"] == nil {
			t.Errorf("no time in %v", event)
		}
	}
	for _, kind := range []string{"step", "statement", "drain", "batch"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s among the events: %v", kind, kinds)
		}
	}
	status := document[migrator.Status](t, s.must(exitOK, "status", "users-name", "-o", "json"))
	if status.Phase != migrator.Contracted || names(status.Sources) != "full_name" || len(status.History) == 0 {
		t.Errorf("status: %+v", status)
	}
	quiet := s.must(exitOK, "remove", "users-name", "-o", "json", "-q")
	if quiet.stderr != "" {
		t.Errorf("quiet wrote to stderr: %s", quiet.stderr)
	}
}

// canceller is a stderr that ends a context when a text is written to it.
type canceller struct {
	bytes.Buffer
	when   string
	cancel context.CancelFunc
}

func (c *canceller) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.when) {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

func TestInterruptedRunContinues(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr := &canceller{when: `"event":"batch"`, cancel: cancel}
	var stdout bytes.Buffer
	code := Main(ctx, []string{"run", s.file, "-o", "json", "--database-url", s.db.URL}, strings.NewReader(""), &stdout, stderr)
	if code != exitInterrupted {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	contains(t, stderr.String(), `"kind":"interrupted"`, "continues")
	if stdout.Len() > 0 {
		t.Errorf("a result in spite of all: %s", &stdout)
	}
	s.must(exitOK, "run", s.file)
}
