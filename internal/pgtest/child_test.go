package pgtest_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/postgres"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// childTest is set in this test binary when it runs as a child, to the case
// that it plays. Its tests are those whose name starts with TestChild.
const childTest = "CROSSFADE_TEST_CHILD"

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestChild(t *testing.T) {
	switch os.Getenv(childTest) {
	case "":
		t.Skip("only for child processes")
	case "url":
		conn, err := pgx.Connect(t.Context(), os.Getenv("CHILD_URL"))
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), "create table made_by_child ()")
		require.NoError(t, err)
		require.NoError(t, conn.Close(t.Context()))
	case "new":
		pgtest.NewFrom(t, "create table item ()").Exec(t, "drop table item")
	case "server":
		pgtest.Server(t, nil)
	case "leak":
		pgtest.New(t)
		go leak()
	}
}

// leak blocks for ever.
func leak() { select {} }

// runChild runs TestChild in a process of its own.
func runChild(t *testing.T, mode string, env ...string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$", "-test.v")
	cmd.Env = append(append(os.Environ(), childTest+"="+mode), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestOtherProcessCanUseDatabase(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	out, err := runChild(t, "url", "CHILD_URL="+db.URL)
	require.NoError(t, err, out)
	db.Exec(t, "drop table made_by_child")
}

func TestWithoutPostgres(t *testing.T) {
	t.Parallel()
	nowhere := postgres.EnvBinDir + "=" + t.TempDir()
	for _, mode := range []string{"new", "server"} {
		out, err := runChild(t, mode, nowhere, postgres.EnvURL+"=", pgtest.EnvRequire+"=")
		require.NoError(t, err, out)
		assert.Contains(t, out, "--- SKIP: TestChild")
		assert.Contains(t, out, postgres.ErrNoPostgres.Error())

		out, err = runChild(t, mode, nowhere, postgres.EnvURL+"=", pgtest.EnvRequire+"=1")
		require.Error(t, err)
		assert.Contains(t, out, "--- FAIL: TestChild")
		assert.Contains(t, out, postgres.ErrNoPostgres.Error())
	}
}

func TestExistingServerIsLeftAsItWas(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, nil)
	out, err := runChild(t, "new", postgres.EnvURL+"="+server.URL(""))
	require.NoError(t, err, out)
	assert.Contains(t, out, "--- PASS: TestChild")

	conn, err := pgx.Connect(t.Context(), server.URL(""))
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var left int
	require.NoError(t, conn.QueryRow(t.Context(),
		"select count(*) from pg_database where datname like 'crossfade%'").Scan(&left))
	require.Zero(t, left)
}

func TestUnreachableServerIsAFailure(t *testing.T) {
	t.Parallel()
	out, err := runChild(t, "new", postgres.EnvURL+"=postgres://127.0.0.1:1/none", pgtest.EnvRequire+"=")
	require.Error(t, err)
	assert.Contains(t, out, "--- FAIL: TestChild")
	assert.Contains(t, out, postgres.EnvURL)
}

func TestMainFindsLeaks(t *testing.T) {
	t.Parallel()
	pgtest.New(t) // skips without PostgreSQL
	out, err := runChild(t, "leak")
	require.Error(t, err)
	assert.Contains(t, out, "--- PASS: TestChild")
	assert.Contains(t, out, "pgtest_test.leak")
}
