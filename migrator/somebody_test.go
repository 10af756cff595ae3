package migrator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// Somebody else changes the table between two commands, or after one that was
// broken off. What is his is neither written over nor dropped.

// TestSomebodyAddsTheTarget between start and run.
func TestSomebodyAddsTheTarget(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	conn := audit(t, db)
	db.Exec(t, `alter table users add column name text; update users set name = 'mine'`)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	var closed *migrator.GateError
	require.ErrorAs(t, err, &closed)
	require.Contains(t, closed.Why, `somebody has added a column "name"`)
	require.Equal(t, 300, scan[int](t, conn, `select count(*) from users where name = 'mine'`))
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, 300, scan[int](t, conn, `select count(*) from users where name = 'mine'`))

	db.Exec(t, `alter table users rename column name to theirs`)
	_, err = m.Run(ctx, rename.Name, untilContracted)
	require.NoError(t, err)
	require.Equal(t, 300, scan[int](t, conn, `select count(*) from users where theirs = 'mine' and name like 'user %'`))
}

// TestSomebodyAddsTheTargetLater: after the step that adds it did not get its lock.
func TestSomebodyAddsTheTargetLater(t *testing.T) {
	t.Parallel()
	for name, operation := range map[string]string{
		"move":  "rename: {from: full_name, to: name}",
		"alter": "add_column: {name: name, type: text}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, accounts)
			conn := audit(t, db)
			m := newMigrator(t, db, migrator.Config{})
			impatient := newMigrator(t, db, migrator.Config{DDLMaxWait: 10 * time.Millisecond})
			require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
			transition := altering(t, operation)
			transition.IgnoreApplications = []string{auditor}
			_, err := m.Start(ctx, transition)
			require.NoError(t, err)
			tx, err := conn.Begin(ctx)
			require.NoError(t, err)
			_, err = tx.Exec(ctx, `lock table users in access share mode`)
			require.NoError(t, err)
			_, err = impatient.Advance(ctx, transition.Name, migrator.AdvanceOptions{})
			var blocked *migrator.BlockedError
			require.ErrorAs(t, err, &blocked)
			require.NoError(t, tx.Rollback(ctx))

			db.Exec(t, `alter table users add column name text; update users set name = 'mine'`)
			_, err = m.Advance(ctx, transition.Name, migrator.AdvanceOptions{})
			require.ErrorContains(t, err, `somebody has added a column "name"`)
			_, err = m.Rollback(ctx, transition.Name, migrator.RollbackOptions{})
			require.NoError(t, err)
			require.NoError(t, m.Remove(ctx, transition.Name))
			require.Equal(t, 300, scan[int](t, conn, `select count(*) from users where name = 'mine'`))
		})
	}
}

// TestSomebodyAddsTheSourceAgain: while the step that drops it is half done.
func TestSomebodyAddsTheSourceAgain(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	conn := audit(t, db)
	_, err := m.Run(ctx, rename.Name, untilContracted)
	require.NoError(t, err)
	// As a crash leaves it, or a lock that was not to be had: dropped, and not recorded.
	db.Exec(t, `update crossfade.transition set step = 'contracted', underway = 'drop'`)
	db.Exec(t, `alter table users add column full_name text; update users set full_name = 'mine'`)
	_, err = m.Contract(ctx, rename.Name, withoutSnapshot)
	require.NoError(t, err)
	require.Equal(t, 300, scan[int](t, conn, `select count(*) from users where full_name = 'mine'`))
}

// TestSomebodyTakesTheNameOfAHiddenColumn: a rollback does not say that the table is
// what it was.
func TestSomebodyTakesTheNameOfAHiddenColumn(t *testing.T) {
	t.Parallel()
	db, m := prepared(t, accounts)
	conn := audit(t, db)
	drop := altering(t, "drop_column: {name: nick}")
	drop.IgnoreApplications = []string{auditor}
	_, err := m.Start(ctx, drop)
	require.NoError(t, err)
	original := shape(t, conn)
	_, err = m.Run(ctx, drop.Name, migrator.RunOptions{})
	require.NoError(t, err)
	db.Exec(t, `alter table users add column nick text`)
	_, err = m.Rollback(ctx, drop.Name, migrator.RollbackOptions{})
	require.ErrorContains(t, err, `somebody has added a column "nick"`)
	db.Exec(t, `alter table users drop column nick`)
	_, err = m.Rollback(ctx, drop.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, original, shape(t, conn))
}

// TestSomebodyDropsTheTarget: the way back does not ask for a column that it is about
// to drop.
func TestSomebodyDropsTheTarget(t *testing.T) {
	t.Parallel()
	for _, until := range []migrator.Phase{migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown} {
		t.Run(string(until), func(t *testing.T) {
			t.Parallel()
			db, m := started(t, users, migrator.Config{})
			conn := audit(t, db)
			original := shape(t, conn)
			_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: until})
			require.NoError(t, err)
			db.Exec(t, `alter table users drop column name`)
			if until == migrator.DualWrite {
				_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
				var closed *migrator.GateError
				require.ErrorAs(t, err, &closed)
				require.Contains(t, closed.Why, `has no columns ["name"] any more`)
			}
			p, err := m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
			require.NoError(t, err)
			require.Equal(t, migrator.Off, p.Phase)
			require.Equal(t, original, shape(t, conn))
			_, err = m.Run(ctx, rename.Name, untilContracted)
			require.NoError(t, err)
		})
	}
}

// TestSomebodyEndsTheSession of a command that is not the migrator's own: it may be
// run again as well.
func TestSomebodyEndsTheSession(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	db.Exec(t, `create function ended() returns trigger language plpgsql as $$
			begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
		create trigger ended before insert on crossfade.history for each row execute function ended()`)
	_, err := m.Pause(ctx, rename.Name)
	require.ErrorIs(t, err, migrator.ErrUnknownOutcome)
}
