package dualwrite_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// bytewise is a network whose every read is of one byte.
type bytewise struct {
	net.Conn
	r io.Reader
}

func (b *bytewise) Read(p []byte) (int, error) { return b.r.Read(p) }

func inBytes(c *pgxpool.Config) {
	dial := c.ConnConfig.DialFunc
	c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &bytewise{conn, iotest.OneByteReader(conn)}, nil
	}
}

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
