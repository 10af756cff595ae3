package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/internal/explain"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/queryplan"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/migrator"
)

// printed is what a function writes, in both styles.
func printed(t *testing.T, name string, write func(*bytes.Buffer, console.Style) error) {
	t.Helper()
	for file, style := range map[string]console.Style{name + ".txt": {}, name + ".color.txt": {Color: true}} {
		var b bytes.Buffer
		if err := write(&b, style); err != nil {
			t.Fatal(err)
		}
		golden(t, file, b.String())
	}
}

func TestPrintPlan(t *testing.T) {
	alter := migrator.PlannedStatement{
		SQL: `alter table "public"."users" add column "name" text`, Lock: "ACCESS EXCLUSIVE", On: `"public"."users"`,
		LockTimeout: 50 * time.Millisecond, StatementTimeout: 5 * time.Second,
		Hazard: "stops every statement on the table for milliseconds", Why: "the target column",
	}
	drop := migrator.PlannedStatement{SQL: "alter table t\n  drop column c", Lock: "ACCESS EXCLUSIVE", On: "t"}
	plan := migrator.Plan{
		Transition: migrator.Transition{Name: "users-name", Table: "users", Rename: &migrator.Rename{From: "full_name", To: "name"}},
		Findings: []migrator.Finding{
			{Severity: "refuse", Code: "view", Object: "view v", Message: "it depends on the source", Hint: "drop it", Refuses: true},
			{Severity: "warn", Code: "trigger", Object: "trigger x", Message: "it reads the source", Accepted: true},
			{Severity: "info", Code: "size", Object: "table users", Message: "about 1000 rows"},
		},
		Forecast: &migrator.Forecast{Rows: 1000, WALBytes: 5 << 20, GrowthBytes: 2 << 20},
		Steps: []migrator.PlannedStep{
			{Name: "expand", Phase: migrator.Off, Act: "run", Summary: "add the target column",
				Statements: []migrator.PlannedStatement{alter}, Undo: []migrator.PlannedStatement{drop}},
			{Name: "dualwrite", Phase: migrator.DualWrite, Flip: true, Act: "run", Summary: "hooked writes keep both"},
			{Name: "drop", Phase: migrator.Contracted, Act: "contract", Statements: []migrator.PlannedStatement{drop}},
		},
	}
	printed(t, "plan", func(b *bytes.Buffer, s console.Style) error { return printPlan(b, s, plan, true) })
}

func TestPrintStatus(t *testing.T) {
	began := time.Date(2026, 11, 23, 1, 2, 3, 0, time.Local)
	status := migrator.Status{
		Position: migrator.Position{Name: "users-name", Phase: migrator.Live, Step: "shadow", Underway: "live", Epoch: 7},
		Table:    "public.users", Sources: []string{"full_name"}, Targets: []string{"name"},
		Drain: &migrator.Drain{Transition: "users-name", From: migrator.Shadow, To: migrator.Live, Epoch: 7, Waiting: laggards(2)},
		Jobs: []migrator.JobProgress{
			{Job: "backfill", RowsScanned: 100_000, RowsChanged: 90_000, Finished: true, Elapsed: 2 * time.Second,
				Forecast: &migrator.Forecast{Rows: 98_000, Duration: 1900 * time.Millisecond, WALBytes: 60 << 20, GrowthBytes: 20 << 20},
				WALBytes: 55 << 20, GrowthBytes: 19 << 20},
			{Job: "verify", RowsScanned: 40_000, Estimate: 100_000, Mismatches: 3, Left: 3 * time.Second,
				Waiting: "pid 7 vacuums the table", Signals: []migrator.Signal{
					{Signal: "wal-rate", Value: 1 << 20, Limit: 256 << 20, Unit: "bytes/s"},
					{Signal: "vacuum", Value: 2.5, Limit: 900, Unit: "seconds", Holds: true},
				}},
		},
		Ramp: 25,
		Reads: &migrator.Reads{Instances: 3, Reads: ledger.Reads{Compared: 1204, Mismatched: 2, Timed: 1200, SourceSeconds: 0.372, TargetSeconds: 0.348,
			Skipped: map[string]int64{"volatile": 4, "order": 31}}},
		Mismatches: 1, LastMismatch: &migrator.Mismatch{Ago: 12 * time.Second},
		Refused: []migrator.RefusedStatement{
			{Statement: "select u from users u where id = ?", Message: "crossfade: the whole row of public.users cannot be shown", Application: "checkout",
				Count: 1200, Ago: 7200 * time.Millisecond},
			{Message: "crossfade: no", Instance: "web-1/7/0a", Count: 1, Ago: time.Hour},
		},
		Control:  migrator.Control{Rate: 5000, Actor: "me@here", ChangedAt: began},
		Sessions: []migrator.EpochSessions{{Epoch: -1, Count: 1}, {Epoch: 6, Count: 2}, {Epoch: 7, Count: 30}},
		History:  []migrator.HistoryEvent{{At: began, Epoch: 7, Actor: "me@here", Event: "move", Detail: "shadow -> live"}},
	}
	printed(t, "status", func(b *bytes.Buffer, s console.Style) error { return printStatus(b, s, status) })
	list := []migrator.Status{status, {Position: migrator.Position{Name: "b", Phase: migrator.Off}, Table: "public.orders", Sources: []string{"x"}, Targets: []string{"y"}}}
	printed(t, "status_list", func(b *bytes.Buffer, _ console.Style) error { return printStatusList(b, list) })
}

