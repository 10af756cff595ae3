package migrator_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// ramped is in phase live, with half of the connections reading the target.
func ramped(t testing.TB) (*pgtest.DB, *migrator.Migrator) {
	db, m := started(t, users, migrator.Config{})
	r, err := m.Ramp(ctx, rename.Name, 50)
	require.NoError(t, err)
	require.Equal(t, migrator.RampStatus{Name: rename.Name, Percent: 50, Phase: migrator.Off}, r)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	return db, m
}

func TestRampBeforeRampdown(t *testing.T) {
	t.Parallel()
	db, m := ramped(t)
	require.Equal(t, 50, statusOf(t, m).Ramp)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	require.Equal(t, "ramp-full", gate.Gate)
	require.False(t, gate.Forcible)
	_, err = m.Ramp(ctx, rename.Name, 101)
	require.ErrorContains(t, err, "from 0 to 100")
	epoch := statusOf(t, m).Epoch
	_, err = m.Ramp(ctx, rename.Name, 100)
	require.NoError(t, err)
	_, err = m.Ramp(ctx, rename.Name, 100) // nothing new
	require.NoError(t, err)
	require.Equal(t, epoch, statusOf(t, m).Epoch)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.RampDown})
	require.NoError(t, err)
	_, err = m.Ramp(ctx, rename.Name, 10)
	require.ErrorAs(t, err, &gate)
	require.Contains(t, gate.Why, "all reads go to the target")
	require.Equal(t, []string{"100 -> 50 of 100 connections read the target", "50 -> 100 of 100 connections read the target"},
		list[string](t, audit(t, db), `select detail from crossfade.history where event = 'ramp' order by id`))
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
}

// Where nothing holds the two sides equal any more, the source is not read beside
// the target.
func TestRampNeedsTheConstraint(t *testing.T) {
	t.Parallel()
	db, m := ramped(t)
	db.Exec(t, `alter table users drop constraint crossfade_t1_equal`)
	_, err := m.Ramp(ctx, rename.Name, 60)
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	require.Contains(t, gate.Why, "crossfade_t1_equal")
	_, err = m.Ramp(ctx, rename.Name, 100)
	require.NoError(t, err)
}

// A ramp of what loses something would show now this, now that.
func TestRampOfWhatLoses(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, `create table notes (id bigint primary key, text text not null); insert into notes values (1, 'Abc')`)
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err := m.Start(ctx, migrator.Transition{
		Name: "lower", Table: "notes", IgnoreApplications: []string{auditor},
		Change: &migrator.Change{From: "text", To: "lowered", Type: "text", Forward: "lower(text)", Backward: "lowered", Lossy: []string{"forward"}},
	})
	require.NoError(t, err)
	_, err = m.Ramp(ctx, "lower", 10)
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	require.Contains(t, gate.Why, "lossy")
}

// TestStepBack: what passes a limit takes reads back to the source, and nothing else;
// TestRampLimits has the limits.
func TestStepBack(t *testing.T) {
	t.Parallel()
	quiet := ledger.Reads{Compared: 100, Timed: 100, SourceSeconds: 0.2, TargetSeconds: 0.3,
		SourceStatements: 1000, SourceErrors: 10, TargetStatements: 1000, TargetErrors: 15}
	for name, c := range map[string]struct {
		limits migrator.RampLimits
		change func(*ledger.Reads)
		why    string
	}{
		"nothing": {change: func(*ledger.Reads) {}},
		"share":   {limits: migrator.RampLimits{Mismatches: 0.05}, change: func(r *ledger.Reads) { r.Mismatched = 6 }, why: "mismatches: 6 of 100"},
		"errors":  {change: func(r *ledger.Reads) { r.TargetErrors = 40 }, why: "errors: 40 of 1000 statements failed that read the target, 10 of 1000"},
		"no limits": {
			limits: migrator.RampLimits{Mismatches: -1, Errors: -1, Latency: -1},
			change: func(r *ledger.Reads) { r.Mismatched, r.TargetErrors, r.TargetSeconds = 100, 1000, 99 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, m := ramped(t)
			// What was counted before somebody looks is known to whoever set the ramp.
			before := ledger.Reads{Compared: 50, Mismatched: 50, TargetStatements: 50, TargetErrors: 50}
			reported(t, db, "one", before)
			guard := newMigrator(t, db, migrator.Config{RampLimits: c.limits})
			guarding, stop := context.WithCancel(ctx)
			defer stop()
			done := make(chan error, 1)
			looked := make(chan struct{})
			go func() {
				close(looked)
				done <- guard.GuardReads(guarding, rename.Name, 5*time.Millisecond)
			}()
			<-looked
			conn := audit(t, db)
			awaitLooks(t, db, 1)
			reads := quiet
			c.change(&reads)
			sum := before
			sum.Add(reads)
			reported(t, db, "one", sum)
			if c.why == "" {
				awaitLooks(t, db, 3)
				stop()
				require.ErrorIs(t, <-done, context.Canceled)
				require.Equal(t, 50, statusOf(t, m).Ramp)
				return
			}
			err := <-done
			var back *migrator.StepBackError
			require.ErrorAs(t, err, &back)
			require.Contains(t, back.Why, c.why)
			require.Equal(t, 50, back.Ramp)
			s := statusOf(t, m)
			require.Zero(t, s.Ramp)
			require.Equal(t, migrator.Live, s.Phase)
			require.Contains(t, s.SteppedBack, c.why)
			require.Equal(t, 1, scan[int](t, conn, `select count(*) from crossfade.history where event = 'step back' and evidence ? 'reads'`))
			require.NoError(t, guard.GuardReads(ctx, rename.Name, time.Millisecond), "nothing is left to guard")
			_, err = m.Ramp(ctx, rename.Name, 10)
			require.NoError(t, err)
			require.Empty(t, statusOf(t, m).SteppedBack)
		})
	}
}

