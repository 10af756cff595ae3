package preflight_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
)

// It needs a server of its own: standbys and slots belong to no database.
func TestStandbysAndSlots(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, map[string]string{"wal_level": "replica", "max_wal_senders": "4", "max_replication_slots": "4"})
	conn, err := pgx.Connect(t.Context(), server.URL(""))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	for _, sql := range []string{setup, "select pg_create_physical_replication_slot('forgotten', true)"} {
		_, err = conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	report := check(t, conn, rename())
	require.Empty(t, find(report, "standby-attached"))
	require.Empty(t, find(report, "slot-backlog"))

	stream(t, server.URL(""), "replica_1")
	for range 5 { // segments of 16 MB each
		_, err = conn.Exec(t.Context(), "select pg_logical_emit_message(false, 'p', 'x'), pg_switch_wal()")
		require.NoError(t, err)
	}
	pgtest.WaitFor(t, "the standby to lag", func() bool { return len(find(check(t, conn, rename()), "replica-lag")) == 1 })
	report = check(t, conn, rename())
	requireOne(t, report, preflight.Warn, "standby-attached", `"replica_1"`)
	requireOne(t, report, preflight.Warn, "replica-lag", `"replica_1"`)
	requireOne(t, report, preflight.Warn, "slot-backlog", "forgotten")
}

// stream asks for WAL as a standby does, says that it is at the very beginning,
// and reads no more.
func stream(t *testing.T, url, name string) {
	t.Helper()
	config, err := pgconn.ParseConfig(url)
	require.NoError(t, err)
	config.RuntimeParams["replication"] = "true"
	config.RuntimeParams["application_name"] = name
	conn, err := pgconn.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Conn().Close() })
	system, err := conn.Exec(t.Context(), "IDENTIFY_SYSTEM").ReadAll()
	require.NoError(t, err)
	conn.Frontend().Send(&pgproto3.Query{String: "START_REPLICATION PHYSICAL " + string(system[0].Rows[0][2])})
	require.NoError(t, conn.Frontend().Flush())
	for {
		message, err := conn.ReceiveMessage(t.Context())
		require.NoError(t, err)
		if _, ok := message.(*pgproto3.CopyBothResponse); ok {
			break
		}
	}
	status := []byte{'r'}
	for range 3 { // written, flushed and applied up to here
		status = binary.BigEndian.AppendUint64(status, 1<<20)
	}
	status = binary.BigEndian.AppendUint64(status, 0) // the clock
	conn.Frontend().Send(&pgproto3.CopyData{Data: append(status, 0)})
	require.NoError(t, conn.Frontend().Flush())
}
