package migrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
	"github.com/pgcrossfade/crossfade/logical"
)

// syncLogical is the Sync of a transition whose writers without the hook are
// followed in the server's log.
const syncLogical = "logical"

// tailed tells whether the transition is followed in the log.
func tailed(t ledger.Transition) bool { return t.Definition.Sync == syncLogical }

// tailing tells whether the log is followed where the transition stands: from the
// step sync on, to where the CHECK has taken over.
func (s *session) tailing(ctx context.Context, t ledger.Transition) (bool, error) {
	if !tailed(t) || t.Removed {
		return false, nil
	}
	w := s.on(&t)
	done, _, err := w.standing()
	if err != nil || !w.inTail(done) {
		return false, err
	}
	tail, found, err := ledger.GetTail(ctx, s.conn, t.ID)
	return found && tail.Slot != "", err
}

// inTail tells whether the log is followed once the step at an index is done.
func (w *work) inTail(done int) bool {
	first, _ := w.way.indexOf(tailStep.name)
	last, _ := w.way.indexOf(untailStep.name)
	return tailed(*w.t) && done >= first && done < last
}

// tailer makes one of the tailers of a transition: any number may run, one of them
// is active.
func (s *session) tailer(ctx context.Context, t ledger.Transition) (*logical.Tailer, error) {
	slot, err := ledger.SlotName(ctx, s.conn, t.ID)
	if err != nil {
		return nil, err
	}
	conn := s.config.Copy()
	conn.RuntimeParams["application_name"] = "crossfade tail"
	conn.AfterConnect = ownTail
	keys := &sweep.Keys{Transition: t}
	return logical.New(logical.Config{
		Conn: conn, Slot: slot, Publication: fmt.Sprintf("crossfade_t%d", t.ID), Tables: []logical.Table{{Schema: t.Schema, Name: t.Table}},
		Apply: func(ctx context.Context, tx pgx.Tx, batch logical.Batch) error {
			return applyTail(ctx, tx, batch, keys)
		},
		Positions: logical.PositionTable{Schema: ledger.Schema, Name: ledger.PositionTable},
		// Few rows are locked at a time, and for a short while.
		BatchSize:      200,
		StatusInterval: time.Second, StandbyInterval: 500 * time.Millisecond, MaxBackoff: 2 * time.Second,
		Logger: s.Logger,
	})
}

// ownTail makes a connection one that no drain waits for, and independent of
// settings of the role or the database, as the migrator's own are. One whose process
// is stopped in the middle of a batch keeps its locks for a moment only: the row of
// the position among them, for which the next one waits.
func ownTail(ctx context.Context, conn *pgconn.PgConn) error {
	sql := fmt.Sprintf(`select pg_catalog.pg_advisory_lock_shared(%d, 0);
		set search_path = ''; set statement_timeout = 0; set idle_in_transaction_session_timeout = '5s'; set default_transaction_read_only = off`,
		fence.OwnClass)
	_, err := conn.Exec(ctx, sql).ReadAll()
	return err
}

// applyTail puts right the rows of a batch that have one side only, from the
// source as it is now: it is the authority in all phases with a tail. A batch of
// the other direction cannot be: the token that each one names is dropped before.
func applyTail(ctx context.Context, tx pgx.Tx, batch logical.Batch, k *sweep.Keys) error {
	t := k.Transition
	token, err := ledger.Permission(ctx, tx, t, ledger.Backfill)
	if err != nil {
		return err
	}
	if token == "" {
		return fmt.Errorf("tail of %q: %w", t.Name, sweep.ErrForbidden)
	}
	for _, part := range byRelation(batch) {
		values := part.Keys(part.Changes[0].Relation.Table())
		copied, err := k.Copy(ctx, tx, token, part.Changes[0].Relation.Key, values)
		if err != nil {
			return &refusedKeys{names: part.Changes[0].Relation.Key, values: values, err: fmt.Errorf("tail of %q: %w", t.Name, err)}
		}
		if len(copied) == 0 {
			continue
		}
		if err := ledger.NoteRepaired(ctx, tx, t.ID, len(copied), halfWritten(part, copied)); err != nil {
			return err
		}
	}
	return nil
}

