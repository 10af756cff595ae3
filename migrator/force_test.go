package migrator_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestForceIsRefused(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, migrator.Config{})
	require.Equal(t, []string{"plan-regression", "reads-agree", "replica-lag", "standby-readers"}, migrator.ForcibleGates())
	for _, c := range []struct {
		force migrator.Force
		says  string
	}{
		{migrator.Force{Gates: []string{"verified"}, Reason: "hurry"}, "gate verified keeps rows from being lost"},
		{migrator.Force{Gates: []string{"everything"}, Reason: "hurry"}, `no gate is called "everything"`},
		{migrator.Force{Gates: []string{"replica-lag"}, Reason: " "}, "without a reason"},
	} {
		_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Force: c.force})
		require.ErrorIs(t, err, migrator.ErrForce)
		require.ErrorContains(t, err, c.says)
		p, err := m.Advance(ctx, rename.Name, migrator.AdvanceOptions{Force: c.force})
		require.ErrorIs(t, err, migrator.ErrForce)
		require.Empty(t, p.Step, "nothing has been done")
	}
}

// TestGateThatProtectsRowsHolds: forcing another gate does not open it.
func TestGateThatProtectsRowsHolds(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	db.Exec(t, `delete from crossfade.progress where job = 'verify'`)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Force: migrator.Force{Gates: migrator.ForcibleGates(), Reason: "hurry"}})
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	require.Equal(t, "verified", gate.Gate)
	require.False(t, gate.Forcible)
	require.ErrorContains(t, err, "step live, gate verified: ")
}

func TestKnownPlanRegressionKeepsReadsAtSource(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{Actor: "dba"})
	conn := audit(t, db)
	status := func() migrator.Status {
		list, err := m.Status(ctx, migrator.StatusOptions{Name: rename.Name})
		require.NoError(t, err)
		return list[0]
	}
	require.Nil(t, status().Plans)
	require.NoError(t, m.RecordPlans(ctx, rename.Name, migrator.PlanCheck{Statements: 9, Worse: 2, Listed: []string{"select 1"}}))
	require.Equal(t, []string{"select 1"}, status().Plans.Listed)

	p, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	require.Equal(t, "plan-regression", gate.Gate)
	require.True(t, gate.Forcible)
	require.Contains(t, gate.Why, "2 of 9 statements")
	require.Equal(t, migrator.Shadow, p.Phase)

	// The last record counts.
	require.NoError(t, m.RecordPlans(ctx, rename.Name, migrator.PlanCheck{Statements: 9}))
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{To: migrator.Shadow})
	require.NoError(t, err)

	require.NoError(t, m.RecordPlans(ctx, rename.Name, migrator.PlanCheck{Statements: 9, Worse: 1}))
	p, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live,
		Force: migrator.Force{Gates: []string{"plan-regression"}, Reason: "that report runs once a year"}})
	require.NoError(t, err)
	require.Equal(t, migrator.Live, p.Phase)
	require.Equal(t, "that report runs once a year", scan[string](t, conn, `select evidence #>> '{forced,0,reason}'
		from crossfade.history where event = 'move' order by id desc limit 1`))
	require.Contains(t, scan[string](t, conn, `select detail || ' by ' || actor
		from crossfade.history where event = 'move' order by id desc limit 1`),
		"shadow -> live, gate plan-regression forced: that report runs once a year by dba")
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	require.Zero(t, scan[int](t, conn, `select count(*) from crossfade.history where event = 'move' and detail like '%rampdown%forced%'`))
}

// TestStandbyThatLagsHoldsFlips: a flip forward waits for what led to it to be
// on the standbys; a way back does not.
func TestStandbyThatLagsHoldsFlips(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, nil)
	config, err := pgx.ParseConfig(server.URL("postgres"))
	require.NoError(t, err)
	watching := config.Copy()
	watching.RuntimeParams["application_name"] = auditor
	conn, err := pgx.ConnectConfig(ctx, watching)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(ctx) })
	_, err = conn.Exec(ctx, users)
	require.NoError(t, err)
	newer := func(c migrator.Config) *migrator.Migrator {
		m, err := migrator.New(config, quick(c))
		require.NoError(t, err)
		return m
	}
	m := newer(migrator.Config{StandbyWait: 200 * time.Millisecond})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err = m.Start(ctx, rename)
	require.NoError(t, err)

	standby := stream(t, server.URL("postgres"))
	standby.replayed(t, "0/1")
	pgtest.WaitFor(t, "the standby to be known", func() bool {
		return scan[bool](t, conn, `select exists (select from pg_stat_replication where replay_lsn is not null)`)
	})
	p, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	require.Equal(t, "replica-lag", gate.Gate)
	require.Contains(t, gate.Why, "standby standby is at 0/1")
	require.Equal(t, migrator.Off, p.Phase)

	// It catches up while the flip waits.
	standby.replayed(t, "FFFF/0")
	_, err = newer(migrator.Config{}).Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.DualWrite})
	require.NoError(t, err)

	standby.replayed(t, "0/1")
	pgtest.WaitFor(t, "the standby to lag", func() bool {
		return scan[bool](t, conn, `select exists (select from pg_stat_replication where replay_lsn = '0/1')`)
	})
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.ErrorAs(t, err, &gate)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow,
		Force: migrator.Force{Gates: []string{"replica-lag"}, Reason: "it is being rebuilt"}})
	require.NoError(t, err)
	_, err = newer(migrator.Config{IgnoreStandbys: []string{"standby"}}).Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err, "a way back does not wait")
}

// replica speaks the replication protocol as a standby does, and replays what it
// is told to.
type replica struct{ conn *pgconn.PgConn }

func stream(t *testing.T, url string) replica {
	t.Helper()
	config, err := pgconn.ParseConfig(url)
	require.NoError(t, err)
	config.RuntimeParams["replication"] = "true"
	config.RuntimeParams["application_name"] = "standby"
	conn, err := pgconn.ConnectConfig(ctx, config)
	require.NoError(t, err)
	identity, err := conn.Exec(ctx, "IDENTIFY_SYSTEM").ReadAll()
	require.NoError(t, err)
	position := string(identity[0].Rows[0][2])
	conn.Frontend().Send(&pgproto3.Query{String: "START_REPLICATION PHYSICAL " + position})
	require.NoError(t, conn.Frontend().Flush())
	received := make(chan struct{})
	go func() { // what it is sent
		defer close(received)
		for {
			if _, err := conn.ReceiveMessage(context.Background()); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = conn.Conn().Close()
		<-received
	})
	return replica{conn}
}

// replayed answers that all up to a position is written, flushed and replayed.
func (r replica) replayed(t *testing.T, lsn string) {
	t.Helper()
	var high, low uint64
	_, err := fmt.Sscanf(lsn, "%X/%X", &high, &low)
	require.NoError(t, err)
	position := high<<32 | low
	message := []byte{'r'}
	for _, v := range []uint64{position, position, position, 0} {
		message = binary.BigEndian.AppendUint64(message, v)
	}
	data, err := (&pgproto3.CopyData{Data: append(message, 0)}).Encode(nil)
	require.NoError(t, err)
	_, err = r.conn.Conn().Write(data)
	require.NoError(t, err)
}
