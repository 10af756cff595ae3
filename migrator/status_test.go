package migrator_test

import (
	"context"
	"encoding/json"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_ = audit(t, db)
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	app, view := join(t, db)
	require.NoError(t, app.Ping(ctx))
	list, err := m.Status(ctx, migrator.StatusOptions{Events: 3})
	require.NoError(t, err)
	require.Len(t, list, 1)
	s := list[0]
	require.Equal(t, migrator.Shadow, s.Phase)
	require.Equal(t, "shadow", s.Step)
	require.Equal(t, "public.users", s.Table)
	require.Equal(t, "rename", s.Kind)
	require.Equal(t, []string{"full_name"}, s.Sources)
	require.Equal(t, []string{"name"}, s.Targets)
	require.Nil(t, s.Drain)
	require.Equal(t, []migrator.EpochSessions{{Epoch: -1, Count: 1}, {Epoch: view.Epoch, Count: 1}}, s.Sessions)
	require.Len(t, s.Jobs, 2)
	for _, job := range s.Jobs {
		require.True(t, job.Finished)
		require.EqualValues(t, 300, job.RowsScanned)
		require.EqualValues(t, 300, job.Estimate)
		require.Positive(t, job.Rate)
	}
	require.EqualValues(t, 300, s.Jobs[0].RowsChanged)
	require.Len(t, s.History, 3)
	require.Equal(t, []string{"move", "drained", "done"}, []string{s.History[0].Event, s.History[1].Event, s.History[2].Event})
	require.Equal(t, "tester", s.History[0].Actor)
	_, err = json.Marshal(list)
	require.NoError(t, err)
}

// TestStatusOfSteps: what is done, under way, being undone and left, and since when.
func TestStatusOfSteps(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	reader := m.StatusReader()
	defer reader.Close(ctx)
	look := func() migrator.Status {
		list, err := reader.Status(ctx, migrator.StatusOptions{Name: rename.Name, Events: 1})
		require.NoError(t, err)
		require.Len(t, list, 1)
		return list[0]
	}
	states := func(s migrator.Status) map[string]migrator.StepState {
		states := map[string]migrator.StepState{}
		for _, step := range s.Steps {
			states[step.Name] = step.State
			require.Equal(t, step.State == migrator.StepLeft, step.At == nil, step.Name)
		}
		return states
	}
	s := look()
	require.Equal(t, "register", s.Steps[0].Name)
	require.Equal(t, "contract", s.Steps[len(s.Steps)-1].Act)
	require.Equal(t, migrator.StepDone, states(s)["shadow"])
	require.Equal(t, migrator.StepLeft, states(s)["live"])
	require.False(t, s.AtWork)

	// A session of the old phase holds up the flip, there and back.
	app, view := join(t, db)
	_, err = app.Exec(ctx, "begin; select 1")
	require.NoError(t, err)
	var drain *migrator.DrainError
	impatient := newMigrator(t, db, migrator.Config{DrainTimeout: time.Millisecond})
	_, err = impatient.Run(ctx, rename.Name, migrator.RunOptions{})
	require.ErrorAs(t, err, &drain)
	pgtest.WaitFor(t, "the migrator's connection has gone", func() bool {
		s = look()
		return !slices.ContainsFunc(s.Instances, func(i migrator.InstanceSessions) bool { return i.Application == "crossfade migrator" })
	})
	require.Equal(t, migrator.StepUnderway, states(s)["live"])
	require.Empty(t, s.Gates, "they have been passed")
	require.Len(t, s.Laggards, 1)
	require.Equal(t, view.Epoch, s.Laggards[0].Epoch)
	require.Len(t, s.Instances, 1)
	require.Positive(t, s.Instances[0].Oldest)
	s.Instances[0].Oldest = 0
	require.Equal(t, migrator.InstanceSessions{Application: "app", User: s.Laggards[0].User, Client: s.Laggards[0].Client, Epoch: view.Epoch, Count: 1, InTx: 1}, s.Instances[0])
	_, err = impatient.Rollback(ctx, rename.Name, migrator.RollbackOptions{To: migrator.Shadow})
	require.ErrorAs(t, err, &drain)
	for _, step := range look().Steps {
		require.Equal(t, step.Name == "live", step.Undoing, step.Name)
	}
	require.Empty(t, look().Gates, "nothing goes forward")
}

