package logical

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// faulty cuts the connection when the n-th data message of the stream arrives,
// or after the n-th write, whose answer is lost. Zero cuts nothing.
type faulty struct {
	net.Conn
	writes   int32 // cut after so many
	messages int32 // cut before so many
	seen     *atomic.Int32
	rest     []byte
}

func (c *faulty) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if c.writes > 0 && c.seen.Add(1) == c.writes {
		_ = c.Close()
	}
	return n, err
}

// Read gives out whole messages, so that a cut is at a boundary.
func (c *faulty) Read(b []byte) (int, error) {
	if c.messages == 0 {
		return c.Conn.Read(b)
	}
	for {
		if len(c.rest) >= 5 {
			size := 1 + int(binary.BigEndian.Uint32(c.rest[1:]))
			if len(c.rest) >= size && size <= len(b) {
				if c.rest[0] == 'd' && c.rest[5] == 'w' && c.seen.Add(1) == c.messages {
					_ = c.Close()
					return 0, net.ErrClosed
				}
				n := copy(b, c.rest[:size])
				c.rest = c.rest[n:]
				return n, nil
			}
		}
		buf := make([]byte, 4096)
		n, err := c.Conn.Read(buf)
		if n > 0 {
			c.rest = append(c.rest, buf[:n]...)
		} else if err != nil {
			return 0, err
		}
	}
}

// faultyConfig wraps the connections that match: the stream, or the one that
// applies, which is the first ordinary one of each session.
func faultyConfig(config Config, writes, messages int32) (Config, *atomic.Int32) {
	seen := new(atomic.Int32)
	config.Conn = config.Conn.Copy()
	dial := config.Conn.DialFunc
	config.Conn.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &faulty{Conn: conn, writes: writes, messages: messages, seen: seen}, nil
	}
	return config, seen
}

// workload is what the fault tests follow: transactions of one and of several
// batches.
var workload = []string{
	`insert into item select generate_series(1, 3)`,
	`begin; insert into item values (4); savepoint a; insert into item values (5); rollback to a; update item set id = 40 where id = 4; commit`,
	`delete from item where id = 2`,
	`insert into item select generate_series(10, 17)`,
	`update item set body = 'x' where id = 1`,
}

func work(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for _, sql := range workload {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
}

func workloadSeen() []string {
	list := numbered("insert", 1, 3)
	list = append(list, "insert item 4", "update item 40 <4", "delete item 2")
	list = append(list, numbered("insert", 10, 17)...)
	return append(list, "update item 1")
}

// The connections are cut at every message of the stream, and after every write
// of each connection; the record is as if nothing had been, but for parts of a
// transaction, which may come again.
func TestCutAtEveryBoundary(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"messages", "writes"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			db, config := newDB(t, schema)
			config.BatchSize = 3
			conn := db.Conn(t)
			cut := int32(1)
			for ; ; cut++ {
				config.Slot = fmt.Sprintf("%s_%d", db.Name, cut)
				plain := setUp(t, config)
				_, err := conn.Exec(t.Context(), `truncate item, seen`)
				require.NoError(t, err)
				work(t, conn)
				writes, messages := cut, int32(0)
				if kind == "messages" {
					writes, messages = 0, cut
				}
				broken, count := faultyConfig(config, writes, messages)
				r := start(t, newTailer(t, broken))
				barrier(t, plain)
				// Once more, so that the end of the first round is cut too.
				_, err = conn.Exec(t.Context(), `insert into item values (99)`)
				require.NoError(t, err)
				barrier(t, plain)
				r.stop(t)
				got := strs(t, conn, `select concat_ws(' ', kind, name, nullif(key, ''), '<' || nullif(old, '')) from
					(select *, row_number() over (partition by commit, kind, key, old order by n) as nth from seen) s where nth = 1 and kind <> 'message' order by n`)
				want := append([]string{"truncate item"}, workloadSeen()...)
				require.Equal(t, append(want, "insert item 99"), got, "cut %d", cut)
				twice := strs(t, conn, `select key from seen where kind <> 'message' group by commit, kind, key, old having count(*) > 1`)
				for _, key := range twice {
					require.Contains(t, []string{"10", "11", "12", "13", "14", "15", "16", "17"}, key, "only parts may come twice")
				}
				require.NoError(t, plain.Drop(t.Context()))
				if count.Load() < cut {
					break // there was no such message
				}
			}
			t.Logf("%d cuts", cut-1)
			require.Greater(t, cut, int32(20))
		})
	}
}