func TestPrintExplained(t *testing.T) {
	const statement = "select a\nfrom t"
	edits := []explain.Edit{{Start: 0, End: 0, Text: "with x as (select 1) "}, {Start: 7, End: 8, Text: "b as a"}}
	rewritten := "with x as (select 1) select b as a\nfrom t"
	phases := []explain.Outcome{
		{Phase: migrator.Off, Outcome: rewrite.Passed, SQL: statement},
		{Phase: migrator.Live, Outcome: rewrite.Rewritten, SQL: rewritten, Edits: edits},
		{Phase: migrator.Complete, Outcome: rewrite.Rewritten, SQL: rewritten, Edits: edits},
	}
	plan := func(skipped string, findings ...queryplan.Finding) *explain.Plan {
		return &explain.Plan{From: migrator.Shadow, To: migrator.Live, Findings: findings, Skipped: skipped}
	}
	explained := []explain.Explanation{
		{Statement: explain.Statement{SQL: statement}, Phases: phases},
		{Statement: explain.Statement{SQL: "copy t from stdin", File: "q.sql", Line: 7}, Phases: []explain.Outcome{
			{Phase: migrator.Off, Outcome: rewrite.Refused, Message: "copy is refused", Hint: "use insert", At: "q.sql:7"},
			{Phase: migrator.Live, Outcome: rewrite.Refused, Message: "copy is refused", Hint: "use insert"},
			{Phase: migrator.Complete, Outcome: rewrite.Refused, Message: "copy is refused", Hint: "use insert"},
		}},
		{Statement: explain.Statement{SQL: statement, Name: "Worse"}, Phases: phases, Plan: plan("",
			queryplan.Finding{Severity: queryplan.Error, Code: queryplan.IndexLost, Source: "Index Scan using i on t", Target: "Seq Scan on t",
				Message: "every row is read", Hint: "build an index"},
			queryplan.Finding{Severity: queryplan.Warning, Code: queryplan.Costlier, Source: "Sort (cost 1.00)", Message: "it costs more", Hint: "look"})},
		{Statement: explain.Statement{SQL: statement, Name: "Good", File: "q.sql", Line: 9}, Phases: phases, Plan: plan("")},
		{Statement: explain.Statement{SQL: statement}, Phases: phases, Plan: plan("it has no plan")},
		{Statement: explain.Statement{SQL: statement}, Phases: phases, Plan: plan("nothing has")},
	}
	printed(t, "explain", func(b *bytes.Buffer, s console.Style) error { return printExplained(b, s, explained, 3, "nothing has") })
	if highlight(console.Style{}, statement, edits) != rewritten {
		t.Error("without colours the highlighted text is not the rewritten one")
	}
}

func TestNextAfterRollback(t *testing.T) {
	t.Parallel()
	for _, p := range []migrator.Position{{Name: "x", Phase: migrator.Off, Step: "register"}, {Name: "x", Step: "register"}} {
		require.Equal(t, "next: crossfade run x, or crossfade remove x\n", next(p))
	}
	require.Contains(t, next(migrator.Position{Name: "x", Phase: migrator.Off, Step: "expand"}), "rollback x")
}
