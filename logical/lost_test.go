//go:build unix

package logical

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// Whatever has become of the slot, Run ends and nothing is made anew; Drop and
// Setup are the way back.
func TestLostSlots(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql    []string // while Run is stopped
		reason Reason
	}{
		"dropped": {[]string{`select pg_drop_replication_slot('$slot')`}, Missing},
		"made anew": {[]string{`select pg_drop_replication_slot('$slot')`, `insert into item values (2)`,
			`select pg_create_logical_replication_slot('$slot', 'pgoutput')`}, Ahead},
		"read by another": {[]string{`insert into item values (2)`, `select pg_replication_slot_advance('$slot', pg_current_wal_lsn())`}, Ahead},
		"no publication":  {[]string{`drop publication $slot`}, Unpublished},
		"not published":   {[]string{`alter publication $slot set table other`}, Unpublished},
		"not published for a while": {[]string{`alter publication $slot set table other`, `insert into item values (2)`,
			`alter publication $slot set table item`}, Unpublished},
		"table dropped":    {[]string{`drop table item`}, Unpublished},
		"another server":   {[]string{`update crossfade_logical.position set system = '1'`}, OtherServer},
		"another timeline": {[]string{`update crossfade_logical.position set timeline = 9`}, FailedOver},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, config := newDB(t, schema+`create table other (id int primary key)`)
			tailer := setUp(t, config)
			r := start(t, tailer)
			db.Exec(t, `insert into item values (1)`)
			barrier(t, tailer)
			r.stop(t)
			pgtest.WaitFor(t, "the slot to be free", func() bool {
				s, err := tailer.ReadSlot(t.Context())
				return err == nil && !s.Active
			})
			for _, sql := range c.sql {
				db.Exec(t, strings.ReplaceAll(sql, "$slot", config.Slot))
			}
			requireLost(t, start(t, tailer).wait(t), c.reason)
			if c.reason == Missing {
				requireLost(t, tailer.Setup(t.Context()), Missing)
			}
			require.NoError(t, tailer.Drop(t.Context()))
			db.Exec(t, `create table if not exists item (id int primary key)`)
			require.NoError(t, tailer.Setup(t.Context()))
			start(t, tailer)
			db.Exec(t, `insert into item values (3)`)
			barrier(t, tailer)
			require.Equal(t, []string{"insert item 1", "insert item 3"}, seen(t, db))
		})
	}
}

func TestFailoverOptionAcceptsAnotherTimeline(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	if major(t, db.Conn(t)) < 17 {
		config.Failover = true
		requireRefused(t, newTailer(t, config).Check(t.Context()), NoFailoverSlots)
		return
	}
	config.Failover = true
	tailer := setUp(t, config)
	require.True(t, one[bool](t, db.Conn(t), `select failover from pg_replication_slots where slot_name = $1`, config.Slot))
	db.Exec(t, `update crossfade_logical.position set timeline = 9`)
	start(t, tailer)
	db.Exec(t, `insert into item values (1)`)
	barrier(t, tailer)
	require.Equal(t, 1, one[int](t, db.Conn(t), `select timeline from crossfade_logical.position`))
}

func TestSlotDroppedWhileRunning(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	tailer := setUp(t, config)
	r := start(t, tailer)
	db.Exec(t, `insert into item values (1)`)
	barrier(t, tailer)
	conn := db.Conn(t)
	pgtest.WaitFor(t, "the slot to be dropped between two connections", func() bool {
		_, err := conn.Exec(t.Context(), `select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1 and active`, config.Slot)
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), `select pg_drop_replication_slot($1)`, config.Slot)
		return err == nil
	})
	requireLost(t, r.wait(t), Missing)
}

// PostgreSQL 18 goes on as if nothing had been, without the change.
func TestPublicationDroppedWhileRunning(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	tailer := setUp(t, config)
	r := start(t, tailer)
	barrier(t, tailer)
	db.Exec(t, `drop publication `+config.Slot+`; insert into item values (1); create publication `+config.Slot+` for table item`)
	requireLost(t, r.wait(t), Unpublished)
}

