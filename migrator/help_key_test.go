package migrator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestHelpWhereTheKeyHasMoved: a helper walks by the key that the table has, and
// so does a repair before it has moved.
func TestHelpWhereTheKeyHasMoved(t *testing.T) {
	t.Parallel()
	db, m := begunWith(t, orders)
	conn := audit(t, db)
	_, err := m.Start(ctx, widen)
	require.NoError(t, err)
	_, err = m.Run(ctx, widen.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	r, err := m.Repair(ctx, widen.Name, migrator.RepairOptions{})
	require.NoError(t, err)
	require.Equal(t, "target", r.Authority)
	require.EqualValues(t, 300, r.Scanned)
	_, err = m.Run(ctx, widen.Name, migrator.RunOptions{})
	require.NoError(t, err)

	_, err = m.Pause(ctx, widen.Name)
	require.NoError(t, err)
	ended, helped := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := newMigrator(t, db, migrator.Config{Workers: 2}).Rollback(ctx, widen.Name, migrator.RollbackOptions{})
		ended <- err
	}()
	workers := func(n int) {
		pgtest.WaitFor(t, "workers to wait", func() bool {
			return scan[int](t, conn, `select count(*) from crossfade.worker where job = 'refill'`) == n
		})
	}
	workers(2)
	go func() {
		_, err := m.Help(ctx, widen.Name)
		helped <- err
	}()
	workers(3)
	_, err = m.Resume(ctx, widen.Name)
	require.NoError(t, err)
	require.NoError(t, <-helped)
	require.NoError(t, <-ended)
}
