package migrator

import (
	"context"
	"fmt"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// RepairOptions says what Repair does and shows.
type RepairOptions struct {
	// DryRun: look, and change nothing.
	DryRun bool
	// ShowValues puts the values of rows into the result; without it there are
	// their keys only.
	ShowValues bool
	// Limit is how many rows are listed; all are repaired. 0 means 1000.
	Limit int
}

// Repair is what Repair found and did.
type Repair struct {
	Transition string `json:"transition"`
	Phase      Phase  `json:"phase"`
	DryRun     bool   `json:"dry_run,omitempty"`
	// Authority is the side that is read in this phase, "source" or "target": the
	// other one is set from it.
	Authority string `json:"authority"`
	// From and To are the columns of the authority, and those that are set.
	From []string `json:"from"`
	To   []string `json:"to"`
	// Scanned rows were looked at, Differed were found, Repaired were set.
	Scanned  int64 `json:"scanned"`
	Differed int64 `json:"differed"`
	Repaired int64 `json:"repaired"`
	// Key names the columns of the primary key, Rows lists what was found.
	Key  []string    `json:"key"`
	Rows []RepairRow `json:"rows,omitempty"`
	// Verification is the comparison of all rows after the repair; nil when there
	// was none.
	Verification *Verification `json:"verification,omitempty"`
}

// RepairRow is a row in which the sides differed. Its values are there with
// RepairOptions.ShowValues, as text; nil is NULL.
type RepairRow struct {
	Key []string `json:"key"`
	// From and To are the values before the repair, Becomes those that To gets.
	From    []*string `json:"from,omitempty"`
	To      []*string `json:"to,omitempty"`
	Becomes []*string `json:"becomes,omitempty"`
}

// Repair puts right the rows in which source and target differ, in a phase that
// keeps both and after the backfill: the side that is read in this phase is the
// authority, and the other one is set from it, from the row as it is when it is
// locked. Then it compares all rows again; differences are a *MismatchError. What
// made them differ is still there: a writer without the hook, a trigger, a job.
func (m *Migrator) Repair(ctx context.Context, name string, o RepairOptions) (r Repair, err error) {
	if o.Limit <= 0 {
		o.Limit = 1000
	}
	_, err = m.work(ctx, name, func(w *work) error {
		w.step = step{name: string(ledger.Repair)}
		if err := w.verifiable(); err != nil {
			return err
		}
		return w.act(string(ledger.Repair), func() error {
			r, err = w.repairRows(ctx, o)
			if err != nil || o.DryRun {
				return err
			}
			return w.verifyRepair(ctx, &r)
		})
	})
	return r, err
}

// repairRows is the walk. It always begins anew, so it keeps no progress.
func (w *work) repairRows(ctx context.Context, o RepairOptions) (r Repair, err error) {
	d := w.t.Definition
	r = Repair{Transition: w.t.Name, Phase: w.t.Phase, DryRun: o.DryRun, Authority: string(phase.Source),
		From: d.SourceNames(), To: d.TargetNames(), Key: d.Key}
	job := ledger.Backfill
	if w.t.Phase.Behaviour().Read == phase.Target {
		job, r.Authority, r.From, r.To = ledger.Refill, string(phase.Target), r.To, r.From
	}
	options := w.sweepOptions(ledger.Repair)
	options.Reverse = job == ledger.Refill
	if !o.DryRun {
		if options.Token, err = w.permit(ctx, job); err != nil {
			return r, err
		}
	}
	if err := w.forget(ctx, ledger.Repair); err != nil {
		return r, err
	}
	p, err := sweep.Repair(ctx, w.conn, options, func(d sweep.Difference) {
		if len(r.Rows) < o.Limit {
			r.Rows = append(r.Rows, repairRow(d, options.Reverse, o.ShowValues))
		}
	})
	r.Scanned, r.Differed, r.Repaired = p.RowsScanned, p.Mismatches, p.RowsChanged
	if r.Repaired > 0 { // also of a walk that was broken off
		if recordErr := w.recordRepair(ctx, r, p.Samples); err == nil {
			err = recordErr
		}
	}
	if err != nil {
		return r, err
	}
	if err := w.forget(ctx, ledger.Repair); err != nil || o.DryRun || job == ledger.Backfill {
		return r, err
	}
	return r, w.forbid(ctx, ledger.Refill)
}

func repairRow(d sweep.Difference, reverse, values bool) RepairRow {
	row := RepairRow{Key: d.Key}
	if values {
		row.From, row.To, row.Becomes = d.Sources, d.Targets, d.Becomes
		if reverse {
			row.From, row.To = d.Targets, d.Sources
		}
	}
	return row
}

func (w *work) recordRepair(ctx context.Context, r Repair, keys [][]string) error {
	e := w.event("repair", fmt.Sprintf("%d rows, %s from %s", r.Repaired, strings.Join(r.To, ", "), strings.Join(r.From, ", ")))
	e.Evidence = map[string]any{"authority": r.Authority, "scanned": r.Scanned, "differed": r.Differed, "repaired": r.Repaired, "keys": keys}
	ctx = context.WithoutCancel(ctx)
	return w.transaction("record the repair", func() error { return ledger.Record(ctx, w.conn, *w.t, e) })
}

// verifyRepair compares all rows again, if it found any that differed, or if the
// last comparison did.
func (w *work) verifyRepair(ctx context.Context, r *Repair) error {
	p, _, err := ledger.GetProgress(ctx, w.conn, w.t.ID, ledger.Verify)
	if err != nil || r.Differed == 0 && (!p.Finished() || p.Mismatches == 0) {
		return err
	}
	if err := w.forget(ctx, ledger.Verify); err != nil {
		return err
	}
	v, err := w.compare(ctx)
	r.Verification = &v
	return err
}
