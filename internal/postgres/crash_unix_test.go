//go:build unix

package postgres_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/postgres"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKillAndRestartKeepCommittedRows(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, nil)
	conn := connect(t, server)
	_, err := conn.Exec(t.Context(), "create table item (id int); insert into item values (1)")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "begin; insert into item values (2)")
	require.NoError(t, err)
	pids := serverPIDs(t, conn, directory(t, server.URL("")))
	require.Greater(t, len(pids), 3, "the postmaster, this session and background processes")

	require.NoError(t, server.Kill())
	pgtest.WaitFor(t, "the last process to end", func() bool { return !slices.ContainsFunc(pids, running) })
	require.NoError(t, server.Kill(), "a server that is down")
	require.Error(t, conn.Ping(t.Context()))

	require.NoError(t, server.Restart(t.Context()))
	require.Equal(t, "{1}", setting(t, server, "select array_agg(id)::text from item"))
	require.NoError(t, server.Restart(t.Context()), "a server that is up")
	require.Equal(t, "{1}", setting(t, server, "select array_agg(id)::text from item"))
}

type childProcess struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	dir    string
	server int
}

func startChild(t *testing.T, mode string) *childProcess {
	t.Helper()
	server := start(t, postgres.Config{Private: true}) // skips without PostgreSQL
	require.NoError(t, server.Stop())

	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childMode+"="+mode)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &childProcess{cmd: cmd, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := c.out.ReadString('\n')
	require.NoError(t, err)
	c.dir = directory(t, strings.TrimSpace(line))
	c.server = postmaster(t, c.dir)
	require.True(t, running(c.server))
	return c
}

func TestServerGoesWithItsProgram(t *testing.T) {
	t.Parallel()
	for mode, end := range map[string]func(*testing.T, *childProcess){
		"kill":  func(t *testing.T, c *childProcess) { require.NoError(t, c.cmd.Process.Kill()) },
		"panic": func(t *testing.T, c *childProcess) { require.NoError(t, c.in.Close()) },
		"exit":  func(t *testing.T, c *childProcess) { require.NoError(t, c.in.Close()) },
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			c := startChild(t, mode)
			end(t, c)
			_, err := io.ReadAll(c.out)
			require.NoError(t, err, "nobody else holds the program's output")
			_ = c.cmd.Wait()
			pgtest.WaitFor(t, "the server to end", func() bool { return !running(c.server) })
			pgtest.WaitFor(t, "its directory to go", func() bool {
				_, err := os.Stat(c.dir)
				return os.IsNotExist(err)
			})
		})
	}
}

func TestInterruptReachesOnlyTheProgram(t *testing.T) {
	t.Parallel()
	c := startChild(t, "interrupt")
	require.NoError(t, c.in.Close())
	// What Ctrl-C does: a signal to the whole process group of the terminal.
	require.NoError(t, syscall.Kill(-c.cmd.Process.Pid, syscall.SIGINT))
	line, err := c.out.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "stopped in good order\n", line)
	assert.False(t, running(c.server))
	assert.NoDirExists(t, c.dir)
}

func TestUnsuitableTMPDIR(t *testing.T) {
	for name, dir := range map[string]string{
		"long":    filepath.Join(t.TempDir(), strings.Repeat("long", 30)),
		"closed":  filepath.Join(t.TempDir(), "closed"),
		"missing": filepath.Join(t.TempDir(), "closed", "missing"),
	} {
		t.Run(name, func(t *testing.T) {
			if name != "missing" {
				require.NoError(t, os.MkdirAll(dir, 0o700))
			}
			t.Setenv("TMPDIR", dir)
			server := start(t, postgres.Config{Private: true})
			require.Equal(t, "1", setting(t, server, "select '1'"))
		})
	}
}

// postmaster reads the process id of the server in dir.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	require.NoError(t, err)
	return pid
}

// serverPIDs lists the postmaster in dir and the processes that it tells of.
func serverPIDs(t *testing.T, conn *pgx.Conn, dir string) []int {
	t.Helper()
	rows, err := conn.Query(t.Context(), "select pid from pg_stat_activity")
	require.NoError(t, err)
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(t, err)
	return append(pids, postmaster(t, dir))
}

// running reports whether a process runs; one that has ended may still have an
// entry, as a zombie, where nobody asks for its result.
func running(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		_, err := os.Stat("/proc/self/stat")
		return err != nil // without /proc, believe the signal
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	return string(fields[0]) != "Z"
}
