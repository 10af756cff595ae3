package migrator_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/migrator"
)

// TestWatchEndsAtTheFirstDifference, and closes the gate of live.
func TestWatchEndsAtTheFirstDifference(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	conn := audit(t, db)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	db.Exec(t, `alter table users drop constraint crossfade_t1_equal`)
	passes := 0
	err = m.Watch(ctx, rename.Name, migrator.WatchOptions{Every: time.Millisecond, OnPass: func(v migrator.Verification) {
		require.EqualValues(t, 300, v.Rows)
		if passes++; passes == 3 {
			db.Exec(t, `update users set full_name = 'sneaked in' where id = 9`)
		}
	}})
	var mismatch *migrator.MismatchError
	require.ErrorAs(t, err, &mismatch)
	require.Equal(t, 4, passes)
	require.Equal(t, [][]string{{"9"}}, mismatch.Samples)
	require.Equal(t, "1 of 300 rows differ, the verification is void", scan[string](t, conn, `select detail from crossfade.history where event = 'mismatch'`))

	db.Exec(t, `alter table users add constraint crossfade_t1_equal check (full_name = name or id = 9)`) // as if it were there
	var gate *migrator.GateError
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.ErrorAs(t, err, &gate)
	require.Equal(t, "verified", gate.Gate)
	require.Contains(t, gate.Hint, "crossfade repair users-name")
	_, err = m.Repair(ctx, rename.Name, migrator.RepairOptions{})
	require.NoError(t, err)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
}

// TestWatchBesideTheMigrator: passes go on while the transition goes to complete,
// back, and there again, and see no difference where there should be one.
func TestWatchBesideTheMigrator(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watched := make(chan error, 1)
	passes := make(chan migrator.Verification, 1000)
	watch := func() {
		watched <- m.Watch(watching, rename.Name, migrator.WatchOptions{Every: time.Millisecond, OnPass: func(v migrator.Verification) {
			select {
			case passes <- v:
			default:
			}
		}})
	}
	go watch()
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.RampDown})
	require.NoError(t, err)
	<-passes
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	require.NoError(t, <-watched, "in complete it ends")
	db.Exec(t, `update users set name = name || '!'`)
	require.NoError(t, m.Watch(ctx, rename.Name, migrator.WatchOptions{}))

	// On the way back the source is stale until it has been filled again.
	done := make(chan struct{})
	go func() {
		defer close(done)
		for watching.Err() == nil {
			if err := m.Watch(watching, rename.Name, migrator.WatchOptions{Every: time.Millisecond}); err != nil {
				watched <- err
				return
			}
		}
	}()
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	stop()
	<-done
	select {
	case err := <-watched:
		require.ErrorIs(t, err, context.Canceled)
	default:
	}
}

// TestVerificationBeforeAFailoverIsVoid: the server that has been verified is
// not the one in charge.
func TestVerificationBeforeAFailoverIsVoid(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	db.Exec(t, `update crossfade.progress set server = split_part(server, '/', 1) || '/00000000' where job = 'verify'`)
	var gate *migrator.GateError
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.ErrorAs(t, err, &gate)
	require.Equal(t, "verified", gate.Gate)
	require.Contains(t, gate.Why, "failover")
	_, err = m.Verify(ctx, rename.Name)
	require.NoError(t, err)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
}

// TestVerifyGoesOn: what was interrupted is not begun anew, what has ended is.
func TestVerifyGoesOn(t *testing.T) {
	t.Parallel()
	db, m := started(t, many, migrator.Config{})
	conn := audit(t, db)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	stopped, stop := context.WithCancel(ctx)
	defer stop()
	batches := 0
	hasty := newMigrator(t, db, migrator.Config{BatchTarget: 1, Observer: observer(func(e migrator.Event) {
		if _, ok := e.(migrator.BatchEvent); ok {
			if batches++; batches == 2 {
				stop()
			}
		}
	})})
	_, err = hasty.Verify(stopped, rename.Name)
	require.ErrorIs(t, err, context.Canceled)
	began := scan[time.Time](t, conn, `select started_at from crossfade.progress where job = 'verify'`)
	v, err := m.Verify(ctx, rename.Name)
	require.NoError(t, err)
	require.EqualValues(t, 20300, v.Rows)
	require.Equal(t, began, scan[time.Time](t, conn, `select started_at from crossfade.progress where job = 'verify'`))
	_, err = m.Verify(ctx, rename.Name)
	require.NoError(t, err)
	require.NotEqual(t, began, scan[time.Time](t, conn, `select started_at from crossfade.progress where job = 'verify'`))
}
