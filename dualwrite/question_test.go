package dualwrite_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

func (f *fixture) acquire(change ...func(*pgxpool.Config)) *pgxpool.Conn {
	c, err := f.pool(f.hook(), change...).Acquire(f.t.Context())
	require.NoError(f.t, err)
	f.t.Cleanup(c.Release)
	return c
}

// A statement that the application has prepared by a name of its own goes on
// being of use, whatever happens on the way.
func TestPreparedByName(t *testing.T) {
	f := tenants(t)
	f.exec(`create schema empty`)
	ctx := t.Context()
	c := f.acquire()
	s, pc := pgxSession(t, c), c.Conn().PgConn()
	_, err := c.Conn().Prepare(ctx, "write", usersWrite)
	require.NoError(t, err)
	write := func(schema string) {
		t.Helper()
		got, err := s.query("write", schema)
		require.NoError(t, err)
		require.Equal(t, schema, got)
	}
	s.do(`set search_path = tenant_1`)
	write("tenant_1")
	write("tenant_1")
	s.do(`set search_path = empty`)
	for range 2 { // it is gone on the server
		_, err = s.query("write", "nothing")
		require.Equal(t, "42P01", pgError(t, err).Code)
		require.EqualValues(t, strings.Index(usersWrite, "users")+1, pgError(t, err).Position)
	}
	s.do(`set search_path = tenant_3`)
	write("tenant_3")
	s.do(`set search_path = tenant_2`)
	for _, before := range []string{`select 1 / 0`, `select 1`} {
		p := pc.StartPipeline(ctx)
		p.SendQueryParams(before, nil, nil, nil, nil)
		p.SendQueryPrepared("write", [][]byte{[]byte("pipeline")}, nil, nil)
		require.NoError(t, p.Sync())
		if err = p.Close(); before == `select 1` {
			require.NoError(t, err)
		} else {
			require.Equal(t, "22012", pgError(t, err).Code)
		}
	}
	write("tenant_2")
	s.do(`begin`, `set local search_path = tenant_1`)
	write("tenant_1")
	s.do(`rollback`)
	write("tenant_2")
	require.NoError(t, c.Conn().Deallocate(ctx, "write"))
	_, err = c.Conn().Prepare(ctx, "write", usersRead)
	require.NoError(t, err)
	write("tenant_2")
	f.consistent()
}

// A name is free again when its statement was not accepted, or is gone.
func TestPreparedUnderAUsedName(t *testing.T) {
	f := tenants(t)
	ctx := t.Context()
	c := f.acquire()
	s, pc := pgxSession(t, c), c.Conn().PgConn()
	s.do(`set search_path = tenant_1`)
	_, err := pc.Prepare(ctx, "write", `select nothing from users`, nil)
	require.Equal(t, "42703", pgError(t, err).Code)
	for _, free := range []string{`select 1`, `deallocate write`} {
		s.do(free)
		_, err = pc.Prepare(ctx, "write", usersWrite+`/*`+free+`*/`, nil)
		require.NoError(t, err)
		_, err = pc.Prepare(ctx, "write", `select 1`, nil)
		require.Equal(t, "42P05", pgError(t, err).Code)
		for _, schema := range []string{"tenant_3", "tenant_2", "tenant_1"} {
			s.do(`set search_path = ` + schema)
			r := pc.ExecPrepared(ctx, "write", [][]byte{[]byte("x")}, nil, nil).Read()
			require.NoError(t, r.Err)
			require.Equal(t, schema, string(r.Rows[0][0]))
		}
	}
	f.consistent()
}

// The types of parameters that the application declares stay.
func TestPreparedWithDeclaredTypes(t *testing.T) {
	f := tenants(t)
	ctx := t.Context()
	c := f.acquire()
	pc := c.Conn().PgConn()
	_, err := pc.Prepare(ctx, "typed", `update users set full_name = $1, age = $2 where id = 1`, []uint32{pgtype.VarcharOID, pgtype.Int2OID})
	require.NoError(t, err)
	for _, tenant := range []string{"tenant_1", "tenant_2", "tenant_3"} {
		pgxSession(t, c).do(`set search_path = ` + tenant)
		require.NoError(t, pc.ExecPrepared(ctx, "typed", [][]byte{[]byte(tenant), {1, 2}}, []int16{0, 1}, nil).Read().Err)
		var name string
		var age int
		require.NoError(t, f.admin.QueryRow(ctx, `select full_name, age from `+tenant+`.users where id = 1`).Scan(&name, &age))
		require.Equal(t, tenant, name)
		require.Equal(t, 258, age)
	}
	f.consistent()
}

