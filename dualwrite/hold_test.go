package dualwrite_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// cut is a network that reads otherwise.
type cut struct {
	net.Conn
	io.Reader
}

func (c *cut) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func reading(wrap func(io.Reader) io.Reader) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) {
		dial := c.ConnConfig.DialFunc
		c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &cut{conn, wrap(conn)}, nil
		}
	}
}

// parts reads a few bytes at a time.
type parts struct{ io.Reader }

func (r parts) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 1+rand.IntN(20))]) }

var (
	inBytes = reading(iotest.OneByteReader)
	inParts = reading(func(r io.Reader) io.Reader { return parts{r} })
)

// pgconn stops reading at the first error, until what sends the data has ended.
func TestCopyInAFailedTransaction(t *testing.T) {
	f := tenants(t)
	c := f.acquire(inBytes)
	s := pgxSession(t, c)
	s.do(`begin`, `set local search_path = tenant_2`)
	_, err := c.Exec(t.Context(), `select 1 / 0`)
	require.Equal(t, "22012", pgError(t, err).Code)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = c.Conn().PgConn().CopyFrom(ctx, strings.NewReader("1000\tx\n"), `copy users (id, full_name) from stdin`)
	require.Equal(t, "25P02", pgError(t, err).Code)
	s.do(`rollback`)
	s.reaches("public")
}

// A question that was interrupted leaves its statement behind.
func TestQuestionAfterAnInterruptedOne(t *testing.T) {
	f := tenants(t)
	c := f.acquire()
	s := pgxSession(t, c)
	_, err := c.Conn().PgConn().Prepare(t.Context(), "crossfade_question", `select 1`, nil)
	require.NoError(t, err)
	s.do(`set search_path = tenant_2`)
	s.reaches("tenant_2")
}

// Whenever the application gives up, nothing hangs and nothing stays behind.
func TestCancelledAnywhere(t *testing.T) {
	f := tenants(t)
	pool := f.pool(f.hook(), inParts, func(c *pgxpool.Config) { c.MaxConns = 1 })
	before := runtime.NumGoroutine()
	rows := strings.Repeat("1\tx\n", 100_000)
	for name, run := range map[string]func(context.Context, *pgx.Conn) error{
		"query": func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Exec(ctx, usersWrite, "cancelled")
			return err
		},
		"batch": func(ctx context.Context, c *pgx.Conn) error {
			b := &pgx.Batch{}
			for range 50 {
				b.Queue(usersRead, strings.Repeat("x", 1000))
			}
			return c.SendBatch(ctx, b).Close()
		},
		"copy": func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.PgConn().CopyFrom(ctx, strings.NewReader(rows), `copy users (id, full_name) from stdin`)
			return err
		},
		"pipeline": func(ctx context.Context, c *pgx.Conn) error {
			p := c.PgConn().StartPipeline(ctx)
			for _, schema := range []string{"tenant_1", "tenant_2"} {
				p.SendQueryParams(`set search_path = `+schema, nil, nil, nil, nil)
				p.SendQueryParams(usersRead, [][]byte{make([]byte, 0, 10)}, nil, nil, nil)
				_ = p.Sync()
			}
			return p.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range 30 {
				c, err := pool.Acquire(t.Context())
				require.NoError(t, err)
				pgxSession(t, c).do(`set search_path = tenant_` + strconv.Itoa(1+i%2))
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(3000))*time.Microsecond)
				_ = run(ctx, c.Conn())
				cancel()
				closed := c.Conn().IsClosed()
				c.Release()
				if !closed {
					_, err = pool.Exec(t.Context(), `set search_path = public`)
					require.NoError(t, err)
					pgxSession(t, pool).reaches("public")
				}
			}
		})
	}
	pool.Reset()
	pgtest.WaitFor(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before+5 })
	f.consistent()
}
