//go:build unix

package compat

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// pooler is PgBouncer in a mode. The hook must say no, in each phase.
func pooler(name, mode string) subject {
	return subject{sectionNetworks, name, "", func(t *testing.T) outcome {
		j := newJourney(t, "")
		settings := []string{""}
		if pgbouncerHas(t, 1, 21) {
			settings = []string{"max_prepared_statements = 0", "max_prepared_statements = 100"}
		} else {
			t.Log("max_prepared_statements is not tested: this PgBouncer has it not, 1.21 or later would")
		}
		look := func(where string) {
			for _, extra := range settings {
				address, stop := startPgBouncer(t, j, mode, extra)
				plain, err := pgx.Connect(t.Context(), address+"?default_query_exec_mode=simple_protocol")
				require.NoError(t, err, "PgBouncer itself works")
				require.NoError(t, plain.Close(t.Context()))
				j.app = address
				pool := j.pool(nil)
				require.ErrorIs(t, pool.Ping(t.Context()), dualwrite.ErrPooler, where)
				pool.Close()
				config, err := pgx.ParseConfig(address)
				require.NoError(t, err)
				db, err := j.hook.OpenDB(*config)
				require.NoError(t, err)
				require.ErrorIs(t, db.PingContext(t.Context()), dualwrite.ErrPooler, where)
				require.NoError(t, db.Close())
				// Nothing is left behind in PgBouncer's own connections.
				var locks int
				require.NoError(t, j.audit.QueryRow(t.Context(), `select count(*) from pg_locks l join pg_database d on d.oid = l.database
					where d.datname = current_database() and locktype = 'advisory'`).Scan(&locks))
				require.Zero(t, locks)
				stop() // a drain waits for its connections, as they have no hook
			}
		}
		look("before init")
		j.begin()
		look("off")
		return refused(dualwrite.ErrPooler)
	}}
}

func pgbouncer(t *testing.T) string {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("there is no pgbouncer: apt-get install pgbouncer")
	return ""
}

func pgbouncerHas(t *testing.T, major, minor int) bool {
	out, err := exec.CommandContext(t.Context(), pgbouncer(t), "--version").Output()
	require.NoError(t, err)
	var a, b int
	_, err = fmt.Sscanf(string(out), "PgBouncer %d.%d", &a, &b)
	require.NoError(t, err, string(out))
	return a > major || a == major && b >= minor
}

// startPgBouncer starts one before the journey's server and returns its URL.
func startPgBouncer(t *testing.T, j *journey, mode, extra string) (address string, stop func()) {
	program := pgbouncer(t)
	dir, port := t.TempDir(), freePort(t)
	config := j.Config(t)
	file := filepath.Join(dir, "pgbouncer.ini")
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(`[databases]
* = host=%s port=%d user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = %s
ignore_startup_parameters = extra_float_digits
%s
`, config.Host, config.Port, port, mode, extra)), 0o600))
	uid, gid := pgtest.GiveToServer(t, j.DB, dir)
	cmd := exec.Command(program, file) //nolint:gosec // the test's own
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	cmd.Dir = dir
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	t.Cleanup(stop)
	address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	pgtest.WaitFor(t, "PgBouncer to listen", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return fmt.Sprintf("postgres://postgres@%s/%s", address, j.Name), stop
}
