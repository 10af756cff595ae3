package dualwrite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

func (f *fixture) openDB(hook *dualwrite.Hook, options ...stdlib.OptionOpenDB) *sql.DB {
	db, err := hook.OpenDB(*f.Config(f.t), options...)
	require.NoError(f.t, err)
	f.t.Cleanup(func() { require.NoError(f.t, db.Close()) })
	return db
}

// Under a small MaxOpenConns database/sql hands over connections that others
// give back; its retries must not run out.
func TestSQLFlipsUnderLoad(t *testing.T) {
	f := moving(t)
	hook := f.hook()
	db := f.openDB(hook)
	db.SetMaxOpenConns(2)
	f.run(hook)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	prepared, err := db.Prepare(`select full_name from users where id = $1`)
	require.NoError(t, err)
	defer func() { _ = prepared.Close() }()

	var workers sync.WaitGroup
	var statements atomic.Int64
	const goroutines = 8
	for id := 1; id <= goroutines; id++ {
		workers.Go(func() {
			last := fmt.Sprintf("user %d", id)
			for i := 0; ctx.Err() == nil; i++ {
				name, err := sqlTurn(db, prepared, id, i, last)
				if err != nil {
					t.Errorf("worker %d, turn %d: %v", id, i, err)
					return
				}
				last = name
				statements.Add(1)
			}
		})
	}
	for f.move.Epoch < 20 {
		for _, target := range []phase.Phase{phase.Live, phase.Off} {
			for f.move.Phase != target && f.move.Epoch < 20 {
				enough := statements.Load() + goroutines
				f.step(target)
				f.drained()
				f.drop()
				pgtest.WaitFor(t, "the workers", func() bool { return statements.Load() >= enough || t.Failed() })
				if t.Failed() {
					return
				}
			}
		}
	}
	cancel()
	workers.Wait()
	require.Zero(t, hook.Stats().Stale)
}

func sqlTurn(db *sql.DB, prepared *sql.Stmt, id, i int, last string) (string, error) {
	ctx := context.Background()
	name := fmt.Sprintf("worker %d turn %d", id, i)
	var got string
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return "", fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := tx.StmtContext(ctx, prepared).QueryRow(id).Scan(&got); err != nil {
		return "", fmt.Errorf("read: %w", err)
	}
	if got != last {
		return "", fmt.Errorf("read %q, had written %q", got, last)
	}
	if _, err := tx.Exec(`update users set full_name = $1 where id = $2 and full_name = $3`, name, id, last); err != nil {
		return "", fmt.Errorf("write: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return "", fmt.Errorf("commit: %w", err)
	}
	if err := prepared.QueryRow(id).Scan(&got); err != nil {
		return "", fmt.Errorf("read outside of a transaction: %w", err)
	}
	return name, nil
}

// Idle connections of a *sql.DB leave by themselves while Run runs.
func TestSQLIdleConnectionsAreRecycled(t *testing.T) {
	f := moving(t)
	hook := f.hook()
	db := f.openDB(hook)
	db.SetMaxIdleConns(5)
	var conns []*sql.Conn
	for range 5 {
		conn, err := db.Conn(t.Context())
		require.NoError(t, err)
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		require.NoError(t, conn.Close())
	}
	require.Equal(t, map[int]int{f.move.Epoch: 5}, hook.Stats().Connections)
	f.run(hook)
	f.waitEvent(dualwrite.Following)
	f.step(phase.DualWrite)
	f.drained()
	require.Zero(t, hook.Stats().Connections[f.move.Epoch-1])
}

// A pool without Run replaces what is outdated on its next use, without error.
func TestSQLWithoutRun(t *testing.T) {
	f := moving(t)
	hook := f.hook(func(c *dualwrite.Config) { c.RecycleWithin = -1 })
	db := f.openDB(hook)
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	var conns []*sql.Conn
	for range 4 {
		conn, err := db.Conn(t.Context())
		require.NoError(t, err)
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		require.NoError(t, conn.Close())
	}
	f.to(phase.DualWrite)
	_, err := db.Exec(`update users set full_name = 'x' where id = 1`)
	require.True(t, dualwrite.IsStalePhase(err), "%v", err)
	var workers sync.WaitGroup
	for id := range 20 {
		workers.Go(func() {
			if _, err := db.Exec(`update users set full_name = 'x' where id = $1`, id); err != nil {
				t.Errorf("exec: %v", err)
			}
		})
	}
	workers.Wait()
}

func TestSQLRaw(t *testing.T) {
	f := moving(t)
	var reset atomic.Int64
	db := f.openDB(f.hook(), stdlib.OptionResetSession(func(context.Context, *pgx.Conn) error {
		reset.Add(1)
		return nil
	}))
	for range 2 {
		conn, err := db.Conn(t.Context())
		require.NoError(t, err)
		require.NoError(t, conn.Raw(func(raw any) error {
			return raw.(interface{ Conn() *pgx.Conn }).Conn().Ping(t.Context())
		}))
		require.NoError(t, conn.Close())
	}
	require.EqualValues(t, 1, reset.Load())
	_, err := db.Exec(`create view v as select full_name from users`)
	_, ok := dualwrite.AsRefusal(err)
	require.True(t, ok)
}

// Options that replace the hook's callbacks are noticed.
func TestSQLOptionsCannotRemoveTheHook(t *testing.T) {
	f := moving(t)
	plain := f.Config(t)
	db := f.openDB(f.hook(), stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) error {
		c.BuildFrontend, c.AfterConnect = plain.BuildFrontend, nil
		return nil
	}))
	require.ErrorIs(t, db.Ping(), dualwrite.ErrNotHooked)
	db = f.openDB(f.hook(), stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) error {
		c.BuildFrontend = plain.BuildFrontend
		return nil
	}))
	require.True(t, errors.Is(db.Ping(), dualwrite.ErrNotHooked))
}
