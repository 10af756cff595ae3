package dualwrite_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// Credentials that rotate are set by OptionBeforeConnect: Run's connection needs
// them as well. It does without OptionAfterConnect, as it has no hook.
func TestSQLBeforeConnectServesRun(t *testing.T) {
	t.Parallel()
	f := moving(t)
	hook := f.hook()
	config := f.Config(t)
	user := config.User
	config.User = "expired"
	connected := []string{}
	connector, err := hook.Connector(*config,
		stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) error {
			c.User = user
			return nil
		}),
		stdlib.OptionAfterConnect(func(_ context.Context, conn *pgx.Conn) error {
			connected = append(connected, conn.Config().RuntimeParams["application_name"])
			return nil
		}))
	require.NoError(t, err)
	conn, err := connector.Connect(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	f.run(hook)
	f.waitEvent(dualwrite.Following)
	require.Zero(t, f.seen(dualwrite.FollowFailed))
	require.Equal(t, []string{""}, connected)
}

// OptionBeforeConnect has the last word on the mode.
func TestSQLBeforeConnectSetsExecMode(t *testing.T) {
	t.Parallel()
	f := moving(t)
	db := f.openDB(f.hook(), stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) error {
		c.DefaultQueryExecMode = pgx.QueryExecModeExec
		return nil
	}))
	require.ErrorIs(t, db.PingContext(t.Context()), dualwrite.ErrExecMode)
}

// mute is a network that loses everything but the startup, once it is told to, and
// says nothing about it.
type mute struct {
	net.Conn
	lost *atomic.Bool
}

func (m *mute) Write(p []byte) (int, error) {
	const startup = 0
	if m.lost.Load() && len(p) > 0 && p[0] != startup {
		return len(p), nil
	}
	return m.Conn.Write(p)
}

func muted(dial pgconn.DialFunc, lost *atomic.Bool) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &mute{Conn: c, lost: lost}, nil
	}
}

// A server that falls silent while a connection joins holds it no longer than
// connect_timeout, as it would anywhere else in connecting; and not those who
// would join after it.
func TestJoinIsBoundedByConnectTimeout(t *testing.T) {
	t.Parallel()
	f := moving(t)
	var lost atomic.Bool
	lost.Store(true)
	pool := f.pool(f.hook(), func(c *pgxpool.Config) {
		c.ConnConfig.ConnectTimeout = time.Second
		c.ConnConfig.DialFunc = muted(c.ConnConfig.DialFunc, &lost)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := pool.Acquire(ctx)
	require.ErrorContains(t, err, "join")
	require.NoError(t, ctx.Err())
	lost.Store(false)
	pgtest.WaitFor(t, "a connection", func() bool { return pool.Ping(t.Context()) == nil })
}

// Run returns soon after it was told to, whatever the network does.
func TestRunReturnsFromASilentServer(t *testing.T) {
	t.Parallel()
	f := moving(t)
	f.to(phase.Live) // there is something to report
	hook := f.hook(func(c *dualwrite.Config) { c.PollInterval = time.Hour })
	var lost atomic.Bool
	pool := f.pool(hook, func(c *pgxpool.Config) { c.ConnConfig.DialFunc = muted(c.ConnConfig.DialFunc, &lost) })
	_, err := pool.Exec(t.Context(), `update users set full_name = 'counted' where id = 1`)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- hook.Run(ctx) }()
	pgtest.WaitFor(t, "Run to wait for a notification", func() bool {
		var waiting bool
		require.NoError(t, f.admin.QueryRow(t.Context(), `select exists (select from pg_stat_activity where datname = current_database()
			and application_name = 'crossfade hook' and state = 'idle' and state_change < clock_timestamp() - interval '500 ms')`).Scan(&waiting))
		return waiting
	})
	lost.Store(true)
	cancel()
	select {
	case err := <-done:
		require.ErrorIs(t, err, context.Canceled)
	case <-time.After(20 * time.Second):
		t.Fatal("Run has not returned")
	}
	lost.Store(false)
}

// A database that no connection leads to any more can be dropped, though Run goes
// on; and is followed again when one does.
func TestRunLeavesWhatIsNotUsed(t *testing.T) {
	t.Parallel()
	f := moving(t)
	hook := f.hook()
	f.run(hook)
	for n := 1; n <= 2; n++ {
		pool, err := hook.NewPool(t.Context(), f.poolConfig())
		require.NoError(t, err)
		require.NoError(t, pool.Ping(t.Context()))
		pgtest.WaitFor(t, "Run to follow", func() bool { return f.seen(dualwrite.Following) == n })
		pool.Close()
		pgtest.WaitFor(t, "Run to leave", func() bool {
			var left int
			require.NoError(t, f.admin.QueryRow(t.Context(), `select count(*) from pg_stat_activity
				where datname = current_database() and application_name = 'crossfade hook'`).Scan(&left))
			return left == 0
		})
	}
	require.Zero(t, f.seen(dualwrite.FollowFailed))
}
