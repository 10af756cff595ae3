package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// A capability token permits copying in one direction: forward, from source to
// target, or in reverse. Every batch names it, so a migrator that was paused
// while the direction changed cannot copy any more when it wakes up.

var (
	// ErrOppositeDirection: copying the other way is still permitted.
	ErrOppositeDirection = errors.New("copying in the opposite direction is still permitted: forbid it first")
	// ErrWrongPhase: in this phase such a copy would overwrite the authority,
	// or would not last.
	ErrWrongPhase = errors.New("the phase does not permit copying in this direction")
)

// HeldError: transactions that name the token are still open.
type HeldError struct {
	Token string
	Err   error
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("token %s is still held by open transactions: %v", e.Token, e.Err)
}

func (e *HeldError) Unwrap() error { return e.Err }

// Allow permits the copying of job (Backfill or Refill) and returns the token
// that each batch must name. A permission that exists already is returned as it
// is. Copying goes from the column that is read to the other one, while writes
// go to both and the phase before has drained; ErrWrongPhase otherwise.
func Allow(ctx context.Context, db Conn, t Transition, job Job) (string, error) {
	direction, from, err := directionOf(job)
	if err != nil {
		return "", err
	}
	var token string
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if err := lockForCapability(ctx, tx, t, from); err != nil {
			return err
		}
		existing, err := capabilities(ctx, tx, t.ID, "fwd|rev")
		if err != nil {
			return err
		}
		for _, c := range existing {
			if c.direction != direction {
				return fmt.Errorf("%w (token %s)", ErrOppositeDirection, c.token)
			}
			token = c.token
		}
		if token != "" {
			return nil
		}
		token = fmt.Sprintf("t%d_%s_%d", t.ID, direction, t.Epoch)
		return createToken(ctx, tx, token)
	})
	if err != nil {
		return "", fmt.Errorf("allow %s of %q: %w", job, t.Name, err)
	}
	return token, nil
}

// Permission is the token that Allow gave; empty when there is none.
func Permission(ctx context.Context, db Conn, t Transition, job Job) (string, error) {
	direction, _, err := directionOf(job)
	if err != nil {
		return "", err
	}
	existing, err := capabilities(ctx, db, t.ID, direction)
	if err != nil || len(existing) == 0 {
		return "", err
	}
	return existing[0].token, nil
}

// Forbid ends the permission that Allow gave; without one it does nothing. When
// it returns nil, no batch is in progress and none can begin. It waits for open
// batches without making others queue behind it, until ctx is over: then the
// error is a *HeldError. Each attempt ends in good order, so the connection
// stays usable.
func Forbid(ctx context.Context, db Conn, t Transition, job Job) error {
	direction, _, err := directionOf(job)
	if err != nil {
		return err
	}
	existing, err := capabilities(ctx, db, t.ID, direction)
	if err != nil {
		return fmt.Errorf("forbid %s of %q: %w", job, t.Name, err)
	}
	for _, c := range existing {
		if err := forbidToken(ctx, db, c.token); err != nil {
			return fmt.Errorf("forbid %s of %q: %w", job, t.Name, err)
		}
	}
	return nil
}

const (
	// forbidLockTimeout is how long others may have to queue behind a drop.
	forbidLockTimeout = "50ms"
	// forbidPause is the longest pause between two attempts to drop.
	forbidPause = 500 * time.Millisecond
)

func forbidToken(ctx context.Context, db Conn, token string) error {
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, forbidPause) {
		// A cancelled query would cost the caller's connection.
		attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		err := pgx.BeginFunc(attempt, db, func(tx pgx.Tx) error {
			if _, err := tx.Exec(attempt, `set local lock_timeout = '`+forbidLockTimeout+`'`); err != nil {
				return err
			}
			return DropToken(attempt, tx, token)
		})
		cancel()
		var pgErr *pgconn.PgError
		if err == nil || !errors.As(err, &pgErr) || pgErr.Code != "55P03" {
			return err
		}
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return &HeldError{Token: token, Err: errors.Join(ctx.Err(), err)}
		case <-timer.C:
		}
	}
}

// directionOf tells how tokens of a job are named, and which column it reads.
func directionOf(job Job) (direction string, from phase.Side, err error) {
	switch job {
	case Backfill:
		return "fwd", phase.Source, nil
	case Refill:
		return "rev", phase.Target, nil
	}
	return "", "", fmt.Errorf("job %q copies nothing", job)
}

// lockForCapability keeps the transition where it is until the transaction
// ends, and two calls of Allow apart.
func lockForCapability(ctx context.Context, tx pgx.Tx, t Transition, from phase.Side) error {
	if _, err := tx.Exec(ctx, `set local lock_timeout = '2s'`); err != nil {
		return err
	}
	var current string
	var draining bool
	err := tx.QueryRow(ctx, `select phase, draining is not null from crossfade.transition
		where id = $1 and epoch = $2 and removed_at is null for update`, t.ID, t.Epoch).Scan(&current, &draining)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrMoved
	}
	if err != nil {
		return err
	}
	if !t.Definition.Moves() {
		return nil // there is one direction, and no phase
	}
	p, err := phase.Parse(current)
	if err != nil {
		return err
	}
	switch behaviour := p.Behaviour(); {
	case draining:
		return fmt.Errorf("%w: the phase before %s has not drained yet", ErrWrongPhase, p)
	case !behaviour.WritesBoth():
		return fmt.Errorf("%w: writes go to one column only in %s", ErrWrongPhase, p)
	case behaviour.Read != from:
		return fmt.Errorf("%w: the %s is the authority in %s", ErrWrongPhase, behaviour.Read, p)
	}
	return nil
}

type capability struct{ token, direction string }

// capabilities reads from the catalog which permissions exist.
func capabilities(ctx context.Context, db Conn, id int64, directions string) ([]capability, error) {
	rows, err := db.Query(ctx, `
		select c.relname, split_part(c.relname, '_', 2)
		from pg_catalog.pg_class c
		join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relkind = 'r' and c.relname ~ $2
		order by c.oid`, Schema, fmt.Sprintf(`^t%d_(%s)_[0-9]+$`, id, directions))
	if err != nil {
		return nil, fmt.Errorf("read capability tokens: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (capability, error) {
		var c capability
		err := row.Scan(&c.token, &c.direction)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read capability tokens: %w", err)
	}
	return found, nil
}
