package migrator_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// impatient gives up a drain after its first look past the grace.
var impatient = migrator.Config{Grace: time.Nanosecond, DrainTimeout: 20 * time.Millisecond}

func with(c migrator.Config, policy migrator.LaggardPolicy) migrator.Config {
	c.Laggards = policy
	return c
}

// readOld reads users as the hook would in phase off, at the given view.
func readOld(conn interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}, view fence.View) error {
	token := pgx.Identifier{"crossfade", view.Transitions[0].Token}.Sanitize()
	_, err := conn.Exec(ctx, `with cf as (select from `+token+`) select full_name from users`)
	return err
}

// hangs asserts that err is a drain that waits for exactly these sessions, and
// that its text names them.
func hangs(t *testing.T, err error, waiting ...*pgx.Conn) migrator.Drain {
	t.Helper()
	var drain *migrator.DrainError
	require.ErrorAs(t, err, &drain)
	require.Len(t, drain.Waiting, len(waiting), err)
	for _, conn := range waiting {
		require.ErrorContains(t, err, "pid "+strconv.Itoa(int(conn.PgConn().PID())))
	}
	return drain.Drain
}

func TestFirstDrainWaitsForEverybody(t *testing.T) {
	t.Parallel()
	for _, policy := range []migrator.LaggardPolicy{migrator.LaggardsFence, migrator.LaggardsTerminate} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, users)
			m := newMigrator(t, db, with(impatient, policy))
			require.NoError(t, m.Init(ctx, migrator.InitOptions{}))

			bare := connect(t, db, "legacy job")
			_, err := bare.Exec(ctx, `select full_name from users`)
			require.NoError(t, err)
			ignored := audit(t, db)
			_, err = m.Start(ctx, rename)
			drain := hangs(t, err, bare)
			require.False(t, drain.Waiting[0].Hooked())
			for _, text := range []string{"first drain", `application "legacy job"`, "no hook", "idle for", "select full_name from users", "hint:"} {
				require.ErrorContains(t, err, text)
			}
			require.NoError(t, ignored.Ping(ctx))

			// The transition is registered, so the call can be repeated.
			p, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
			hangs(t, err, bare)
			require.Equal(t, "register", p.Underway)
			_, err = m.Start(ctx, rename)
			hangs(t, err, bare)
			require.NoError(t, bare.Ping(ctx), "no policy ends a session without the hook")
			require.NoError(t, bare.Close(ctx))
			patient := newMigrator(t, db, migrator.Config{})
			p, err = patient.Start(ctx, rename)
			require.NoError(t, err)
			require.Equal(t, "register", p.Step)
		})
	}
}

func TestFirstDrainWaitsForOlderEpochs(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	m := newMigrator(t, db, impatient)
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	app, _ := join(t, db)
	_, err := m.Start(ctx, rename)
	drain := hangs(t, err, app)
	require.True(t, drain.Waiting[0].Hooked())
	require.Empty(t, drain.Fenced, "no token fences a session that joined before")

	// With the policy terminate the hooked session is ended, its pool reconnects.
	_, err = newMigrator(t, db, with(migrator.Config{Grace: time.Nanosecond}, migrator.LaggardsTerminate)).Start(ctx, rename)
	require.NoError(t, err)
	require.Error(t, app.Ping(ctx))
}

func TestFirstDrainWaitsForPreparedTransactions(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	m := newMigrator(t, db, impatient)
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	db.Exec(t, `begin; update users set visits = 1 where id = 1; prepare transaction 'xa'`)
	_, err := m.Start(ctx, rename)
	var drain *migrator.DrainError
	require.ErrorAs(t, err, &drain)
	require.ErrorContains(t, err, `prepared transaction "xa"`)
	db.Exec(t, `commit prepared 'xa'`)
	_, err = newMigrator(t, db, migrator.Config{}).Start(ctx, rename)
	require.NoError(t, err)
}

func TestIdleLaggardIsFenced(t *testing.T) {
	t.Parallel()
	db, _ := started(t, users, migrator.Config{})
	app, view := join(t, db)
	require.NoError(t, readOld(app, view))
	m := newMigrator(t, db, migrator.Config{Grace: time.Nanosecond})
	_, err := m.Advance(ctx, rename.Name, migrator.AdvanceOptions{To: migrator.DualWrite})
	require.NoError(t, err)

	var pgErr *pgconn.PgError
	require.ErrorAs(t, readOld(app, view), &pgErr)
	require.Equal(t, "42P01", pgErr.Code, "its phase has ended")
	status, err := m.Status(ctx, migrator.StatusOptions{})
	require.NoError(t, err)
	require.Contains(t, status[0].History[len(status[0].History)-2].Evidence, "fenced")

	// It lives on, and later flips do not wait for it, even without fencing.
	_, err = newMigrator(t, db, with(impatient, migrator.LaggardsWait)).Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	require.NoError(t, app.Ping(ctx))
}

func TestPolicyWait(t *testing.T) {
	t.Parallel()
	db, _ := started(t, users, migrator.Config{})
	app, _ := join(t, db)
	m := newMigrator(t, db, with(impatient, migrator.LaggardsWait))
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	hangs(t, err, app)
	require.ErrorContains(t, err, "flip off -> dualwrite")
	require.NoError(t, app.Close(ctx))
	_, err = newMigrator(t, db, migrator.Config{}).Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
}

