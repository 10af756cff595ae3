package sweep_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// checkCopied requires that all of intTable was copied, each row once.
func (f *fixture) checkCopied() {
	f.Helper()
	p, found, err := ledger.GetProgress(ctx, f.conn, f.transition.ID, ledger.Backfill)
	require.NoError(f, err)
	require.True(f, found)
	require.True(f, p.Finished())
	require.EqualValues(f, 200, p.RowsScanned)
	require.EqualValues(f, 200, p.RowsChanged)
	require.Zero(f, f.different())
}

// forward fails when a position is not behind the one before, or not behind
// all the rows copied.
func (f *fixture) forward(last *int, r sweep.Report) {
	if r.Position == nil {
		return
	}
	at, err := strconv.Atoi(r.Position[0])
	require.NoError(f, err)
	require.Greater(f, at, *last)
	*last = at
	require.EqualValues(f, at, r.RowsScanned)
	require.Equal(f, at, query[int](f, `select max(id) from item where dst is not null`))
}

func TestCancelAtEachBatchAndResume(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	for k := 1; k <= 9; k++ {
		f.forget()
		cancelled, cancel := context.WithCancel(ctx)
		last, batches := 0, 0
		o := f.options(ledger.Backfill)
		o.OnProgress = func(r sweep.Report) {
			f.forward(&last, r)
			if batches++; batches == k {
				cancel()
			}
		}
		p, err := sweep.Copy(cancelled, f.conn, o)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, k, batches)
		require.EqualValues(t, 20*k, p.RowsScanned)
		require.False(t, f.conn.IsClosed(), "a cancelled sweep leaves the connection usable")

		p, err = sweep.Copy(ctx, f.conn, o)
		require.NoError(t, err)
		require.Equal(t, 10, batches)
		require.True(t, p.Finished())
		f.checkCopied()
	}
}

func TestConnectionLostBetweenBatches(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	for k := 1; k <= 9; k++ {
		f.forget()
		conn := f.db.Conn(t)
		last, batches := 0, 0
		o := f.options(ledger.Backfill)
		o.OnProgress = func(r sweep.Report) {
			f.forward(&last, r)
			if batches++; batches == k {
				f.exec(`select pg_terminate_backend($1)`, conn.PgConn().PID())
			}
		}
		_, err := sweep.Copy(ctx, conn, o)
		require.Error(t, err)
		require.True(t, conn.IsClosed())
		_, err = sweep.Copy(ctx, f.db.Conn(t), o)
		require.NoError(t, err)
		f.checkCopied()
	}
}

// The server process ends while it writes a row, once per chosen row.
func TestConnectionLostWithinABatch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable+`;
		create sequence deaths;
		create table deadly (id int primary key);
		create function die() returns trigger language plpgsql as $$ begin
			-- a sequence does not roll back: each row kills once
			if exists (select from deadly d where d.id = new.id) and nextval('deaths') <= 1 then
				perform pg_terminate_backend(pg_backend_pid());
			end if;
			return new;
		end $$;
		create trigger die before update on item for each row execute function die()`)
	for _, row := range []int{1, 2, 20, 21, 99, 180, 181, 200} {
		f.exec(`truncate deadly`)
		f.forget()
		f.exec(`insert into deadly values ($1)`, row)
		f.exec(`select setval('deaths', 1, false)`)
		_, err := sweep.Copy(ctx, f.db.Conn(t), f.options(ledger.Backfill))
		require.Error(t, err)
		require.Equal(t, (row-1)/20*20, query[int](f, `select count(*) from item where dst is not null`))
		_, err = sweep.Copy(ctx, f.db.Conn(t), f.options(ledger.Backfill))
		require.NoError(t, err)
		f.checkCopied()
	}
}

// lossy is a connection that is lost when the nth COMMIT is sent, before or
// after the server got it.
type lossy struct {
	net.Conn
	left      *int
	delivered bool
}

var errLost = errors.New("connection lost")

func (c *lossy) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("commit\x00")) {
		if *c.left--; *c.left == 0 {
			if c.delivered {
				_, _ = c.Conn.Write(p)
				// The answer proves that the commit is done; nobody gets it.
				_, _ = c.Read(make([]byte, 1))
			}
			_ = c.Close()
			return 0, errLost
		}
	}
	return c.Conn.Write(p)
}

func TestCommitWithUnknownOutcome(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	for _, delivered := range []bool{true, false} {
		for _, n := range []int{1, 2, 6, 11} { // the first commit is that of the beginning
			t.Run(fmt.Sprintf("delivered=%v commit %d", delivered, n), func(t *testing.T) {
				f.forget()
				config, left := f.db.Config(t), n
				dial := config.DialFunc
				config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := dial(ctx, network, address)
					return &lossy{Conn: conn, left: &left, delivered: delivered}, err
				}
				conn, err := pgx.ConnectConfig(ctx, config)
				require.NoError(t, err)
				_, err = sweep.Copy(ctx, conn, f.options(ledger.Backfill))
				require.ErrorIs(t, err, errLost)
				_ = conn.Close(ctx)

				_, err = sweep.Copy(ctx, f.conn, f.options(ledger.Backfill))
				require.NoError(t, err)
				f.checkCopied()
			})
		}
	}
}

func TestFinishedAndVoidProgress(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	o := f.options(ledger.Backfill)
	first, err := sweep.Copy(ctx, f.conn, o)
	require.NoError(t, err)

	f.exec(`update item set dst = null where id = 7`)
	again, err := sweep.Copy(ctx, f.conn, o)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.EqualValues(t, 1, f.different(), "a finished job does nothing")

	o.Since = f.transition.Epoch + 1
	o.Transition.Epoch++
	anew, err := sweep.Copy(ctx, f.conn, o)
	require.NoError(t, err)
	require.Equal(t, o.Since, anew.Epoch)
	require.EqualValues(t, 1, anew.RowsChanged)
	require.Zero(t, f.different())
}

func TestProgressDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	f := newFixture(t, intTable)
	o := f.options(ledger.Backfill)
	o.OnProgress = func(sweep.Report) { f.exec(`delete from crossfade.progress`) }
	_, err := sweep.Copy(ctx, f.conn, o)
	require.ErrorContains(t, err, "deleted the progress")
}
