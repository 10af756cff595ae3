package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/examples/internal/example"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// mainEnv makes the test binary be the program, and so with the race detector
// when the tests have it.
const mainEnv = "CROSSFADE_EXAMPLE_KINDS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(mainEnv) != "" {
		main()
		os.Exit(0)
	}
	pgtest.Main(m)
}

func TestKinds(t *testing.T) {
	t.Parallel()
	r, status := runExample(t, pgtest.New(t), nil, "-rows", "2000")
	requireClean(t, r, status)
	require.Equal(t, 4*6+1, r.Flips)
	require.Zero(t, r.RefilledRows)
}

func TestRollbackAndForwardAgain(t *testing.T) {
	t.Parallel()
	r, status := runExample(t, pgtest.New(t), nil, "-rows", "1000", "-rollback")
	requireClean(t, r, status)
	require.Equal(t, 4*(5+5+6)+1, r.Flips)
	require.Positive(t, r.RefilledRows)
}

// The audit has to fail when rows go that nobody has removed, or nothing that it
// says is worth anything.
func TestAuditNotices(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn := db.Conn(t)
	r, status := runExample(t, db, func(pid int) {
		name := "crossfade_kinds_" + strconv.Itoa(pid)
		const traffic = `select exists (select from pg_stat_activity where datname = $1 and application_name = 'shop' and query like '%orders%')`
		pgtest.WaitFor(t, "traffic", func() bool {
			var seen bool
			require.NoError(t, conn.QueryRow(t.Context(), traffic, name).Scan(&seen))
			return seen
		})
		config := db.Config(t)
		config.Database = name
		saboteur, err := pgx.ConnectConfig(t.Context(), config)
		require.NoError(t, err)
		_, err = saboteur.Exec(t.Context(), `delete from orders where id between 400 and 500`)
		require.NoError(t, err)
		require.NoError(t, saboteur.Close(t.Context())) // a drain would wait for it
	}, "-rows", "500")
	require.Equal(t, example.ExitDamage, status)
	require.False(t, r.OK)
	require.Positive(t, r.LostUpdates)
	require.Zero(t, r.Errors)
}

func TestOptions(t *testing.T) {
	for _, args := range [][]string{{"-rows", "10"}, {"-duration", "-1s"}, {"more"}, {"-what"}} {
		require.Error(t, example.Parse("kinds", args, &options{}), "%v", args)
	}
}

func requireClean(t *testing.T, r report, status int) {
	t.Helper()
	require.Zero(t, status)
	require.True(t, r.OK)
	require.False(t, r.Damage())
	require.Equal(t, map[string]string{"amount": "contracted", "names": "contracted", "phone": "contracted", "remark": "named"}, r.Phases)
	require.Greater(t, r.CheckedReads, r.CheckedWrites)
	require.Greater(t, r.BackfilledRows, int64(r.Rows))
	require.GreaterOrEqual(t, r.VerifiedRows, 2*int64(r.Rows))
	require.Positive(t, r.SlowestDrainMS)
	require.Positive(t, r.LongestStallMS)
	require.Positive(t, r.LongestHeldMS)
}

// runExample runs the program, and returns its last line and its exit status.
// Meanwhile is called when it has been started.
func runExample(t *testing.T, db *pgtest.DB, meanwhile func(pid int), args ...string) (report, int) {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	var stdout, stderr bytes.Buffer
	command := exec.Command(path, append([]string{"-database-url", db.URL, "-duration", "50ms"}, args...)...)
	command.Env = append(os.Environ(), mainEnv+"=1")
	command.Stdout, command.Stderr = &stdout, &stderr
	require.NoError(t, command.Start())
	if meanwhile != nil {
		meanwhile(command.Process.Pid)
	}
	err = command.Wait()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%v\n%s%s", err, stderr.String(), stdout.String())
		}
	})
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	var r report
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &r), "the last line is JSON")
	return r, command.ProcessState.ExitCode()
}