// The same with the process dying in the middle of apply: Run is cancelled
// between the writes of each batch.
func TestCancelledInApply(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	config.BatchSize = 3
	tailer := setUp(t, config)
	work(t, db.Conn(t))
	for die := 1; ; die++ {
		ctx, cancel := context.WithCancel(t.Context())
		var batch atomic.Int32
		config.Apply = func(ctx context.Context, tx pgx.Tx, b Batch) error {
			if err := record(ctx, tx, b); err != nil {
				return err
			}
			if int(batch.Add(1)) == die {
				cancel()
				return ctx.Err()
			}
			return nil
		}
		done := make(chan error, 1)
		dying := newTailer(t, config)
		go func() { done <- dying.Run(ctx) }()
		finished := false
		pgtest.WaitFor(t, "the batch, or the end", func() bool {
			if ctx.Err() != nil {
				return true
			}
			conn := db.Conn(t)
			defer func() { _ = conn.Close(t.Context()) }()
			finished = one[int](t, conn, `select count(*)::int from seen where kind = 'update' and key = '1'`) == 1
			return finished
		})
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		if finished {
			break
		}
	}
	start(t, tailer)
	barrier(t, tailer)
	got := strs(t, db.Conn(t), `select distinct on (min(n)) concat_ws(' ', kind, name, key, '<' || nullif(old, '')) from seen
		where kind <> 'message' group by commit, kind, name, key, old order by min(n)`)
	require.Equal(t, workloadSeen(), got)
}

func TestErrorsOfApply(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema)
	var failures atomic.Int32
	config.Apply = func(ctx context.Context, tx pgx.Tx, b Batch) error {
		if err := record(ctx, tx, b); err != nil {
			return err
		}
		switch failures.Add(1) {
		case 1:
			_, err := tx.Exec(ctx, `do $$ begin raise exception 'again' using errcode = '40P01'; end $$`)
			return err
		case 2:
			_, err := tx.Exec(ctx, `select pg_terminate_backend(pg_backend_pid())`)
			return err
		case 3:
			return errTest
		}
		return nil
	}
	tailer := setUp(t, config)
	db.Exec(t, `insert into item values (1)`)
	err := start(t, tailer).wait(t)
	require.ErrorIs(t, err, errTest)
	require.EqualValues(t, 3, failures.Load(), "what may pass is tried again")
	require.Empty(t, seen(t, db), "rolled back")
	start(t, tailer)
	barrier(t, tailer)
	require.Equal(t, numbered("insert", 1, 1), seen(t, db))
}

// A deferred constraint speaks when the batch commits. That does not pass by itself.
func TestDeferredConstraintEndsRun(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema+`create table once (n int unique deferrable initially deferred)`)
	config.Apply = func(ctx context.Context, tx pgx.Tx, b Batch) error {
		if b.Keys(Table{Name: "item"}) == nil {
			return nil
		}
		_, err := tx.Exec(ctx, `insert into once values (1)`)
		return err
	}
	tailer := setUp(t, config)
	r := start(t, tailer)
	db.Exec(t, `insert into item values (1)`)
	barrier(t, tailer)
	db.Exec(t, `insert into item values (2)`)
	require.Equal(t, "23505", sqlState(r.wait(t)))
}

