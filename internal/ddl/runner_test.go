package ddl_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

func TestGiveUpNamesTheBlocker(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	_, pid := start(t, db, "reporting", "select count(*) from app.users")
	conn := db.Conn(t)

	err := impatient.Run(t.Context(), conn, ddl.AddColumn(users, "name", "text", ""))

	var blocked *ddl.BlockedError
	require.ErrorAs(t, err, &blocked)
	require.Greater(t, blocked.Attempts, 1)
	require.Len(t, blocked.Blockers, 1)
	require.EqualValues(t, pid, blocked.Blockers[0].PID)
	require.Equal(t, "reporting", blocked.Blockers[0].Application)
	var pgErr *pgconn.PgError
	require.ErrorAs(t, err, &pgErr)
	require.Equal(t, "55P03", pgErr.Code)
	for _, part := range []string{`application "reporting"`, "select count(*) from app.users", "hint:", "ACCESS EXCLUSIVE"} {
		require.ErrorContains(t, err, part)
	}
	exists, err := ddl.ColumnExists(t.Context(), conn, users, "name")
	require.NoError(t, err)
	require.False(t, exists)
}

func TestGiveUpNamesThePreparedTransaction(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	tx, _ := start(t, db, "two-phase", "update app.users set email = '' where id = 1")
	_, err := tx.Exec(t.Context(), "prepare transaction 'order 66'")
	require.NoError(t, err)

	err = impatient.Run(t.Context(), db.Conn(t), ddl.DropColumn(users, "full_name"))
	require.ErrorContains(t, err, `prepared transaction "order 66"`)
}

func TestRetryUntilTheBlockerIsGone(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	tx, _ := start(t, db, "reporting", "select count(*) from app.users")
	conn := db.Conn(t)
	var retries []ddl.Retry
	runner := ddl.Runner{LockTimeout: 20 * time.Millisecond, OnRetry: func(r ddl.Retry) {
		retries = append(retries, r)
		if len(retries) == 2 {
			require.NoError(t, tx.Rollback(context.Background()))
		}
	}}
	require.NoError(t, runner.Run(t.Context(), conn, ddl.AddColumn(users, "name", "text", "")))
	require.Len(t, retries, 2)
	require.Equal(t, 2, retries[1].Attempt)
	require.Equal(t, "reporting", retries[1].Blockers[0].Application)
	require.Positive(t, retries[1].Pause)

	var lockTimeout, statementTimeout string
	require.NoError(t, conn.QueryRow(t.Context(), "select current_setting('lock_timeout'), current_setting('statement_timeout')").
		Scan(&lockTimeout, &statementTimeout))
	require.Equal(t, "0 0", lockTimeout+" "+statementTimeout)
}

func TestGentleStatementsPassTraffic(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	start(t, db, "writer", "update app.users set email = '' where id = 1")
	conn := db.Conn(t)
	require.NoError(t, impatient.Run(t.Context(), conn, ddl.CommentOnColumn(users, "full_name", `a 'quoted' \ comment`)))
	var comment string
	require.NoError(t, conn.QueryRow(t.Context(), `select col_description('app.users'::regclass, attnum) from pg_attribute
		where attrelid = 'app.users'::regclass and attname = 'full_name'`).Scan(&comment))
	require.Equal(t, `a 'quoted' \ comment`, comment)
}

func TestStatementTimeoutRollsBack(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup+`;
		create function slow() returns int language sql volatile as 'select 1 from pg_sleep(30)'`)
	conn := db.Conn(t)
	s := ddl.AddColumn(users, "name", "int default public.slow()", "")
	s.StatementTimeout = time.Millisecond
	runner := ddl.Runner{LockTimeout: time.Millisecond}
	err := runner.Run(t.Context(), conn, s)
	require.ErrorContains(t, err, "took longer than")
	var blocked *ddl.BlockedError
	require.NotErrorAs(t, err, &blocked)
	exists, err := ddl.ColumnExists(t.Context(), conn, users, "name")
	require.NoError(t, err)
	require.False(t, exists)
}

func TestRunRefusesATransaction(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	conn := db.Conn(t)
	_, err := conn.Exec(t.Context(), "begin")
	require.NoError(t, err)
	require.ErrorContains(t, ddl.Runner{}.Run(t.Context(), conn, ddl.DropDefault(users, "email")), "in a transaction")
}

func TestCancelWhileRetrying(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	start(t, db, "reporting", "select count(*) from app.users")
	ctx, cancel := context.WithCancel(t.Context())
	runner := ddl.Runner{LockTimeout: 20 * time.Millisecond, OnRetry: func(ddl.Retry) { cancel() }}
	err := runner.Run(ctx, db.Conn(t), ddl.DropDefault(users, "email"))
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, `application "reporting"`)
}
