package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// TokenName is the name of the table that permits a phase. It carries the
// epoch, so a name is never used twice: a connection that slept through a
// rollback and a second try wakes up to a token that is gone for good.
func TokenName(id int64, p phase.Phase, epoch int) string {
	return fmt.Sprintf("t%d_%s_%d", id, p, epoch)
}

// ParseToken reads from the name of a phase's token the phase, and the epoch in
// which it began.
func ParseToken(token string) (phase.Phase, int, error) {
	parts := strings.Split(token, "_")
	if len(parts) != 3 {
		return "", 0, fmt.Errorf("token %q is not the name of a phase's token", token)
	}
	p, err := phase.Parse(parts[1])
	if err != nil {
		return "", 0, fmt.Errorf("token %q: %w", token, err)
	}
	epoch, err := strconv.Atoi(parts[2])
	if err != nil {
		return "", 0, fmt.Errorf("token %q is not the name of a phase's token", token)
	}
	return p, epoch, nil
}

// Register writes a new transition in phase off, creates its first token and
// raises the epoch, in one transaction. It fills in t's ID, Epoch and Token. One
// that moves no column gets no token, and leaves the epoch as it is.
// An active transition of the same name is ErrActive, one that has a hand on the
// same columns an *OverlapError.
func Register(ctx context.Context, db Conn, t *Transition, e Event) error {
	definition, err := json.Marshal(t.Definition)
	if err != nil {
		return fmt.Errorf("register transition %q: %w", t.Name, err)
	}
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		epoch, err := nextEpoch(ctx, tx, *t)
		if err != nil {
			return err
		}
		// The row of the epoch is locked: nobody registers or moves beside this.
		if err := refuseOverlap(ctx, tx, *t); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `insert into crossfade.transition
			(name, table_schema, table_name, definition, phase, epoch, token, registered_epoch)
			values ($1, $2, $3, $4, 'off', $5, '', $5) returning id, created_at`,
			t.Name, t.Schema, t.Table, definition, epoch).Scan(&t.ID, &t.CreatedAt)
		if err != nil {
			return err
		}
		t.Phase, t.Epoch, t.RegisteredEpoch, t.Ramp = phase.Off, epoch, epoch, FullRamp
		if !t.Definition.Moves() {
			return Record(ctx, tx, *t, e)
		}
		t.Token = TokenName(t.ID, phase.Off, epoch)
		if err := createToken(ctx, tx, t.Token); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `update crossfade.transition set token = $2 where id = $1`, t.ID, t.Token); err != nil {
			return err
		}
		return Record(ctx, tx, *t, e)
	})
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "23505" && pgErr.SchemaName == Schema {
		return fmt.Errorf("register transition %q on %s.%s: %w", t.Name, t.Schema, t.Table, ErrActive)
	}
	if err != nil {
		return fmt.Errorf("register transition %q: %w", t.Name, err)
	}
	return nil
}

// ErrActive: the name, or one of the columns, has an active transition already.
var ErrActive = errors.New("a transition of this name, or of these columns, is active already (see `crossfade status`)")

// refuseOverlap looks at the transitions that are active, and at those whose
// removal has not drained: hooked connections may still rewrite for them.
func refuseOverlap(ctx context.Context, tx pgx.Tx, t Transition) error {
	active, err := List(ctx, tx)
	if err != nil {
		return err
	}
	removing, err := Removing(ctx, tx)
	if err != nil {
		return err
	}
	for _, other := range append(active, removing...) {
		if overlap := Overlap(t, other); overlap != nil {
			return overlap
		}
	}
	return nil
}

// Move takes t from its phase to a neighbour and creates the neighbour's
// token, in one transaction. The token of the phase left goes to t.Draining
// and stays until Drained. ErrMoved: t is not the ledger's current state, or
// the previous move has not drained yet.
func Move(ctx context.Context, db Conn, t *Transition, to phase.Phase, e Event) error {
	if !t.Phase.CanMoveTo(to) {
		return fmt.Errorf("move %q: %s cannot follow %s", t.Name, to, t.Phase)
	}
	if to.Behaviour().Named {
		return fmt.Errorf("move %q: %s and %s cannot be in force at once: a flip between them is held", t.Name, t.Phase, to)
	}
	next := *t
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		epoch, err := raiseEpoch(ctx, tx)
		if err != nil {
			return err
		}
		next.Phase, next.Epoch, next.Draining = to, epoch, t.Token
		next.Token = TokenName(t.ID, to, epoch)
		if err := createToken(ctx, tx, next.Token); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `update crossfade.transition set phase = $4, epoch = $5, token = $6, draining = token
			where id = $1 and phase = $2 and epoch = $3 and draining is null and removed_at is null`,
			t.ID, string(t.Phase), t.Epoch, string(to), epoch, next.Token)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return ErrMoved
		}
		return Record(ctx, tx, next, e)
	})
	if err != nil {
		return fmt.Errorf("move %q from %s to %s: %w", t.Name, t.Phase, to, err)
	}
	*t = next
	return nil
}

