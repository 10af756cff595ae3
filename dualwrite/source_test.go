package dualwrite_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// The pool whose configuration Run has connected with is closed, and cannot
// connect any more: that of another pool serves as well.
func TestFollowerOutlivesItsPool(t *testing.T) {
	f := moving(t)
	hook := f.hook()
	var closed atomic.Bool
	first, err := hook.NewPool(t.Context(), func() *pgxpool.Config {
		c := f.poolConfig()
		c.BeforeConnect = func(context.Context, *pgx.ConnConfig) error {
			if closed.Load() {
				return errors.New("no password any more")
			}
			return nil
		}
		return c
	}())
	require.NoError(t, err)
	defer first.Close()
	require.NoError(t, first.Ping(t.Context()))
	f.run(hook)
	f.waitEvent(dualwrite.Following)

	require.NoError(t, f.pool(hook).Ping(t.Context()))
	closed.Store(true)
	first.Close()
	f.exec(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'crossfade hook' and datname = current_database()`)
	pgtest.WaitFor(t, "another listener", func() bool { return f.seen(dualwrite.Following) > 1 })
}
