package dualwrite_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

func TestPathIsFollowed(t *testing.T) {
	f := tenants(t)
	for _, mode := range modes {
		pool := f.pool(f.hook(), func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
		for name, run := range pathCases {
			t.Run(mode.String()+"/"+name, func(t *testing.T) {
				c, err := pool.Acquire(t.Context())
				require.NoError(t, err)
				defer c.Release()
				s := pgxSession(t, c)
				s.reaches("public")
				run(s)
				s.do(`set search_path = public`)
				f.consistent()
			})
		}
	}
}

func TestPathIsFollowedInSQL(t *testing.T) {
	f := tenants(t)
	db := f.openDB(f.hook())
	for name, run := range pathCases {
		t.Run(name, func(t *testing.T) {
			c, err := db.Conn(t.Context())
			require.NoError(t, err)
			defer func() { require.NoError(t, c.Close()) }()
			s := &session{
				t: t,
				exec: func(sql string, args ...any) error {
					_, err := c.ExecContext(t.Context(), sql, args...)
					return err
				},
				query: func(sql string, args ...any) (got string, err error) {
					err = c.QueryRowContext(t.Context(), sql, args...).Scan(&got)
					return got, err
				},
			}
			s.reaches("public")
			run(s)
			s.do(`set search_path = public`)
			f.consistent()
		})
	}
}

// What was set stays for who gets the connection next, as it does without the
// hook; a transaction of database/sql and of pgx is on one connection.
func TestPathOfAPool(t *testing.T) {
	f := tenants(t)
	ctx := t.Context()
	pool := f.pool(f.hook(), func(c *pgxpool.Config) { c.MaxConns = 1 })
	s := pgxSession(t, pool)
	s.do(`set search_path = tenant_1`)
	s.reaches("tenant_1")
	require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `set local search_path = tenant_3`)
		require.NoError(t, err)
		pgxSession(t, tx).reaches("tenant_3")
		return nil
	}))
	s.reaches("tenant_1")
	db := f.openDB(f.hook())
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	require.NoError(t, err)
	_, err = tx.ExecContext(ctx, `set search_path = tenant_1`)
	require.NoError(t, err)
	var schema string
	require.NoError(t, tx.QueryRowContext(ctx, usersWrite, "x").Scan(&schema))
	require.Equal(t, "tenant_1", schema)
	require.NoError(t, tx.Rollback())
	require.NoError(t, db.QueryRowContext(ctx, usersWrite, "x").Scan(&schema))
	require.Equal(t, "public", schema)
	f.consistent()
}

// "$user" is another schema for another role.
func TestPathOfAnotherRole(t *testing.T) {
	f := tenants(t)
	role := f.Config(t).Database + "_tenant" // roles are the cluster's
	f.exec(`create role ` + role)
	t.Cleanup(func() {
		_, err := f.admin.Exec(context.Background(), `drop owned by `+role+` cascade; drop role `+role)
		require.NoError(t, err)
	})
	f.exec(`create schema ` + role + ` authorization ` + role + `; set role ` + role + `;
		create table ` + role + `.users (id int, full_name text); insert into ` + role + `.users values (1, 'x'); reset role`)
	s := pgxSession(t, f.acquire(parameter("search_path", `"$user", tenant_1`)))
	s.reaches("tenant_1")
	s.do(`set role ` + role)
	s.reaches(role)
	s.do(`begin`, `reset role`)
	s.reaches("tenant_1")
	s.do(`rollback`)
	s.reaches(role)
	s.do(`set session authorization ` + role)
	s.reaches(role)
	s.do(`reset session authorization`)
	s.reaches("tenant_1")
	f.consistent()
}

// What moves search_path, and what rests on it, in one text: nobody can say.
func TestPathMovedInTheSameText(t *testing.T) {
	f := tenants(t)
	s := pgxSession(t, f.acquire())
	requireRefusal(t, s.exec(`set search_path = tenant_1; update users set full_name = 'x' where id = 1`))
	s.reaches("public")
	s.do(`begin; set local search_path = tenant_1`)
	s.reaches("tenant_1")
	requireRefusal(t, s.exec(`commit; update users set full_name = 'x' where id = 1`))
	s.do(`rollback`, `begin; set local search_path = tenant_1`)
	s.do(`update users set full_name = 'y' where id = 1; commit`)
	s.reaches("public")
	f.consistent()
}

func TestDiscardAll(t *testing.T) {
	f := tenants(t)
	pool := f.pool(f.hook(), func(c *pgxpool.Config) {
		c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	})
	require.NoError(t, pool.AcquireFunc(t.Context(), func(c *pgxpool.Conn) error {
		s := pgxSession(t, c)
		s.do(`set search_path = tenant_1`)
		s.reaches("tenant_1")
		s.do(`discard all`)
		s.reaches("public")
		return nil
	}))
	f.consistent()
}