// Drained drops the token of the phase that t has left, in one transaction
// with the record of it. The drop is the barrier: it succeeds only when no
// transaction of that phase is left. The caller keeps lock_timeout short, and
// repeats on 55P03.
func Drained(ctx context.Context, tx pgx.Tx, t *Transition, e Event) error {
	if t.Draining == "" {
		return nil
	}
	if err := DropToken(ctx, tx, t.Draining); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `update crossfade.transition set draining = null
		where id = $1 and epoch = $2 and draining = $3`, t.ID, t.Epoch, t.Draining)
	if err != nil {
		return err
	}
	if tag.RowsAffected() != 1 {
		return ErrMoved
	}
	return Record(ctx, tx, *t, e)
}

// Remove ends a transition: connections that join from now on know nothing of
// it. Its token stays until the caller has drained them and calls DropToken.
func Remove(ctx context.Context, db Conn, t *Transition, e Event) error {
	next := *t
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		epoch, err := nextEpoch(ctx, tx, *t)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `update crossfade.transition set removed_at = now(), epoch = $4, draining = nullif(token, '')
			where id = $1 and phase = $2 and epoch = $3 and draining is null and removed_at is null`,
			t.ID, string(t.Phase), t.Epoch, epoch)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return ErrMoved
		}
		for _, table := range []string{"writer", "tail", "reads", "mismatch"} {
			if _, err := tx.Exec(ctx, `delete from crossfade.`+table+` where transition_id = $1`, t.ID); err != nil {
				return err
			}
		}
		next.Epoch, next.Draining, next.Removed = epoch, t.Token, true
		return Record(ctx, tx, next, e)
	})
	if err != nil {
		return fmt.Errorf("remove %q: %w", t.Name, err)
	}
	*t = next
	return nil
}

// nextEpoch raises the epoch for a transition that connections must not miss.
// For others it only takes the row's lock.
func nextEpoch(ctx context.Context, tx pgx.Tx, t Transition) (int, error) {
	if t.Definition.Moves() {
		return raiseEpoch(ctx, tx)
	}
	if _, err := tx.Exec(ctx, `set local lock_timeout = '2s'`); err != nil {
		return 0, err
	}
	var epoch int
	if err := tx.QueryRow(ctx, `select epoch from crossfade.epoch for update`).Scan(&epoch); err != nil {
		return 0, fmt.Errorf("lock the epoch: %w", err)
	}
	return epoch, nil
}

// raiseEpoch makes every connection that joined before stale, and says so to
// those who listen. The row lock makes moves queue up behind each other.
func raiseEpoch(ctx context.Context, tx pgx.Tx) (int, error) {
	if _, err := tx.Exec(ctx, `set local lock_timeout = '2s'`); err != nil {
		return 0, err
	}
	var epoch int
	if err := tx.QueryRow(ctx, `update crossfade.epoch set epoch = epoch + 1 returning epoch`).Scan(&epoch); err != nil {
		return 0, fmt.Errorf("raise the epoch: %w", err)
	}
	if _, err := tx.Exec(ctx, `select pg_notify($1, $2::text)`, Channel, fmt.Sprint(epoch)); err != nil {
		return 0, fmt.Errorf("notify epoch %d: %w", epoch, err)
	}
	return epoch, nil
}

func createToken(ctx context.Context, tx pgx.Tx, token string) error {
	name := pgx.Identifier{Schema, token}.Sanitize()
	if _, err := tx.Exec(ctx, `create table `+name+` ()`); err != nil {
		return fmt.Errorf("create token %s: %w", token, err)
	}
	// LOCK TABLE, the form for what cannot carry a prefix, needs the privilege.
	if _, err := tx.Exec(ctx, `grant select on `+name+` to public`); err != nil {
		return fmt.Errorf("grant token %s: %w", token, err)
	}
	return nil
}

// DropToken forbids what the token permitted. It waits for every transaction
// that has named the token, as long as lock_timeout lets it.
func DropToken(ctx context.Context, tx pgx.Tx, token string) error {
	if _, err := tx.Exec(ctx, `drop table if exists `+pgx.Identifier{Schema, token}.Sanitize()); err != nil {
		return fmt.Errorf("drop token %s: %w", token, err)
	}
	return nil
}
