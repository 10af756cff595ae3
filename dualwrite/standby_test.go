//go:build unix

package dualwrite_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// replicated is a fixture on a primary, with a hooked pool of that and one of its
// standby.
type replicated struct {
	*fixture
	hook             *dualwrite.Hook
	replica          *pgx.Conn // to the standby, without the hook
	readers, writers *pgxpool.Pool
	written          int
}

func newReplicated(t *testing.T) *replicated {
	primary := pgtest.Server(t, nil)
	f := &fixture{DB: &pgtest.DB{URL: primary.URL("postgres"), Name: "postgres"}, t: t}
	f.Exec(t, schema)
	f.admin = f.Conn(t)
	require.NoError(t, fence.Own(t.Context(), f.admin))
	standby := pgtest.Standby(t, f.DB)
	r := &replicated{fixture: f, replica: standby.Conn(t)}
	require.NoError(t, fence.Own(t.Context(), r.replica))
	r.hook = f.hook(func(c *dualwrite.Config) { c.AbsentInterval = 50 * time.Millisecond })
	r.readers = f.pool(r.hook, func(c *pgxpool.Config) { c.ConnConfig, c.MaxConns = standby.Config(t), 4 })
	r.writers = f.pool(r.hook)
	return r
}

// name is what somebody on the standby reads. Who did not hear of the end of a
// phase tries again.
func (r *replicated) name() (name string) {
	r.t.Helper()
	for try := 0; ; try++ {
		err := r.readers.QueryRow(r.t.Context(), `select full_name from users where id = $1`, 1).Scan(&name)
		if dualwrite.IsStalePhase(err) && try < 4 {
			continue
		}
		require.NoError(r.t, err)
		return name
	}
}

// write writes through the hook and returns what it has written.
func (r *replicated) write() string {
	r.written++
	name := fmt.Sprintf("name %d in %s", r.written, r.move.Phase)
	for try := 0; ; try++ {
		_, err := r.writers.Exec(r.t.Context(), `update users set full_name = $1 where id = 1`, name)
		if dualwrite.IsStalePhase(err) && try < 4 {
			continue
		}
		require.NoError(r.t, err)
		return name
	}
}

// replay waits until all that has been done is there.
func (r *replicated) replay() {
	r.t.Helper()
	var lsn string
	require.NoError(r.t, r.admin.QueryRow(r.t.Context(), `select pg_current_wal_insert_lsn()::text`).Scan(&lsn))
	pgtest.WaitFor(r.t, "the standby to replay "+lsn, func() bool { return r.is(`select pg_last_wal_replay_lsn() >= $1::text::pg_lsn`, lsn) })
}

func (r *replicated) is(query string, args ...any) (yes bool) {
	require.NoError(r.t, r.replica.QueryRow(r.t.Context(), query, args...).Scan(&yes))
	return yes
}

func (r *replicated) onStandby(sql string) {
	_, err := r.replica.Exec(r.t.Context(), sql)
	require.NoError(r.t, err)
}

func (r *replicated) pause() {
	r.onStandby(`select pg_wal_replay_pause()`)
	pgtest.WaitFor(r.t, "the replay to stand still", func() bool { return r.is(`select pg_is_wal_replay_paused()`) })
	if r.is(`select current_setting('server_version_num')::int >= 140000`) {
		pgtest.WaitFor(r.t, "the replay to stand still", func() bool { return r.is(`select pg_get_wal_replay_pause_state() = 'paused'`) })
	}
}

func (r *replicated) resume() {
	r.onStandby(`select pg_wal_replay_resume()`)
	r.replay()
}

// there and back again.
var thereAndBack = []phase.Phase{
	phase.DualWrite, phase.Shadow, phase.Live, phase.RampDown, phase.Complete,
	phase.RampDown, phase.Live, phase.Shadow, phase.DualWrite, phase.Off,
}

