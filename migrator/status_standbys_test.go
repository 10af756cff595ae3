//go:build unix

package migrator_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestStatusOfStandbys: who is on the standbys that were given, what is not known of
// them, and which nobody looks at.
func TestStatusOfStandbys(t *testing.T) {
	t.Parallel()
	primary := pgtest.Server(t, nil)
	db := &pgtest.DB{URL: primary.URL("postgres"), Name: "postgres"}
	db.Exec(t, users)
	replica := pgtest.Standby(t, db)
	watch := replica.Conn(t)
	require.NoError(t, fence.Own(ctx, watch))
	config := replica.Config(t)
	on := migrator.Config{Standbys: []*pgx.ConnConfig{config}}
	address := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	m := newMigrator(t, db, on)
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err := m.Start(ctx, rename)
	require.NoError(t, err)
	status := func(m *migrator.Migrator) migrator.Status {
		t.Helper()
		list, err := m.Status(ctx, migrator.StatusOptions{Name: rename.Name})
		require.NoError(t, err)
		return list[0]
	}
	require.Equal(t, []migrator.StandbyStatus{{Name: "walreceiver", Epoch: -1}}, status(newMigrator(t, db, migrator.Config{})).Standbys)

	reads := replica.Config(t)
	reads.RuntimeParams["application_name"] = "readers"
	hooked, err := pgconn.ConnectConfig(ctx, &reads.Config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = hooked.Close(ctx) })
	view, err := fence.Join(ctx, hooked)
	require.NoError(t, err)
	reads.RuntimeParams["application_name"] = auditor
	bare, err := pgx.ConnectConfig(ctx, reads)
	require.NoError(t, err)
	t.Cleanup(func() { _ = bare.Close(ctx) })
	reader := m.StatusReader()
	defer reader.Close(ctx)
	again := func() migrator.Status {
		t.Helper()
		list, err := reader.Status(ctx, migrator.StatusOptions{Name: rename.Name})
		require.NoError(t, err)
		return list[0]
	}
	for range 2 { // over one connection
		s := again()
		require.Len(t, s.Standbys, 1)
		there := s.Standbys[0]
		require.Equal(t, address, there.Name)
		require.True(t, there.Looked)
		require.Empty(t, there.Trouble)
		require.Equal(t, view.Epoch, there.Epoch)
		require.Equal(t, []migrator.EpochSessions{{Epoch: -1, Count: 1}, {Epoch: view.Epoch, Count: 1}}, there.Sessions)
		require.Equal(t, auditor, there.Instances[0].Application)
		require.True(t, there.Instances[0].Ignored)
		require.Equal(t, "readers", there.Instances[1].Application)
		require.Empty(t, s.Laggards)
	}

	// The standby stands still, and a flip waits for who reads there.
	_, err = watch.Exec(ctx, `select pg_wal_replay_pause()`)
	require.NoError(t, err)
	pgtest.WaitFor(t, "the replay to stand still", func() bool { return scan[bool](t, watch, `select pg_is_wal_replay_paused()`) })
	// The standby need not have replayed anything for who does not look.
	_, err = newMigrator(t, db, migrator.Config{IgnoreStandbys: []string{"walreceiver"}}).Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.DualWrite})
	require.NoError(t, err)
	s := again()
	require.Equal(t, view.Epoch, s.Standbys[0].Epoch)
	require.Greater(t, s.Epoch, view.Epoch)
	require.Len(t, s.Laggards, 1)
	require.Equal(t, address, s.Laggards[0].Standby)
	require.Equal(t, int(hooked.PID()), s.Laggards[0].PID)
	_, err = watch.Exec(ctx, `select pg_wal_replay_resume()`)
	require.NoError(t, err)

	// Of one that does not answer nothing is known, but all else is.
	dead := replica.Config(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	dead.Host, dead.Port = "127.0.0.1", uint16(l.Addr().(*net.TCPAddr).Port) // it is silent
	s = status(newMigrator(t, db, migrator.Config{Standbys: []*pgx.ConnConfig{dead, config, config}}))
	require.Len(t, s.Standbys, 4)
	require.Contains(t, s.Standbys[0].Trouble, "connect")
	require.Equal(t, -1, s.Standbys[0].Epoch)
	require.NotEmpty(t, s.Standbys[1].Sessions)
	require.Contains(t, s.Standbys[3].Trouble, "are the same standby")
	s = status(newMigrator(t, db, migrator.Config{Standbys: []*pgx.ConnConfig{db.Config(t)}}))
	require.Contains(t, s.Standbys[0].Trouble, "it is not a standby")
	require.Equal(t, "walreceiver", s.Standbys[1].Name)
}
