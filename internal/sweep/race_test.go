package sweep_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// result is what a sweep in another goroutine returned.
type result struct {
	ledger.Progress
	err error
}

func copyInBackground(ctx context.Context, f *fixture, o sweep.Options) (pid uint32, done <-chan result) {
	conn, finished := f.db.Conn(f.TB), make(chan result, 1)
	go func() {
		p, err := sweep.Copy(ctx, conn, o)
		finished <- result{p, err}
	}()
	return conn.PgConn().PID(), finished
}

// The batch has read a row, finds it locked and waits; the writer commits a
// new value; the new value is what must be copied.
func TestWriterWinsOverAWaitingBatch(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]string{
		"dual write":   `update item set src = 'new', dst = 'new' where id = 30`,
		"source only":  `update item set src = 'new' where id = 30`,
		"key and both": `update item set id = 1030, src = 'new', dst = 'new' where id = 30`,
		"delete":       `delete from item where id = 30`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, intTable)
			writer, err := f.db.Conn(t).Begin(ctx)
			require.NoError(t, err)
			_, err = writer.Exec(ctx, write)
			require.NoError(t, err)

			o := f.options(ledger.Backfill)
			o.LockTimeout, o.BatchTarget = time.Minute, time.Minute
			pid, done := copyInBackground(ctx, f, o)
			f.waitBlocked(pid)
			require.NoError(t, writer.Commit(ctx))
			r := <-done
			require.NoError(t, r.err)
			require.Zero(t, f.different())
			require.Zero(t, query[int](f, `select count(*) from item where id in (30, 1030) and dst <> 'new'`))
		})
	}
}

func TestDualWritersWhileBatchesRun(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `create table item (id int primary key, src text, dst text);
		insert into item select i, '0' from generate_series(1, 2000) i`)
	stop := make(chan struct{})
	var writers sync.WaitGroup
	var written [4]map[int]int
	for w := range written {
		conn, random := f.db.Conn(t), rand.New(rand.NewPCG(uint64(w), 1))
		written[w] = map[int]int{}
		writers.Go(func() {
			for i := 1; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := random.IntN(500)*4 + w + 1 // rows of its own
				_, err := conn.Exec(ctx, `update item set src = $2, dst = $2 where id = $1`, id, fmt.Sprint(i))
				if err != nil {
					t.Error(err)
					return
				}
				written[w][id] = i
			}
		})
	}
	for range 5 {
		require.NoError(t, ledger.ForgetProgress(ctx, f.conn, f.transition.ID, ledger.Backfill))
		f.exec(`update item set dst = null where src = '0'`)
		_, err := sweep.Copy(ctx, f.conn, f.options(ledger.Backfill))
		require.NoError(t, err)
		p, err := sweep.Compare(ctx, f.conn, f.options(ledger.Verify))
		require.NoError(t, err)
		require.Zero(t, p.Mismatches, "no false alarm while writers are at work")
		require.NoError(t, ledger.ForgetProgress(ctx, f.conn, f.transition.ID, ledger.Verify))
	}
	close(stop)
	writers.Wait()
	require.Zero(t, f.different())
	found := query[map[string]string](f, `select jsonb_object_agg(id, src) from item`)
	for _, rows := range written {
		for id, i := range rows {
			require.Equal(t, fmt.Sprint(i), found[fmt.Sprint(id)], "no update is lost")
		}
	}
}

func TestRowsInsertedDuringTheSweep(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `create table item (id int primary key, src text, dst text);
		insert into item select i * 10, 'old' from generate_series(1, 200) i`)
	n := 0
	o := f.options(ledger.Backfill)
	o.OnProgress = func(r sweep.Report) {
		// Behind the position, before it, and above the upper bound.
		n++
		for _, id := range []int{n*200 - 5, 1995 - n*10, 5000 + n} {
			f.exec(`insert into item values ($1, 'new', 'new')`, id)
		}
	}
	p, err := sweep.Copy(ctx, f.conn, o)
	require.NoError(t, err)
	require.Equal(t, []string{"2000"}, p.Position, "the end does not move")
	require.EqualValues(t, 200, p.RowsChanged)
	require.Zero(t, f.different())
}

