package dualwrite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
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
	`notify steps`, `set application_name = a`, `set application_name = b`, `do $$ begin raise notice 'by the way'; end $$`,
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

// piped has a Sync after every second step, and reads when all is sent.
func piped(ctx context.Context, c *pgx.Conn, steps []string) (outcomes []string) {
	p := c.PgConn().StartPipeline(ctx)
	for i, sql := range steps {
		if sql == where {
			p.SendQueryPrepared("where", nil, nil, nil)
		} else {
			p.SendQueryParams(sql, nil, nil, nil, nil)
		}
		if i%2 == 1 {
			_ = p.Sync()
		}
	}
	_ = p.Sync()
	for {
		switch r, err := p.GetResults(); r := r.(type) {
		case nil:
			if err == nil {
				return append(outcomes, outcome(nil, p.Close()))
			}
			outcomes = append(outcomes, outcome(nil, err))
			if c.IsClosed() {
				return outcomes
			}
		case *pgconn.PipelineSync:
			outcomes = append(outcomes, "sync")
		case *pgconn.ResultReader:
			outcomes = append(outcomes, read(r.Read()))
		}
	}
}

func read(r *pgconn.Result) string {
	if r.Err == nil && len(r.Rows) == 1 {
		got := string(r.Rows[0][0])
		return outcome(&got, nil)
	}
	return r.CommandTag.String() + outcome(nil, r.Err)
}

// copied reads by COPY, and fails to write by it: id 1 is there, if it is not
// refused.
func copied(ctx context.Context, c *pgx.Conn, steps []string) (outcomes []string) {
	for _, sql := range steps {
		if sql != where {
			outcomes = append(outcomes, oneByOne(ctx, c, []string{sql})...)
			continue
		}
		var to strings.Builder
		_, err := c.PgConn().CopyTo(ctx, &to, `copy (`+where+`) to stdout`)
		got := strings.TrimSpace(to.String())
		outcomes = append(outcomes, outcome(&got, err))
		for _, data := range []string{"", "1\tx\n"} {
			_, _ = c.Exec(ctx, `select 1`) // pgx sees to its cache while the transaction has not failed
			_, err = c.PgConn().CopyFrom(ctx, strings.NewReader(data), `copy users (id, full_name) from stdin`)
			outcomes = append(outcomes, fmt.Sprint("known: ", outcome(nil, err) != "42P01"))
			_, _ = c.Exec(ctx, `select 1 / 0`) // as a refusal fails the transaction
		}
	}
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
			c := f.acquire(inParts, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
			for _, conn := range []*pgx.Conn{plain, c.Conn()} {
				_, err = conn.PgConn().Prepare(ctx, "where", where, nil)
				require.NoError(t, err)
				_, err = conn.Exec(ctx, `listen steps`)
				require.NoError(t, err)
			}
			seed := uint64(time.Now().UnixNano())
			random := rand.New(rand.NewPCG(seed, 0))
			var history [][]string
			for range 200 {
				send := oneByOne
				steps := make([]string, 1+random.IntN(6))
				switch random.IntN(6) {
				case 0, 1:
					if mode != pgx.QueryExecModeSimpleProtocol {
						send = batched
					}
				case 2:
					send = piped
				case 3:
					send = copied
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
