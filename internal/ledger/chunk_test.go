package ledger_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// TestChunksAreAddedAtOnce: two workers put a batch aside, each the last of its
// chunk, and then look for what is left. Neither waits for the other to have
// added a chunk, or they would wait for each other.
func TestChunksAreAddedAtOnce(t *testing.T) {
	t.Parallel()
	db, conn := newLedger(t)
	tr := register(t, conn, "one", "users")
	p := ledger.Progress{Job: ledger.Backfill, Upper: []string{"9"}, Epoch: 3}
	require.NoError(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return ledger.StartProgress(ctx, tx, tr.ID, p, 100) }))
	add := func(tx pgx.Tx, key string) error {
		_, err := tx.Exec(ctx, `set local lock_timeout = '100ms'`)
		return errors.Join(err, ledger.AddChunk(ctx, tx, tr.ID, ledger.Backfill,
			ledger.Chunk{Span: ledger.Span{Upper: []string{key}}, Aside: true}))
	}
	other, err := db.Conn(t).Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, add(other, "3"))
	require.NoError(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		require.NoError(t, add(tx, "6"))
		lot, found, err := ledger.LockProgress(ctx, tx, tr.ID, ledger.Backfill)
		require.NoError(t, err, "whoever adds a chunk holds up nobody")
		require.True(t, found)
		require.Equal(t, 2, lot.Chunks)
		return nil
	}))
	lot, _, err := ledger.LockProgress(ctx, other, tr.ID, ledger.Backfill)
	require.NoError(t, err)
	require.Equal(t, 3, lot.Chunks)
	require.NoError(t, other.Commit(ctx))
}
