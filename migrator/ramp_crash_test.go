package migrator_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// rampCrash is a transition in phase live of which half of the connections read the
// target.
type rampCrash struct {
	*testing.T
	db     *pgtest.DB
	good   *migrator.Migrator
	points int
	// since is the event before a crash.
	since int
}

func newRampCrash(t *testing.T) *rampCrash {
	db, m := ramped(t)
	return &rampCrash{T: t, db: db, good: m}
}

// again sets the ramp to 50 once more.
func (c *rampCrash) again() {
	_, err := c.good.Ramp(ctx, rename.Name, 50)
	require.NoError(c, err)
	conn := audit(c.T, c.db)
	defer conn.Close(ctx)
	c.points++
	c.since = scan[int](c.T, conn, `select max(id) from crossfade.history`)
}

// wired is a migrator that ends by f, of which what counts begins with from.
func (c *rampCrash) wired(f fault, from string) (*migrator.Migrator, *wire) {
	w := &wire{fault: f, from: from, strike: func(application string) error { return terminate(c.db, application) }}
	config := c.db.Config(c)
	config.DialFunc = w.dial
	m, err := migrator.New(config, crashConfig())
	require.NoError(c, err)
	return m, w
}

// settled waits until nobody is at work any more, and tells whether the ramp is new. It
// is so with its event, or not at all; the phase stays.
func (c *rampCrash) settled(event string, percent int) (done bool) {
	c.Helper()
	conn := audit(c.T, c.db)
	defer conn.Close(ctx)
	pgtest.WaitFor(c, "the dead migrator's session to end", func() bool {
		return scan[int](c.T, conn, `select count(*) from pg_stat_activity
			where datname = current_database() and application_name = 'crossfade migrator'`) == 0
	})
	row, err := ledger.Get(ctx, conn, rename.Name)
	require.NoError(c, err)
	require.Equal(c, migrator.Live, row.Phase)
	events := list[string](c.T, conn, `select event from crossfade.history where id > $1 order by id`, c.since)
	if row.Ramp == 50 {
		require.Empty(c, events)
		return false
	}
	require.Equal(c, percent, row.Ramp)
	require.Equal(c, []string{event}, events)
	return true
}

// rampFaults are the manners in which a migrator ends at a statement: each in its turn,
// or all of them.
func rampFaults(at int64) []kind {
	all := []kind{unsent, unanswered, terminated, full, denied, killed}
	if *crashAll {
		return all
	}
	turn := int(at) % 3
	return []kind{all[turn], all[turn+3]}
}

// TestCrashOfRamp: whoever sets the ramp ends, or gets an error, at any statement. The
// ramp is the one from before or the new one with its event, and setting it again is
// enough.
func TestCrashOfRamp(t *testing.T) {
	t.Parallel()
	c := newRampCrash(t)
	const percent = 20
	m, w := c.wired(fault{}, "")
	_, err := m.Ramp(ctx, rename.Name, percent)
	require.NoError(t, err)
	total := w.sent.Load()
	require.Greater(t, total, int64(8))
	t.Logf("%d statements", total)
	for at := int64(1); at <= total; at++ {
		for _, k := range rampFaults(at) {
			c.again()
			f := fault{kind: k, at: at}
			if k == killed {
				die(t, task{URL: c.db.URL, Ramp: true, At: at})
			} else {
				m, w := c.wired(f, "")
				_, err = m.Ramp(ctx, rename.Name, percent)
				require.NoError(t, w.failure(), f)
			}
			done := c.settled("ramp", percent)
			if k != killed && err == nil {
				require.True(t, done, "%s: it said that it is done", f)
			}
			if k.refused() && err != nil {
				require.False(t, done, "%s: %v", f, err)
			}
			_, err = c.good.Ramp(ctx, rename.Name, percent)
			require.NoError(t, err, f)
			require.True(t, c.settled("ramp", percent), f)
		}
	}
}

// TestCrashOfGuard: a guard ends at any statement of its step back. It has stepped back
// or it has not, the next one does it, and one that has only lost its connection does it
// itself.
func TestCrashOfGuard(t *testing.T) {
	t.Parallel()
	c := newRampCrash(t)
	m, w := c.wired(fault{}, "begin")
	c.again()
	var back *migrator.StepBackError
	require.ErrorAs(t, c.guard(m, w.isDead), &back)
	require.True(t, c.settled("step back", 0))
	total := w.sent.Load() - 1 // with one more it leaves the session
	t.Logf("%d statements", total)
	require.Greater(t, total, int64(4))
	for at := int64(1); at <= total; at++ {
		for _, k := range rampFaults(at) {
			c.again()
			f := fault{kind: k, at: at}
			var err error
			if k == killed {
				cmd := spawn(t, task{URL: c.db.URL, Guard: true, At: at})
				require.NoError(t, cmd.Start())
				c.fail()
				require.Error(t, cmd.Wait())
				require.False(t, cmd.ProcessState.Exited(), "%s: killed, not ended", f)
			} else {
				m, w := c.wired(f, "begin")
				err = c.guard(m, w.isDead)
				require.NoError(t, w.failure(), f)
			}
			done := c.settled("step back", 0)
			switch {
			case k == terminated:
				require.ErrorAs(t, err, &back, f.String())
				require.Contains(t, back.Why, "mismatches: ")
				require.Equal(t, 50, back.Ramp)
				require.True(t, done, f)
			case k.refused():
				require.False(t, done, "%s: %v", f, err)
			}
			if !done {
				require.ErrorAs(t, c.guard(c.good, (&wire{}).isDead), &back, f.String())
			}
			require.True(t, c.settled("step back", 0), f)
		}
	}
}

// fail waits for a guard, and reports reads that differ.
func (c *rampCrash) fail() {
	pgtest.WaitFor(c, "the guard", func() bool { return statusOf(c.T, c.good).Guarded })
	reported(c, c.db, fmt.Sprint("instance ", c.points), ledger.Reads{Compared: 10, Mismatched: 1})
}

// guard guards until the reads differ and it has ended, or is dead.
func (c *rampCrash) guard(m *migrator.Migrator, dead func() bool) error {
	guarding, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- m.GuardReads(guarding, rename.Name, 5*time.Millisecond) }()
	c.points++
	c.fail()
	pgtest.WaitFor(c, "the guard to end", func() bool { return len(done) > 0 || dead() })
	cancel()
	return <-done
}
