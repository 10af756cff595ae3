package dualwrite_test

import (
	"context"
	"encoding/binary"
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

// mute is a network that loses all there is once a connection has sent a Query,
// and says nothing about it.
type mute struct {
	net.Conn
	lost   *atomic.Bool
	silent bool
}

func (m *mute) Write(p []byte) (int, error) {
	const query = 'Q'
	if len(p) > 4 && p[0] == query && int(binary.BigEndian.Uint32(p[1:]))+1 == len(p) && m.lost.Load() {
		m.silent = true
	}
	if m.silent {
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
		c.ConnConfig.ConnectTimeout = 300 * time.Millisecond
		c.ConnConfig.DialFunc = muted(c.ConnConfig.DialFunc, &lost)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := pool.Acquire(ctx)
	require.ErrorContains(t, err, "join")
	require.NoError(t, ctx.Err())
	lost.Store(false)
	require.NoError(t, pool.Ping(ctx))
}
