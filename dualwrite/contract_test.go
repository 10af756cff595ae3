package dualwrite_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// tap records what pgx writes.
type tap struct {
	to     io.Writer
	writes [][]byte
}

func (t *tap) Write(p []byte) (int, error) {
	t.writes = append(t.writes, append([]byte(nil), p...))
	return t.to.Write(p)
}

// The hook relies on these ways of pgx, which its documentation does not all
// promise. If one of them changes, this must fail, not an application.
func TestContractWithPgx(t *testing.T) {
	ctx := t.Context()
	config := pgtest.New(t).Config(t)
	var taps []*tap
	var raws []io.Writer
	var frontends []*pgproto3.Frontend
	build := config.BuildFrontend
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		taps, raws = append(taps, &tap{to: w}), append(raws, w)
		frontends = append(frontends, build(r, taps[len(taps)-1]))
		return frontends[len(frontends)-1]
	}
	joined := 0
	config.AfterConnect = func(_ context.Context, pc *pgconn.PgConn) error {
		joined++
		require.Same(t, frontends[0], pc.Frontend(), "AfterConnect is called for the frontend that was built")
		return nil
	}
	config.OnPgError = func(_ *pgconn.PgConn, e *pgconn.PgError) bool {
		e.Message = "changed"
		return e.Severity != "FATAL"
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	require.NoError(t, err)
	defer func() { _ = conn.Close(ctx) }()
	require.Equal(t, 1, joined)
	require.Len(t, taps, 1, "one frontend for each host that is tried")
	require.Equal(t, conn.PgConn().Conn(), raws[0], "BuildFrontend gets the network connection itself")
	require.Zero(t, taps[0].writes[0][0], "the startup packet comes first and has no type")

	taps[0].writes = nil
	_, err = conn.Exec(ctx, `select $1::int`, 1)
	require.NoError(t, err)
	require.Len(t, taps[0].writes, 2, "preparing and executing are one write each")
	for _, w := range taps[0].writes {
		for len(w) > 0 {
			require.GreaterOrEqual(t, len(w), 5)
			size := 1 + int(binary.BigEndian.Uint32(w[1:]))
			require.LessOrEqual(t, size, len(w), "a write holds whole messages")
			w = w[size:]
		}
	}

	_, err = conn.Exec(ctx, `select nothing`)
	require.NotEqual(t, "changed", pgError(t, err).Message, "the error given to OnPgError is a copy")

	taps[0].writes = nil
	batch := &pgconn.Batch{}
	batch.ExecParams(`select 1`, nil, nil, nil, nil)
	_, err = conn.PgConn().ExecBatch(ctx, batch).ReadAll()
	require.NoError(t, err)
	require.Empty(t, taps[0].writes, "pgconn.Batch bypasses the frontend")

	b := &pgx.Batch{}
	b.Queue(`select $1::int`, 1)
	require.NoError(t, conn.SendBatch(ctx, b).Close())
	require.NotEmpty(t, taps[0].writes, "SendBatch does not, but in exec mode")

	raw := conn.PgConn().Conn()
	hijacked, err := conn.PgConn().Hijack()
	require.NoError(t, err)
	pc, err := pgconn.Construct(hijacked)
	require.NoError(t, err)
	require.Len(t, taps, 2, "Construct builds a frontend")
	require.Equal(t, raw, raws[1], "for the same network connection")
	require.Equal(t, 1, joined, "and does not call AfterConnect")
	require.NoError(t, pc.Close(ctx))
	<-pc.CleanupDone()
}

// pooler is a connection through a pooler: the process that the protocol names
// is not the one that runs the statements.
type pooler struct {
	net.Conn
	begun bool // the startup is over
	rest  []byte
}

func (p *pooler) Read(b []byte) (int, error) {
	if len(p.rest) == 0 && !p.begun {
		header := make([]byte, 5)
		if _, err := io.ReadFull(p.Conn, header); err != nil {
			return 0, err
		}
		body := make([]byte, binary.BigEndian.Uint32(header[1:])-4)
		if _, err := io.ReadFull(p.Conn, body); err != nil {
			return 0, err
		}
		switch header[0] {
		case 'K':
			binary.BigEndian.PutUint32(body, binary.BigEndian.Uint32(body)+1)
		case 'Z':
			p.begun = true
		}
		p.rest = append(header, body...)
	}
	if len(p.rest) > 0 {
		n := copy(b, p.rest)
		p.rest = p.rest[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}

func TestPoolerIsDetected(t *testing.T) {
	f := moving(t)
	config := f.poolConfig()
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		return &pooler{Conn: c}, err
	}
	pool, err := f.hook().NewPool(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	require.ErrorIs(t, pool.Ping(t.Context()), dualwrite.ErrPooler)
	var left int
	require.NoError(t, f.admin.QueryRow(t.Context(), `select count(*) from pg_locks
		where locktype = 'advisory' and classid = $1`, 0x63660101).Scan(&left))
	require.Zero(t, left, "no lock may stay behind in a pooled connection")
}
