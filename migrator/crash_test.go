package migrator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestCrashAnywhere kills the migrator, as a process of its own, at each change
// it makes: on the way from the start until contracted, and on the way back
// from complete. After each death the database is as the protocol demands, and
// the way can be finished in either direction.
//
// With -short it dies at every tenth change only.
func TestCrashAnywhere(t *testing.T) {
	t.Parallel()
	admin := pgtest.New(t)
	t.Run("forward", func(t *testing.T) {
		t.Parallel()
		crash(t, admin, false, func(t *testing.T) *pgtest.DB {
			db := pgtest.NewFrom(t, users)
			require.NoError(t, newMigrator(t, db, migrator.Config{}).Init(ctx, migrator.InitOptions{}))
			return db
		})
	})
	t.Run("back", func(t *testing.T) {
		t.Parallel()
		crash(t, admin, true, func(t *testing.T) *pgtest.DB {
			db, m := started(t, users, migrator.Config{})
			_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
			require.NoError(t, err)
			db.Exec(t, `update users set name = name || '!' where id % 2 = 0`)
			return db
		})
	})
}

func crash(t *testing.T, admin *pgtest.DB, back bool, prepare func(*testing.T) *pgtest.DB) {
	base := prepare(t)
	total := countChanges(t, task{URL: clone(t, admin, base, "count").URL, Back: back})
	require.Greater(t, total, 30)
	stride := 1
	if testing.Short() {
		stride = 10
	}
	for death := 1; death <= total; death += stride {
		t.Run(strconv.Itoa(death), func(t *testing.T) {
			t.Parallel()
			db := clone(t, admin, base, strconv.Itoa(death))
			die(t, task{URL: db.URL, Back: back, Death: death})
			row := assertProtocol(t, db)
			written := write(t, db, row, fmt.Sprintf("written after death %d", death))
			other := clone(t, admin, db, "other")
			finishForward(t, db, written)
			if row.Phase != phase.Contracted && row.Name != "" {
				finishBack(t, other, written)
			}
		})
	}
}

// clone copies a database that nobody is connected to.
func clone(t *testing.T, admin, db *pgtest.DB, suffix string) *pgtest.DB {
	t.Helper()
	copied := &pgtest.DB{Name: db.Name + "_" + suffix}
	config := db.Config(t)
	copied.URL = fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s", config.Host, config.Port, config.User, config.Password, copied.Name)
	// The server may take a moment to notice that the last client has gone.
	conn := connect(t, admin, auditor)
	defer conn.Close(ctx)
	pgtest.WaitFor(t, "sessions of "+db.Name+" to end", func() bool {
		return scan[int](t, conn, `select count(*) from pg_stat_activity where datname = $1`, db.Name) == 0
	})
	_, err := conn.Exec(ctx, `create database `+copied.Name+` template `+db.Name)
	require.NoError(t, err)
	t.Cleanup(func() { admin.Exec(t, `drop database `+copied.Name+` with (force)`) })
	return copied
}

func spawn(t *testing.T, work task) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	text, err := json.Marshal(work)
	require.NoError(t, err)
	cmd := exec.Command(self)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	cmd.Env = append(os.Environ(), envChild+"="+string(text))
	return cmd, &errors
}

// countChanges lets a child live, and returns how many changes it made.
func countChanges(t *testing.T, work task) int {
	t.Helper()
	cmd, errors := spawn(t, work)
	output, err := cmd.Output()
	require.NoError(t, err, errors.String())
	total, err := strconv.Atoi(string(output))
	require.NoError(t, err)
	return total
}

func die(t *testing.T, work task) {
	t.Helper()
	cmd, errors := spawn(t, work)
	err := cmd.Run()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Empty(t, errors.String())
	require.False(t, exit.Exited(), "killed, not ended: %s", exit)
}

// assertProtocol checks what must hold at any moment, and returns the row of
// the ledger; a zero one when the transition has not been registered.
func assertProtocol(t *testing.T, db *pgtest.DB) ledger.Transition {
	t.Helper()
	conn := audit(t, db)
	defer conn.Close(ctx)
	row := assertTokens(t, conn)
	require.Equal(t, 300, scan[int](t, conn, `select count(*) from users`))
	return row
}

// assertTokens is assertProtocol for a table of any name.
func assertTokens(t *testing.T, conn *pgx.Conn) ledger.Transition {
	t.Helper()
	// The server still works on what the dead process sent last.
	pgtest.WaitFor(t, "the dead migrator's session to end", func() bool {
		return scan[int](t, conn, `select count(*) from pg_stat_activity
			where datname = current_database() and application_name = 'crossfade migrator'`) == 0
	})
	transitions, err := ledger.List(ctx, conn)
	require.NoError(t, err)
	var phases []phase.Phase
	names := map[string]bool{}
	for _, token := range tokens(t, conn) {
		names[token] = true
		if p, _, err := ledger.ParseToken(token); err == nil {
			phases = append(phases, p)
		}
	}
	require.LessOrEqual(t, capabilities(t, conn), 1)
	if len(transitions) == 0 {
		require.Empty(t, names)
		return ledger.Transition{}
	}
	row := transitions[0]
	require.True(t, names[row.Token], "the phase in force has its token")
	if row.Draining == "" {
		require.Len(t, phases, 1)
		return row
	}
	require.True(t, names[row.Draining])
	require.Len(t, phases, 2)
	require.True(t, phases[0].CanMoveTo(phases[1]), "%v are neighbours", phases)
	return row
}

// write changes a row as the hook would in the phase in force.
func write(t *testing.T, db *pgtest.DB, row ledger.Transition, value string) string {
	t.Helper()
	behaviour := phase.Off.Behaviour()
	if row.Phase != "" {
		behaviour = row.Phase.Behaviour()
	}
	var set string
	switch {
	case behaviour.WritesBoth():
		set = `full_name = $1, name = $1`
	case behaviour.WriteTarget:
		set = `name = $1`
	default:
		set = `full_name = $1`
	}
	db.Exec(t, `update users set `+set+` where id = 1`, value)
	return value
}

func finishForward(t *testing.T, db *pgtest.DB, written string) {
	t.Helper()
	m := newMigrator(t, db, migrator.Config{})
	_, err := m.Start(ctx, rename)
	if err != nil {
		require.ErrorIs(t, err, migrator.ErrActive)
	}
	p, err := m.Run(ctx, rename.Name, untilContracted)
	require.NoError(t, err)
	require.Equal(t, "name", p.Step)
	conn := audit(t, db)
	require.Equal(t, contractedShape, shape(t, conn))
	require.Len(t, tokens(t, conn), 1)
	assertValues(t, conn, "name", written)
}

func finishBack(t *testing.T, db *pgtest.DB, written string) {
	t.Helper()
	p, err := newMigrator(t, db, migrator.Config{}).Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, migrator.Off, p.Phase)
	conn := audit(t, db)
	require.Equal(t, originalShape, shape(t, conn))
	require.Len(t, tokens(t, conn), 1)
	assertValues(t, conn, "full_name", written)
}

// assertValues: one column holds what it held at the beginning, but for the
// last write and the ones that the way back began with.
func assertValues(t *testing.T, conn *pgx.Conn, column, written string) {
	t.Helper()
	require.Equal(t, written, scan[string](t, conn, `select `+column+` from users where id = 1`))
	wrong := scan[int](t, conn, `select count(*) from users where id > 1 and `+column+
		` is distinct from 'user ' || id || case when id % 2 = 0 and exists
			(select from users where `+column+` = 'user 2!') then '!' else '' end`)
	require.Zero(t, wrong)
}
