package migrator_test

import (
	"context"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestHelpWhereNothingIsUnderWay(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, migrator.Config{})
	_, err := m.Help(ctx, rename.Name)
	require.ErrorIs(t, err, migrator.ErrNothingToHelp)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	_, err = m.Help(ctx, rename.Name)
	require.ErrorIs(t, err, migrator.ErrNothingToHelp, "all scans are finished")
	_, err = m.Help(ctx, "nobody")
	require.ErrorIs(t, err, migrator.ErrNotFound)
}

// TestHelpersAreKilled: processes that help are killed with kill -9 while they
// work, and the migrator that began is stopped too. Nothing is lost.
func TestHelpersAreKilled(t *testing.T) {
	t.Parallel()
	db, m := started(t, many, migrator.Config{BatchTarget: 1, Workers: 2})
	conn := audit(t, db)
	_, err := m.SetRate(ctx, rename.Name, 700) // half a minute of work
	require.NoError(t, err)
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		_, err := m.Run(running, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
		ended <- err
	}()
	pgtest.WaitFor(t, "two workers at work", func() bool {
		return scan[int](t, conn, `select count(*) from crossfade.worker where rows_scanned > 0`) == 2
	})
	for round := range 3 {
		helper := helperProcess(t, db)
		pgtest.WaitFor(t, "the process to help", func() bool {
			return scan[int](t, conn, `select count(*) from crossfade.worker where rows_scanned > 0`) > 2+round ||
				scan[bool](t, conn, `select exists (select from crossfade.progress where finished_at is not null)`)
		})
		require.NoError(t, helper.Process.Kill())
		_ = helper.Wait()
	}
	require.False(t, scan[bool](t, conn, `select exists (select from crossfade.progress where job = 'verify')`))
	status, err := m.Status(ctx, migrator.StatusOptions{Name: rename.Name})
	require.NoError(t, err)
	workers := status[0].Jobs[0].Workers
	require.GreaterOrEqual(t, len(workers), 5)
	require.True(t, workers[0].Alive)
	require.Equal(t, "tester", workers[0].Name)
	require.NotNil(t, workers[0].BatchAt)

	stop()
	require.ErrorIs(t, <-ended, context.Canceled)
	_, err = m.SetRate(ctx, rename.Name, 0)
	require.NoError(t, err)
	// A helper goes on alone, and finishes the job if nobody else is there.
	p, err := m.Help(ctx, rename.Name)
	require.NoError(t, err)
	require.True(t, p.Finished)
	require.EqualValues(t, 20300, p.RowsScanned)
	equal(t, conn)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
}

func helperProcess(t *testing.T, db *pgtest.DB) *exec.Cmd {
	t.Helper()
	cmd := spawn(t, task{URL: db.URL, Help: true})
	require.NoError(t, cmd.Start())
	return cmd
}