// TestTwoGuards: one of them steps back, the other one says so too.
func TestTwoGuards(t *testing.T) {
	t.Parallel()
	db, m := ramped(t)
	require.False(t, statusOf(t, m).Guarded)
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- m.GuardReads(ctx, rename.Name, 5*time.Millisecond) }()
	}
	conn := audit(t, db)
	pgtest.WaitFor(t, "two guards", func() bool {
		return scan[int](t, conn, `select count(*) from pg_locks where locktype = 'advisory' and classid::bigint = $1
			and database = (select oid from pg_database where datname = current_database())`, fence.GuardClass) == 2
	})
	require.True(t, statusOf(t, m).Guarded)
	reported(t, db, "one", ledger.Reads{Compared: 100, Mismatched: 2})
	for range 2 {
		var back *migrator.StepBackError
		require.ErrorAs(t, <-done, &back)
		require.Equal(t, migrator.StepBackEvent{Transition: rename.Name, Ramp: 50, Why: "mismatches: 2 of 100 reads compared differed"}, back.StepBackEvent)
	}
	require.Equal(t, 1, scan[int](t, conn, `select count(*) from crossfade.history where event = 'step back'`))
	require.False(t, statusOf(t, m).Guarded)
}

// awaitLooks waits until guards have looked so many times from now on.
func awaitLooks(t testing.TB, db *pgtest.DB, n int) {
	t.Helper()
	conn := audit(t, db)
	seen := map[time.Time]bool{}
	pgtest.WaitFor(t, "the guard to look", func() bool {
		for _, at := range list[time.Time](t, conn, `select query_start from pg_stat_activity
			where application_name = 'crossfade migrator' and datname = current_database() and query like '%from crossfade.reads%'`) {
			seen[at] = true
		}
		return len(seen) > n
	})
}

// TestStepBackUnderTraffic: applications with the hook compare their reads, rows come
// to differ, and the follower takes the reads back; its flag takes them nowhere.
func TestStepBackUnderTraffic(t *testing.T) {
	t.Parallel()
	db, m := ramped(t)
	db.Exec(t, `alter table users drop constraint crossfade_t1_equal`)
	hook, err := dualwrite.New(dualwrite.Config{
		PollInterval: 20 * time.Millisecond, Shadow: dualwrite.Shadow{Rate: 1, StatementsPerSecond: -1},
	})
	require.NoError(t, err)
	config, err := pgxpool.ParseConfig(db.URL)
	require.NoError(t, err)
	pool, err := hook.NewPool(ctx, config)
	require.NoError(t, err)
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 2)
	defer func() {
		stop()
		require.ErrorIs(t, <-ended, context.Canceled)
		require.ErrorIs(t, <-ended, context.Canceled)
		pool.Close()
	}()
	go func() { ended <- hook.Run(running) }()
	_, err = m.Request(ctx, rename.Name, migrator.Request{Phase: migrator.RampDown})
	require.NoError(t, err)
	go func() {
		ended <- m.Follow(running, migrator.FollowOptions{Poll: 20 * time.Millisecond, Settle: time.Millisecond})
	}()
	read := func() {
		_, err := pool.Exec(ctx, `select full_name from users where id = 7`)
		require.NoError(t, err)
	}
	pgtest.WaitFor(t, "comparisons that agree", func() bool {
		read()
		r := statusOf(t, m).Reads
		return r != nil && r.Compared > 0 && r.Mismatched == 0
	})
	pgtest.WaitFor(t, "the follower to be held", func() bool {
		r := statusOf(t, m).Request
		return r != nil && r.HeldBy == "ramp-full"
	})
	require.Equal(t, 50, statusOf(t, m).Ramp)
	require.True(t, statusOf(t, m).Guarded)
	db.Exec(t, `update users set name = 'somebody else' where id = 7`)
	pgtest.WaitFor(t, "the step back", func() bool {
		read()
		return statusOf(t, m).Ramp == 0
	})
	require.Contains(t, statusOf(t, m).SteppedBack, "mismatches")
	pgtest.WaitFor(t, "all reads to go to the source", func() bool {
		for range 4 {
			var name string
			require.NoError(t, pool.QueryRow(ctx, `select full_name from users where id = 7`).Scan(&name))
			if name != "user 7" {
				return false
			}
		}
		return true
	})
	found, err := m.Mismatches(ctx, rename.Name)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, migrator.Live, statusOf(t, m).Phase)
	require.Zero(t, statusOf(t, m).Ramp)
}