func TestPreparedInSQL(t *testing.T) {
	f := tenants(t)
	ctx := t.Context()
	c, err := f.openDB(f.hook()).Conn(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	prepared, err := c.PrepareContext(ctx, usersWrite)
	require.NoError(t, err)
	defer func() { require.NoError(t, prepared.Close()) }()
	for _, tenant := range []string{"tenant_3", "tenant_1", "tenant_2", "public"} {
		_, err = c.ExecContext(ctx, `set search_path = `+tenant)
		require.NoError(t, err)
		var got string
		require.NoError(t, prepared.QueryRowContext(ctx, tenant).Scan(&got))
		require.Equal(t, tenant, got)
	}
	f.consistent()
}

// pgx reads rows by the columns it was told of, PostgreSQL's own error is the
// same: cached plan must not change result type.
func TestPreparedWithOtherColumns(t *testing.T) {
	f := tenants(t)
	f.exec(`alter table tenant_2.users alter age type bigint`)
	c := f.acquire()
	s := pgxSession(t, c)
	const sql = `update users set age = $1, full_name = 'aged' where id = 1 returning age::text, age`
	run := func() error {
		var text string
		var age int64
		return c.QueryRow(t.Context(), sql, 42).Scan(&text, &age)
	}
	require.NoError(t, run())
	s.do(`set search_path = tenant_1`)
	require.NoError(t, run())
	s.do(`set search_path = tenant_2`)
	err := run()
	requireRefusal(t, err)
	require.Equal(t, "0A000", pgError(t, err).Code)
	require.NoError(t, run()) // pgx has prepared it again
	s.do(`set search_path = tenant_1`)
	requireRefusal(t, run())
	require.NoError(t, run())
	f.consistent()
}

func TestCopyAfterThePathMoved(t *testing.T) {
	f := tenants(t)
	ctx := t.Context()
	c := f.acquire()
	for _, tenant := range []string{"tenant_1", "tenant_2"} {
		pgxSession(t, c).do(`set search_path = ` + tenant)
		_, err := c.CopyFrom(ctx, pgx.Identifier{"users"}, []string{"id", "full_name"},
			pgx.CopyFromRows([][]any{{int64(1000), "copied"}}))
		var out bytes.Buffer
		if tenant == "tenant_1" {
			requireRefusal(t, err)
			continue
		}
		require.NoError(t, err)
		pgxSession(t, c).do(`set search_path = ` + tenant)
		_, err = c.Conn().PgConn().CopyTo(ctx, &out, `copy (select full_name from users where id = 1000) to stdout`)
		require.NoError(t, err)
		require.Equal(t, "copied\n", out.String())
	}
	// Data is on its way while the hook asks.
	for i, tenant := range []string{"tenant_2", "tenant_1", "tenant_2"} {
		pgxSession(t, c).do(`set search_path = ` + tenant)
		data := fmt.Sprintf("%d\t%s\n", 1001+i, strings.Repeat("x", 1_000_000))
		_, err := c.Conn().PgConn().CopyFrom(ctx, strings.NewReader(data), `copy users (id, full_name) from stdin`)
		if tenant == "tenant_1" {
			requireRefusal(t, err)
		} else {
			require.NoError(t, err)
		}
		pgxSession(t, c).reaches(tenant)
	}
}

// Much is sent behind a question, and much comes back.
func TestLargeBatchAfterThePathMoved(t *testing.T) {
	f := tenants(t)
	ctx := t.Context()
	c := f.acquire()
	for _, tenant := range []string{"tenant_1", "tenant_2"} {
		b := &pgx.Batch{}
		b.Queue(`set search_path = ` + tenant)
		for range 2000 {
			b.Queue(`select repeat('y', 20000), $1::text from users where id = 1`, strings.Repeat("x", 500))
		}
		require.NoError(t, c.SendBatch(ctx, b).Close())
	}
	require.NoError(t, c.SendBatch(ctx, &pgx.Batch{}).Close())
	pgxSession(t, c).reaches("tenant_2")
}

// silent is a network that swallows the hook's question when told to.
type silent struct {
	net.Conn
	asked *atomic.Pointer[context.CancelFunc]
}

func (s *silent) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("current_schemas(true)")) {
		if cancel := s.asked.Load(); cancel != nil {
			(*cancel)()
			return len(p), nil
		}
	}
	return s.Conn.Write(p)
}

func TestCancelledWhileAsking(t *testing.T) {
	f := tenants(t)
	for _, mode := range modes {
		var asked atomic.Pointer[context.CancelFunc]
		pool := f.pool(f.hook(), func(c *pgxpool.Config) {
			c.MaxConns = 1
			c.ConnConfig.DefaultQueryExecMode = mode
			dial := c.ConnConfig.DialFunc
			c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				return &silent{Conn: conn, asked: &asked}, err
			}
		})
		require.NoError(t, pool.AcquireFunc(t.Context(), func(c *pgxpool.Conn) error {
			pgxSession(t, c).do(`set search_path = tenant_1`)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			asked.Store(&cancel)
			_, err := c.Exec(ctx, usersWrite, "cancelled")
			require.ErrorIs(t, err, context.Canceled)
			require.True(t, c.Conn().IsClosed())
			return nil
		}))
		asked.Store(nil)
		pgxSession(t, pool).reaches("public")
	}
	f.consistent()
}
