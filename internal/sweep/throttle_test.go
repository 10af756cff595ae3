package sweep_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/sweep"
)

// standby is a connection that says how far it has replayed.
type standby struct{ *pgconn.PgConn }

func (s standby) replayed(t *testing.T, lsn uint64) {
	status := []byte{'r'}
	for range 3 { // written, flushed, replayed
		status = binary.BigEndian.AppendUint64(status, lsn)
	}
	status = append(status, make([]byte, 9)...) // clock, no answer wanted
	s.Frontend().Send(&pgproto3.CopyData{Data: status})
	require.NoError(t, s.Frontend().Flush())
}

func TestReplicaLag(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, nil) // pg_stat_replication is of the whole server
	connect := func(parameters string) *pgx.Conn {
		separator := "?"
		if strings.Contains(server.URL("postgres"), "?") {
			separator = "&"
		}
		conn, err := pgx.Connect(ctx, server.URL("postgres")+separator+parameters)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close(ctx) })
		return conn
	}
	conn := connect("")
	hold := func() string {
		return read(t, conn, &sweep.ReplicaLag{MaxBytes: 1 << 20}).Reason
	}
	require.Empty(t, hold(), "nobody replicates")

	position := func() (lsn int64) {
		require.NoError(t, conn.QueryRow(ctx, `select (pg_current_wal_lsn() - '0/0')::bigint`).Scan(&lsn))
		return lsn
	}
	replica := standby{connect("replication=true&application_name=slow").PgConn()}
	replica.Frontend().Send(&pgproto3.Query{String: `START_REPLICATION PHYSICAL ` + lsnText(t, conn)})
	require.NoError(t, replica.Frontend().Flush())
	for {
		message, err := replica.Frontend().Receive()
		require.NoError(t, err)
		if _, ok := message.(*pgproto3.CopyBothResponse); ok {
			break
		}
	}
	replica.replayed(t, uint64(position()))
	pgtest.WaitFor(t, "the standby to be known", func() bool {
		var known bool
		require.NoError(t, conn.QueryRow(ctx, `select exists (select from pg_stat_replication where replay_lsn is not null)`).Scan(&known))
		return known
	})
	require.Empty(t, hold(), "it keeps up")

	_, err := conn.Exec(ctx, `create table filler as select repeat('x', 1000) from generate_series(1, 4000)`)
	require.NoError(t, err)
	require.Contains(t, hold(), `"slow" has`)
	replica.replayed(t, uint64(position()))
	pgtest.WaitFor(t, "the standby to catch up", func() bool { return hold() == "" })
	_ = replica.Conn().Close()
}

// read asks a signal about the table item, with batches as they should be.
func read(t *testing.T, conn *pgx.Conn, s sweep.Signal) sweep.Reading {
	t.Helper()
	r, err := s.Read(ctx, sweep.View{Conn: conn, Table: `"public"."item"`, Batch: time.Millisecond, Target: 100 * time.Millisecond})
	require.NoError(t, err)
	require.NotEmpty(t, r.Signal)
	require.NotEmpty(t, r.Unit)
	require.Positive(t, r.Limit)
	require.Equal(t, r.Holds, r.Reason != "")
	return r
}

func lsnText(t *testing.T, conn *pgx.Conn) (lsn string) {
	require.NoError(t, conn.QueryRow(ctx, `select pg_current_wal_lsn()::text`).Scan(&lsn))
	return lsn
}
