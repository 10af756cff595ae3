package lockstep_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/lockstep"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// hooked opens a connection through the hook, as an application would.
func hooked(t testing.TB, db *pgtest.DB) *lockstep.Side {
	hook, err := dualwrite.New(dualwrite.Config{})
	require.NoError(t, err)
	config, err := pgxpool.ParseConfig(db.URL)
	require.NoError(t, err)
	config.MaxConns = 1
	config.ConnConfig.RuntimeParams["timezone"] = lockstep.Zone
	pool, err := hook.NewPool(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	conn, err := pool.Acquire(context.WithoutCancel(t.Context()))
	require.NoError(t, err)
	t.Cleanup(conn.Release)
	return &lockstep.Side{Conn: conn.Conn(), Refusal: func(err error) (string, bool) {
		refusal, ok := dualwrite.AsRefusal(err)
		if !ok {
			return "", false
		}
		return refusal.Message, true
	}}
}
