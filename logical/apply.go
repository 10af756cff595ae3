package logical

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// apply claims the slot's position and then applies batch after batch.
func (s *session) apply(ctx context.Context, conn *pgx.Conn) error {
	position, err := s.claim(ctx, conn)
	if err != nil {
		return err
	}
	s.queue.resume(position.LSN)
	s.config.Logger.InfoContext(ctx, "following the slot", logSlot, s.config.Slot, logLSN, position.LSN.String())
	for {
		batch, err := s.queue.take(ctx)
		if err != nil {
			return err
		}
		if err := s.applyBatch(ctx, conn, position, batch); err != nil {
			return err
		}
		position.LSN = max(position.LSN, batch.End)
		s.queue.done(batch)
	}
}

// claim makes this process the one that applies, after an older one's last
// batch, and compares the position with the server and the slot. The slot is
// ours already, so nobody moves it meanwhile.
func (s *session) claim(ctx context.Context, conn *pgx.Conn) (position Position, err error) {
	if s.config.Temporary {
		return Position{}, nil
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		position, err = s.config.Positions.Claim(ctx, tx, s.config.Slot)
		return err
	})
	if err != nil {
		return Position{}, fmt.Errorf("claim position: %w", err)
	}
	slot, err := s.tailer.readSlot(ctx, conn)
	if err != nil {
		return Position{}, err
	}
	t := s.tailer
	switch {
	case position.System != s.system.SystemID:
		return Position{}, t.lost(OtherServer, fmt.Sprintf("the system identifier was %s and is %s", position.System, s.system.SystemID))
	case position.Timeline != s.system.Timeline && !s.config.Failover:
		return Position{}, t.lost(FailedOver, fmt.Sprintf("the timeline was %d and is %d", position.Timeline, s.system.Timeline))
	case slot.Confirmed > position.LSN:
		return Position{}, t.lost(Ahead, fmt.Sprintf("it was acknowledged up to %s, and %s is applied: it was made anew, or somebody else has read it",
			slot.Confirmed, position.LSN))
	}
	position.Timeline = s.system.Timeline
	// What the position knows must still be there; what was added counts from
	// now on.
	if err := s.inspect(ctx, conn, slot, position.Published); err != nil {
		return Position{}, err
	}
	position.Published, _, err = t.published(ctx, conn)
	return position, err
}

// applyBatch makes a batch durable, with the position that follows it.
func (s *session) applyBatch(ctx context.Context, conn *pgx.Conn, position Position, batch Batch) error {
	if !s.config.applyAtOnce && len(batch.Changes) > 0 {
		start := time.Now()
		if err := waitVisible(ctx, conn, batch.Changes, s.config.Logger); err != nil {
			return err
		}
		s.tailer.note(func(status *Status) { status.VisibilityWait += time.Since(start) })
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		_ = tx.Rollback(ctx) // does nothing after a commit
	}()
	if !s.config.Temporary {
		position.LSN = max(position.LSN, batch.End)
		if err := s.config.Positions.Save(ctx, tx, s.config.Slot, position); err != nil {
			return fmt.Errorf("store position: %w", err)
		}
	}
	if len(batch.Changes) > 0 {
		if err := s.config.Apply(ctx, tx, batch); err != nil {
			if conn.IsClosed() || ctx.Err() != nil {
				return fmt.Errorf("apply: %w", err)
			}
			return &applyError{err}
		}
	}
	// Whether a commit without an answer took place is known when the position
	// is read again.
	if err := tx.Commit(ctx); err != nil {
		err = fmt.Errorf("commit batch: %w", err)
		if strings.HasPrefix(sqlState(err), "23") { // a constraint that is deferred: what Apply did is refused
			return &applyError{err}
		}
		return err
	}
	return nil
}
