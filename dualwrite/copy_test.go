package dualwrite_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// contracted has a transition that is over, but for the application.
func contracted(t *testing.T) *fixture {
	f := moving(t)
	f.to(phase.Contracted)
	f.exec(`alter table users drop column full_name; alter table users alter name set default 'nobody'`)
	return f
}

// copyOut copies on a connection of the pool.
func copyOut(t *testing.T, pool *pgxpool.Pool, sql string) (data, tag string) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, pool.AcquireFunc(t.Context(), func(c *pgxpool.Conn) error {
		result, err := c.Conn().PgConn().CopyTo(t.Context(), &b, sql)
		tag = result.String()
		return err
	}))
	return b.String(), tag
}

// copyIn copies on a connection of the pool.
func copyIn(t *testing.T, pool *pgxpool.Pool, data, sql string) (tag string, err error) {
	t.Helper()
	err = pool.AcquireFunc(t.Context(), func(c *pgxpool.Conn) error {
		result, err := c.Conn().PgConn().CopyFrom(t.Context(), strings.NewReader(data), sql)
		tag = result.String()
		return err
	})
	return tag, err
}

func TestCopyTo(t *testing.T) {
	plain, err := pgxpool.New(t.Context(), bare(t).URL)
	require.NoError(t, err)
	t.Cleanup(plain.Close)
	f := moving(t)
	hook := f.hook()
	f.run(hook)
	for _, p := range phase.All() {
		f.to(p)
		if p == phase.Contracted {
			f.exec(`alter table users drop column full_name`)
		}
		pool := f.pool(hook)
		for _, sql := range []string{
			`copy users to stdout`, `copy users to stdout (format binary)`, `copy users to stdout csv header`,
			`copy users (full_name, id) to stdout (format csv, force_quote (full_name))`, `copy users (age) to stdout`,
			`copy (select full_name from users order by id) to stdout`,
			`copy (insert into users (id, full_name) values (1000, 'ü') returning *) to stdout`,
			`copy (delete from users where full_name = 'ü' returning id, full_name, age) to stdout (format binary)`,
		} {
			want, wantTag := copyOut(t, plain, sql)
			got, tag := copyOut(t, pool, sql)
			require.Equal(t, want, got, "%s: %s", p, sql)
			require.Equal(t, wantTag, tag)
		}
	}
}

// TestCopyFrom: every way to send it, in the phase in which it may be sent
// without a trigger, by a role with no more than the ledger grants.
func TestCopyFrom(t *testing.T) {
	f := contracted(t)
	role := "crossfade_test_" + f.Name
	f.exec(`create role ` + role + ` login`)
	t.Cleanup(func() { f.Exec(t, `drop owned by `+role); f.Exec(t, `drop role `+role) })
	f.exec(`grant select, insert on users to ` + role)
	hook := f.hook()
	ctx := t.Context()
	id := int64(1000)
	row := func(name string) pgx.CopyFromSource {
		id++
		return pgx.CopyFromRows([][]any{{id, name}, {-id, nil}})
	}
	for _, mode := range modes {
		pool := f.pool(hook, func(c *pgxpool.Config) {
			c.ConnConfig.DefaultQueryExecMode, c.ConnConfig.User = mode, role
		})
		for _, column := range []string{"full_name", "name"} {
			n, err := pool.CopyFrom(ctx, pgx.Identifier{"users"}, []string{"id", column}, row("pool"))
			require.NoError(t, err)
			require.EqualValues(t, 2, n)
			err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
				n, err := tx.CopyFrom(ctx, pgx.Identifier{"public", "users"}, []string{"id", column}, row("transaction"))
				require.EqualValues(t, 2, n)
				return err
			})
			require.NoError(t, err)
			var name string
			require.NoError(t, pool.QueryRow(ctx, `select full_name from users where id = $1`, id).Scan(&name))
			require.Equal(t, "transaction", name)
		}
	}
	pool := f.pool(hook, func(c *pgxpool.Config) { c.MaxConns = 1 })
	tag, err := copyIn(t, pool, "5000,\"x,y\",7\n5001,,\n", `copy users from stdin csv;`)
	require.NoError(t, err)
	require.Equal(t, "COPY 2", tag)
	data, _ := copyOut(t, pool, `copy (select * from users where id in (5000, 5001) order by id) to stdout csv`)
	require.Equal(t, "5000,\"x,y\",7\n5001,,\n", data)
	var large strings.Builder
	for id := range 3000 {
		fmt.Fprintf(&large, "%d\t%s\n", 6000+id, strings.Repeat("z", 1000))
	}
	tag, err = copyIn(t, pool, large.String(), `copy users (id, full_name) from stdin`)
	require.NoError(t, err)
	require.Equal(t, "COPY 3000", tag)
}

// TestErrorsOfCopyFrom are those that it would have without the hook, and the
// connection can be used after them.
func TestErrorsOfCopyFrom(t *testing.T) {
	f := contracted(t)
	hooked := f.pool(f.hook(), func(c *pgxpool.Config) { c.MaxConns = 1 })
	plain, err := pgxpool.New(t.Context(), bare(t).URL)
	require.NoError(t, err)
	t.Cleanup(plain.Close)
	for _, c := range []struct{ sql, data string }{
		{`copy users (id, full_name) from stdin`, "not a number\tx\n"},
		{`copy users (id, full_name) from stdin`, "2000\tx\n1\tnot unique\n"},
		{`copy users (id, full_name) from stdin`, "2000\tx\textra\n"},
		{`copy users (id, full_name, nothing) from stdin`, "2000\tx\n"},
		{`copy users (id, full_name) from stdin (format nothing)`, "2000\tx\n"},
		{`/* ü */ copy users (id, full_name) from stdin (delimiter ',', nothing 1)`, "2000\tx\n"},
		{`copy users (id, full_name) from '/nothing'`, ""},
	} {
		_, err := copyIn(t, plain, c.data, c.sql)
		want := pgError(t, err)
		_, err = copyIn(t, hooked, c.data, c.sql)
		got := pgError(t, err)
		require.Equal(t, want.Code, got.Code, c.sql)
		require.Equal(t, want.Position, got.Position, c.sql)
		require.NoError(t, hooked.Ping(t.Context()))
	}
	broken := pgx.CopyFromFunc(func() ([]any, error) { return nil, io.ErrClosedPipe })
	_, err = hooked.CopyFrom(t.Context(), pgx.Identifier{"users"}, []string{"id", "full_name"}, broken)
	require.Equal(t, "57014", pgError(t, err).Code) // CopyFail
	data, _ := copyOut(t, hooked, `copy (select id from users where id >= 1000) to stdout`)
	require.Empty(t, data)
}
