//go:build unix

package dualwrite_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// A standby hears of no notification: Run polls it. Connections to it that were
// open before the transition must not go on reading a column that will be left.
func TestStandbyIsPolled(t *testing.T) {
	primary := pgtest.Server(t, nil)
	f := &fixture{DB: &pgtest.DB{URL: primary.URL("postgres"), Name: "postgres"}, t: t}
	f.Exec(t, schema)
	standby := pgtest.Standby(t, f.DB)
	f.admin = f.Conn(t)
	require.NoError(t, fence.Own(t.Context(), f.admin))
	hook := f.hook(func(c *dualwrite.Config) { c.AbsentInterval = 50 * time.Millisecond })
	pool := f.pool(hook, func(c *pgxpool.Config) {
		c.ConnConfig = standby.Config(t)
		c.MaxConns = 2
	})
	require.NoError(t, pool.Ping(t.Context()))
	f.run(hook)
	f.waitEvent(dualwrite.Following)
	require.Zero(t, f.seen(dualwrite.FollowFailed))
	f.register()
	var err error
	pgtest.WaitFor(t, "the standby to be refused", func() bool {
		var name string
		err = pool.QueryRow(t.Context(), `select full_name from users where id = 1`).Scan(&name)
		return err != nil
	})
	require.ErrorIs(t, err, dualwrite.ErrStandby)
}
