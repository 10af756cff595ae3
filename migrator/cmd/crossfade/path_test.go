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
	golden(t, "plan.txt", s.must(exitOK, "plan", s.file).stdout)
	contains(t, s.must(exitNotFound, "start", s.file).stderr, "crossfade init")

	golden(t, "init.txt", s.must(exitOK, "init").stdout)
	golden(t, "status_none.txt", s.must(exitOK, "status").stdout)
	golden(t, "start.txt", s.must(exitOK, "start", s.file).stdout)
	golden(t, "status_list.txt", s.must(exitOK, "status").stdout)

	advance := s.must(exitOK, "advance", "users-name")
	golden(t, "advance.txt", advance.stdout)
	contains(t, advance.stderr, "done     expand")
	golden(t, "run_live.txt", s.must(exitOK, "run", "users-name", "--until", "live").stdout)
	golden(t, "verify.txt", s.must(exitOK, "verify", "users-name").stdout)
	golden(t, "rollback.txt", s.must(exitOK, "rollback", "users-name", "--to", "dualwrite").stdout)

	run := s.must(exitOK, "run", s.file)
	golden(t, "run.txt", run.stdout)
	contains(t, run.stderr, "1,000 rows")
	golden(t, "status.txt", s.must(exitOK, "status", "users-name").stdout)

	refused := s.must(exitUsage, "contract", "users-name")
	contains(t, refused.stderr, "drops column full_name of table public.users", "--yes")
	contract := s.must(exitOK, "contract", "users-name", "--yes")
	golden(t, "contract.txt", contract.stdout)
	contains(t, contract.stderr, "point of no return: this drops column full_name of table public.users.")

	contains(t, s.must(exitRefused, "rollback", "users-name").stderr, "point of no return", "hint: ")
	golden(t, "remove.txt", s.must(exitOK, "remove", "users-name").stdout)
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

	run := s.must(exitOK, "run", s.file, "--until", "contracted", "--yes", "-o", "json")
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
	if status.Phase != migrator.Contracted || status.Source != "full_name" || len(status.History) == 0 {
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
