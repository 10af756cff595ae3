package sweep_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

const wal = `create table filler as select repeat(md5(i::text), 30) from generate_series(1, 12000) i` // about 12 MiB

// A signal with default limits holds nothing back on a server at rest.
func TestDefaultSignalsAtRest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	for _, signal := range sweep.DefaultSignals() {
		require.False(t, read(t, f.conn, signal).Holds)
	}
}

func TestSlotLag(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	reader := f.db.Conn(t)
	slot := "unread_" + f.db.Name
	_, err := reader.Exec(ctx, `select pg_create_physical_replication_slot($1, true, true)`, slot)
	require.NoError(t, err)
	f.exec(wal)
	signal := &sweep.SlotLag{MaxBytes: 4 << 20}
	r := read(t, f.conn, signal)
	require.True(t, r.Holds)
	require.Greater(t, r.Value, r.Limit)

	// The sweep waits for it, and goes on when the slot is gone.
	o := f.options(ledger.Backfill)
	o.Signals, o.SignalInterval = []sweep.Signal{signal}, time.Millisecond
	waiting := make(chan sweep.Report, 1)
	o.OnProgress = func(r sweep.Report) {
		if r.Waiting != "" {
			select {
			case waiting <- r:
			default:
			}
		}
	}
	_, done := copyInBackground(ctx, f, o)
	report := <-waiting
	require.Contains(t, report.Waiting, "slot \"")
	require.Contains(t, report.Waiting, "more than 4 MiB")
	require.Zero(t, report.RowsScanned)
	_, err = reader.Exec(ctx, `select pg_drop_replication_slot($1)`, slot)
	require.NoError(t, err)
	require.NoError(t, (<-done).err)
	f.checkCopied()
}

func TestWALRate(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	signal := &sweep.WALRate{MaxBytes: 8 << 20}
	require.False(t, read(t, f.conn, signal).Holds, "the first look knows no rate")
	f.exec(wal)
	r := read(t, f.conn, signal)
	require.Contains(t, r.Reason, "more than 8 MiB")
	pgtest.WaitFor(t, "the average to fall", func() bool { return !read(t, f.conn, signal).Holds })
}

func TestActiveSessions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	before := read(t, f.conn, &sweep.ActiveSessions{})
	require.EqualValues(t, 100, before.Limit, "a quarter of max_connections")
	sleeping, wake := context.WithCancel(ctx)
	var sessions sync.WaitGroup
	defer sessions.Wait()
	defer wake()
	for range 3 {
		conn := f.db.Conn(t)
		sessions.Go(func() { _, _ = conn.Exec(sleeping, `select pg_sleep(60)`) })
	}
	pgtest.WaitFor(t, "the sessions to be active", func() bool {
		return query[int](f, `select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`) == 3
	})
	r := read(t, f.conn, &sweep.ActiveSessions{Max: 2})
	require.True(t, r.Holds)
	require.GreaterOrEqual(t, r.Value, 3.0)
	require.Contains(t, r.Reason, "more than 2")
}

func TestVacuum(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `create table item (id int primary key, src text, dst text) partition by hash (id);
		create table part partition of item for values with (modulus 1, remainder 0);
		create table other (id int);
		insert into item select i, repeat('x', 500) from generate_series(1, 20000) i; insert into other select id from item`)
	vacuum := func(table string) (stop func()) {
		conn := f.db.Conn(t)
		_, err := conn.Exec(ctx, `set vacuum_cost_delay = '100ms'; set vacuum_cost_limit = 1`)
		require.NoError(t, err)
		running, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = conn.Exec(running, `vacuum (index_cleanup on) `+table)
		}()
		pgtest.WaitFor(t, "the vacuum to be at work", func() bool {
			return query[bool](f, `select exists (select from pg_stat_progress_vacuum where relid = $1::regclass)`, table)
		})
		return func() {
			f.exec(`select pg_terminate_backend($1)`, conn.PgConn().PID())
			cancel()
			<-ended
			pgtest.WaitFor(t, "the vacuum to have ended", func() bool {
				return !query[bool](f, `select exists (select from pg_stat_progress_vacuum where relid = $1::regclass)`, table)
			})
		}
	}
	stop := vacuum("other")
	require.False(t, read(t, f.conn, &sweep.Vacuum{}).Holds, "it is another table's")
	stop()

	stop = vacuum("part")
	signal := &sweep.Vacuum{MaxWait: 200 * time.Millisecond}
	require.Contains(t, read(t, f.conn, signal).Reason, "vacuums the table")
	pgtest.WaitFor(t, "the patience to end", func() bool { return !read(t, f.conn, signal).Holds })
	require.Positive(t, read(t, f.conn, signal).Value, "the vacuum is still at work")
	require.True(t, read(t, f.conn, &sweep.Vacuum{}).Holds)
	stop()
	require.Zero(t, read(t, f.conn, signal).Value)
	stop = vacuum("part")
	require.True(t, read(t, f.conn, signal).Holds, "another one is waited for anew")
	stop()
}

func TestBatchLatency(t *testing.T) {
	t.Parallel()
	signal := &sweep.BatchLatency{}
	reading := func(took time.Duration) sweep.Reading {
		r, err := signal.Read(ctx, sweep.View{Batch: took, Target: 100 * time.Millisecond})
		require.NoError(t, err)
		return r
	}
	require.False(t, reading(0).Holds)
	require.False(t, reading(400*time.Millisecond).Holds)
	require.True(t, reading(500*time.Millisecond).Holds)
	pgtest.WaitFor(t, "the rest to be over", func() bool { return !reading(500 * time.Millisecond).Holds })
	require.True(t, reading(500*time.Millisecond).Holds, "the next batch was as slow")
	require.False(t, reading(50*time.Millisecond).Holds)
}

func TestHorizonAge(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	// The ids of transactions are the server's, so only what others hold up
	// in this database can be told from it.
	for name, hold := range map[string]string{
		"snapshot":        `begin isolation level repeatable read; select`,
		"xid alone":       `begin; select pg_current_xact_id()`,
		"prepared":        fmt.Sprintf(`begin; select pg_current_xact_id(); prepare transaction 'p_%s'`, f.db.Name),
		"snapshot by xid": `begin isolation level repeatable read; select pg_current_xact_id()`,
	} {
		conn := f.db.Conn(t)
		_, err := conn.Exec(ctx, hold)
		require.NoError(t, err)
		for range 20 {
			f.exec(`select pg_current_xact_id()`)
		}
		r := read(t, f.conn, &sweep.HorizonAge{Max: 10})
		require.True(t, r.Holds, name)
		require.Contains(t, r.Reason, map[bool]string{true: "prepared transaction", false: fmt.Sprint(conn.PgConn().PID())}[name == "prepared"])
		if name == "prepared" {
			f.exec(fmt.Sprintf(`rollback prepared 'p_%s'`, f.db.Name))
		} else {
			_, err = conn.Exec(ctx, `rollback`)
			require.NoError(t, err)
		}
	}
	require.False(t, read(t, f.conn, &sweep.HorizonAge{}).Holds)
}
