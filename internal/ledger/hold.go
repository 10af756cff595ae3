package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// A held flip is for two phases that cannot be in force at once: a column has
// one name at a time. Its migrator says so for a short while, by Hold, and
// connections that open meanwhile wait before they join; those that are open
// leave as after any flip. Then the phases change places in one transaction
// (Name), or the hold is given up (Release).
//
// No safety rests on the time: whoever goes on with the phase before, because
// the hold has expired, is fenced by its token.

// ErrHoldOver: the hold is over, or about to be, so connections may be joining
// the phase in force.
var ErrHoldOver = errors.New("the hold is over")

// holdMargin is how much of a hold must be left when the phases change places.
const holdMargin = 500 * time.Millisecond

// Hold makes connections that open wait before they join, for so long, and
// raises the epoch, so that those which are open make way. The phase stays what
// it is.
func Hold(ctx context.Context, db Conn, t *Transition, d time.Duration, e Event) error {
	next := *t
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		var err error
		if next.Epoch, err = raiseEpoch(ctx, tx); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `update crossfade.transition
			set epoch = $4, hold_until = clock_timestamp() + make_interval(secs => $5)
			where id = $1 and phase = $2 and epoch = $3 and draining is null and removed_at is null`,
			t.ID, string(t.Phase), t.Epoch, next.Epoch, (d + holdMargin).Seconds())
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return ErrMoved
		}
		return Record(ctx, tx, next, e)
	})
	if err != nil {
		return fmt.Errorf("hold %q: %w", t.Name, err)
	}
	*t = next
	return nil
}

// Release gives a hold up: connections join the phase in force.
func Release(ctx context.Context, db Conn, t Transition, e Event) error {
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `update crossfade.transition set hold_until = null where id = $1 and epoch = $2`, t.ID, t.Epoch)
		if err != nil {
			return err
		}
		return Record(ctx, tx, t, e)
	})
	if err != nil {
		return fmt.Errorf("release the hold of %q: %w", t.Name, err)
	}
	return nil
}

// Name moves t, which is contracted and held, to the phase in which the target
// bears the source's name: that phase's token comes, and the one before it goes.
// The caller renames in the same transaction, whose lock_timeout it sets: 55P03
// means that somebody is at work by the phase before, after all.
func Name(ctx context.Context, tx pgx.Tx, t *Transition, lockTimeout time.Duration, e Event) error {
	next := *t
	var err error
	if next.Epoch, err = raiseEpoch(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, fmt.Sprintf(`set local lock_timeout = %d`, lockTimeout.Milliseconds())); err != nil {
		return err
	}
	if err := DropToken(ctx, tx, t.Token); err != nil {
		return err
	}
	next.Phase, next.Token = phase.Named, TokenName(t.ID, phase.Named, next.Epoch)
	if err := createToken(ctx, tx, next.Token); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `update crossfade.transition set phase = $4, epoch = $5, token = $6, hold_until = null
		where id = $1 and phase = $2 and epoch = $3 and draining is null and removed_at is null
			and hold_until > clock_timestamp() + make_interval(secs => $7)`,
		t.ID, string(phase.Contracted), t.Epoch, string(next.Phase), next.Epoch, next.Token, (holdMargin / 2).Seconds())
	if err != nil {
		return err
	}
	if tag.RowsAffected() != 1 {
		return ErrHoldOver
	}
	if err := Record(ctx, tx, next, e); err != nil {
		return err
	}
	*t = next
	return nil
}
