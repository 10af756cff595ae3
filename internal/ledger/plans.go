package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// PlanCheck is the outcome of comparing the plans of an application's statements
// with what they become once reads go to the target.
type PlanCheck struct {
	At    time.Time `json:"at"`
	Epoch int       `json:"epoch"`
	Actor string    `json:"actor"`
	// Statements were looked at, of which Refused would be refused in a phase, and
	// Worse would get a worse plan.
	Statements int `json:"statements"`
	Refused    int `json:"refused"`
	Worse      int `json:"worse"`
	// Listed are the statements with a worse plan, parameters as they were given.
	Listed []string `json:"listed,omitempty"`
}

// RecordPlans keeps the outcome of a comparison, with an event of it.
func RecordPlans(ctx context.Context, db Conn, t Transition, c PlanCheck) error {
	listed, err := listOf(c.Listed)
	if err != nil {
		return fmt.Errorf("record plans of %q: %w", t.Name, err)
	}
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into crossfade.plans (transition_id, epoch, actor, statements, refused, worse, listed)
			values ($1, $2, $3, $4, $5, $6, $7)`, t.ID, t.Epoch, c.Actor, c.Statements, c.Refused, c.Worse, listed)
		if err != nil {
			return err
		}
		return Record(ctx, tx, t, Event{Actor: c.Actor, Event: "plans",
			Detail: fmt.Sprintf("%d statements, %d with a worse plan, %d refused", c.Statements, c.Worse, c.Refused)})
	})
	if err != nil {
		return fmt.Errorf("record plans of %q: %w", t.Name, err)
	}
	return nil
}

// LastPlans reads the last outcome; false when none was recorded.
func LastPlans(ctx context.Context, db Conn, id int64) (PlanCheck, bool, error) {
	var c PlanCheck
	err := db.QueryRow(ctx, `select at, epoch, actor, statements, refused, worse, listed from crossfade.plans
		where transition_id = $1 order by id desc limit 1`, id).
		Scan(&c.At, &c.Epoch, &c.Actor, &c.Statements, &c.Refused, &c.Worse, &c.Listed)
	if errors.Is(err, pgx.ErrNoRows) {
		return PlanCheck{}, false, nil
	}
	if err != nil {
		return PlanCheck{}, false, fmt.Errorf("read the plans recorded: %w", err)
	}
	return c, true, nil
}
