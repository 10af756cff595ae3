package dualwrite_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// counters count how often each of the application's callbacks was called.
type counters struct {
	beforeConnect, buildFrontend, afterConnect, poolAfterConnect, prepareConn,
	beforeAcquire, afterRelease, beforeClose, onPgError, validateConnect atomic.Int64
	lastError atomic.Pointer[pgconn.PgError]
}

func (n *counters) install(c *pgxpool.Config) {
	build, onError := c.ConnConfig.BuildFrontend, c.ConnConfig.OnPgError
	c.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		n.beforeConnect.Add(1)
		return nil
	}
	c.ConnConfig.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		n.buildFrontend.Add(1)
		return build(r, w)
	}
	c.ConnConfig.ValidateConnect = func(ctx context.Context, pc *pgconn.PgConn) error {
		n.validateConnect.Add(1)
		return pc.Exec(ctx, `select 1`).Close()
	}
	c.ConnConfig.AfterConnect = func(ctx context.Context, pc *pgconn.PgConn) error {
		n.afterConnect.Add(1)
		return pc.Exec(ctx, `update users set full_name = 'at connecting' where id = 1`).Close()
	}
	c.ConnConfig.OnPgError = func(pc *pgconn.PgConn, e *pgconn.PgError) bool {
		n.onPgError.Add(1)
		n.lastError.Store(e)
		return onError(pc, e)
	}
	c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		n.poolAfterConnect.Add(1)
		_, err := conn.Prepare(ctx, "rename", `update users set full_name = $1 where id = $2`)
		return err
	}
	c.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) {
		n.prepareConn.Add(1)
		return true, nil
	}
	c.BeforeAcquire = func(context.Context, *pgx.Conn) bool { //nolint:staticcheck // deprecated, but applications use it
		n.beforeAcquire.Add(1)
		return true
	}
	c.AfterRelease = func(*pgx.Conn) bool {
		n.afterRelease.Add(1)
		return true
	}
	c.BeforeClose = func(*pgx.Conn) { n.beforeClose.Add(1) }
}

func TestCallbacksOfTheApplication(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	var n counters
	pool := f.pool(f.hook(), n.install)
	ctx := t.Context()
	_, err := pool.Exec(ctx, `rename`, "prepared", 2)
	require.NoError(t, err)
	for id, want := range map[int]string{1: "at connecting", 2: "prepared"} {
		source, target := f.both(id)
		require.Equal(t, []string{want, want}, []string{source, target})
	}
	_, err = pool.Exec(ctx, `create view v as select full_name from users`)
	require.Error(t, err)
	require.Equal(t, "0A000", n.lastError.Load().Code, "OnPgError sees what the application will see")
	require.EqualValues(t, 1, n.onPgError.Load())
	pool.Close()
	require.EqualValues(t, 1, n.beforeConnect.Load())
	require.EqualValues(t, 1, n.buildFrontend.Load())
	require.EqualValues(t, 1, n.validateConnect.Load())
	require.EqualValues(t, 1, n.afterConnect.Load())
	require.EqualValues(t, 1, n.poolAfterConnect.Load())
	require.EqualValues(t, 2, n.prepareConn.Load())
	require.EqualValues(t, 0, n.beforeAcquire.Load(), "PrepareConn takes precedence, as without the hook")
	require.EqualValues(t, 1, n.beforeClose.Load())
}

func TestBeforeAcquireAlone(t *testing.T) {
	f := moving(t)
	var n counters
	pool := f.pool(f.hook(), func(c *pgxpool.Config) {
		n.install(c)
		c.PrepareConn = nil
	})
	require.NoError(t, pool.Ping(t.Context()))
	require.EqualValues(t, 1, n.beforeAcquire.Load())
}

func TestInstalledTwice(t *testing.T) {
	f := moving(t)
	hook := f.hook()
	config := f.poolConfig()
	require.NoError(t, hook.Install(config))
	pool := f.pool(hook, func(c *pgxpool.Config) { *c = *config })
	require.ErrorIs(t, pool.Ping(t.Context()), dualwrite.ErrHookedTwice)
}

// A configuration taken from a connection can open another one: it has the hook.
func TestConfigOfAConnection(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	hook := f.hook()
	pool := f.pool(hook)
	ctx := t.Context()
	acquired, err := pool.Acquire(ctx)
	require.NoError(t, err)
	defer acquired.Release()
	conn, err := pgx.ConnectConfig(ctx, acquired.Conn().Config())
	require.NoError(t, err)
	defer func() { _ = conn.Close(ctx) }()
	require.Equal(t, map[int]int{f.move.Epoch: 2}, hook.Stats().Connections)
	_, err = conn.Exec(ctx, `update users set full_name = $1 where id = 1`, "x")
	require.NoError(t, err)
	_, target := f.both(1)
	require.Equal(t, "x", target)
}

// Several hosts: the first one hangs up, the second one is the server.
func TestSecondHost(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for {
			c, err := deaf.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	defer func() { _ = deaf.Close(); <-closed }()

	var n counters
	hook := f.hook()
	pool := f.pool(hook, func(c *pgxpool.Config) {
		n.install(c)
		host, port := c.ConnConfig.Host, c.ConnConfig.Port
		c.ConnConfig.Fallbacks = []*pgconn.FallbackConfig{{Host: host, Port: port}}
		c.ConnConfig.Host = "127.0.0.1"
		c.ConnConfig.Port = uint16(deaf.Addr().(*net.TCPAddr).Port)
		c.ConnConfig.TLSConfig = nil
	})
	_, err = pool.Exec(t.Context(), `update users set full_name = 'x' where id = 3`)
	require.NoError(t, err)
	require.EqualValues(t, 2, n.buildFrontend.Load())
	_, target := f.both(3)
	require.Equal(t, "x", target)
	f.run(hook)
	f.waitEvent(dualwrite.Following) // it finds the same server
	require.EqualValues(t, 1, n.afterConnect.Load(), "nothing of the application is sent without the hook")
}

// pgconn.Construct goes on with a connection, behind a new frontend.
func TestConstructedConnection(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	pool := f.pool(f.hook())
	ctx := t.Context()
	acquired, err := pool.Acquire(ctx)
	require.NoError(t, err)
	hijacked, err := acquired.Hijack().PgConn().Hijack()
	require.NoError(t, err)
	pc, err := pgconn.Construct(hijacked)
	require.NoError(t, err)
	defer func() { _ = pc.Close(ctx) }()
	require.NoError(t, pc.Exec(ctx, `update users set full_name = 'x' where id = 1`).Close())
	_, target := f.both(1)
	require.Equal(t, "x", target)
}

func TestLostLocks(t *testing.T) {
	f := moving(t)
	hook := f.hook()
	pool := f.pool(hook)
	ctx := t.Context()
	for i, sql := range []string{`discard all`, `select pg_advisory_unlock_all()`, `deallocate all`} {
		var before, after uint32
		require.NoError(t, pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
			before = c.Conn().PgConn().PID()
			_, err := c.Exec(ctx, sql)
			return err
		}))
		require.Equal(t, i+1, f.seen(dualwrite.Marked))
		require.NoError(t, pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
			after = c.Conn().PgConn().PID()
			return nil
		}))
		require.NotEqual(t, before, after)
	}
}