// Rows that stay locked are left for the end, and are not left out.
func TestLockedRows(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][]int{"first": {1}, "in the middle": {50}, "several": {1, 49, 50, 120}, "last": {200}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, intTable)
			holder, err := f.db.Conn(t).Begin(ctx)
			require.NoError(t, err)
			_, err = holder.Exec(ctx, `select from item where id = any($1) for update`, keys)
			require.NoError(t, err)

			stuck := make(chan sweep.Report)
			o := f.options(ledger.Backfill)
			o.LockTimeout = 5 * time.Millisecond
			times := 0
			o.OnProgress = func(r sweep.Report) {
				if strings.Contains(r.Waiting, "all is done but") {
					if times++; times == 3 {
						stuck <- r
					}
				}
			}
			_, done := copyInBackground(ctx, f, o)
			r := <-stuck
			require.Contains(t, r.Waiting, "55P03")
			require.Equal(t, []string{"200"}, r.Position)
			require.Len(t, r.Aside, len(keys))
			require.False(t, r.Finished())
			require.EqualValues(t, len(keys), f.different(), "everything else is done")
			_, err = holder.Exec(ctx, `update item set src = 'theirs' where id = any($1)`, keys)
			require.NoError(t, err)
			require.NoError(t, holder.Commit(ctx))
			end := <-done
			require.NoError(t, end.err)
			require.Empty(t, end.Aside)
			require.EqualValues(t, 200, end.RowsScanned)
			f.checkCopied()
		})
	}
}

// What was put aside outlives the run that did it.
func TestLockedRowOutlivesTheRun(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	holder, err := f.db.Conn(t).Begin(ctx)
	require.NoError(t, err)
	_, err = holder.Exec(ctx, `select from item where id = 70 for update`)
	require.NoError(t, err)
	stopped, stop := context.WithCancel(ctx)
	defer stop()
	o := f.options(ledger.Backfill)
	o.LockTimeout = time.Millisecond
	o.OnProgress = func(r sweep.Report) {
		if len(r.Aside) > 0 {
			stop()
		}
	}
	_, err = sweep.Copy(stopped, f.db.Conn(t), o)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, holder.Rollback(ctx))
	p, err := sweep.Copy(ctx, f.db.Conn(t), f.options(ledger.Backfill))
	require.NoError(t, err)
	require.Empty(t, p.Aside)
	f.checkCopied()
}

// A lock of the whole table is waited for: putting rows aside would not help.
func TestLockedTable(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	holder, err := f.db.Conn(t).Begin(ctx)
	require.NoError(t, err)
	_, err = holder.Exec(ctx, `lock table item in share mode`)
	require.NoError(t, err)
	o := f.options(ledger.Backfill)
	o.LockTimeout = time.Millisecond
	stuck, times := make(chan sweep.Report), 0
	o.OnProgress = func(r sweep.Report) {
		if r.Waiting != "" && r.Batch == 1 {
			if times++; times == 4 {
				stuck <- r
			}
		}
	}
	_, done := copyInBackground(ctx, f, o)
	r := <-stuck
	require.Empty(t, r.Aside)
	require.Nil(t, r.Position)
	require.NoError(t, holder.Rollback(ctx))
	require.NoError(t, (<-done).err)
	f.checkCopied()
}

func TestCancelWhileARowIsLocked(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	holder, err := f.db.Conn(t).Begin(ctx)
	require.NoError(t, err)
	_, err = holder.Exec(ctx, `select from item where id = 1 for update`)
	require.NoError(t, err)
	cancelled, cancel := context.WithCancel(ctx)
	o := f.options(ledger.Backfill)
	o.LockTimeout = time.Millisecond
	o.OnProgress = func(sweep.Report) { cancel() }
	_, done := copyInBackground(cancelled, f, o)
	require.ErrorIs(t, (<-done).err, context.Canceled)
	require.NoError(t, holder.Rollback(ctx))
}

