package migrator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/migrator"
)

// TestParseSync: what a file may say about writers without the hook.
func TestParseSync(t *testing.T) {
	t.Parallel()
	const move = "name: x\ntable: users\nrename: {from: a, to: b}\n"
	for _, c := range []struct{ text, wrong string }{
		{move, ""},
		{move + "sync: none", ""},
		{move + "sync: trigger", ""},
		{move + "sync: trigger\nsync_mode: refuse", ""},
		{move + "sync: logical", ""},
		{move + "sync: log", `"log" is none of none, trigger, logical`},
		{move + "sync: logical\nsync_mode: count", "goes with sync: trigger only"},
		{move + "sync: trigger\nsync_mode: warn", `"warn" is none of sync, refuse, count`},
		{move + "sync_mode: count", "goes with sync: trigger only"},
		{"name: x\ntable: users\ndrop_column: {name: a}\nsync: trigger", "goes with rename, change, split and merge only"},
	} {
		_, err := migrator.ParseTransition([]byte(c.text))
		if c.wrong == "" {
			require.NoError(t, err, c.text)
			continue
		}
		require.ErrorContains(t, err, c.wrong)
	}
}

// TestPlanShowsTheTrigger: and without one nothing is said of it.
func TestPlanShowsTheTrigger(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.NoError(t, m.Remove(ctx, rename.Name))
	steps := func(tr migrator.Transition) map[string]migrator.PlannedStep {
		plan, err := newMigrator(t, db, migrator.Config{}).Plan(ctx, tr)
		require.NoError(t, err)
		found := map[string]migrator.PlannedStep{}
		for _, s := range plan.Steps {
			found[s.Name] = s
		}
		return found
	}
	require.NotContains(t, steps(rename), "sync")
	plan := steps(withSync(rename, ""))
	require.Equal(t, "SHARE ROW EXCLUSIVE", plan["sync"].Statements[1].Lock)
	require.Contains(t, plan["sync"].Statements[1].SQL, "enable always")
	require.Empty(t, plan["release"].Statements)
	require.Contains(t, plan["unsync"].Statements[0].SQL+plan["unsync"].Statements[1].SQL, "full_name")
	require.Equal(t, "contract", plan["unsync"].Act)
}