func TestInvalidatedSlot(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, map[string]string{
		"max_slot_wal_keep_size": "1MB", "min_wal_size": "32MB", "max_wal_size": "32MB", "checkpoint_timeout": "1h", "restart_after_crash": "on",
	})
	db := &pgtest.DB{URL: server.URL("postgres")}
	db.Exec(t, schema)
	config := testConfig(t, db.URL, "invalidated")
	tailer := setUp(t, config)
	slot, err := tailer.ReadSlot(t.Context())
	require.NoError(t, err)
	require.NotNil(t, slot.Safe)
	require.Equal(t, "reserved", slot.WALStatus)
	conn := db.Conn(t)
	pgtest.WaitFor(t, "the server to give the slot up", func() bool {
		for _, sql := range []string{`select pg_logical_emit_message(false, '', repeat('x', 1 << 20))`, `select pg_switch_wal()`, `checkpoint`} {
			_, err := conn.Exec(t.Context(), sql)
			require.NoError(t, err)
		}
		slot, err := tailer.ReadSlot(t.Context())
		require.NoError(t, err)
		return slot.WALStatus == "lost"
	})
	requireLost(t, start(t, tailer).wait(t), Invalidated)
	requireLost(t, tailer.Setup(t.Context()), Invalidated)
	require.NoError(t, tailer.Drop(t.Context()))
	setUp(t, config)
}

func TestServerCrash(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, nil)
	db := &pgtest.DB{URL: server.URL("postgres")}
	db.Exec(t, schema)
	tailer := setUp(t, testConfig(t, db.URL, "crash"))
	r := start(t, tailer)
	for i := range 3 {
		db.Exec(t, `insert into item select generate_series($1::int, $1::int + 9)`, 10*i+1)
		if i == 1 {
			barrier(t, tailer)
		}
		require.NoError(t, server.Kill())
		require.NoError(t, server.Restart(t.Context()))
	}
	barrier(t, tailer)
	require.Equal(t, numbered("insert", 1, 30), seen(t, db), "stored with the position: each once")
	r.stop(t)
}

// A server that shuts down waits until what it has sent is acknowledged.
func TestTailerDoesNotHoldUpShutdown(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, nil)
	db := &pgtest.DB{URL: server.URL("postgres")}
	db.Exec(t, schema)
	config := testConfig(t, db.URL, "shutdown")
	config.StatusInterval = 0
	tailer := setUp(t, config)
	r := start(t, tailer)
	db.Exec(t, `insert into item values (1)`)
	barrier(t, tailer)
	pidFile := filepath.Join(one[string](t, db.Conn(t), `show data_directory`), "postmaster.pid")
	text, err := os.ReadFile(pidFile)
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGINT)) // fast shutdown
	pgtest.WaitFor(t, "the server to shut down", func() bool {
		_, err := os.Stat(pidFile)
		return os.IsNotExist(err)
	})
	require.NoError(t, server.Restart(t.Context()))
	db.Exec(t, `insert into item values (2)`)
	barrier(t, tailer)
	require.Equal(t, numbered("insert", 1, 2), seen(t, db))
	r.stop(t)
}

// After a failover the slot is not there, and the tailer says so. Before it, the
// standby is refused.
func TestFailover(t *testing.T) {
	t.Parallel()
	primary := pgtest.Server(t, nil)
	db := &pgtest.DB{URL: primary.URL("postgres")}
	db.Exec(t, schema)
	tailer := setUp(t, testConfig(t, db.URL, "failover"))
	r := start(t, tailer)
	db.Exec(t, `insert into item values (1)`)
	barrier(t, tailer)

	standby := pgtest.Standby(t, db)
	config := testConfig(t, standby.URL, "failover")
	moved := newTailer(t, config)
	requireRefused(t, start(t, moved).wait(t), Standby)

	barrier(t, tailer)
	r.stop(t)
	require.NoError(t, primary.Kill())
	standby.Exec(t, `select pg_promote()`)
	requireLost(t, start(t, moved).wait(t), Missing)
}