// The server sends a transaction before it can be seen. With a synchronous
// standby that does not exist it stays so: a naive tailer loses the row, ours
// waits.
func TestWaitsForVisibility(t *testing.T) {
	t.Parallel()
	for _, naive := range []bool{false, true} {
		t.Run(fmt.Sprintf("naive %t", naive), func(t *testing.T) {
			t.Parallel()
			server := pgtest.Server(t, nil)
			db := &pgtest.DB{URL: server.URL("postgres")}
			db.Exec(t, schema)
			applied := make(chan int, 100)
			config := testConfig(t, db.URL, "visible")
			config.applyAtOnce = naive
			config.Apply = func(ctx context.Context, tx pgx.Tx, b Batch) error {
				// Repair from the current row.
				if keys := b.Keys(Table{Name: "item"}); keys != nil {
					tag, err := tx.Exec(ctx, `update item set note = upper(body)
						where id = any($1::text[]::int[]) and note is distinct from upper(body)`, keys[0])
					if err != nil {
						return err
					}
					applied <- int(tag.RowsAffected())
				}
				return nil
			}
			tailer := setUp(t, config)
			start(t, tailer)
			barrier(t, tailer)
			conn := db.Conn(t)
			syncTo := func(names string) {
				for _, sql := range []string{`alter system set synchronous_standby_names = '` + names + `'`, `select pg_reload_conf()`} {
					_, err := conn.Exec(t.Context(), sql)
					require.NoError(t, err)
				}
				pgtest.WaitFor(t, "the setting", func() bool {
					return one[string](t, db.Conn(t), `show synchronous_standby_names`) == names
				})
			}
			syncTo("nobody")
			written := make(chan error, 1)
			go func() {
				c, err := pgx.Connect(context.Background(), db.URL)
				if err == nil {
					_, err = c.Exec(context.Background(), `insert into item values (1, 'body')`)
					_ = c.Close(context.Background())
				}
				written <- err
			}()
			pgtest.WaitFor(t, "the writer to wait for the standby", func() bool {
				return one[int](t, conn, `select count(*)::int from pg_stat_activity where wait_event = 'SyncRep' and query like 'insert%'`) == 1
			})
			if naive {
				require.Zero(t, <-applied, "the row is not there yet")
			} else {
				// It has arrived and is not applied.
				pgtest.WaitFor(t, "the change to be received", func() bool { return tailer.Status().Lag > 0 })
				require.Empty(t, applied)
			}
			syncTo("")
			require.NoError(t, <-written)
			barrier(t, tailer)
			barrier(t, tailer)
			note := one[string](t, conn, `select coalesce(note, 'lost') from item`)
			if naive {
				require.Equal(t, "lost", note, "the test must be able to fail")
			} else {
				require.Equal(t, "BODY", note)
			}
		})
	}
}

// A million rows in one transaction go by in parts, and memory stays what it
// was.
func TestLargeTransactionInBoundedMemory(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a million rows")
	}
	const rows = 1_000_000
	db, config := newDB(t, schema)
	var mu sync.Mutex
	var changes, parts int
	var peak uint64
	config.Apply = func(ctx context.Context, tx pgx.Tx, b Batch) error {
		mu.Lock()
		defer mu.Unlock()
		if len(b.Changes) == 0 || b.Changes[0].Kind == Message {
			return nil
		}
		if b.Continues != (parts > 0) {
			return fmt.Errorf("part %d: Continues is %t", parts, b.Continues)
		}
		if b.Partial == (b.End != 0) {
			return fmt.Errorf("part %d: Partial is %t at %s", parts, b.Partial, b.End)
		}
		parts++
		changes += len(b.Changes)
		if parts%100 == 1 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
		if changes == rows && b.Partial {
			return fmt.Errorf("the last part is Partial")
		}
		return nil
	}
	tailer := setUp(t, config)
	db.Exec(t, `insert into item select n, 'body', 'note' from generate_series(1, $1::int) n`, rows)
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	start(t, tailer)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	_, err := tailer.Barrier(ctx)
	require.NoError(t, err)
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, rows, changes)
	require.GreaterOrEqual(t, parts, rows/1000)
	grown := int64(peak) - int64(before.HeapAlloc)
	t.Logf("%d parts, heap grew by %d kB", parts, grown>>10)
	// Tests beside this one use the heap, too; the changes alone would take twice this.
	require.Less(t, grown, rows*int64(unsafe.Sizeof(Change{}))/2)
}

