//go:build unix

package migrator_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestStandbySessionsAreWaitedFor: who reads on a standby without knowing of the
// transition would not notice that the source is not written any more.
func TestStandbySessionsAreWaitedFor(t *testing.T) {
	t.Parallel()
	primary := pgtest.Server(t, nil)
	db := &pgtest.DB{URL: primary.URL("postgres"), Name: "postgres"}
	db.Exec(t, users)
	replica := pgtest.Standby(t, db)
	watch := replica.Conn(t)
	require.NoError(t, fence.Own(ctx, watch))
	on := migrator.Config{Standbys: []*pgx.ConnConfig{replica.Config(t)}}
	soon := migrator.Config{Standbys: on.Standbys, DrainTimeout: 200 * time.Millisecond, Grace: time.Nanosecond}
	require.NoError(t, newMigrator(t, db, on).Init(ctx, migrator.InitOptions{}))

	hooked, err := pgconn.Connect(ctx, replica.URL)
	require.NoError(t, err)
	_, err = fence.Join(ctx, hooked)
	require.NoError(t, err)
	_, err = newMigrator(t, db, soon).Start(ctx, rename)
	var drain *migrator.DrainError
	require.ErrorAs(t, err, &drain)
	require.Len(t, drain.Waiting, 1)
	require.Equal(t, int(hooked.PID()), drain.Waiting[0].PID)
	require.ErrorContains(t, err, "standby "+drain.Waiting[0].Standby+": pid ")

	// It ends, and another one comes, while the beginning has not been replayed.
	_, err = watch.Exec(ctx, `select pg_wal_replay_pause()`)
	require.NoError(t, err)
	pgtest.WaitFor(t, "the replay to stand still", func() bool { return scan[bool](t, watch, `select pg_is_wal_replay_paused()`) })
	require.NoError(t, hooked.Close(ctx))
	_, err = newMigrator(t, db, on).Start(ctx, rename)
	require.NoError(t, err, "the registration was replayed before")
	err = newMigrator(t, db, on).Remove(ctx, rename.Name)
	require.NoError(t, err, "a way back does not wait")
	_, err = newMigrator(t, db, soon).Start(ctx, rename)
	require.ErrorAs(t, err, &drain)
	require.Contains(t, drain.Waiting[0].Behind, "has not replayed epoch")
	require.Contains(t, drain.Hint(), "let the standby catch up")
	_, err = watch.Exec(ctx, `select pg_wal_replay_resume()`)
	require.NoError(t, err)
	p, err := newMigrator(t, db, on).Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.RampDown})
	require.NoError(t, err)
	require.Equal(t, migrator.RampDown, p.Phase)

	// The source is left only when somebody has looked at who reads there.
	until := migrator.RunOptions{Until: migrator.Complete}
	_, err = newMigrator(t, db, migrator.Config{}).Run(ctx, rename.Name, until)
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	require.Equal(t, "standby-readers", gate.Gate)
	require.True(t, gate.Forcible)
	require.Contains(t, gate.Why, "standby walreceiver")

	reader := replica.Conn(t) // without the hook
	_, err = newMigrator(t, db, on).Run(ctx, rename.Name, until)
	require.ErrorAs(t, err, &gate)
	require.Equal(t, "standby-readers", gate.Gate)
	require.Contains(t, gate.Why, "no hook")

	_, err = newMigrator(t, db, migrator.Config{Standbys: []*pgx.ConnConfig{replica.Config(t), replica.Config(t)}}).Run(ctx, rename.Name, until)
	require.ErrorAs(t, err, &gate)
	require.NoError(t, reader.Close(ctx))
	pgtest.WaitFor(t, "the reader to go", func() bool {
		return scan[bool](t, watch, `select count(*) = 0 from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`)
	})
	_, err = newMigrator(t, db, migrator.Config{Standbys: []*pgx.ConnConfig{replica.Config(t), replica.Config(t)}}).Run(ctx, rename.Name, until)
	require.ErrorContains(t, err, "are the same standby")
	_, err = newMigrator(t, db, migrator.Config{Standbys: []*pgx.ConnConfig{db.Config(t)}}).Run(ctx, rename.Name, until)
	require.ErrorContains(t, err, "it is not a standby")

	p, err = newMigrator(t, db, on).Run(ctx, rename.Name, until)
	require.NoError(t, err)
	require.Equal(t, migrator.Complete, p.Phase)
}