// On a standby a statement goes by the phase that has been replayed there, and
// reads what was right then. A connection of a phase whose end has been replayed
// gets nothing.
func TestStandbyReadsWhatIsReplayed(t *testing.T) {
	r := newReplicated(t)
	r.run(r.hook)
	require.Equal(t, "user 1", r.name(), "before the transition")
	r.register()
	r.replay()
	pgtest.WaitFor(t, "the reader to know", func() bool { return r.name() != "" && r.hook.Stats().Rewritten > 0 })
	for _, next := range thereAndBack {
		before := r.write()
		r.replay()
		require.Equal(t, before, r.name(), "in %s", r.move.Phase)
		keeper, err := r.readers.Acquire(t.Context())
		require.NoError(t, err)
		t.Cleanup(keeper.Release)
		read := func() (name string, err error) {
			return name, keeper.QueryRow(t.Context(), `select full_name from users where id = $1`, 1).Scan(&name)
		}
		_, err = read() // a plan that is kept
		require.NoError(t, err)

		// Both phases are allowed there, when the replay stops.
		r.step(next)
		r.replay()
		r.pause()
		if r.move.Phase == phase.RampDown && next != phase.Complete { // back from complete
			r.exec(`update users set full_name = name where full_name is distinct from name`)
		}
		r.drop()
		after := r.write()
		got, err := read()
		require.NoError(t, err, "its phase has not ended there")
		require.Equal(t, before, got)
		require.Equal(t, before, r.name(), "who joins the next phase")
		r.resume()
		_, err = read()
		require.True(t, dualwrite.IsStalePhase(err), "%s has ended: %v", next, err)
		keeper.Release()
		require.Equal(t, after, r.name())
	}
}

// What is refused on a standby cannot be written down there: the primary's ledger has it.
func TestStandbyReportsRefusals(t *testing.T) {
	r := newReplicated(t)
	r.run(r.hook)
	r.register()
	r.replay()
	pgtest.WaitFor(t, "the reader to know", func() bool { return r.name() != "" && r.hook.Stats().Rewritten > 0 })
	r.write() // Run follows servers that connections lead to
	for i, pool := range []*pgxpool.Pool{r.readers, r.writers} {
		_, err := pool.Exec(t.Context(), `select u from users u`)
		_, ok := dualwrite.AsRefusal(err)
		require.True(t, ok, "%v", err)
		require.Len(t, r.waitRefused(int64(1+i)), 1)
	}
	require.Zero(t, r.seen(dualwrite.ReportFailed))
}

// A standby that has been away for several flips replays them all at once.
func TestStandbyThatWasFarBehind(t *testing.T) {
	r := newReplicated(t)
	r.run(r.hook)
	r.register()
	r.replay()
	before := r.write()
	r.replay()
	tx, err := r.readers.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	in := func() (name string, err error) {
		return name, tx.QueryRow(t.Context(), `select full_name from users where id = $1`, 1).Scan(&name)
	}
	got, err := in()
	require.NoError(t, err)
	require.Equal(t, before, got)
	r.pause()
	r.to(phase.Complete)
	after := r.write()
	got, err = in()
	require.NoError(t, err)
	require.Equal(t, before, got)
	require.Equal(t, before, r.name())
	r.onStandby(`select pg_wal_replay_resume()`)
	// The end of the transaction's phase cannot be replayed as long as it lasts.
	pgtest.WaitFor(t, "the replay to wait for the reader", func() bool {
		return r.is(`select exists (select from pg_locks where not granted and locktype = 'relation' and mode = 'AccessExclusiveLock')`)
	})
	got, err = in()
	require.NoError(t, err)
	require.Equal(t, before, got)
	require.NoError(t, tx.Rollback(t.Context()))
	r.replay()
	require.Equal(t, after, r.name())
}

// The replay does not wait for ever: it ends who reads by a phase that has ended,
// with an error that says to try again.
func TestStandbyConflictCanBeRetried(t *testing.T) {
	r := newReplicated(t)
	r.onStandby(`alter system set max_standby_streaming_delay = 0`)
	r.onStandby(`select pg_reload_conf()`)
	pgtest.WaitFor(t, "the setting", func() bool { return r.is(`select current_setting('max_standby_streaming_delay') = '0'`) })
	r.register()
	r.replay()
	before := r.write()
	r.replay()
	require.Equal(t, before, r.name())

	idle, err := r.readers.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = idle.Rollback(context.Background()) })
	var name string
	require.NoError(t, idle.QueryRow(t.Context(), `select full_name from users where id = 1`).Scan(&name))
	busy := make(chan error, 1)
	go func() {
		_, err := r.readers.Exec(context.Background(), `select full_name, pg_sleep(60) from users where id = 1`)
		busy <- err
	}()
	pgtest.WaitFor(t, "the statement to run", func() bool {
		return r.is(`select exists (select from pg_stat_activity where query like '%pg_sleep(60)%' and wait_event = 'PgSleep')`)
	})
	r.to(phase.DualWrite) // nobody looks at the standby
	r.replay()
	err = <-busy
	require.Equal(t, "40001", pgError(t, err).Code)
	// A transaction that is idle loses its connection.
	err = idle.QueryRow(t.Context(), `select full_name from users where id = 1`).Scan(&name)
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "40001" {
		require.True(t, idle.Conn().IsClosed(), "%v", err)
	}
	require.Error(t, err)
	_ = idle.Rollback(t.Context())
	require.Equal(t, before, r.name())
	for _, c := range r.readers.AcquireAllIdle(t.Context()) {
		require.NoError(t, c.Ping(t.Context()))
		c.Release()
	}
	require.Equal(t, r.move.Epoch, latest(r.hook.Stats()))
}

