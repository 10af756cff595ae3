package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/pgcrossfade/crossfade/examples/internal/example"
	"github.com/pgcrossfade/crossfade/internal/console"
)

// report is what happened. As JSON it is the last line of the output.
type report struct {
	example.Verdict

	Statements       int64   `json:"statements"`
	StatementsPerS   float64 `json:"statements_per_s"`
	CheckedWrites    int64   `json:"checked_writes"`
	CheckedReads     int64   `json:"checked_reads"`
	StaleRetries     int64   `json:"stale_retries"`
	Refused          int64   `json:"refused"`
	LongestStallMS   float64 `json:"longest_stall_ms"`
	StalledOn        string  `json:"stalled_on"`
	Flips            int     `json:"flips"`
	FirstDrainMS     float64 `json:"first_drain_ms"`
	SlowestDrainMS   float64 `json:"slowest_drain_ms"`
	BackfilledRows   int64   `json:"backfilled_rows"`
	BackfillRowsPerS float64 `json:"backfill_rows_per_s"`
	RefilledRows     int64   `json:"refilled_rows"` // from the target, on the way back
	VerifiedRows     int64   `json:"verified_rows"`
	AuditedRows      int64   `json:"audited_rows"`

	// Sync is what was done about the process without the hook, LegacyWrites what
	// it has written, LegacyLeftIn the phase in which it had to end; with -sync
	// logical also how far the tail was behind, and the time from the end of that
	// process until the columns were the same in all rows.
	Sync         string  `json:"sync"`
	LegacyWrites int64   `json:"legacy_writes"`
	LegacyLeftIn string  `json:"legacy_left_in"`
	TailLagMS    float64 `json:"tail_lag_ms"`
	ConvergedMS  float64 `json:"converged_ms"`

	Rows       int     `json:"rows"`
	Apps       int     `json:"apps"`
	Phase      string  `json:"phase"`
	Seconds    float64 `json:"seconds"`
	PostgreSQL string  `json:"postgresql"`
}

func (m *migration) report(version string, took time.Duration, reached bool) *report {
	m.watch.mu.Lock()
	defer m.watch.mu.Unlock()
	sum := m.fleet.totals()
	_, backfilled, backfillTook := m.watch.scanned("backfill")
	_, refilled, _ := m.watch.scanned("refill")
	verified, _, _ := m.watch.scanned("verify")
	r := &report{
		Verdict: example.Verdict{
			Errors:        sum.Errors,
			LostUpdates:   m.audit.lostUpdates,
			WrongReads:    sum.WrongReads,
			DivergentRows: int64(len(m.audit.divergent)),
			Unexplained:   m.audit.unexplained,
		},

		Statements:       sum.Statements,
		StatementsPerS:   rate(sum.Statements, took),
		CheckedWrites:    sum.Writes,
		CheckedReads:     sum.Reads,
		StaleRetries:     sum.StaleRetries,
		Refused:          sum.Refused,
		LongestStallMS:   example.MS(sum.LongestStall),
		StalledOn:        strings.Join(strings.Fields(sum.StalledOn), " "),
		Flips:            len(m.watch.flips),
		FirstDrainMS:     example.MS(m.watch.first),
		SlowestDrainMS:   example.MS(m.watch.slowestDrain()),
		BackfilledRows:   backfilled,
		BackfillRowsPerS: rate(backfilled, backfillTook),
		RefilledRows:     refilled,
		VerifiedRows:     verified,
		AuditedRows:      m.audit.rows,

		Sync:         m.options.sync,
		LegacyLeftIn: m.legacyLeft,
		TailLagMS:    example.MS(m.lag),
		ConvergedMS:  example.MS(m.converged),

		Rows:       m.options.rows,
		Apps:       m.options.apps,
		Phase:      string(m.phase),
		Seconds:    math.Round(took.Seconds()*10) / 10,
		PostgreSQL: version,
	}
	if m.legacy != nil {
		r.LegacyWrites = m.legacy.count().Writes
	}
	r.OK = reached && !r.Damage()
	return r
}

// tail says how the tail did.
func (r *report) tail() string {
	if r.Sync != syncLogical {
		return ""
	}
	return fmt.Sprintf("\n  tail                %8.0f   ms behind at most; all was the same %.0f ms after that end", r.TailLagMS, r.ConvergedMS)
}

func rate(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return math.Round(float64(n) / d.Seconds())
}

// print writes the report in words, and as JSON on the last line.
func (r *report) print(w io.Writer) {
	count := console.Count
	fmt.Fprintf(w, `
In %.1f s, %d processes ran %s statements (%s a second), while users.full_name
became users.name in phase %s, on PostgreSQL %s.

  application errors  %8s   %s of them refused by the hook
  lost updates        %8s   of %s writes, in %s rows
  wrong reads         %8s   of %s values read
  divergent rows      %8s   with columns that differ where both are kept
  unexplained rows    %8s   that nobody has written

  flips               %8d   slowest drain %.0f ms (the first of all: %.0f ms)
  stale retries       %8s   statements that came too late and were repeated
  longest stall       %8.0f   ms: %s
  backfilled          %8s   rows, %s a second; refilled on the way back: %s
  verified            %8s   rows
  without the hook    %8s   writes of one process (-sync %s; it ended: %s)%s

`,
		r.Seconds, r.Apps, count(r.Statements), count(int64(r.StatementsPerS)), r.Phase, r.PostgreSQL,
		count(r.Errors), count(r.Refused),
		count(r.LostUpdates), count(r.CheckedWrites), count(r.AuditedRows),
		count(r.WrongReads), count(r.CheckedReads),
		count(r.DivergentRows), count(r.Unexplained),
		r.Flips, r.SlowestDrainMS, r.FirstDrainMS,
		count(r.StaleRetries), r.LongestStallMS, r.StalledOn,
		count(r.BackfilledRows), count(int64(r.BackfillRowsPerS)), count(r.RefilledRows),
		count(r.VerifiedRows), count(r.LegacyWrites), r.Sync, r.LegacyLeftIn, r.tail())
	r.Verdict.Print(w, r)
}
