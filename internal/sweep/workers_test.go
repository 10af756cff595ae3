package sweep_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// largeTables have 3,000 rows each, along keys of several kinds.
var largeTables = []struct {
	name, ddl string
	key       []string
}{
	{"int", `create table item (id int primary key, src text, dst text);
		insert into item select i, 'value ' || i from generate_series(1, 3000) i`, nil},
	{"uuid", `create table item (id uuid primary key, src text, dst text);
		insert into item select md5(i::text)::uuid, 'value ' || i from generate_series(1, 3000) i`, nil},
	{"composite", `create table item (tenant text, id int, src text, dst text, primary key (tenant, id));
		insert into item select 'T' || i % 7, i, 'value ' || i from generate_series(1, 3000) i`, []string{"tenant", "id"}},
	{"partitions", `create table item (id int primary key, src text, dst text) partition by hash (id);
		create table item_0 partition of item for values with (modulus 3, remainder 0);
		create table item_1 partition of item for values with (modulus 3, remainder 1);
		create table item_2 partition of item for values with (modulus 3, remainder 2);
		insert into item select i, 'value ' || i from generate_series(1, 3000) i`, nil},
}

// slowly makes each batch take a while, so that all workers get something to do.
const slowly = `
	create function nap() returns trigger language plpgsql as $$ begin perform pg_sleep(0.002); return null; end $$;
	create trigger nap after update on item for each statement execute function nap()`

func TestSeveralWorkersShareATable(t *testing.T) {
	t.Parallel()
	for _, c := range largeTables {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			// A lone worker takes seconds: whoever is first, the others get something to do.
			f := newFixture(t, c.ddl+`; analyze item;
				create function nap() returns trigger language plpgsql as $$ begin perform pg_sleep(0.001); return null; end $$;
				create trigger nap after update on item for each row execute function nap()`, c.key...)
			o := f.options(ledger.Backfill)
			o.Worker = "w"
			for range 3 {
				o.Helpers = append(o.Helpers, f.db.Conn(t))
			}
			o.OnHelperLost = func(err error) { t.Errorf("a helper is lost: %v", err) }
			last := int64(0)
			o.OnProgress = func(r sweep.Report) {
				require.GreaterOrEqual(t, r.RowsScanned, last, "what is reported never goes back")
				last = r.RowsScanned
			}
			p, err := sweep.Copy(ctx, f.conn, o)
			require.NoError(t, err)
			require.True(t, p.Finished())
			require.EqualValues(t, 3000, p.RowsScanned)
			require.EqualValues(t, 3000, p.RowsChanged)
			require.EqualValues(t, 3000, last)
			require.Zero(t, f.different())
			workers, err := ledger.Workers(ctx, f.conn, f.transition.ID, ledger.Backfill)
			require.NoError(t, err)
			require.Len(t, workers, 4)
			busy := 0
			for _, w := range workers {
				require.Equal(t, "w", w.Name)
				require.False(t, w.Alive)
				if w.RowsScanned > 0 {
					busy++
				}
			}
			require.GreaterOrEqual(t, busy, 2, "the rows are shared")
			require.Zero(t, query[int](f, `select count(*) from crossfade.chunk`))

			f.exec(`update item set dst = 'x' where src in ('value 1', 'value 1500', 'value 3000')`)
			o.Job, o.OnProgress = ledger.Verify, nil
			v, err := sweep.Compare(ctx, f.conn, o)
			require.NoError(t, err)
			require.EqualValues(t, 3000, v.RowsScanned)
			require.EqualValues(t, 3, v.Mismatches)
			require.Len(t, v.Samples, 3)
		})
	}
}

// TestWorkersDie ends sessions of workers at random while others join, and then
// lets one finish.
func TestWorkersDie(t *testing.T) {
	t.Parallel()
	for _, c := range largeTables {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, c.ddl+";"+slowly, c.key...)
			o := f.options(ledger.Backfill)
			stop := make(chan struct{})
			var workers sync.WaitGroup
			for i := range 3 {
				workers.Go(func() {
					for n := 0; ; n++ {
						select {
						case <-stop:
							return
						default:
						}
						mine := o
						mine.Join = i > 0 || n > 0
						conn, err := pgx.ConnectConfig(ctx, f.db.Config(t))
						if err != nil {
							continue
						}
						_, _ = sweep.Copy(ctx, conn, mine)
						_ = conn.Close(ctx)
					}
				})
			}
			conn := f.db.Conn(t)
			scanned := func() (n int64) {
				require.NoError(t, conn.QueryRow(ctx, `select coalesce(sum(rows_scanned), 0) from crossfade.worker`).Scan(&n))
				return n
			}
			for deadline := time.Now().Add(20 * time.Second); scanned() < 2000 && time.Now().Before(deadline); {
				_, err := conn.Exec(ctx, `select pg_terminate_backend(pid) from (
					select pid from crossfade.worker where left_at is null order by random() limit 1) w`)
				require.NoError(t, err)
				time.Sleep(rand.N(20 * time.Millisecond)) // deaths are to come at any moment
			}
			close(stop)
			workers.Wait()
			p, err := sweep.Copy(ctx, f.conn, o)
			require.NoError(t, err)
			require.True(t, p.Finished())
			require.EqualValues(t, 3000, p.RowsScanned, "each row is counted once, whoever died")
			require.EqualValues(t, 3000, p.RowsChanged)
			require.Zero(t, f.different())
		})
	}
}

