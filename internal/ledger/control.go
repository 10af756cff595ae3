package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Control is what somebody asks of the scans of a transition while they run:
// Backfill, Refill and Verify look at it between two batches. The zero value
// asks nothing.
type Control struct {
	// Paused: no batch begins.
	Paused bool `json:"paused"`
	// Rate is how many rows a scan may go through in a second; 0 is no limit.
	Rate int `json:"rate"`
	// Actor made the last change, at ChangedAt.
	Actor     string    `json:"actor,omitempty"`
	ChangedAt time.Time `json:"changed_at,omitzero"`
}

// GetControl reads what is asked of a transition's scans.
func GetControl(ctx context.Context, db Conn, id int64) (Control, error) {
	var c Control
	err := db.QueryRow(ctx, `select paused, coalesce(rate, 0), actor, changed_at from crossfade.control
		where transition_id = $1`, id).Scan(&c.Paused, &c.Rate, &c.Actor, &c.ChangedAt)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return c, fmt.Errorf("read the control: %w", err)
	}
	return c, nil
}

// ChangeControl changes what is asked, and records it as e, in one transaction.
// It returns what is asked from now on. A change that changes nothing is not
// recorded.
func ChangeControl(ctx context.Context, db Conn, t Transition, e Event, change func(*Control)) (Control, error) {
	var c Control
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		// The lock of the row keeps two callers apart.
		_, err := tx.Exec(ctx, `insert into crossfade.control (transition_id, actor) values ($1, $2)
			on conflict (transition_id) do update set actor = crossfade.control.actor`, t.ID, e.Actor)
		if err != nil {
			return err
		}
		if c, err = GetControl(ctx, tx, t.ID); err != nil {
			return err
		}
		before := c
		if change(&c); c == before {
			return nil
		}
		err = tx.QueryRow(ctx, `update crossfade.control
			set paused = $2, rate = nullif($3::int, 0), actor = $4, changed_at = clock_timestamp()
			where transition_id = $1 returning actor, changed_at`, t.ID, c.Paused, c.Rate, e.Actor).
			Scan(&c.Actor, &c.ChangedAt)
		if err != nil {
			return err
		}
		return Record(ctx, tx, t, e)
	})
	if err != nil {
		return c, fmt.Errorf("%s %q: %w", e.Event, t.Name, err)
	}
	return c, nil
}
