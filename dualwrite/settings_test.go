package dualwrite_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

func parameter(name, value string) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams[name] = value }
}

func requireRefusal(t *testing.T, err error) {
	t.Helper()
	_, ok := dualwrite.AsRefusal(err)
	require.True(t, ok, "%v", err)
}

// With backslashes as escapes, a statement can hide in what looks like a string.
func TestBackslashEscapes(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	ctx := t.Context()
	const hidden = `insert into other values (1, 'a\''); update users set full_name = 'x' where id = 1 --'`
	off := f.pool(f.hook(), parameter("standard_conforming_strings", "off"))
	_, err := off.Exec(ctx, hidden)
	requireRefusal(t, err)
	_, err = off.Exec(ctx, `update users set full_name = $1 where id = 2`, `with\parameters`)
	require.NoError(t, err)
	source, target := f.both(2)
	require.Equal(t, []string{`with\parameters`, `with\parameters`}, []string{source, target})

	require.NoError(t, f.pool(f.hook()).AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		_, err := c.Exec(ctx, `insert into other values (3, 'a\b')`)
		require.NoError(t, err)
		_, err = c.Exec(ctx, `set standard_conforming_strings = off`)
		require.NoError(t, err)
		_, err = c.Exec(ctx, hidden)
		requireRefusal(t, err)
		_, err = c.Exec(ctx, `set standard_conforming_strings = on`)
		require.NoError(t, err)
		_, err = c.Exec(ctx, `insert into other values (4, 'a\b')`)
		return err
	}))
	source, target = f.both(1)
	require.Equal(t, []string{"user 1", "user 1"}, []string{source, target})
}

func TestForeignEncodings(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	ctx := t.Context()
	for _, encoding := range []string{"SJIS", "LATIN1"} {
		require.ErrorIs(t, f.pool(f.hook(), parameter("client_encoding", encoding)).Ping(ctx), dualwrite.ErrEncoding)
	}
	require.NoError(t, f.pool(f.hook(), parameter("client_encoding", "sql_ascii")).Ping(ctx))
	require.NoError(t, f.pool(f.hook()).AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		_, err := c.Exec(ctx, `set client_encoding = sjis`)
		require.NoError(t, err)
		_, err = c.Exec(ctx, "insert into other values (1, E'\x95\x5c'); update users set full_name = 'x' where id = 1 --'")
		requireRefusal(t, err)
		_, err = c.Exec(ctx, `update users set full_name = 'ascii' where id = 2`)
		return err
	}))
	for id, want := range map[int]string{1: "user 1", 2: "ascii"} {
		source, target := f.both(id)
		require.Equal(t, []string{want, want}, []string{source, target})
	}
}

// What was prepared under another search_path, and went out as it came, must
// not run against the table in transition.
func TestPreparedUnderAnotherPath(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	f.exec(`create schema tenant; create table tenant.users (id bigint primary key, full_name text)`)
	const update = `update users set full_name = 'stray' where id = 1`
	for name, run := range map[string]func(context.Context, *pgxpool.Conn) error{
		"execute": func(ctx context.Context, c *pgxpool.Conn) error {
			_, err := c.Exec(ctx, `prepare p as `+update)
			require.NoError(t, err)
			_, err = c.Exec(ctx, `set search_path = public`)
			require.NoError(t, err)
			_, err = c.Exec(ctx, `/* now */ EXECUTE p`)
			return err
		},
		"execute in the same text": func(ctx context.Context, c *pgxpool.Conn) error {
			_, err := c.Exec(ctx, `prepare p as `+update)
			require.NoError(t, err)
			_, err = c.Exec(ctx, `set search_path = public; execute p`)
			return err
		},
		"prepare and bind": func(ctx context.Context, c *pgxpool.Conn) error {
			_, err := c.Exec(ctx, `prepare p as `+update)
			require.NoError(t, err)
			_, err = c.Exec(ctx, `set search_path = public`)
			require.NoError(t, err)
			return c.Conn().PgConn().ExecPrepared(ctx, "p", nil, nil, nil).Read().Err
		},
		"discarded close": func(ctx context.Context, c *pgxpool.Conn) error {
			pc := c.Conn().PgConn()
			_, err := pc.Prepare(ctx, "p", update, nil)
			require.NoError(t, err)
			pipeline := pc.StartPipeline(ctx)
			pipeline.SendQueryParams(`select 1/0`, nil, nil, nil, nil)
			pipeline.SendDeallocate("p")
			require.NoError(t, pipeline.Sync())
			require.Error(t, pipeline.Close())
			_, err = c.Exec(ctx, `set search_path = public`)
			require.NoError(t, err)
			return pc.ExecPrepared(ctx, "p", nil, nil, nil).Read().Err
		},
	} {
		t.Run(name, func(t *testing.T) {
			pool := f.pool(f.hook(), parameter("search_path", "tenant"))
			err := pool.AcquireFunc(t.Context(), func(c *pgxpool.Conn) error { return run(t.Context(), c) })
			requireRefusal(t, err)
			source, target := f.both(1)
			require.Equal(t, []string{"user 1", "user 1"}, []string{source, target})
		})
	}
}

// A name in use keeps the text before, of which it must be known what it does.
func TestPreparedUnderANameInUse(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	f.exec(`create schema tenant; create table tenant.users (id bigint primary key, full_name text)`)
	ctx := t.Context()
	c, err := f.pool(f.hook(), parameter("search_path", "tenant")).Acquire(ctx)
	require.NoError(t, err)
	defer c.Release()
	pc := c.Conn().PgConn()
	_, err = pc.Prepare(ctx, "p", `select set_config('search_path', 'public', false)`, nil)
	require.NoError(t, err)
	_, err = pc.Prepare(ctx, "p", `select 1`, nil)
	require.Equal(t, "42P05", pgError(t, err).Code)
	require.NoError(t, pc.ExecPrepared(ctx, "p", nil, nil, nil).Read().Err)
	_, err = c.Exec(ctx, `update users set full_name = 'moved' where id = 1`)
	require.NoError(t, err)
	source, target := f.both(1)
	require.Equal(t, []string{"moved", "moved"}, []string{source, target})
}

// A table that somebody dropped keeps nobody from connecting. While its columns
// are not known, nothing touches one that has come back.
func TestDroppedTable(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	ctx := t.Context()
	f.exec(`alter table users rename to away`)
	pool := f.pool(f.hook())
	_, err := pool.Exec(ctx, `insert into other values (1, 'x')`)
	require.NoError(t, err)
	statements := []string{
		`update users set full_name = 'x' where id = 1`, `select * from users`, `select full_name from public.users`,
		`insert into users (id) values (1000)`,
	}
	for _, sql := range statements {
		_, err = pool.Exec(ctx, sql)
		require.Error(t, err, sql)
	}
	f.exec(`alter table away rename to users`)
	for _, sql := range statements {
		_, err = pool.Exec(ctx, sql)
		requireRefusal(t, err)
	}
	hook := f.hook()
	pool = f.pool(hook)
	_, err = pool.Exec(ctx, statements[0])
	require.NoError(t, err)
	source, target := f.both(1)
	require.Equal(t, []string{"x", "x"}, []string{source, target})
}