// TestHelperIsLost: the others finish what it had in hand.
func TestHelperIsLost(t *testing.T) {
	t.Parallel()
	f := newFixture(t, largeTables[0].ddl+";"+slowly)
	o := f.options(ledger.Backfill)
	helper := f.db.Conn(t)
	o.Helpers = []*pgx.Conn{helper}
	lost := make(chan error, 1)
	o.OnHelperLost = func(err error) { lost <- err }
	killed := false
	o.OnProgress = func(sweep.Report) {
		if !killed && query[bool](f, `select exists (select from crossfade.worker where pid = $1 and rows_scanned > 0)`, helper.PgConn().PID()) {
			killed = true
			f.exec(`select pg_terminate_backend($1)`, helper.PgConn().PID())
		}
	}
	p, err := sweep.Copy(ctx, f.conn, o)
	require.NoError(t, err)
	require.True(t, killed)
	require.Error(t, <-lost)
	require.EqualValues(t, 3000, p.RowsScanned)
	require.Zero(t, f.different())
}

// TestSplitThatGetsNoLock: a worker who may not cut a chunk in two, as somebody has
// it locked, looks again later, and finishes what is left.
func TestSplitThatGetsNoLock(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	stopped, stop := context.WithCancel(ctx)
	o := f.options(ledger.Backfill)
	o.OnProgress = func(sweep.Report) { stop() }
	_, err := sweep.Copy(stopped, f.conn, o)
	require.ErrorIs(t, err, context.Canceled)

	holder, err := f.db.Conn(t).Begin(ctx)
	require.NoError(t, err)
	_, err = holder.Exec(ctx, `select from crossfade.chunk for update`)
	require.NoError(t, err)
	o.OnProgress, o.BatchTarget = nil, time.Millisecond // the split waits little longer than a batch may take
	pid, done := copyInBackground(ctx, f, o)
	for range 2 {
		f.waitBlocked(pid)
		pgtest.WaitFor(t, "the split to be given up", func() bool {
			return query[bool](f, `select cardinality(pg_blocking_pids($1)) = 0`, pid)
		})
	}
	require.NoError(t, holder.Rollback(ctx))
	require.NoError(t, (<-done).err)
	f.checkCopied()
}

func TestJoinWhereNothingIsToDo(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	o := f.options(ledger.Backfill)
	o.Join = true
	_, err := sweep.Copy(ctx, f.conn, o)
	require.ErrorIs(t, err, sweep.ErrNoJob)
	o.Join = false
	_, err = sweep.Copy(ctx, f.conn, o)
	require.NoError(t, err)
	o.Join = true
	p, err := sweep.Copy(ctx, f.conn, o)
	require.NoError(t, err)
	require.True(t, p.Finished())
}

// TestHelperWhoseTokenIsGone: whoever joins late copies nothing.
func TestHelperWhoseTokenIsGone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	stopped, stop := context.WithCancel(ctx)
	o := f.options(ledger.Backfill)
	o.OnProgress = func(sweep.Report) { stop() }
	_, err := sweep.Copy(stopped, f.conn, o)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, ledger.Forbid(ctx, f.conn, f.transition, ledger.Backfill))
	o.OnProgress, o.Join = nil, true
	_, err = sweep.Copy(ctx, f.db.Conn(t), o)
	require.ErrorIs(t, err, sweep.ErrForbidden)
	require.EqualValues(t, 180, f.different())
}

// TestRateIsShared: the limit is that of all workers together.
func TestRateIsShared(t *testing.T) {
	t.Parallel()
	f := newFixture(t, largeTables[0].ddl)
	f.control("rate", func(c *ledger.Control) { c.Rate = 300 })
	o := f.options(ledger.Backfill)
	o.SignalInterval = time.Millisecond
	o.Helpers = []*pgx.Conn{f.db.Conn(t), f.db.Conn(t)}
	stopped, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		pgtest.WaitFor(t, "1.5 seconds of work", func() bool {
			return query[bool](f, `select exists (select from crossfade.progress where started_at < clock_timestamp() - interval '1.5 s')`)
		})
		stop()
	}()
	p, err := sweep.Copy(stopped, f.conn, o)
	require.ErrorIs(t, err, context.Canceled)
	took := time.Since(p.StartedAt).Seconds()
	total := query[int](f, `select sum(rows_scanned) from crossfade.worker`)
	require.Positive(t, total)
	// Rows are paid for after their batch: one batch each is free.
	require.LessOrEqual(t, float64(total), 300*took+3*20, fmt.Sprintf("in %.1f s", took))
}
