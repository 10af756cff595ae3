package ddl_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

const (
	createName  = `CREATE INDEX CONCURRENTLY "users_name_idx" ON app.users USING btree (full_name)`
	createEmail = `CREATE UNIQUE INDEX CONCURRENTLY "users_email_key" ON app.users USING btree (email)`
)

func indexState(t *testing.T, conn *pgx.Conn, index string) ddl.IndexState {
	t.Helper()
	state, err := ddl.ReadIndex(t.Context(), conn, users, index)
	require.NoError(t, err)
	return state
}

func TestEnsureIndexCanBeRepeated(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, setup).Conn(t)
	require.Equal(t, ddl.IndexMissing, indexState(t, conn, "users_name_idx"))
	for range 2 {
		require.NoError(t, ddl.Runner{}.EnsureIndex(t.Context(), conn, users, "users_name_idx", createName))
		require.Equal(t, ddl.IndexValid, indexState(t, conn, "users_name_idx"))
	}
	for range 2 {
		require.NoError(t, ddl.Runner{}.Run(t.Context(), conn, ddl.DropIndexConcurrently(users, "users_name_idx")))
		require.Equal(t, ddl.IndexMissing, indexState(t, conn, "users_name_idx"))
	}
}

func TestEnsureIndexReplacesAnInvalidLeftover(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, setup+"; update app.users set email = 'same' where id < 3").Conn(t)
	_, err := conn.Exec(t.Context(), createEmail)
	require.Error(t, err)
	require.Equal(t, ddl.IndexInvalid, indexState(t, conn, "users_email_key"))
	_, err = conn.Exec(t.Context(), "update app.users set email = id::text")
	require.NoError(t, err)

	require.NoError(t, ddl.Runner{}.EnsureIndex(t.Context(), conn, users, "users_email_key", createEmail))
	require.Equal(t, ddl.IndexValid, indexState(t, conn, "users_email_key"))
}

func TestDuplicatesLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, setup+"; update app.users set email = 'same' where id < 3").Conn(t)
	err := ddl.Runner{}.EnsureIndex(t.Context(), conn, users, "users_email_key", createEmail)
	require.ErrorContains(t, err, "duplicates")
	var pgErr *pgconn.PgError
	require.ErrorAs(t, err, &pgErr)
	require.Equal(t, "23505", pgErr.Code)
	require.Equal(t, ddl.IndexMissing, indexState(t, conn, "users_email_key"))
}

func TestConcurrentBuildOutlastsABlocker(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	tx, pid := start(t, db, "batch job", "update app.users set email = '' where id = 1")
	conn := db.Conn(t)
	_, err := conn.Exec(t.Context(), "set lock_timeout = '3s'")
	require.NoError(t, err)
	var once sync.Once
	var seen ddl.Retry
	runner := ddl.Runner{LockTimeout: 10 * time.Millisecond, MaxWait: 10 * time.Millisecond, OnRetry: func(r ddl.Retry) {
		once.Do(func() {
			seen = r
			_ = tx.Commit(context.Background())
		})
	}}
	require.NoError(t, runner.Run(t.Context(), conn, ddl.CreateIndexConcurrently(users, createName)))
	require.Len(t, seen.Blockers, 1)
	require.EqualValues(t, pid, seen.Blockers[0].PID)
	require.Equal(t, "batch job", seen.Blockers[0].Application)
	require.Zero(t, seen.Pause)
	var timeout string
	require.NoError(t, conn.QueryRow(t.Context(), "show lock_timeout").Scan(&timeout))
	require.Equal(t, "3s", timeout)
}

func TestConcurrentBuildGivesUpAndRecovers(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	tx, _ := start(t, db, "batch job", "update app.users set email = '' where id = 1")
	conn := db.Conn(t)
	runner := ddl.Runner{ConcurrentTimeout: 200 * time.Millisecond, MaxWait: 10 * time.Millisecond}
	err := runner.Run(t.Context(), conn, ddl.CreateIndexConcurrently(users, createName))
	var blocked *ddl.BlockedError
	require.ErrorAs(t, err, &blocked)
	require.ErrorContains(t, err, `application "batch job"`)
	require.Equal(t, ddl.IndexInvalid, indexState(t, conn, "users_name_idx"))

	runner.MaxWait = time.Minute
	runner.OnRetry = func(ddl.Retry) { _ = tx.Commit(context.Background()) }
	require.NoError(t, runner.EnsureIndex(t.Context(), conn, users, "users_name_idx", createName))
}

func TestEnsureIndexWaitsForTheBuildOfADeadProgram(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	tx, _ := start(t, db, "batch job", "update app.users set email = '' where id = 1")
	other, conn := db.Conn(t), db.Conn(t)
	done := make(chan error, 1)
	go func() {
		_, err := other.Exec(context.Background(), createName)
		done <- err
	}()
	pgtest.WaitFor(t, "the build to begin", func() bool {
		return indexState(t, conn, "users_name_idx") == ddl.IndexBuilding
	})
	retried := 0
	runner := ddl.Runner{OnRetry: func(r ddl.Retry) {
		if retried++; retried == 1 {
			_ = tx.Commit(context.Background())
		}
	}}
	require.NoError(t, runner.EnsureIndex(t.Context(), conn, users, "users_name_idx", createName))
	require.NoError(t, <-done)
	require.Positive(t, retried)
}
