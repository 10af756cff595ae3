package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// SetRamp changes how many of 100 connections read the targets in phase live, with
// an event of it, and tells those who listen; neither epoch nor phase change. The
// same ramp as before is not recorded again. ErrMoved: the transition has left the
// phase of t, or was removed.
func SetRamp(ctx context.Context, db Conn, t *Transition, percent int, e Event) error {
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error { return setRamp(ctx, tx, *t, percent, e) })
	if err != nil {
		return fmt.Errorf("set the ramp of %q: %w", t.Name, err)
	}
	t.Ramp = percent
	return nil
}

func setRamp(ctx context.Context, tx pgx.Tx, t Transition, percent int, e Event) error {
	var before, epoch int
	err := tx.QueryRow(ctx, `select t.ramp, e.epoch from crossfade.transition t, crossfade.epoch e
		where t.id = $1 and t.epoch = $2 and t.removed_at is null for update of t`, t.ID, t.Epoch).Scan(&before, &epoch)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrMoved
	}
	if err != nil || before == percent {
		return err
	}
	if _, err := tx.Exec(ctx, `update crossfade.transition set ramp = $2 where id = $1`, t.ID, percent); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `select pg_notify($1, $2::text)`, Channel, fmt.Sprint(epoch)); err != nil {
		return err
	}
	return Record(ctx, tx, t, e)
}
