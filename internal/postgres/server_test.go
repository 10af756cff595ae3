package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/postgres"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStopRemovesEverything(t *testing.T) {
	t.Parallel()
	server := start(t, postgres.Config{Private: true})
	dir := directory(t, server.URL(""))
	require.DirExists(t, dir)
	require.Regexp(t, `^\d+\.?\d*`, server.Version())
	require.Contains(t, server.Version(), setting(t, server, "select current_setting('server_version_num')::int / 10000"))
	require.Equal(t, "logical", setting(t, server, "show wal_level"))
	require.Equal(t, "UTF8", setting(t, server, "show server_encoding"))

	require.NoError(t, server.Stop())
	require.NoError(t, server.Stop(), "Stop is safe to repeat")
	assert.NoDirExists(t, dir)
	_, err := pgx.Connect(t.Context(), server.URL(""))
	assert.Error(t, err)
	assert.ErrorContains(t, server.Restart(t.Context()), "stopped")
}

func TestParametersWin(t *testing.T) {
	t.Parallel()
	server := start(t, postgres.Config{Private: true, Parameters: map[string]string{
		"max_connections":  "17",
		"wal_level":        "replica",
		"application_name": "it's quoted",
	}})
	require.Equal(t, "17", setting(t, server, "show max_connections"))
	require.Equal(t, "replica", setting(t, server, "show wal_level"))
	require.Equal(t, "it's quoted", setting(t, server, "show application_name"))
}

func TestDataDirIsKept(t *testing.T) {
	t.Parallel()
	config := postgres.Config{Private: true, DataDir: openDir(t)}
	server := start(t, config)
	_, err := connect(t, server).Exec(t.Context(), "create table kept (id int)")
	require.NoError(t, err)
	require.NoError(t, server.Stop())

	config.Parameters = map[string]string{"max_connections": "18"}
	server = start(t, config)
	require.Equal(t, "0", setting(t, server, "select count(*)::text from kept"))
	require.Equal(t, "18", setting(t, server, "show max_connections"))
}

func TestDataDirOfSomethingElseIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	file := filepath.Join(dir, "notes")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := postgres.Start(t.Context(), postgres.Config{Private: true, DataDir: dir})
	skipWithout(t, err)
	require.ErrorContains(t, err, "not empty")
	require.FileExists(t, file)
}

func TestExistingServerIsUsedAndLeft(t *testing.T) {
	t.Parallel()
	own := pgtest.Server(t, nil)
	found := start(t, postgres.Config{URL: own.URL("template1")})
	require.Equal(t, own.Version(), found.Version())
	require.Equal(t, "template1", setting(t, found, "select current_database()"))
	require.ErrorContains(t, found.Kill(), "not started by this program")
	require.ErrorContains(t, found.Restart(t.Context()), "not started by this program")
	require.NoError(t, found.Stop())
	require.Equal(t, "1", setting(t, own, "select '1'"))
}

func TestStartErrorShowsTheLog(t *testing.T) {
	t.Parallel()
	_, err := postgres.Start(t.Context(), postgres.Config{
		Private: true, Parameters: map[string]string{"no_such_parameter": "1"},
	})
	skipWithout(t, err)
	require.ErrorContains(t, err, "start PostgreSQL: it stopped at once")
	require.ErrorContains(t, err, `unrecognized configuration parameter "no_such_parameter"`)
}

func TestStartWithoutPostgres(t *testing.T) {
	t.Parallel()
	_, err := postgres.Start(t.Context(), postgres.Config{Private: true, BinDir: t.TempDir()})
	require.ErrorIs(t, err, postgres.ErrNoPostgres)
}

func TestStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := postgres.Start(ctx, postgres.Config{Private: true})
	skipWithout(t, err)
	require.ErrorIs(t, err, context.Canceled)
}

// start starts a server that is stopped at cleanup.
func start(t *testing.T, c postgres.Config) *postgres.Server {
	t.Helper()
	server, err := postgres.Start(t.Context(), c)
	skipWithout(t, err)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Stop()) })
	return server
}

func skipWithout(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, postgres.ErrNoPostgres) && os.Getenv(pgtest.EnvRequire) != "1" {
		t.Skip(err)
	}
}

func connect(t *testing.T, server *postgres.Server) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.URL(""))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// setting returns the one value that a query returns, as text.
func setting(t *testing.T, server *postgres.Server, query string) string {
	t.Helper()
	rows, err := connect(t, server).Query(t.Context(), query, pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err)
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return value
}

// directory returns the server's directory.
func directory(t *testing.T, connString string) string {
	t.Helper()
	u, err := url.Parse(connString)
	require.NoError(t, err)
	dir := u.Query().Get("host")
	if !strings.HasPrefix(dir, "/") {
		t.Skip("no Unix socket")
	}
	return dir
}

// openDir returns a new directory that the user of the server can reach, which
// those of t.TempDir may not be.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "crossfade-data-")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	return dir
}