// The server ends a connection that it does not hear from for a second.
func TestSlowApplyKeepsTheConnection(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, map[string]string{"wal_sender_timeout": "1s"})
	db := &pgtest.DB{URL: server.URL("postgres")}
	db.Exec(t, schema)
	config := testConfig(t, db.URL, "slow")
	config.StatusInterval = time.Hour // cut to a third of the timeout
	config.BatchSize = 10             // so that the queue is full, too
	walsender := func(conn *pgx.Conn) string {
		return one[string](t, conn, `select string_agg(active_pid::text, '') from pg_replication_slots`)
	}
	var calls int
	var before, after string
	config.Apply = func(ctx context.Context, tx pgx.Tx, b Batch) error {
		conn := db.Conn(t)
		defer func() { _ = conn.Close(ctx) }()
		start := one[time.Time](t, conn, `select clock_timestamp()`)
		// First long, then many times a little, while what is in the buffer
		// needs no reading.
		hold := 200 * time.Millisecond
		switch calls++; {
		case calls == 1:
			before = walsender(conn)
			hold = 3 * time.Second
		case calls > 15:
			hold = 0
			after = walsender(conn)
		}
		for now := start; now.Before(start.Add(hold)); {
			now = one[time.Time](t, conn, `select clock_timestamp()`)
		}
		return record(ctx, tx, b)
	}
	tailer := setUp(t, config)
	db.Exec(t, `insert into item select generate_series(1, 1000)`)
	start(t, tailer)
	barrier(t, tailer)
	require.Equal(t, before, after)
	require.Len(t, seen(t, db), 1000, "and nothing came twice")
}

// What other tables write does not stay on the disk because ours is idle.
func TestIdleTableDoesNotKeepWAL(t *testing.T) {
	t.Parallel()
	db, config := newDB(t, schema+`create table other (x text)`)
	tailer := setUp(t, config)
	start(t, tailer)
	db.Exec(t, `insert into item values (1)`)
	barrier(t, tailer)
	conn := db.Conn(t)
	_, err := conn.Exec(t.Context(), `insert into other select repeat('x', 1000) from generate_series(1, 20000)`)
	require.NoError(t, err)
	target := one[string](t, conn, `select pg_current_wal_insert_lsn()::text`)
	pgtest.WaitFor(t, "the slot to follow", func() bool {
		return one[bool](t, conn, `select pg_wal_lsn_diff($2::text::pg_lsn, confirmed_flush_lsn) < 2000000 from pg_replication_slots where slot_name = $1`, config.Slot, target)
	})
	require.Equal(t, one[bool](t, conn, `select s.confirmed_flush_lsn <= p.lsn from pg_replication_slots s
		join crossfade_logical.position p on p.slot = s.slot_name where s.slot_name = $1`, config.Slot), true)
	require.Len(t, seen(t, db), 1)
}

func TestStrayStreamAbort(t *testing.T) {
	t.Parallel()
	d := decoder{queue: newQueue(1)}
	_, err := d.message([]byte{'A', 0, 0, 0, 1, 0, 0, 0, 2}, time.Time{})
	require.NoError(t, err)
	_, err = d.message([]byte{'b', 0}, time.Time{})
	require.Error(t, err, "two-phase messages were not asked for")
	_, err = d.message(nil, time.Time{})
	require.Error(t, err)
}

func TestErrorResponseEndsTheStream(t *testing.T) {
	t.Parallel()
	var s stream
	err := s.handle(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "57P01", Message: "bye"})
	require.Equal(t, "57P01", sqlState(err))
	require.ErrorIs(t, s.handle(&pgproto3.CopyDone{}), errEnded)
}
