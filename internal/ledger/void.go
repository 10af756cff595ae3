package ledger

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// VoidVerification puts a finished verification that found differences in the
// place of the last one, with an event of it, in one transaction: no read goes to
// the target before somebody has repaired the rows, or verified them again.
func VoidVerification(ctx context.Context, db Conn, t Transition, found Progress, e Event) error {
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		found.Job, found.Epoch, found.Upper = Verify, t.Epoch, nil
		if err := StartProgress(ctx, tx, t.ID, found, 0); err != nil {
			return err
		}
		w := Worker{Name: e.Actor}
		if err := w.Join(ctx, tx, t.ID, Verify); err != nil {
			return err
		}
		if err := w.After(found, "", nil).Save(ctx, tx); err != nil {
			return err
		}
		if err := FinishProgress(ctx, tx, t.ID, Verify); err != nil {
			return err
		}
		return Record(ctx, tx, t, e)
	})
	if err != nil {
		return fmt.Errorf("void the verification of %q: %w", t.Name, err)
	}
	return nil
}