// byRelation parts the changes of rows by what they saw as the table: its key may
// have changed between two of them.
func byRelation(batch logical.Batch) []logical.Batch {
	var parts []logical.Batch
	for _, c := range batch.Changes {
		if c.Key == nil && c.Old == nil {
			continue // a message, or a TRUNCATE
		}
		if n := len(parts); n == 0 || parts[n-1].Changes[0].Relation != c.Relation {
			parts = append(parts, logical.Batch{})
		}
		last := &parts[len(parts)-1]
		last.Changes = append(last.Changes, c)
	}
	return parts
}

// halfWritten tells by which transactions the copied rows were changed last.
func halfWritten(batch logical.Batch, copied [][]string) []ledger.HalfWritten {
	by := map[string]*logical.Transaction{}
	for _, c := range batch.Changes {
		by[fmt.Sprintf("%q", c.Key)] = c.Transaction
	}
	list := make([]ledger.HalfWritten, 0, len(copied))
	for _, key := range copied {
		row := ledger.HalfWritten{Key: key}
		if tx := by[fmt.Sprintf("%q", key)]; tx != nil {
			row.XID, row.At = tx.XID, tx.Time
		}
		list = append(list, row)
	}
	return list
}

// refusedKeys is an error of a batch, with its keys.
type refusedKeys struct {
	names  []string
	values [][]string
	err    error
}

func (e *refusedKeys) Error() string { return e.err.Error() }
func (e *refusedKeys) Unwrap() error { return e.err }

// blame names the row for which a batch has failed, where that can be found.
func (s *session) blame(ctx context.Context, t ledger.Transition, cause error) error {
	var refused *refusedKeys
	if !errors.As(cause, &refused) {
		return cause
	}
	token, err := ledger.Permission(ctx, s.conn, t, ledger.Backfill)
	if err != nil || token == "" {
		return cause
	}
	keys := &sweep.Keys{Transition: t}
	key, alone, err := keys.Blame(ctx, s.conn, token, refused.names, refused.values)
	if err != nil || key == nil {
		return cause
	}
	return fmt.Errorf("the row with %s (%s): %w", strings.Join(refused.names, ", "), strings.Join(key, ", "), alone)
}

// TailError: nobody follows the log any more, and it cannot go on by itself. What
// has been written since is in the log as long as the slot is; the transition goes
// nowhere without it.
type TailError struct {
	Transition string
	Err        error
}

func (e *TailError) Error() string {
	return fmt.Sprintf("transition %q: the log is not followed any more: %v (hint: %s)", e.Transition, e.Err, e.Hint())
}

func (e *TailError) Unwrap() error { return e.Err }

// Hint says what an operator can do about it.
func (e *TailError) Hint() string {
	if _, lost := logical.AsSlotLost(e.Err); lost {
		return "make a new slot: crossfade tail " + e.Transition + " --renew; then run again, which looks at every row anew"
	}
	if refusal, ok := logical.AsRefusal(e.Err); ok {
		return refusal.Hint
	}
	switch {
	case errors.Is(e.Err, sweep.ErrNoCounterpart):
		return "change that value and run again, or roll back to off"
	case strings.HasPrefix(sqlState(e.Err), "23"):
		return fmt.Sprintf("end who has written without the hook (crossfade writers %[1]s), and put the row right if its values are wrong; "+
			"then take the constraints of the target away: crossfade tail %[1]s --renew; run builds them anew, and says which of them rows really break; "+
			"or roll back to off", e.Transition)
	case errors.Is(e.Err, sweep.ErrForbidden):
		return "`crossfade status` shows where it stands; run again"
	}
	return "take care of the cause and run again, or roll back to off"
}