// TestOpenTransactionHoldsUp: it has named the old token, so nothing may move
// on, forward or back, before it ends.
func TestOpenTransactionHoldsUp(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Advance(ctx, rename.Name, migrator.AdvanceOptions{}) // expand, which the transaction would hold up
	require.NoError(t, err)
	conn := audit(t, db)
	app, view := join(t, db)
	tx, err := app.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, readOld(tx, view))

	hasty := newMigrator(t, db, impatient)
	p, err := hasty.Advance(ctx, rename.Name, migrator.AdvanceOptions{To: migrator.DualWrite})
	drain := hangs(t, err, app)
	require.True(t, drain.Waiting[0].HoldsOld)
	require.Positive(t, drain.Waiting[0].Age)
	require.Equal(t, migrator.Off, drain.From)
	require.ErrorContains(t, err, "idle in transaction for")
	require.ErrorContains(t, err, "select full_name from users")
	require.Equal(t, migrator.Position{
		Name: rename.Name, Phase: migrator.DualWrite, Step: "expand", Underway: "dualwrite", Epoch: p.Epoch,
	}, p)
	require.Len(t, tokens(t, conn), 2, "both phases stay allowed")

	status, err := m.Status(ctx, migrator.StatusOptions{})
	require.NoError(t, err)
	require.NotNil(t, status[0].Drain)
	require.Len(t, status[0].Drain.Waiting, 1)
	require.Contains(t, status[0].Sessions, migrator.EpochSessions{Epoch: view.Epoch, Count: 1})

	_, err = hasty.Advance(ctx, rename.Name, migrator.AdvanceOptions{})
	hangs(t, err, app)
	_, err = hasty.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	hangs(t, err, app)
	require.NoError(t, readOld(tx, view), "nobody has failed it")
	require.Len(t, tokens(t, conn), 2)

	require.NoError(t, tx.Commit(ctx))
	p, err = newMigrator(t, db, migrator.Config{Grace: time.Nanosecond}).Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, "register", p.Step)
	require.Len(t, tokens(t, conn), 1)
}

func TestPolicyTerminate(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Advance(ctx, rename.Name, migrator.AdvanceOptions{}) // expand, which the transaction would hold up
	require.NoError(t, err)
	busy, view := join(t, db)
	tx, err := busy.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, readOld(tx, view))
	idle, _ := join(t, db)
	m = newMigrator(t, db, with(migrator.Config{Grace: time.Nanosecond}, migrator.LaggardsTerminate))
	_, err = m.Advance(ctx, rename.Name, migrator.AdvanceOptions{To: migrator.DualWrite})
	require.NoError(t, err)
	require.Error(t, readOld(tx, view))
	require.NoError(t, idle.Ping(ctx), "fencing is enough for it")
}

func TestNewcomerWithoutHookBlocks(t *testing.T) {
	t.Parallel()
	db, _ := started(t, users, migrator.Config{})
	bare := connect(t, db, "psql")
	_, err := newMigrator(t, db, impatient).Run(ctx, rename.Name, migrator.RunOptions{})
	hangs(t, err, bare)
	config := impatient
	config.DrainTimeout, config.IgnoreApplications = time.Minute, []string{"psql"}
	_, err = newMigrator(t, db, config).Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err, "the operator vouches for it")
}

// TestDrainEndsWhenSessionEnds: a running drain notices by itself.
func TestDrainEndsWhenSessionEnds(t *testing.T) {
	t.Parallel()
	db, _ := started(t, users, migrator.Config{})
	app, _ := join(t, db)
	waiting := make(chan struct{}, 1)
	m := newMigrator(t, db, migrator.Config{Observer: observer(func(e migrator.Event) {
		if e, ok := e.(migrator.DrainEvent); ok && len(e.Waiting) > 0 {
			select {
			case waiting <- struct{}{}:
			default:
			}
		}
	})})
	done := make(chan error, 1)
	go func() {
		_, err := m.Advance(ctx, rename.Name, migrator.AdvanceOptions{To: migrator.DualWrite})
		done <- err
	}()
	<-waiting
	require.NoError(t, app.Close(ctx))
	require.NoError(t, <-done)
}

// TestRemoveWaitsForHookedOnly: its laggards act by the removed transition,
// everybody else does not matter to it any more.
func TestRemoveWaitsForHookedOnly(t *testing.T) {
	t.Parallel()
	db, _ := started(t, users, migrator.Config{})
	conn := audit(t, db)
	app, view := join(t, db)
	_ = connect(t, db, "psql")
	tx, err := app.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, readOld(tx, view))
	m := newMigrator(t, db, impatient)
	err = m.Remove(ctx, rename.Name)
	hangs(t, err, app)
	require.ErrorContains(t, err, "removal")
	_, err = m.Start(ctx, rename)
	hangs(t, err, app)
	require.ErrorContains(t, err, "removal", "one at a time")

	status, err := m.Status(ctx, migrator.StatusOptions{})
	require.NoError(t, err)
	require.Len(t, status, 1)
	require.True(t, status[0].Removed)
	require.Len(t, status[0].Drain.Waiting, 1)
	require.NoError(t, tx.Commit(ctx))
	require.NoError(t, newMigrator(t, db, migrator.Config{Grace: time.Nanosecond}).Remove(ctx, rename.Name))
	require.Empty(t, tokens(t, conn))
	require.True(t, errors.Is(m.Remove(ctx, rename.Name), migrator.ErrNotFound))
}
