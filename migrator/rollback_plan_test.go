package migrator_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// undone are the names of the steps of a plan that a rollback now undoes.
func undone(p migrator.RollbackPlan) []string {
	var names []string
	for _, s := range p.Steps {
		if s.Reached {
			names = append(names, s.Name)
		}
	}
	return names
}

func planned(t *testing.T, p migrator.RollbackPlan, name string) migrator.RollbackStep {
	t.Helper()
	for _, s := range p.Steps {
		if s.Name == name {
			return s
		}
	}
	require.Fail(t, "no such step in the plan", name)
	return migrator.RollbackStep{}
}

// TestRollbackPlanIsWhatHappens: the steps that it says a rollback undoes are
// those that one undoes, in that order, from every phase.
func TestRollbackPlanIsWhatHappens(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	var undoing []string
	m := newMigrator(t, db, migrator.Config{Observer: observer(func(e migrator.Event) {
		if s, ok := e.(migrator.StepEvent); ok && s.Undo && s.Done {
			undoing = append(undoing, s.Name)
		}
	})})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err := m.Start(ctx, rename)
	require.NoError(t, err)
	for _, phase := range []migrator.Phase{migrator.Off, migrator.DualWrite, migrator.Live, migrator.Complete} {
		_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: phase})
		require.NoError(t, err)
		p, err := m.RollbackPlan(ctx, rename.Name)
		require.NoError(t, err)
		require.Equal(t, "contracted", p.NoReturn)
		require.False(t, p.Past)
		require.Equal(t, phase, p.Position.Phase)
		undoing = nil
		_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
		require.NoError(t, err)
		require.Equal(t, undoing, undone(p), phase)
	}
}

func TestRollbackPlanKnowsWhatTheLedgerKnows(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, migrator.Config{})
	p, err := m.RollbackPlan(ctx, rename.Name)
	require.NoError(t, err)
	require.Zero(t, planned(t, p, "release").Duration, "nothing has been copied yet")
	require.Contains(t, planned(t, p, "release").Time, "unknown")

	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	p, err = m.RollbackPlan(ctx, rename.Name)
	require.NoError(t, err)
	release := planned(t, p, "release")
	require.NotZero(t, release.Duration)
	require.EqualValues(t, 300, release.Scan.Rows)
	require.NotZero(t, release.Scan.WALBytes)
	require.NotEmpty(t, release.Statements)
	require.Empty(t, release.Lost, "a rename loses nothing")
	require.Empty(t, release.Stops)
	_, err = json.Marshal(p)
	require.NoError(t, err)

	_, err = m.Contract(ctx, rename.Name, withoutSnapshot)
	require.NoError(t, err)
	p, err = m.RollbackPlan(ctx, rename.Name)
	require.NoError(t, err)
	require.True(t, p.Past)
	require.Empty(t, undone(p))
}

func TestRollbackPlanOfFiles(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, `create table users (id int primary key, age int not null default 7, nick text)`)
	m := newMigrator(t, db, migrator.Config{})
	for _, c := range []struct {
		name, operation string
		noReturn        string
		step            string // whose losses and obstacles are looked at
		lost, stops     string
	}{
		{"widen", "change: {from: age, to: age_big, type: bigint}", "contracted", "release", "", "age_big has no counterpart"},
		{"key", "change: {from: id, to: id_big, type: bigint}", "contracted", "expand", "id_big", ""},
		{"lossy", "change: {from: nick, to: handle, type: text, forward: lower(nick), backward: handle, lossy: [forward]}", "contracted", "release", "lossy", "handle"},
		{"add", "add_column: {name: plan, type: text}", "", "add", "plan with all", ""},
		{"drop", "drop_column: {name: age}", "drop", "hide", "", ""},
		{"index", "add_index: {name: users_nick, on: (nick)}", "", "build", "", ""},
	} {
		tr, err := migrator.ParseTransition([]byte("name: " + c.name + "\ntable: users\n" + c.operation))
		require.NoError(t, err, c.name)
		p, err := m.PlanRollback(ctx, tr)
		require.NoError(t, err, c.name)
		require.Equal(t, c.noReturn, p.NoReturn, c.name)
		require.Nil(t, p.Position)
		require.Empty(t, undone(p), c.name)
		step := planned(t, p, c.step)
		for _, want := range []struct {
			text string
			got  []string
		}{{c.lost, step.Lost}, {c.stops, step.Stops}} {
			if want.text == "" {
				require.Empty(t, want.got, c.name)
				continue
			}
			require.Len(t, want.got, 1, c.name)
			require.Contains(t, want.got[0], want.text, c.name)
		}
	}
}
