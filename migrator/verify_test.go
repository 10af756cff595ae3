package migrator_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestMismatchKeepsReadsAtSource: a writer without the hook has set one column.
func TestMismatchKeepsReadsAtSource(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	conn := audit(t, db)
	for range 5 { // up to constrain
		_, err := m.Advance(ctx, rename.Name, migrator.AdvanceOptions{})
		require.NoError(t, err)
	}
	db.Exec(t, `update users set full_name = 'sneaked in' where id in (7, 8)`)
	p, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	var mismatch *migrator.MismatchError
	require.ErrorAs(t, err, &mismatch)
	require.EqualValues(t, 2, mismatch.Mismatches)
	require.Equal(t, [][]string{{"7"}, {"8"}}, mismatch.Samples)
	require.Equal(t, []string{"id"}, mismatch.Key)
	require.ErrorContains(t, err, "2 of 300 rows")
	require.Equal(t, migrator.DualWrite, p.Phase)
	require.Equal(t, "verify", p.Underway)

	// Who has read that, and comes again, gets the rows repaired.
	p, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	require.Equal(t, migrator.Shadow, p.Phase)
	require.Equal(t, "sneaked in", scan[string](t, conn, `select name from users where id = 7`))
}

// TestWriterAfterVerification: what a writer without the hook does between the
// verification and the constraint is found and repaired; after it, refused.
func TestWriterAfterVerification(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	conn := audit(t, db)
	for range 6 { // up to verify
		_, err := m.Advance(ctx, rename.Name, migrator.AdvanceOptions{})
		require.NoError(t, err)
	}
	db.Exec(t, `update users set full_name = 'sneaked in' where id = 9`)
	p, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	var mismatch *migrator.MismatchError
	require.ErrorAs(t, err, &mismatch)
	require.Equal(t, [][]string{{"9"}}, mismatch.Samples)
	require.Equal(t, "enforce", p.Underway)
	db.Exec(t, `update users set visits = visits + 1 where id = 9`) // nothing stands in the way of others

	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	require.Equal(t, "sneaked in", scan[string](t, conn, `select name from users where id = 9`))
	_, err = conn.Exec(ctx, `update users set full_name = 'again' where id = 9`)
	require.ErrorContains(t, err, "crossfade_t1_equal")
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	db.Exec(t, `update users set name = 'ours' where id = 9`) // as the hook writes in complete
}

// TestLiveNeedsTheConstraint: somebody has dropped it.
func TestLiveNeedsTheConstraint(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	db.Exec(t, `alter table users drop constraint crossfade_t1_equal`)
	db.Exec(t, `update users set full_name = 'again' where id = 9`)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	require.Equal(t, "live", gate.Step)
	v, err := m.Verify(ctx, rename.Name)
	var mismatch *migrator.MismatchError
	require.ErrorAs(t, err, &mismatch)
	require.EqualValues(t, 1, v.Mismatches)
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
}

// TestMismatchKeepsReadsAtTarget: the same on the way back from complete.
func TestMismatchKeepsReadsAtTarget(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	conn := audit(t, db)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	disturbed := newMigrator(t, db, migrator.Config{Observer: observer(func(e migrator.Event) {
		if batch, ok := e.(migrator.BatchEvent); ok && batch.Progress.Job == "refill" && batch.Progress.Finished {
			db.Exec(t, `update users set full_name = 'sneaked in' where id = 7`)
		}
	})})
	p, err := disturbed.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	var mismatch *migrator.MismatchError
	require.ErrorAs(t, err, &mismatch)
	require.Equal(t, migrator.RampDown, p.Phase)
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, "user 7", scan[string](t, conn, `select full_name from users where id = 7`))
}

func TestVerifyWhereItMeansNothing(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, migrator.Config{})
	var gate *migrator.GateError
	_, err := m.Verify(ctx, rename.Name)
	require.ErrorAs(t, err, &gate)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.DualWrite})
	require.NoError(t, err)
	_, err = m.Verify(ctx, rename.Name)
	require.ErrorAs(t, err, &gate, "before the backfill")
	for _, p := range []migrator.Phase{migrator.Shadow, migrator.Live, migrator.RampDown} {
		_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: p, Snapshot: migrator.NoSnapshot})
		require.NoError(t, err)
		_, err = m.Verify(ctx, rename.Name)
		require.NoError(t, err, p)
	}
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	_, err = m.Verify(ctx, rename.Name)
	require.ErrorAs(t, err, &gate)
}

// many has enough rows for several batches.
const many = users + `;
	insert into users (full_name, email) select 'more ' || i, i || '@example.com' from generate_series(1, 20000) i`

// TestDatabaseGoesAway ends the migrator's connection in the middle of a
// backfill, and of the refill on the way back.
func TestDatabaseGoesAway(t *testing.T) {
	t.Parallel()
	db, m := started(t, many, migrator.Config{})
	conn := audit(t, db)
	cut := func(job string) *migrator.Migrator {
		batches := 0
		return newMigrator(t, db, migrator.Config{BatchTarget: 1, Observer: observer(func(e migrator.Event) {
			if batch, ok := e.(migrator.BatchEvent); ok && batch.Progress.Job == job {
				if batches++; batches == 3 {
					endMigrator(t, db)
				}
			}
		})})
	}
	p, err := cut("backfill").Run(ctx, rename.Name, migrator.RunOptions{})
	require.ErrorIs(t, err, migrator.ErrUnknownOutcome)
	require.Equal(t, "backfill", p.Underway)
	status, err := m.Status(ctx, migrator.StatusOptions{Name: rename.Name})
	require.NoError(t, err)
	require.Len(t, status[0].Jobs, 1)
	done := status[0].Jobs[0]
	require.Positive(t, done.RowsScanned)
	require.False(t, done.Finished)
	require.EqualValues(t, done.RowsScanned, scan[int](t, conn, `select count(*) from users where name is not null`))

	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	equal(t, conn)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)

	db.Exec(t, `update users set name = name || '!'`)
	p, err = cut("refill").Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.ErrorIs(t, err, migrator.ErrUnknownOutcome)
	require.Equal(t, "release", p.Underway)
	require.Equal(t, migrator.RampDown, p.Phase, "reads do not return to a source that is stale")
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{To: migrator.Live})
	require.NoError(t, err)
	equal(t, conn)
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, 20300, scan[int](t, conn, `select count(*) from users where full_name like '%!'`))
}

// endMigrator ends the connection that leads.
func endMigrator(t *testing.T, db *pgtest.DB) {
	t.Helper()
	db.Exec(t, fmt.Sprintf(`select pg_terminate_backend(l.pid) from pg_locks l
		where l.locktype = 'advisory' and l.classid::bigint = %d and l.database = (select oid from pg_database where datname = current_database())`,
		0x6366_0002))
}
