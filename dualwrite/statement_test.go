package dualwrite_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// modes are the ways in which pgx sends a statement that the hook supports.
var modes = []pgx.QueryExecMode{
	pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe,
	pgx.QueryExecModeDescribeExec, pgx.QueryExecModeSimpleProtocol,
}

// both returns source and target of a row as they are in the table.
func (f *fixture) both(id int) (source, target string) {
	require.NoError(f.t, f.admin.QueryRow(f.t.Context(),
		`select coalesce(full_name, '-'), coalesce(name, '-') from users where id = $1`, id).Scan(&source, &target))
	return source, target
}

func TestEveryWayToSend(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	const update, read = `update users set full_name = $1 where id = $2`, `select full_name from users where id = $1`
	for i, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			ctx := t.Context()
			pool := f.pool(f.hook(), func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
			id := 10 * (i + 1)
			ways := map[string]func(id int, name string) error{
				"exec": func(id int, name string) error {
					_, err := pool.Exec(ctx, update, name, id)
					return err
				},
				"query": func(id int, name string) error {
					rows, err := pool.Query(ctx, update+` returning full_name`, name, id)
					if err != nil {
						return err
					}
					got, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
					require.Equal(t, name, got)
					return err
				},
				"batch": func(id int, name string) error {
					batch := &pgx.Batch{}
					batch.Queue(`select 1`)
					batch.Queue(update, name, id)
					batch.Queue(read, id).QueryRow(func(row pgx.Row) error {
						var got string
						err := row.Scan(&got)
						require.Equal(t, name, got)
						return err
					})
					return pool.SendBatch(ctx, batch).Close()
				},
				"transaction": func(id int, name string) error {
					return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
						_, err := tx.Exec(ctx, update, name, id)
						return err
					})
				},
				"prepared": func(id int, name string) error {
					return pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
						if _, err := c.Conn().Prepare(ctx, "mine", update); err != nil {
							return err
						}
						_, err := c.Exec(ctx, "mine", name, id)
						return err
					})
				},
				"pipeline": func(id int, name string) error {
					return pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
						p := c.Conn().PgConn().StartPipeline(ctx)
						p.SendQueryParams(update, [][]byte{[]byte(name), []byte(fmt.Sprint(id))}, nil, nil, nil)
						if err := p.Sync(); err != nil {
							return err
						}
						return p.Close()
					})
				},
			}
			for way, send := range ways {
				for try := range 2 { // the second time from the caches
					id++
					name := fmt.Sprintf("%s %s %d", mode, way, try)
					require.NoError(t, send(id, name), way)
					source, target := f.both(id)
					require.Equal(t, name, source, way)
					require.Equal(t, name, target, way)
				}
			}
		})
	}
}

func TestSeveralStatementsInOneQuery(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	pool := f.pool(f.hook())
	_, err := pool.Exec(t.Context(), `update users set full_name = 'ä' where id = 1; update users set full_name = 'b' where id = 2`)
	require.NoError(t, err)
	for id, want := range map[int]string{1: "ä", 2: "b"} {
		source, target := f.both(id)
		require.Equal(t, []string{want, want}, []string{source, target})
	}
}

func TestRefusals(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	ctx := t.Context()
	hook := f.hook()
	const sql = `create view v as select full_name from users`
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			pool := f.pool(hook, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
			ways := map[string]func() error{
				"exec": func() error { _, err := pool.Exec(ctx, sql); return err },
				"query": func() error {
					rows, err := pool.Query(ctx, sql)
					if err != nil {
						return err
					}
					rows.Close()
					return rows.Err()
				},
				"query row": func() error { return pool.QueryRow(ctx, sql).Scan() },
				"batch": func() error {
					batch := &pgx.Batch{}
					batch.Queue(`insert into other values (1, 'must not stay')`)
					batch.Queue(sql)
					return pool.SendBatch(ctx, batch).Close()
				},
				"prepare": func() error {
					return pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
						_, err := c.Conn().Prepare(ctx, "v", sql)
						return err
					})
				},
				"several": func() error {
					_, err := pool.Exec(ctx, `insert into other values (2, 'must not stay'); `+sql)
					return err
				},
			}
			for way, send := range ways {
				err := send()
				refusal, ok := dualwrite.AsRefusal(err)
				require.True(t, ok, "%s: %v", way, err)
				require.NotEmpty(t, refusal.Message)
				require.Equal(t, "0A000", pgError(t, err).Code)
				require.False(t, dualwrite.IsStalePhase(err))
			}
			var n int
			require.NoError(t, pool.QueryRow(ctx, `select count(*) from other`).Scan(&n), "the connection goes on")
			require.Zero(t, n)
		})
	}
	require.Positive(t, f.seen(dualwrite.Refused))
	require.EqualValues(t, f.seen(dualwrite.Refused), hook.Stats().Refused)
}

