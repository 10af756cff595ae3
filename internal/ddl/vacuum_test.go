package ddl_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// After a backfill an autovacuum of a large table runs for hours. It must not
// keep DDL out for as long, although DDL waits for its own lock only briefly.
func TestAutovacuumGivesWay(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	conn := db.Conn(t)
	for _, sql := range []string{
		`alter system set autovacuum_naptime = '1s'`,
		`select pg_reload_conf()`,
		`alter table app.users set (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
			autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)`,
		`insert into app.users select n, repeat('x', 1000), 'z' from generate_series(1000, 6000) n`,
		`delete from app.users where id % 2 = 0`,
	} {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	pgtest.WaitFor(t, "an autovacuum to begin", func() bool {
		var running bool
		err := conn.QueryRow(t.Context(), `select exists (select from pg_stat_progress_vacuum
			where datname = current_database() and relid = 'app.users'::regclass)`).Scan(&running)
		require.NoError(t, err)
		return running
	})

	var attempts int
	runner := ddl.Runner{MaxWait: 30 * time.Second, OnRetry: func(r ddl.Retry) { attempts = r.Attempt }}
	require.NoError(t, runner.Run(t.Context(), conn, ddl.AddColumn(users, "name", "text", "")))
	require.Positive(t, attempts, "the autovacuum was in the way")
}
