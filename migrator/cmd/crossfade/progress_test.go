package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// laggards are sessions that a drain waits for.
func laggards(n int) []migrator.Session {
	sessions := make([]migrator.Session, n)
	for i := range sessions {
		sessions[i] = migrator.Session{
			PID: 4711 + i, User: "app", Application: "web", Client: "10.0.0.7", State: "idle in transaction",
			Query: "update orders\n   set state = 'paid' where id = $1", Epoch: 3, Age: 4200 * time.Millisecond, InTx: true,
		}
	}
	return sessions
}

func at(step string, p migrator.Phase) migrator.StepEvent {
	return migrator.StepEvent{Position: migrator.Position{Name: "users-name", Phase: p}, Name: step}
}

func TestProgressShowsWhatIsGoingOn(t *testing.T) {
	p := newProgress(false)
	if lines := p.Lines(80, console.Style{}); lines != nil || p.Status() != "" {
		t.Errorf("something is going on before the beginning: %q", lines)
	}
	p.note(at("backfill", migrator.DualWrite))
	p.note(migrator.BatchEvent{Progress: migrator.JobProgress{
		Job: "backfill", RowsScanned: 54_000, RowsChanged: 50_000, Estimate: 100_000, Rate: 48_000,
	}})
	lines := p.Lines(80, console.Style{})
	contains(t, strings.Join(lines, "\n"), "users-name  phase dualwrite  step backfill", "54%  54,000 of 100,000 rows  48,000/s")
	contains(t, p.Status(), "working  backfill", "54%, 54,000 of 100,000 rows")

	end := at("backfill", migrator.DualWrite)
	end.Done, end.Elapsed = true, 2*time.Second
	if got := p.note(end); len(got) != 1 || !strings.HasSuffix(got[0], "in 2s, 54,000 rows, 50,000 changed") {
		t.Errorf("the end of the step: %q", got)
	}
	if p.Lines(80, console.Style{}) != nil {
		t.Error("something is going on between two steps")
	}
}

func TestProgressNamesLaggards(t *testing.T) {
	p := newProgress(false)
	p.note(at("live", migrator.Live))
	d := migrator.Drain{Transition: "users-name", From: migrator.Shadow, To: migrator.Live, Elapsed: 4 * time.Second, Waiting: laggards(7)}
	p.note(migrator.DrainEvent{Drain: d})
	lines := p.Lines(120, console.Style{})
	contains(t, strings.Join(lines, "\n"), "flip shadow -> live, 4s, waiting for 7 sessions",
		"pid 4711 web (app@10.0.0.7) idle in transaction for 4.2s: update orders set state = 'paid'", "and 2 more")
	if len(lines) != 8 {
		t.Errorf("%d lines for a block", len(lines))
	}
	contains(t, p.Status(), "waiting for 7 sessions", "pid 4715", "and 2 more")

	d.Fenced, d.Waiting = laggards(1), nil
	if got := p.note(migrator.DrainEvent{Drain: d}); len(got) != 2 || !strings.Contains(got[0], "fenced 1 idle session ") {
		t.Errorf("fenced sessions are logged as %q", got)
	}
	if got := p.note(migrator.DrainEvent{Drain: d}); got != nil {
		t.Errorf("and again: %q", got)
	}
	p.note(migrator.DrainEvent{Drain: d, Done: true})
	if text := strings.Join(p.Lines(80, console.Style{}), "\n"); strings.Contains(text, "flip") {
		t.Errorf("a drain that is over is shown: %s", text)
	}
}

func TestProgressShowsWhatWaitsForALock(t *testing.T) {
	p := newProgress(true)
	p.note(at("expand", migrator.Off))
	s := migrator.StatementEvent{SQL: "alter table t\n  add c text", Lock: "ACCESS EXCLUSIVE", Retry: 2}
	p.note(s)
	contains(t, strings.Join(p.Lines(80, console.Style{}), "\n"), "no ACCESS EXCLUSIVE lock yet, attempt 3: alter table t add c text")
	contains(t, p.Status(), "attempt 3")
	s.Done, s.Elapsed = true, 12*time.Millisecond
	if got := p.note(s); len(got) != 1 || !strings.Contains(got[0], "alter table t add c text  -- 12ms") {
		t.Errorf("verbose logs %q", got)
	}
	if len(p.Lines(80, console.Style{})) != 1 {
		t.Error("the statement is shown after its end")
	}
}

func TestJSONProgressIsThrottled(t *testing.T) {
	var out bytes.Buffer
	p := newJSONProgress(&out)
	for i := range int64(100) {
		p.Observe(migrator.BatchEvent{Progress: migrator.JobProgress{Job: "verify", RowsScanned: i}})
	}
	p.Observe(migrator.BatchEvent{Progress: migrator.JobProgress{Job: "verify", RowsScanned: 100, Finished: true}})
	if n := strings.Count(out.String(), "\n"); n < 2 || n > 50 {
		t.Errorf("%d lines of 101 batches", n)
	}
	contains(t, out.String(), `"rows_scanned":100,`)
}
