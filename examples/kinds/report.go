package main

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/pgcrossfade/crossfade/examples/internal/example"
	"github.com/pgcrossfade/crossfade/internal/console"
)

// report is what happened. As JSON it is the last line of the output.
type report struct {
	example.Verdict

	Statements     int64   `json:"statements"`
	StatementsPerS float64 `json:"statements_per_s"`
	CheckedWrites  int64   `json:"checked_writes"`
	CheckedReads   int64   `json:"checked_reads"`
	StaleRetries   int64   `json:"stale_retries"`
	Refused        int64   `json:"refused"`
	LongestStallMS float64 `json:"longest_stall_ms"`
	LongestHeldMS  float64 `json:"longest_held_ms"` // of that, while a column took its final name
	Flips          int     `json:"flips"`
	SlowestDrainMS float64 `json:"slowest_drain_ms"`
	BackfilledRows int64   `json:"backfilled_rows"`
	RefilledRows   int64   `json:"refilled_rows"` // from the targets, on the way back
	VerifiedRows   int64   `json:"verified_rows"`
	AuditedRows    int64   `json:"audited_rows"` // all of them by both names

	Rows        int               `json:"rows"`
	Transitions int               `json:"transitions"`
	Phases      map[string]string `json:"phases"`
	Seconds     float64           `json:"seconds"`
	PostgreSQL  string            `json:"postgresql"`
}

func (m *migration) report(version string, took time.Duration, reached bool) *report {
	sum := m.traffic.sum()
	flips, slowest := m.watch.slowestDrain()
	_, backfilled := m.watch.scanned("backfill")
	_, refilled := m.watch.scanned("refill")
	verified, _ := m.watch.scanned("verify")
	r := &report{
		Verdict: example.Verdict{
			Errors: sum.Errors, LostUpdates: m.audit.lost, WrongReads: sum.WrongReads,
			DivergentRows: m.audit.divergent, Unexplained: m.audit.unexplained,
		},

		Statements: sum.Statements, StatementsPerS: math.Round(float64(sum.Statements) / took.Seconds()),
		CheckedWrites: sum.Writes, CheckedReads: sum.Reads, StaleRetries: sum.Stale, Refused: sum.Refused,
		LongestStallMS: example.MS(sum.LongestStall), LongestHeldMS: example.MS(sum.LongestHeld), Flips: flips, SlowestDrainMS: example.MS(slowest),
		BackfilledRows: backfilled, RefilledRows: refilled, VerifiedRows: verified, AuditedRows: m.audit.audited,

		Rows: m.options.rows, Transitions: len(moves), Phases: m.watch.phases(),
		Seconds: math.Round(took.Seconds()*10) / 10, PostgreSQL: version,
	}
	r.OK = reached && !r.Damage()
	return r
}

// print writes the report in words, and as JSON on the last line.
func (r *report) print(w io.Writer) {
	count := console.Count
	fmt.Fprintf(w, `
In %.1f s, %d transitions of one table went side by side, while its application ran
%s statements (%s a second) by the old names and the new, on PostgreSQL %s.

  application errors  %8s   %s of them refused by the hook
  lost updates        %8s   of %s writes; rows read at the end, by both names: %s
  wrong reads         %8s   of %s compared
  divergent rows      %8s   with sides at odds where both are kept
  unexplained rows    %8s   that nobody has written

  flips               %8d   slowest drain %.0f ms
  stale retries       %8s   statements that came too late and were repeated
  longest stall       %8.0f   ms; while a column took its final name: %.0f ms
  backfilled          %8s   rows; refilled on the way back: %s
  verified            %8s   rows

`,
		r.Seconds, r.Transitions, count(r.Statements), count(int64(r.StatementsPerS)), r.PostgreSQL,
		count(r.Errors), count(r.Refused),
		count(r.LostUpdates), count(r.CheckedWrites), count(r.AuditedRows),
		count(r.WrongReads), count(r.CheckedReads),
		count(r.DivergentRows), count(r.Unexplained),
		r.Flips, r.SlowestDrainMS, count(r.StaleRetries), r.LongestStallMS, r.LongestHeldMS,
		count(r.BackfilledRows), count(r.RefilledRows), count(r.VerifiedRows))
	r.Verdict.Print(w, r)
}
