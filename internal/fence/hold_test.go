package fence_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// contracted is a transition that keeps the name, before its target takes it, and
// a connection that can hold the flip.
func contracted(t *testing.T) (*pgtest.DB, *pgx.Conn, ledger.Transition) {
	t.Helper()
	db, conn := observer(t)
	tr := register(t, conn)
	for tr.Phase != phase.Contracted {
		next, _ := tr.Phase.Next()
		require.NoError(t, ledger.Move(ctx, conn, &tr, next, ledger.Event{Event: "move"}))
		require.NoError(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			return ledger.Drained(ctx, tx, &tr, ledger.Event{Event: "drained"})
		}))
		tr.Draining = ""
	}
	return db, conn, tr
}

// waiting is a connection that joins while a flip is held.
func waiting(t *testing.T, db *pgtest.DB, conn *pgx.Conn, tr ledger.Transition) (app *pgconn.PgConn, joined chan fence.View) {
	t.Helper()
	app, joined = connect(t, db.URL), make(chan fence.View, 1)
	held := make(chan int, 1)
	go func() {
		view, err := fence.JoinHeld(ctx, app, func(epoch int) { held <- epoch })
		if err != nil {
			t.Error(err)
		}
		joined <- view
	}()
	require.Equal(t, tr.Epoch, <-held)
	older, err := fence.Older(ctx, conn, tr.Epoch)
	require.NoError(t, err)
	require.Empty(t, older, "who waits is nobody to wait for")
	return app, joined
}

func hold(t *testing.T, conn *pgx.Conn, tr *ledger.Transition, d time.Duration) {
	t.Helper()
	require.NoError(t, fence.BeginHold(ctx, conn))
	require.NoError(t, ledger.Hold(ctx, conn, tr, d, ledger.Event{Event: "hold"}))
}

func name(conn *pgx.Conn, tr *ledger.Transition) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		return ledger.Name(ctx, tx, tr, 50*time.Millisecond, ledger.Event{Event: "move"})
	})
}

func TestHold(t *testing.T) {
	t.Parallel()
	db, conn, tr := contracted(t)
	hold(t, conn, &tr, time.Minute)
	_, joined := waiting(t, db, conn, tr)
	require.Empty(t, joined)
	before := tr.Token
	require.NoError(t, name(conn, &tr))
	require.Empty(t, joined, "not before the migrator says so")
	require.NoError(t, fence.EndHold(ctx, conn))
	view := <-joined
	require.Equal(t, tr.Epoch, view.Epoch)
	require.Equal(t, phase.Named, view.Transitions[0].Phase)
	require.NotEqual(t, before, view.Transitions[0].Token)
	require.Equal(t, []string{"full_name"}, view.Transitions[0].Definition.In(phase.Named).TargetNames())
	older, err := fence.Older(ctx, conn, tr.Epoch)
	require.NoError(t, err)
	require.Empty(t, older)
}

// TestHoldEnds: however a hold ends without success, those who wait join the phase
// in force, under the epoch that they have.
func TestHoldEnds(t *testing.T) {
	t.Parallel()
	for end, how := range map[string]func(*testing.T, *pgx.Conn, ledger.Transition){
		"given up": func(t *testing.T, conn *pgx.Conn, tr ledger.Transition) {
			require.NoError(t, ledger.Release(ctx, conn, tr, ledger.Event{Event: "release"}))
			require.NoError(t, fence.EndHold(ctx, conn))
		},
		"the migrator dies":  func(t *testing.T, conn *pgx.Conn, _ ledger.Transition) { require.NoError(t, conn.Close(ctx)) },
		"the migrator hangs": func(*testing.T, *pgx.Conn, ledger.Transition) {},
	} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			db, conn, tr := contracted(t)
			length := time.Minute
			if end == "the migrator hangs" {
				length = 200 * time.Millisecond
			}
			hold(t, conn, &tr, length)
			app, joined := waiting(t, db, conn, tr)
			how(t, conn, tr)
			view := <-joined
			require.Equal(t, tr.Epoch, view.Epoch)
			require.Equal(t, phase.Contracted, view.Transitions[0].Phase)
			require.EqualValues(t, 'I', app.TxStatus())
			if end == "the migrator hangs" {
				late := tr
				require.ErrorIs(t, name(conn, &late), ledger.ErrHoldOver)
				require.Equal(t, tr, late)
				_, err := conn.Exec(ctx, `select from crossfade.`+tr.Token)
				require.NoError(t, err, "nothing has happened")
				hold(t, conn, &tr, time.Minute) // it can be tried again
				require.NoError(t, name(conn, &tr))
			}
		})
	}
}

// TestNeverBoth: what cannot be in force at once is never in force at once.
func TestNeverBoth(t *testing.T) {
	t.Parallel()
	db, conn, tr := contracted(t)
	require.ErrorContains(t, ledger.Move(ctx, conn, &tr, phase.Named, ledger.Event{Event: "move"}), "held")
	require.ErrorIs(t, name(conn, &tr), ledger.ErrHoldOver, "nobody is held")
	hold(t, conn, &tr, time.Minute)
	reader, err := db.Conn(t).Begin(ctx)
	require.NoError(t, err)
	_, err = reader.Exec(ctx, `select from crossfade.`+tr.Token)
	require.NoError(t, err)
	var pgErr *pgconn.PgError
	require.ErrorAs(t, name(conn, &tr), &pgErr)
	require.Equal(t, "55P03", pgErr.Code)
	require.NoError(t, reader.Rollback(ctx))
	require.NoError(t, name(conn, &tr))
}
