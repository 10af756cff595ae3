package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/examples/internal/example"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// mainEnv makes the test binary be the program, and so with the race detector
// when the tests have it.
const mainEnv = "CROSSFADE_EXAMPLE_RENAME_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(mainEnv) != "" || os.Getenv(appEnv) != "" {
		main()
		os.Exit(0)
	}
	pgtest.Main(m)
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(path, args...)
	command.Env = append(os.Environ(), mainEnv+"=1")
	return command
}

func TestRename(t *testing.T) {
	t.Parallel()
	r, status := runExample(t, pgtest.New(t), "-rows", "3000", "-apps", "3")
	requireClean(t, r, status)
	require.Equal(t, 6, r.Flips)
	require.Zero(t, r.StaleRetries, "a flip waits for those who are not paused")
	require.Zero(t, r.RefilledRows)
}

// Somebody without the hook writes as well: under a trigger up to contract, and
// with a tail up to the barrier, which is before any read goes to the target.
func TestWriterWithoutTheHook(t *testing.T) {
	t.Parallel()
	for sync, left := range map[string]string{syncTrigger: "complete", syncLogical: "dualwrite"} {
		t.Run(sync, func(t *testing.T) {
			t.Parallel()
			r, status := runExample(t, pgtest.New(t), "-rows", "3000", "-apps", "2", "-sync", sync)
			requireClean(t, r, status)
			require.Equal(t, left, r.LegacyLeftIn)
			require.Greater(t, r.LegacyWrites, int64(50))
			require.Equal(t, 6, r.Flips)
			require.Equal(t, sync == syncLogical, r.ConvergedMS > 0)
		})
	}
}

func TestRollbackAndForwardAgain(t *testing.T) {
	t.Parallel()
	r, status := runExample(t, pgtest.New(t), "-rows", "1000", "-apps", "2", "-rollback")
	requireClean(t, r, status)
	require.Equal(t, 5+5+6, r.Flips)
	require.Positive(t, r.RefilledRows)
}

// Without the fence the audit has to fail, or nothing that it says is worth
// anything.
func TestAuditNoticesThatTheFenceIsMissing(t *testing.T) {
	t.Parallel()
	r, status := runExample(t, pgtest.New(t), "-rows", "1000", "-apps", "2", "-unsafe-no-tokens")
	require.Equal(t, example.ExitDamage, status)
	require.False(t, r.OK)
	require.Positive(t, r.LostUpdates+r.WrongReads+r.DivergentRows)
	require.Zero(t, r.Errors, "the damage is silent")
	require.Zero(t, r.StaleRetries)
}

// The same accident with the fence: the write that comes too late is refused
// and repeated.
func TestFenceStopsWhatComesTooLate(t *testing.T) {
	t.Parallel()
	r, status := runExample(t, pgtest.New(t), "-rows", "1000", "-apps", "2", "-pause")
	requireClean(t, r, status)
	require.Positive(t, r.StaleRetries)
}

// An interrupt, and even a kill, leaves no process behind.
func TestNothingIsLeftBehind(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals")
	}
	for _, signal := range []os.Signal{os.Interrupt, os.Kill} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			log := &lockedBuffer{}
			command := program(t, "-database-url", db.URL, "-rows", "1000", "-apps", "2", "-duration", "1m")
			command.Stderr = log
			require.NoError(t, command.Start())
			pgtest.WaitFor(t, "traffic", func() bool { return strings.Contains(log.String(), "processes run") })
			require.NoError(t, command.Process.Signal(signal))
			require.Error(t, command.Wait(), "the exit status must not be 0")

			conn := db.Conn(t)
			database := "crossfade_rename_" + strconv.Itoa(command.Process.Pid)
			pgtest.WaitFor(t, "the processes to end", func() bool {
				var sessions int
				err := conn.QueryRow(t.Context(), "select count(*) from pg_stat_activity where datname = $1", database).Scan(&sessions)
				require.NoError(t, err)
				return sessions == 0
			})
			drop := "drop database if exists " + pgx.Identifier{database}.Sanitize() + " with (force)"
			if signal == os.Interrupt {
				drop = "create database " + pgx.Identifier{database}.Sanitize() // it is gone, so this works
				t.Cleanup(func() { db.Exec(t, "drop database "+pgx.Identifier{database}.Sanitize()) })
			}
			_, err := conn.Exec(t.Context(), drop)
			require.NoError(t, err)
		})
	}
}

func TestOptions(t *testing.T) {
	var o options
	require.NoError(t, example.Parse("rename", []string{"-unsafe-no-tokens"}, &o))
	require.True(t, o.pause, "without a pause there is nothing to see")
	for _, args := range [][]string{{"-apps", "1"}, {"-rows", "10"}, {"-duration", "-1s"}, {"more"}, {"-what"}, {"-sync", "both"}} {
		require.Error(t, example.Parse("rename", args, &options{}), "%v", args)
	}
}

func requireClean(t *testing.T, r report, status int) {
	t.Helper()
	require.Zero(t, status)
	require.True(t, r.OK)
	require.Zero(t, r.Errors)
	require.Zero(t, r.LostUpdates)
	require.Zero(t, r.WrongReads)
	require.Zero(t, r.DivergentRows)
	require.Zero(t, r.Unexplained)
	require.Equal(t, "contracted", r.Phase)
	require.Greater(t, r.Statements, int64(1000))
	require.Greater(t, r.CheckedReads, r.CheckedWrites)
	require.Positive(t, r.BackfilledRows)
	require.GreaterOrEqual(t, r.VerifiedRows, int64(r.Rows)/2)
	require.Positive(t, r.SlowestDrainMS)
	require.Positive(t, r.LongestStallMS)
}

// runExample runs the program, and returns its last line and its exit status.
func runExample(t *testing.T, db *pgtest.DB, args ...string) (report, int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command := program(t, append([]string{"-database-url", db.URL, "-duration", "200ms"}, args...)...)
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
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

// lockedBuffer can be read while a process writes to it.
type lockedBuffer struct {
	mu     sync.Mutex // guards buffer
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
