package dualwrite_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// where tells which table an unqualified name leads to.
const where = `select (select relnamespace::regnamespace::text from pg_class where oid = users.tableoid) from users where id = 1 and full_name <> ''`

// pathSteps are what an application may send, in any order.
var pathSteps = []string{
	where, where, where, where,
	`begin`, `commit`, `rollback`, `commit and chain`, `savepoint a`, `rollback to a`, `release a`, `select 1 / 0`,
	`set search_path = tenant_1`, `set search_path = tenant_2`, `set search_path = tenant_3`, `set search_path = nowhere`,
	`set local search_path = tenant_1`, `set local search_path = tenant_2`, `set local search_path = tenant_3`,
	`reset search_path`, `select set_config('search_path', 'tenant_1', true)`, `select set_config('search_path', 'tenant_3', false)`,
}

// outcome is what came of a step: a value, or an SQLSTATE.
func outcome(got *string, err error) string {
	var pgErr *pgconn.PgError
	switch {
	case errors.As(err, &pgErr):
		return pgErr.Code
	case errors.Is(err, pgx.ErrNoRows):
		return "no rows"
	case err != nil:
		return err.Error()
	case got == nil:
		return "null"
	}
	return *got
}

func oneByOne(ctx context.Context, c *pgx.Conn, steps []string) (outcomes []string) {
	for _, sql := range steps {
		var got *string
		err := c.QueryRow(ctx, sql).Scan(&got)
		outcomes = append(outcomes, outcome(got, err))
	}
	return outcomes
}

func batched(ctx context.Context, c *pgx.Conn, steps []string) (outcomes []string) {
	b := &pgx.Batch{}
	for _, sql := range steps {
		b.Queue(sql)
	}
	results := c.SendBatch(ctx, b)
	for range steps {
		var got *string
		err := results.QueryRow().Scan(&got)
		outcomes = append(outcomes, outcome(got, err))
	}
	_ = results.Close()
	return outcomes
}

// A hooked connection and one without the hook get the same steps, and must get
// to the same tables.
func TestPathAgainstPostgreSQL(t *testing.T) {
	f := tenants(t)
	ctx := t.Context()
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			config := f.Config(t)
			config.DefaultQueryExecMode = mode
			plain, err := pgx.ConnectConfig(ctx, config)
			require.NoError(t, err)
			defer func() { _ = plain.Close(ctx) }()
			c, err := f.pool(f.hook(), func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode }).Acquire(ctx)
			require.NoError(t, err)
			defer c.Release()
			seed := uint64(time.Now().UnixNano())
			random := rand.New(rand.NewPCG(seed, 0))
			var history [][]string
			for range 200 {
				send := oneByOne
				steps := make([]string, 1+random.IntN(6))
				if mode != pgx.QueryExecModeSimpleProtocol && random.IntN(3) == 0 {
					send = batched
				}
				for i := range steps {
					steps[i] = pathSteps[random.IntN(len(pathSteps))]
				}
				history = append(history[max(0, len(history)-5):], steps)
				require.Equal(t, send(ctx, plain, steps), send(ctx, c.Conn(), steps), "seed %d, steps %q", seed, history)
				require.Equal(t, plain.PgConn().TxStatus(), c.Conn().PgConn().TxStatus(), "seed %d, steps %q", seed, history)
			}
		})
	}
}
