package sweep_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// A migrator that was paused while the direction changed copies nothing more.
func TestForbiddenInTheMiddle(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	other, batches := f.db.Conn(t), 0
	o := f.options(ledger.Backfill)
	o.OnProgress = func(sweep.Report) {
		if batches++; batches == 3 {
			require.NoError(t, ledger.Forbid(ctx, other, f.transition, ledger.Backfill))
		}
	}
	p, err := sweep.Copy(ctx, f.conn, o)
	require.ErrorIs(t, err, sweep.ErrForbidden)
	require.EqualValues(t, 60, p.RowsChanged)
	require.EqualValues(t, 140, f.different())
	require.False(t, f.conn.IsClosed())

	_, err = sweep.Copy(ctx, f.db.Conn(t), f.options(ledger.Backfill))
	require.ErrorIs(t, err, sweep.ErrForbidden, "nor after a restart")
	require.EqualValues(t, 140, f.different())

	f.token, err = ledger.Allow(ctx, f.conn, f.transition, ledger.Backfill)
	require.NoError(t, err)
	_, err = sweep.Copy(ctx, f.conn, f.options(ledger.Backfill))
	require.NoError(t, err)
	f.checkCopied()
}

func TestForbidWaitsForTheBatchInHand(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	batch, err := f.db.Conn(t).Begin(ctx)
	require.NoError(t, err)
	_, err = batch.Exec(ctx, `with _crossfade as (select from crossfade.`+pgx.Identifier{f.token}.Sanitize()+`) update item set dst = src where id = 1`)
	require.NoError(t, err)

	limited, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	err = ledger.Forbid(limited, f.conn, f.transition, ledger.Backfill)
	var held *ledger.HeldError
	require.ErrorAs(t, err, &held)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, f.token, held.Token)
	require.False(t, f.conn.IsClosed())
	holders, err := fence.Holders(ctx, f.conn, held.Token)
	require.NoError(t, err)
	require.Len(t, holders, 1)

	forbidden := make(chan error, 1)
	conn := f.db.Conn(t)
	go func() { forbidden <- ledger.Forbid(ctx, conn, f.transition, ledger.Backfill) }()
	f.waitBlocked(conn.PgConn().PID())
	require.NoError(t, batch.Commit(ctx))
	require.NoError(t, <-forbidden)
	require.NoError(t, ledger.Forbid(ctx, conn, f.transition, ledger.Backfill), "once more does nothing")
}

func TestAllowGivesOneDirection(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	again, err := ledger.Allow(ctx, f.conn, f.transition, ledger.Backfill)
	require.NoError(t, err)
	require.Equal(t, f.token, again)
	_, err = ledger.Allow(ctx, f.conn, f.transition, ledger.Verify)
	require.Error(t, err)
	_, err = ledger.Allow(ctx, f.conn, f.transition, ledger.Refill)
	require.ErrorIs(t, err, ledger.ErrWrongPhase)

	stale := f.transition
	f.move(phase.Shadow)
	f.move(phase.Live)
	_, err = ledger.Allow(ctx, f.conn, stale, ledger.Backfill)
	require.ErrorIs(t, err, ledger.ErrMoved)
	_, err = ledger.Allow(ctx, f.conn, f.transition, ledger.Backfill)
	require.ErrorIs(t, err, ledger.ErrWrongPhase)
	_, err = ledger.Allow(ctx, f.conn, f.transition, ledger.Refill)
	require.ErrorIs(t, err, ledger.ErrOppositeDirection)

	require.NoError(t, ledger.Forbid(ctx, f.conn, f.transition, ledger.Backfill))
	var all sync.WaitGroup
	tokens := make([]string, 4)
	for i := range tokens {
		conn := f.db.Conn(t)
		all.Go(func() {
			var err error
			if tokens[i], err = ledger.Allow(ctx, conn, f.transition, ledger.Refill); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, token := range tokens {
		require.Equal(t, tokens[0], token)
	}
	require.NotEqual(t, f.token, tokens[0])
}

func TestAllowWantsADrainedPhaseThatWritesBoth(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	require.NoError(t, ledger.Forbid(ctx, f.conn, f.transition, ledger.Backfill))
	require.NoError(t, ledger.Move(ctx, f.conn, &f.transition, phase.Shadow, ledger.Event{Actor: "test", Event: "move"}))
	_, err := ledger.Allow(ctx, f.conn, f.transition, ledger.Backfill)
	require.ErrorIs(t, err, ledger.ErrWrongPhase)
	require.ErrorContains(t, err, "drained")

	require.NoError(t, pgx.BeginFunc(ctx, f.conn, func(tx pgx.Tx) error {
		return ledger.Drained(ctx, tx, &f.transition, ledger.Event{Actor: "test", Event: "drained"})
	}))
	f.transition.Draining = ""
	f.move(phase.DualWrite)
	f.move(phase.Off)
	_, err = ledger.Allow(ctx, f.conn, f.transition, ledger.Backfill)
	require.ErrorIs(t, err, ledger.ErrWrongPhase)
}
