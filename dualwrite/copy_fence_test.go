package dualwrite_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// TestWaysAroundCopyFrom are those that the refusal names.
func TestWaysAroundCopyFrom(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	pool := f.pool(f.hook())
	ctx := t.Context()
	rows := pgx.CopyFromRows([][]any{{int64(1000), "by a table"}})
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `create temp table loaded on commit drop as select id, full_name from users limit 0`); err != nil {
			return err
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"loaded"}, []string{"id", "full_name"}, rows); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into users (id, full_name) select * from loaded`)
		return err
	})
	require.NoError(t, err)
	_, err = pool.Exec(ctx, `insert into users (id, full_name) select * from unnest($1::bigint[], $2::text[])`,
		[]int64{1001}, []string{"by arrays"})
	require.NoError(t, err)
	for id, want := range map[int]string{1000: "by a table", 1001: "by arrays"} {
		source, target := f.both(id)
		require.Equal(t, []string{want, want}, []string{source, target})
	}
}

// TestCopyFromIsFenced: the token cannot be dropped while a COPY is open, and
// without it nothing is copied.
func TestCopyFromIsFenced(t *testing.T) {
	f := contracted(t)
	pool := f.pool(f.hook())
	ctx := t.Context()
	conn, err := pool.Acquire(ctx)
	require.NoError(t, err)
	defer conn.Release()
	const sql = `copy users (id, full_name) from stdin`
	data, to := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := conn.Conn().PgConn().CopyFrom(ctx, data, sql)
		done <- err
	}()
	_, err = io.WriteString(to, "1000\topen\n")
	require.NoError(t, err)
	token := `crossfade.` + f.move.Token
	pgtest.WaitFor(t, "the COPY to be open", func() bool {
		var open bool
		require.NoError(t, f.admin.QueryRow(ctx, `select exists(select from pg_locks where relation = $1::regclass and granted)`, token).Scan(&open))
		return open
	})
	drop := func() error {
		return pgx.BeginFunc(ctx, f.admin, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `set local lock_timeout = '20ms'`); err != nil {
				return err
			}
			return ledger.DropToken(ctx, tx, f.move.Token)
		})
	}
	require.Equal(t, "55P03", pgError(t, drop()).Code)
	require.NoError(t, to.Close())
	require.NoError(t, <-done)
	require.NoError(t, drop())

	_, err = conn.Conn().PgConn().CopyFrom(ctx, strings.NewReader("1001\tlate\n"), sql)
	require.True(t, dualwrite.IsStalePhase(err), "%v", err)
	var n int
	require.NoError(t, f.admin.QueryRow(ctx, `select count(*) from users where id >= 1000`).Scan(&n))
	require.Equal(t, 1, n)
}

// TestCopyFromOfAnotherType: pgx learns the types of what it encodes by a
// query of its own, so data of the source's type must not reach the target.
func TestCopyFromOfAnotherType(t *testing.T) {
	f := bare(t)
	ctx := t.Context()
	f.exec(`create table readings (id bigint primary key, n int)`)
	require.NoError(t, ledger.Migrate(ctx, f.admin, nil))
	f.move = ledger.Transition{
		Name: "readings.n", Schema: "public", Table: "readings",
		Definition: ledger.Definition{
			Move: transform.Move{
				Kind:    transform.Change,
				Sources: []transform.Column{{Name: "n", Type: "integer", BaseType: "integer", Position: 2, Value: "big::integer"}},
				Targets: []transform.Column{{Name: "big", Type: "bigint", BaseType: "bigint", Value: "n::bigint"}},
			},
			Key: []string{"id"}, KeyTypes: []string{"bigint"},
		},
	}
	f.exec(`alter table readings add column big bigint`)
	require.NoError(t, ledger.Register(ctx, f.admin, &f.move, ledger.Event{Actor: "test", Event: "register"}))
	copyRow := func(pool *pgxpool.Pool, column string) error {
		rows := pgx.CopyFromRows([][]any{{1, 7}})
		_, err := pool.CopyFrom(ctx, pgx.Identifier{"readings"}, []string{"id", column}, rows)
		return err
	}
	var n int
	for _, p := range phase.All() {
		for f.move.Phase != p {
			f.step(p)
			require.NoError(t, pgx.BeginFunc(ctx, f.admin, func(tx pgx.Tx) error {
				return ledger.Drained(ctx, tx, &f.move, ledger.Event{Actor: "test", Event: "drained"})
			}))
		}
		pool := f.pool(f.hook())
		_, ok := dualwrite.AsRefusal(copyRow(pool, "n"))
		require.True(t, ok, p)
		if !p.Behaviour().SourceGone {
			_, ok = dualwrite.AsRefusal(copyRow(pool, "big"))
			require.True(t, ok, p)
		}
		pool.Close()
	}
	f.exec(`alter table readings drop column n`)
	require.NoError(t, f.admin.QueryRow(ctx, `select count(*) from readings`).Scan(&n))
	require.Zero(t, n)
	pool := f.pool(f.hook())
	require.NoError(t, copyRow(pool, "big"))
	require.NoError(t, pool.QueryRow(ctx, `select n from readings where id = 1`).Scan(&n))
	require.Equal(t, 7, n)
}

// TestCopyFromAfterSet: the hook's question about search_path and the lock of
// the token go before it, and nothing of either is seen.
func TestCopyFromAfterSet(t *testing.T) {
	f := contracted(t)
	f.exec(`create schema tenant; create table tenant.users (id bigint, full_name text)`)
	pool := f.pool(f.hook())
	ctx := t.Context()
	conn, err := pool.Acquire(ctx)
	require.NoError(t, err)
	defer conn.Release()
	for i, path := range []string{"tenant", "public", "tenant"} {
		_, err := conn.Exec(ctx, `set search_path = `+path)
		require.NoError(t, err)
		data := strings.NewReader(fmt.Sprintf("%d\t%s\n", 1000+i, path))
		tag, err := conn.Conn().PgConn().CopyFrom(ctx, data, `copy users (id, full_name) from stdin`)
		require.NoError(t, err)
		require.Equal(t, "COPY 1", tag.String())
	}
	for query, want := range map[string]int{
		`select count(*) from users where id = 1001 and name = 'public'`:              1,
		`select count(*) from users where id >= 1000`:                                 1,
		`select count(*) from tenant.users where id in (1000, 1002)`:                  2,
		`select count(*) from tenant.users where full_name is distinct from 'tenant'`: 0,
	} {
		var n int
		require.NoError(t, f.admin.QueryRow(ctx, query).Scan(&n))
		require.Equal(t, want, n, query)
	}
}

// TestCopyFromIsNotPrepared: the lock makes it two statements.
func TestCopyFromIsNotPrepared(t *testing.T) {
	f := contracted(t)
	pool := f.pool(f.hook())
	ctx := t.Context()
	const sql = `copy users (id, full_name) from '/nothing'`
	_, err := pool.Query(ctx, sql)
	_, ok := dualwrite.AsRefusal(err)
	require.True(t, ok, "%v", err)
	err = pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		_, err := c.Conn().Prepare(ctx, "copy", sql)
		return err
	})
	_, ok = dualwrite.AsRefusal(err)
	require.True(t, ok, "%v", err)
	_, err = pool.Exec(ctx, sql)
	var e *pgconn.PgError
	require.ErrorAs(t, err, &e)
	require.Equal(t, "58P01", e.Code, "it was sent as it is: there is no such file")
}
