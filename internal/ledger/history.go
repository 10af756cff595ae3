package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Event is one line of a transition's history.
type Event struct {
	At       time.Time      `json:"at"`
	Epoch    int            `json:"epoch"`
	Actor    string         `json:"actor"`
	Event    string         `json:"event"`
	Detail   string         `json:"detail"`
	Evidence map[string]any `json:"evidence,omitempty"`
}

// Record appends an event to the history. A nil evidence is recorded as {}.
func Record(ctx context.Context, db Conn, t Transition, e Event) error {
	if e.Evidence == nil {
		e.Evidence = map[string]any{}
	}
	evidence, err := json.Marshal(e.Evidence)
	if err != nil {
		return fmt.Errorf("record %s: %w", e.Event, err)
	}
	_, err = db.Exec(ctx, `insert into crossfade.history (transition_id, epoch, actor, event, detail, evidence)
		values ($1, $2, $3, $4, $5, $6)`, t.ID, t.Epoch, e.Actor, e.Event, e.Detail, evidence)
	if err != nil {
		return fmt.Errorf("record %s: %w", e.Event, err)
	}
	return nil
}

// History reads what happened to a transition, oldest first.
func History(ctx context.Context, db Conn, id int64) ([]Event, error) {
	rows, err := db.Query(ctx, `select at, epoch, actor, event, detail, evidence
		from crossfade.history where transition_id = $1 order by id`, id)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Event, error) {
		var e Event
		err := row.Scan(&e.At, &e.Epoch, &e.Actor, &e.Event, &e.Detail, &e.Evidence)
		return e, err
	})
}
