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
	// Ramp is how many of 100 connections are to read the targets in phase live; nil
	// where the request leaves that alone.
	Ramp *int `json:"ramp,omitempty"`
	// RampSet: the ramp was set to that. It is done once, so that what the guard or
	// somebody sets after it stays. RampBrought: a request has set one at some time.
	RampSet     bool `json:"-"`
	RampBrought bool `json:"-"`
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

// Stage is what is asked for in the words of a flag: live, or live:25.
func (r Request) Stage() string {
	if r.Ramp == nil {
		return string(r.Phase)
	}
	return fmt.Sprintf("%s:%d", r.Phase, *r.Ramp)
}

// After is what r means after what was asked before: once a request has brought a
// ramp, live alone means all connections.
func (r Request) After(before Request) Request {
	if full := FullRamp; r.Phase == phase.Live && r.Ramp == nil && before.RampBrought {
		r.Ramp = &full
	}
	return r
}

// RampDue tells whether the ramp is still to be set.
func (r Request) RampDue() bool { return r.Ramp != nil && !r.RampSet }

// Same tells whether r asks for the same by the same way. The reason does not
// count: it changes with caches.
func (r Request) Same(other Request) bool {
	return r.Stage() == other.Stage() && r.Flag == other.Flag && r.Variant == other.Variant && r.Provider == other.Provider
}

// GetRequest reads what is asked of a transition; false when nobody has asked.
func GetRequest(ctx context.Context, db Conn, id int64) (Request, bool, error) {
	var r Request
	var seconds float64
	err := db.QueryRow(ctx, `select phase, ramp, ramp_set, ramp_brought, flag, variant, reason, provider, actor, requested_at,
			extract(epoch from clock_timestamp() - requested_at)::float8, furthest, granted_at, held_by, held
		from crossfade.request where transition_id = $1`, id).
		Scan(&r.Phase, &r.Ramp, &r.RampSet, &r.RampBrought, &r.Flag, &r.Variant, &r.Reason, &r.Provider, &r.Actor, &r.RequestedAt,
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
		r = r.After(before)
		if before.Same(r) {
			return nil
		}
		same := before.Stage() == r.Stage()
		furthest := before.Furthest
		if furthest == "" || furthest.Before(r.Phase) {
			furthest = r.Phase
		}
		_, err = tx.Exec(ctx, `update crossfade.request
			set phase = $2, flag = $3, variant = $4, reason = $5, provider = $6, actor = $7, furthest = $8,
				requested_at = case when $9 then requested_at else clock_timestamp() end,
				granted_at = case when $9 then granted_at end, held_by = '', held = '',
				ramp = $10, ramp_set = $9 and ramp_set
			where transition_id = $1`,
			t.ID, r.Phase, r.Flag, r.Variant, r.Reason, r.Provider, e.Actor, furthest, same, r.Ramp)
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
		return now, fmt.Errorf("request phase %s for %q: %w", r.Stage(), t.Name, err)
	}
	return now, nil
}

// lockRequest makes a row where there is none, and keeps others from changing it.
func lockRequest(ctx context.Context, tx pgx.Tx, id int64, actor string) error {
	_, err := tx.Exec(ctx, `insert into crossfade.request (transition_id, actor) values ($1, $2)
		on conflict (transition_id) do update set actor = crossfade.request.actor`, id, actor)
	return err
}

// GrantRamp sets the ramp that r asks for, and writes down that this was done, in one
// transaction, unless another one has been asked for meanwhile. ErrMoved as by SetRamp.
func GrantRamp(ctx context.Context, db Conn, t *Transition, r Request, e Event) error {
	granted := false
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update crossfade.request set ramp_set = true, ramp_brought = true
			where transition_id = $1 and phase = $2 and ramp = $3 and not ramp_set`, t.ID, r.Phase, r.Ramp)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		granted = true
		return setRamp(ctx, tx, *t, *r.Ramp, e)
	})
	if err != nil {
		return fmt.Errorf("set the ramp of %q: %w", t.Name, err)
	}
	if granted {
		t.Ramp = *r.Ramp
	}
	return nil
}

// GrantRequest writes down that what r asks for is in force, unless something else has
// been asked for meanwhile.
func GrantRequest(ctx context.Context, db Conn, t Transition, r Request, e Event) error {
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update crossfade.request
			set granted_at = clock_timestamp(), furthest = phase, held_by = '', held = ''
			where transition_id = $1 and phase = $2 and ramp is not distinct from $3 and granted_at is null`, t.ID, r.Phase, r.Ramp)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return Record(ctx, tx, t, e)
	})
	if err != nil {
		return fmt.Errorf("grant phase %s to %q: %w", r.Stage(), t.Name, err)
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