// The sweep holds rows 1 to 14 and closes a circle with a writer that holds
// row 20: it is the one that gives way.
func TestDeadlockCostsTheSweepOnly(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable+`;
		create function gate() returns trigger language plpgsql as $$ begin
			if new.id = 15 and current_setting('application_name') = 'sweep' then
				perform pg_advisory_xact_lock(1);
			end if;
			return new;
		end $$;
		create trigger gate before update on item for each row execute function gate()`)
	gate, err := f.db.Conn(t).Begin(ctx)
	require.NoError(t, err)
	_, err = gate.Exec(ctx, `select pg_advisory_xact_lock(1)`)
	require.NoError(t, err)
	writerConn := f.db.Conn(t)
	_, err = writerConn.Exec(ctx, `set deadlock_timeout = '1h'`)
	require.NoError(t, err)
	writer, err := writerConn.Begin(ctx)
	require.NoError(t, err)
	_, err = writer.Exec(ctx, `update item set src = 'new', dst = 'new' where id = 20`)
	require.NoError(t, err)

	conn := f.db.Conn(t)
	_, err = conn.Exec(ctx, `set deadlock_timeout = '10ms'; set application_name = 'sweep'`)
	require.NoError(t, err)
	var waits []string
	o := f.options(ledger.Backfill)
	o.LockTimeout, o.BatchTarget = time.Minute, time.Minute
	o.OnProgress = func(r sweep.Report) {
		if r.Waiting != "" {
			waits = append(waits, r.Waiting)
		}
	}
	done := make(chan error, 1)
	go func() {
		_, err := sweep.Copy(ctx, conn, o)
		done <- err
	}()
	f.waitBlocked(conn.PgConn().PID())
	written := make(chan error, 1)
	go func() {
		_, err := writer.Exec(ctx, `update item set src = 'new', dst = 'new' where id = 10`)
		written <- err
	}()
	f.waitBlocked(writerConn.PgConn().PID())
	require.NoError(t, gate.Rollback(ctx))
	require.NoError(t, <-written, "the application does not notice")
	require.NoError(t, writer.Commit(ctx))
	require.NoError(t, <-done)
	require.NotEmpty(t, waits)
	require.Contains(t, waits[0], "40P01")
	require.Zero(t, f.different())
	require.Equal(t, 2, query[int](f, `select count(*) from item where dst = 'new'`))
}

// A batch that takes too long is given up, and becomes smaller.
func TestSlowRows(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `create table item (id int primary key, src text, dst text);
		insert into item select i, 'x' from generate_series(1, 40) i;
		create function slow() returns trigger language plpgsql as $$ begin
			perform pg_sleep(0.03);
			return new;
		end $$;
		create trigger slow before update on item for each row execute function slow()`)
	o := f.options(ledger.Backfill)
	o.MaxBatch, o.BatchTarget = 40, 100*time.Millisecond
	var waits []string
	o.OnProgress = func(r sweep.Report) {
		if r.Waiting != "" {
			waits = append(waits, r.Waiting)
		}
	}
	p, err := sweep.Copy(ctx, f.conn, o)
	require.NoError(t, err)
	require.NotEmpty(t, waits)
	require.Contains(t, waits[0], "57014")
	require.EqualValues(t, 40, p.RowsChanged)
	require.Zero(t, f.different())
}

func TestNoBatchHoldsALockInAnotherOne(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	o := f.options(ledger.Backfill)
	o.OnProgress = func(r sweep.Report) {
		// Between batches the table is free, whatever the lock.
		f.exec(`set lock_timeout = '10s'; lock table item in access exclusive mode`)
	}
	_, err := sweep.Copy(ctx, f.conn, o)
	require.NoError(t, err)
	f.checkCopied()
}
