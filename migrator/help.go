package migrator

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// Worker is one of those who work at a scan: Name (user@host) and PID of his session,
// what he has done (RowsScanned, RowsChanged, Mismatches), where his last batch ended
// (Part, Position) and when (BatchAt), and whether his session is there (Alive).
type Worker = ledger.Worker

// ErrNothingToHelp: no scan of the transition is under way.
var ErrNothingToHelp = errors.New("no backfill, refill or verification is under way")

// Help works at the scan of a transition that is under way, beside the migrator
// that began it and others who help, and returns when nothing is left to take.
// It may be called in any number of processes, and be ended at any instruction:
// what it had in hand others take up. It needs the rights to update the table, and
// to write the ledger. Without a scan that is under way it returns
// ErrNothingToHelp.
func (m *Migrator) Help(ctx context.Context, name string) (p JobProgress, err error) {
	err = m.look(ctx, func(s *session) error {
		if err := ledger.Check(ctx, s.conn); err != nil {
			return err
		}
		w, err := s.begin(ctx, name)
		if err != nil {
			return err
		}
		job, token, err := w.jobUnderWay(ctx)
		if err != nil {
			return err
		}
		return w.act(string(job), func() error {
			progress, err := w.scan(ctx, job, func(o sweep.Options) (ledger.Progress, error) {
				o.Join, o.Token = true, token
				if job == ledger.Verify {
					return sweep.Compare(ctx, w.conn, o)
				}
				return sweep.Copy(ctx, w.conn, o)
			})
			p = jobProgress(progress)
			if errors.Is(err, sweep.ErrNoJob) {
				err = fmt.Errorf("help %q: %w any more", name, ErrNothingToHelp)
			}
			return err
		})
	})
	return p, err
}

// jobUnderWay finds the scan that has begun in this phase and is not finished,
// and what permits its batches.
func (w *work) jobUnderWay(ctx context.Context) (ledger.Job, string, error) {
	for _, job := range []ledger.Job{ledger.Backfill, ledger.Refill, ledger.Verify} {
		p, found, err := ledger.GetProgress(ctx, w.conn, w.t.ID, job)
		if err != nil {
			return "", "", err
		}
		if !found || p.Finished() || p.Epoch < w.t.Epoch {
			continue
		}
		if job == ledger.Verify {
			return job, "", nil
		}
		token, err := ledger.Permission(ctx, w.conn, *w.t, job)
		if err != nil || token != "" {
			return job, token, err
		}
	}
	return "", "", fmt.Errorf("help %q: %w", w.t.Name, ErrNothingToHelp)
}
