package logical

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// MarkerPrefix is the prefix of the messages that Barrier emits. Apply may
// ignore them.
const MarkerPrefix = "crossfade"

// Barrier returns when everything that had committed before it was called has
// been applied durably, by this or any other process, and returns the stored
// position. A transaction that is still open then is not waited for: fence and
// drain the writers first.
//
// It emits a transactional message, which travels through the same log as the
// changes, and waits until the position has passed it. It needs no Run in this
// process and no temporary slot.
func (t *Tailer) Barrier(ctx context.Context) (LSN, error) {
	if t.config.Temporary {
		return 0, fmt.Errorf("logical: barrier: a temporary slot has no stored position")
	}
	conn, err := t.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer closeConn(ctx, conn)
	version, err := serverVersion(ctx, conn)
	if err != nil {
		return 0, err
	}
	// The insert position: commits that are visible and, being asynchronous,
	// not flushed yet are before it.
	var text string
	var wanted LSN
	if err := conn.QueryRow(ctx, `select pg_current_wal_insert_lsn()::text`).Scan(&text); err != nil {
		return 0, fmt.Errorf("barrier: %w", err)
	}
	if err := wanted.Scan(text); err != nil {
		return 0, fmt.Errorf("barrier: %w", err)
	}
	const again, pause = 5 * time.Second, 20 * time.Millisecond
	var emitted time.Time
	for {
		// Once is enough, unless the position was stored just before the marker
		// became due.
		if time.Since(emitted) > again {
			if err := emitMarker(ctx, conn, version); err != nil {
				return 0, fmt.Errorf("barrier: emit marker: %w", err)
			}
			emitted = time.Now()
		}
		position, known, err := t.loadPosition(ctx, conn)
		switch {
		case err != nil:
			return 0, fmt.Errorf("barrier: %w", err)
		case !known:
			return 0, fmt.Errorf("barrier: %w", t.lost(Missing, noPosition))
		case position.LSN > wanted:
			return position.LSN, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("barrier: wait until %s is applied, now %s: %w", wanted, position.LSN, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// emitMarker writes something that moves the position. Before PostgreSQL 14
// pgoutput sends no messages; more WAL than the tailer leaves unnoticed does it.
func emitMarker(ctx context.Context, conn *pgx.Conn, version int) error {
	if version < 140000 {
		_, err := conn.Exec(ctx, `select pg_catalog.pg_logical_emit_message(false, $1, repeat('x', $2))`, MarkerPrefix, 2*idleStep)
		return err
	}
	_, err := conn.Exec(ctx, `select pg_catalog.pg_logical_emit_message(true, $1, '')`, MarkerPrefix)
	return err
}