// TestStatusOfGates: they are looked at when it is their flip's turn, and nothing is
// tried for it.
func TestStatusOfGates(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	gates := func(m *migrator.Migrator) map[string]migrator.GateStatus {
		list, err := m.Status(ctx, migrator.StatusOptions{})
		require.NoError(t, err)
		gates := map[string]migrator.GateStatus{}
		for _, g := range list[0].Gates {
			gates[g.Gate] = g
		}
		return gates
	}
	require.Equal(t, migrator.GateStatus{Step: "dualwrite", Gate: "target-optional", State: migrator.GateLater}, gates(m)["target-optional"])
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	require.Equal(t, migrator.GateOpen, gates(m)["verified"].State)
	require.Equal(t, migrator.GateLater, gates(m)["dependents-carried"].State)
	db.Exec(t, `alter table users drop constraint crossfade_t1_equal`)
	closed := gates(m)["equality-enforced"]
	require.Equal(t, migrator.GateClosed, closed.State)
	require.Contains(t, closed.Why, "crossfade_t1_equal")
	require.NotEmpty(t, closed.Hint)
	require.NoError(t, m.RecordPlans(ctx, rename.Name, migrator.PlanCheck{Statements: 1, Worse: 1}))
	require.True(t, gates(m)["plan-regression"].Forcible)

	// Somebody has the table locked: nobody waits for whoever looks.
	holder := connect(t, db, "holder")
	_, err = holder.Exec(ctx, "begin; lock table users in access exclusive mode")
	require.NoError(t, err)
	require.NotEmpty(t, gates(m))
}

// TestStatusReader: it keeps its connection, and makes another one when that is lost.
func TestStatusReader(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	reader := m.StatusReader()
	database, _ := reader.Server()
	require.Empty(t, database)
	conn := audit(t, db)
	pids := map[int]bool{}
	for range 3 {
		_, err := reader.Status(ctx, migrator.StatusOptions{})
		require.NoError(t, err)
		pids[scan[int](t, conn, `select pid from pg_stat_activity where application_name = 'crossfade migrator' and datname = current_database()`)] = true
	}
	require.Len(t, pids, 1)
	database, _ = reader.Server()
	require.Equal(t, db.Name, database)
	_, err := reader.Status(ctx, migrator.StatusOptions{Name: "nobody"})
	require.ErrorIs(t, err, migrator.ErrNotFound)
	_, err = reader.Status(ctx, migrator.StatusOptions{})
	require.NoError(t, err)
	scan[bool](t, conn, `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'crossfade migrator' and datname = current_database()`)
	pgtest.WaitFor(t, "another connection", func() bool {
		_, err = reader.Status(ctx, migrator.StatusOptions{})
		return err == nil
	})
	reader.Close(ctx)
	reader.Close(ctx)
}

// TestCancel: a call that is cancelled lets go at once, and the next one continues.
func TestCancel(t *testing.T) {
	t.Parallel()
	db, _ := started(t, users, migrator.Config{})
	app, _ := join(t, db)
	cancellable, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newMigrator(t, db, migrator.Config{Observer: observer(func(e migrator.Event) {
		if drain, ok := e.(migrator.DrainEvent); ok && len(drain.Waiting) > 0 {
			cancel()
		}
	})})
	_, err := m.Run(cancellable, rename.Name, migrator.RunOptions{})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, app.Close(ctx))
	_, err = newMigrator(t, db, migrator.Config{LeaderWait: time.Nanosecond}).Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
}

func TestNewValidates(t *testing.T) {
	t.Parallel()
	_, err := migrator.New(nil, migrator.Config{})
	require.ErrorContains(t, err, "no connection config")
	db := pgtest.New(t)
	_, err = migrator.New(db.Config(t), migrator.Config{Grace: -1})
	require.ErrorContains(t, err, "Grace is negative")
	_, err = migrator.New(db.Config(t), migrator.Config{Laggards: "shoot"})
	require.ErrorContains(t, err, `"shoot"`)
}

// TestPooler: a pooler shows itself by another pid than the server's.
func TestPooler(t *testing.T) {
	t.Parallel()
	config := pgtest.New(t).Config(t)
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &pooler{conn}, err
	}
	m, err := migrator.New(config, quick(migrator.Config{}))
	require.NoError(t, err)
	require.ErrorIs(t, m.Init(ctx, migrator.InitOptions{}), migrator.ErrPooler)
}

// pooler changes the pid in BackendKeyData.
type pooler struct{ net.Conn }

func (p *pooler) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	for i := 0; i+13 <= n; i++ {
		if b[i] == 'K' && b[i+1] == 0 && b[i+2] == 0 && b[i+3] == 0 && b[i+4] == 12 {
			b[i+8] ^= 1
		}
	}
	return n, err
}