func latest(s dualwrite.Stats) (epoch int) {
	for e := range s.Connections {
		epoch = max(epoch, e)
	}
	return epoch
}

// What joined a standby may know nothing of a transition. It must not become a
// writer when the standby becomes the primary.
func TestReadersOfStandbyDoNotBecomeWriters(t *testing.T) {
	r := newReplicated(t)
	keeper, err := r.readers.Acquire(t.Context())
	require.NoError(t, err)
	t.Cleanup(keeper.Release)
	r.register()
	r.replay()
	r.onStandby(`select pg_promote()`)
	require.False(t, r.is(`select pg_is_in_recovery()`))
	const write = `update users set full_name = 'written by a reader' where id = 1`
	_, err = keeper.Exec(t.Context(), write)
	require.Equal(t, "25006", pgError(t, err).Code)
	// The others are not handed out any more, where the server tells of it.
	if r.is(`select current_setting('server_version_num')::int >= 140000`) {
		keeper.Release()
		pgtest.WaitFor(t, "the reader to go", func() bool {
			_, err = r.readers.Exec(t.Context(), write)
			return err == nil
		})
		require.True(t, r.is(`select count(*) = 1 from users where full_name = 'written by a reader'`))
	}
}

// The ramp holds on a standby too, reads are compared there, and what comes of it
// reaches the primary's ledger if the process has a connection to that.
func TestStandbyComparesAndRamps(t *testing.T) {
	r := newReplicated(t)
	hook := r.fixture.hook(everything)
	config := r.replica.Config().Copy()
	readers := func(h *dualwrite.Hook) *pgxpool.Pool {
		return r.pool(h, func(c *pgxpool.Config) { c.ConnConfig, c.MaxConns = config, 8 })
	}
	r.register()
	r.to(phase.Shadow)
	r.ramp(25)
	r.to(phase.Live)
	r.exec(`update users set name = 'target' where id = 1`)
	r.replay()
	pool := readers(hook)
	r.run(hook)
	require.InDelta(t, 2, targets(r.sides(pool, 8)), 1)
	for _, percent := range []int{75, 0, 50} {
		r.ramp(percent)
		pgtest.WaitFor(t, fmt.Sprintf("a ramp of %d", percent), func() bool {
			return math.Abs(float64(targets(r.sides(pool, 8)))-float64(percent*8)/100) <= 1
		})
	}
	// Nobody in this process leads to the primary: that is said.
	pgtest.WaitFor(t, "comparisons", func() bool { return hook.Stats().Mismatched > 0 })
	r.waitEvent(dualwrite.ReportFailed)
	require.Empty(t, r.mismatches(0))

	// By way of the primary all of it arrives, with what is counted there.
	writers := r.pool(hook)
	_, err := writers.Exec(t.Context(), `select full_name from users where id = 2`)
	require.NoError(t, err)
	pgtest.WaitFor(t, "a mismatch in the primary's ledger", func() bool {
		_, err := pool.Exec(t.Context(), `select full_name from users where id = 1`)
		require.NoError(t, err)
		list, err := ledger.Mismatches(t.Context(), r.admin, r.move.ID)
		require.NoError(t, err)
		return len(list) == 1
	})
	pgtest.WaitFor(t, "all counters", func() bool {
		reads, err := ledger.ReadsOf(t.Context(), r.admin, r.move)
		require.NoError(t, err)
		require.LessOrEqual(t, len(reads), 1, "one row of the process")
		stats := hook.Stats()
		for _, one := range reads {
			return one.Compared == int64(stats.Compared) && one.Mismatched == int64(stats.Mismatched) && one.SourceStatements > 0 && one.TargetStatements > 0
		}
		return false
	})
	// A comparison does not keep the end of a phase from being replayed.
	r.ramp(100)
	r.step(phase.RampDown)
	r.drained()
	r.drop()
	r.replay()
	pgtest.WaitFor(t, "a reader of the next phase", func() bool {
		var name string
		err := pool.QueryRow(t.Context(), `select full_name from users where id = 1`).Scan(&name)
		require.True(t, err == nil || dualwrite.IsStalePhase(err), "%v", err)
		return name == "target" && hook.Stats().Connections[r.move.Epoch] > 0
	})
}