// A role's own setting counts from the start, as does the connection string's.
func TestPathOfARole(t *testing.T) {
	f := tenants(t)
	var database string
	require.NoError(t, f.admin.QueryRow(t.Context(), `select current_database()`).Scan(&database))
	f.exec(`do $$ begin execute format('alter role current_user in database %I set search_path = tenant_1', current_database()); end $$`)
	pool := f.pool(f.hook())
	s := pgxSession(t, pool)
	s.reaches("tenant_1")
	s.do(`set search_path = tenant_3`)
	s.reaches("tenant_3")
	s.do(`reset search_path`)
	s.reaches("tenant_1")
	pgxSession(t, f.pool(f.hook(), parameter("search_path", "nowhere,tenant_3"))).reaches("tenant_3")
	pgxSession(t, f.pool(f.hook(), parameter("options", "-c search_path=tenant_2"))).reaches("tenant_2")
	f.consistent()
}

func TestPathInBatches(t *testing.T) {
	f := tenants(t)
	ctx := t.Context()
	queue := func(b *pgx.Batch, schema string) {
		for _, sql := range []string{usersWrite, usersRead} {
			b.Queue(sql, "batch").QueryRow(func(row pgx.Row) error {
				var got string
				err := row.Scan(&got)
				if err == nil && got != schema {
					err = fmt.Errorf("wrote to %s instead of %s", got, schema)
				}
				return err
			})
		}
	}
	for _, mode := range modes[:3] { // a simple batch is one text
		pool := f.pool(f.hook(), func(c *pgxpool.Config) {
			c.MaxConns = 1
			c.ConnConfig.DefaultQueryExecMode = mode
		})
		for range 2 {
			b := &pgx.Batch{}
			queue(b, "public")
			for _, tenant := range []string{"tenant_1", "tenant_3", "tenant_2"} {
				b.Queue(`begin`)
				b.Queue(`set local search_path = ` + tenant)
				queue(b, tenant)
				b.Queue(`commit`)
				queue(b, "public")
			}
			require.NoError(t, pool.SendBatch(ctx, b).Close(), mode)
			b = &pgx.Batch{}
			b.Queue(`select set_config('search_path', $1, true)`, "tenant_1")
			queue(b, "tenant_1")
			require.NoError(t, pool.SendBatch(ctx, b).Close(), mode)
			pgxSession(t, pool).reaches("public")
		}
		f.consistent()
	}
}

// Several Syncs are under way before the first answer is read.
func TestPathInPipelines(t *testing.T) {
	f := tenants(t)
	ctx := t.Context()
	c, err := f.pool(f.hook()).Acquire(ctx)
	require.NoError(t, err)
	defer c.Release()
	p := c.Conn().PgConn().StartPipeline(ctx)
	param := [][]byte{[]byte("pipeline")}
	var want []string
	for _, tenant := range []string{"tenant_1", "tenant_2", "tenant_3"} {
		p.SendQueryParams(`set search_path = `+tenant, nil, nil, nil, nil)
		p.SendQueryParams(usersWrite, param, nil, nil, nil)
		require.NoError(t, p.Sync())
		p.SendQueryParams(usersRead, param, nil, nil, nil)
		p.SendQueryParams(`select set_config('search_path', 'tenant_1', true)`, nil, nil, nil, nil)
		p.SendQueryParams(usersWrite, param, nil, nil, nil)
		require.NoError(t, p.Sync())
		p.SendQueryParams(usersWrite, param, nil, nil, nil)
		p.SendQueryParams(`select 1 / 0`, nil, nil, nil, nil)
		p.SendQueryParams(usersWrite, param, nil, nil, nil)
		require.NoError(t, p.Sync())
		want = append(want, "", tenant, "sync", tenant, "tenant_1", "tenant_1", "sync", tenant, "22012", "sync")
	}
	for i, w := range want {
		results, err := p.GetResults()
		if w == "22012" {
			if err == nil {
				err = results.(*pgconn.ResultReader).Read().Err
			}
			require.Equal(t, w, pgError(t, err).Code, i)
			continue
		}
		require.NoError(t, err, i)
		switch r := results.(type) {
		case *pgconn.PipelineSync:
			require.Equal(t, "sync", w, i)
		case *pgconn.ResultReader:
			result := r.Read()
			require.NoError(t, result.Err, i)
			if w != "" {
				require.Equal(t, w, string(result.Rows[0][0]), i)
			}
		}
	}
	require.NoError(t, p.Close())
	f.consistent()
}

func TestPathIsFollowedInCallbacks(t *testing.T) {
	f := moving(t)
	f.to(phase.DualWrite)
	f.exec(`create schema tenant; create table tenant.users (id bigint primary key, full_name text);
		insert into tenant.users values (1, 'tenant')`)
	path := "public"
	pool := f.pool(f.hook(), func(c *pgxpool.Config) {
		c.MaxConns = 1
		c.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
			_, err := conn.Exec(ctx, `set search_path = `+path)
			return err == nil, err
		}
	})
	ctx := t.Context()
	const update = `update users set full_name = $1 where id = 1`
	for i, p := range []string{"public", "public", "tenant", "tenant", "public"} {
		path = p
		name := p + string(rune('0'+i))
		_, err := pool.Exec(ctx, update, name)
		require.NoError(t, err)
		var tenant string
		require.NoError(t, f.admin.QueryRow(ctx, `select full_name from tenant.users where id = 1`).Scan(&tenant))
		source, target := f.both(1)
		if p == "public" {
			require.Equal(t, []string{name, name}, []string{source, target})
		} else {
			require.Equal(t, name, tenant)
			require.NotEqual(t, name, source)
		}
	}
}
