package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// Request is the phase that somebody wants a transition to be led to. It changes
// nothing by itself: the phase in force is the transition's.
type Request struct {
	// Phase is empty as long as nothing was asked that could be granted.
	Phase phase.Phase `json:"phase,omitempty"`
	// Flag is the key of the flag that asks; Variant, Reason and Provider are what
	// was said of it.
	Flag     string `json:"flag,omitempty"`
	Variant  string `json:"variant,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Provider string `json:"provider,omitempty"`
	// Actor wrote it down, at RequestedAt, Age ago.
	Actor       string        `json:"actor,omitempty"`
	RequestedAt time.Time     `json:"requested_at"`
	Age         time.Duration `json:"-"`
	// Furthest is the furthest phase asked for since a request was last granted.
	Furthest phase.Phase `json:"-"`
	// GrantedAt is when the phase was in force, and drained; nil before.
	GrantedAt *time.Time `json:"granted_at,omitempty"`
	// HeldBy names what the request waits for, and Held says more; both are empty
	// when it is granted or on its way.
	HeldBy string `json:"held_by,omitempty"`
	Held   string `json:"held,omitempty"`
}

// Same tells whether r asks for the same by the same way. The reason does not
// count: it changes with caches.
func (r Request) Same(other Request) bool {
	return r.Phase == other.Phase && r.Flag == other.Flag && r.Variant == other.Variant && r.Provider == other.Provider
}

// GetRequest reads what is asked of a transition; false when nobody has asked.
func GetRequest(ctx context.Context, db Conn, id int64) (Request, bool, error) {
	var r Request
	var seconds float64
	err := db.QueryRow(ctx, `select phase, flag, variant, reason, provider, actor, requested_at,
			extract(epoch from clock_timestamp() - requested_at)::float8, furthest, granted_at, held_by, held
		from crossfade.request where transition_id = $1`, id).
		Scan(&r.Phase, &r.Flag, &r.Variant, &r.Reason, &r.Provider, &r.Actor, &r.RequestedAt,
			&seconds, &r.Furthest, &r.GrantedAt, &r.HeldBy, &r.Held)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("read the request: %w", err)
	}
	r.Age = time.Duration(seconds * float64(time.Second))
	return r, true, nil
}

// SetRequest writes down what is asked, with an event, in one transaction, and
// returns what stands there then. A request that is there already is not recorded
// again.
func SetRequest(ctx context.Context, db Conn, t Transition, r Request, e Event) (Request, error) {
	var now Request
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if err := lockRequest(ctx, tx, t.ID, e.Actor); err != nil {
			return err
		}
		before, _, err := GetRequest(ctx, tx, t.ID)
		if err != nil {
			return err
		}
		now = before
		if before.Same(r) {
			return nil
		}
		furthest := before.Furthest
		if furthest == "" || furthest.Before(r.Phase) {
			furthest = r.Phase
		}
		_, err = tx.Exec(ctx, `update crossfade.request
			set phase = $2, flag = $3, variant = $4, reason = $5, provider = $6, actor = $7, furthest = $8,
				requested_at = case when phase = $2 then requested_at else clock_timestamp() end,
				granted_at = case when phase = $2 then granted_at end, held_by = '', held = ''
			where transition_id = $1`,
			t.ID, r.Phase, r.Flag, r.Variant, r.Reason, r.Provider, e.Actor, furthest)
		if err != nil {
			return err
		}
		if err := Record(ctx, tx, t, e); err != nil {
			return err
		}
		now, _, err = GetRequest(ctx, tx, t.ID)
		return err
	})
	if err != nil {
		return now, fmt.Errorf("request phase %s for %q: %w", r.Phase, t.Name, err)
	}
	return now, nil
}

// lockRequest makes a row where there is none, and keeps others from changing it.
func lockRequest(ctx context.Context, tx pgx.Tx, id int64, actor string) error {
	_, err := tx.Exec(ctx, `insert into crossfade.request (transition_id, actor) values ($1, $2)
		on conflict (transition_id) do update set actor = crossfade.request.actor`, id, actor)
	return err
}

// GrantRequest writes down that the phase that was asked for is in force, unless another
// one has been asked for meanwhile.
func GrantRequest(ctx context.Context, db Conn, t Transition, p phase.Phase, e Event) error {
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update crossfade.request
			set granted_at = clock_timestamp(), furthest = phase, held_by = '', held = ''
			where transition_id = $1 and phase = $2 and granted_at is null`, t.ID, p)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return Record(ctx, tx, t, e)
	})
	if err != nil {
		return fmt.Errorf("grant phase %s to %q: %w", p, t.Name, err)
	}
	return nil
}

// HoldRequest writes down what a request waits for; two empty texts are nothing. A nil
// event is not recorded.
func HoldRequest(ctx context.Context, db Conn, t Transition, actor, by, why string, e *Event) error {
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if err := lockRequest(ctx, tx, t.ID, actor); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `update crossfade.request set held_by = $2, held = $3 where transition_id = $1`, t.ID, by, why)
		if err != nil || e == nil {
			return err
		}
		return Record(ctx, tx, t, *e)
	})
	if err != nil {
		return fmt.Errorf("hold the request for %q: %w", t.Name, err)
	}
	return nil
}