func TestRefusalFailsTheTransaction(t *testing.T) {
	f := moving(t)
	pool := f.pool(f.hook())
	ctx := t.Context()
	tx, err := pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = tx.Exec(ctx, `create view v as select full_name from users`)
	_, ok := dualwrite.AsRefusal(err)
	require.True(t, ok)
	_, err = tx.Exec(ctx, `select 1`)
	require.Equal(t, "25P02", pgError(t, err).Code)
	require.ErrorIs(t, tx.Commit(ctx), pgx.ErrTxCommitRollback)
}

func TestCopyIsRefused(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	pool := f.pool(f.hook())
	rows := pgx.CopyFromRows([][]any{{int64(1000), "copied"}})
	_, err := pool.CopyFrom(t.Context(), pgx.Identifier{"users"}, []string{"id", "full_name"}, rows)
	_, ok := dualwrite.AsRefusal(err)
	require.True(t, ok, "%v", err)
	n, err := pool.CopyFrom(t.Context(), pgx.Identifier{"other"}, []string{"id", "note"},
		pgx.CopyFromRows([][]any{{int64(1), strings.Repeat("x", 200_000)}, {int64(2), "y"}}))
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
}

func TestPositionsOfErrors(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	ctx := t.Context()
	plain := f.Conn(t)
	const sql = `update users set full_name = 'ü' || $1, nothing = 2 where id = $2`
	const read = `select 'ü', full_name, nothing from users where id = $1`
	for _, mode := range modes {
		pool := f.pool(f.hook(), func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
		for text, args := range map[string][]any{sql: {"x", 1}, read: {1}} {
			args = append([]any{mode}, args...)
			_, err := plain.Exec(ctx, text, args...)
			want := pgError(t, err)
			_, err = pool.Exec(ctx, text, args...)
			got := pgError(t, err)
			require.Equal(t, want.Code, got.Code)
			require.Equal(t, want.Position, got.Position, "%s: %s", mode, text)
		}
	}
}

func TestBypassIsDetected(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	ctx := t.Context()
	pool := f.pool(f.hook())
	conn, err := pool.Acquire(ctx)
	require.NoError(t, err)
	defer conn.Release()
	batch := &pgconn.Batch{}
	batch.ExecParams(`select 1`, nil, nil, nil, nil)
	_, err = conn.Conn().PgConn().ExecBatch(ctx, batch).ReadAll()
	require.ErrorContains(t, err, "past the hook")
	require.True(t, conn.Conn().IsClosed())

	b := &pgx.Batch{}
	b.Queue(`update users set full_name = $1 where id = $2`, "x", 1)
	err = pool.SendBatch(context.Background(), b).Close()
	require.NoError(t, err)
	err = pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		b := &pgx.Batch{}
		b.Queue(`select 1`)
		c.Conn().Config() // a copy: the mode of this connection stays
		return c.SendBatch(ctx, b).Close()
	})
	require.NoError(t, err)
	require.Equal(t, 1, f.seen(dualwrite.Bypassed))
}

func TestWhatCannotBeHooked(t *testing.T) {
	f := bare(t)
	hook := f.hook()
	config := f.poolConfig()
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	require.ErrorIs(t, hook.Install(config), dualwrite.ErrExecMode)
	_, err := hook.OpenDB(*config.ConnConfig)
	require.ErrorIs(t, err, dualwrite.ErrExecMode)

	config = f.poolConfig()
	config.ConnConfig.RuntimeParams["replication"] = "database"
	require.ErrorIs(t, hook.Install(config), dualwrite.ErrReplication)

	pool := f.pool(hook, func(c *pgxpool.Config) {
		c.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
			c.DefaultQueryExecMode = pgx.QueryExecModeExec
			return nil
		}
	})
	require.ErrorIs(t, pool.Ping(t.Context()), dualwrite.ErrExecMode)
}
