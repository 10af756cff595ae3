package migrator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// snapshots are those in the history of a transition.
func snapshots(t *testing.T, m *migrator.Migrator, name string) []string {
	t.Helper()
	list, err := m.Status(ctx, migrator.StatusOptions{Name: name, Events: 1000})
	require.NoError(t, err)
	var found []string
	for _, e := range list[0].History {
		if e.Event == "snapshot" {
			require.Equal(t, e.Detail, e.Evidence["snapshot"])
			found = append(found, e.Detail)
		}
	}
	return found
}

// TestNothingIsGivenUpWithoutAWord: what cannot be taken back is not done before
// somebody has said what it can be restored from.
func TestNothingIsGivenUpWithoutAWord(t *testing.T) {
	t.Parallel()
	for name, operation := range map[string]string{
		"move": "rename: {from: full_name, to: name}", "drop": "drop_column: {name: full_name}\naccept: [drops-with-column]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, users)
			m := newMigrator(t, db, migrator.Config{})
			require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
			tr, err := migrator.ParseTransition([]byte("name: " + name + "\ntable: users\n" + operation))
			require.NoError(t, err)
			_, err = m.Start(ctx, tr)
			require.NoError(t, err)
			began, err := m.Run(ctx, name, migrator.RunOptions{Until: migrator.Contracted})
			require.ErrorIs(t, err, migrator.ErrNoSnapshot)
			require.Equal(t, "register", began.Step, "it is asked before anything is done")

			before, err := m.Run(ctx, name, migrator.RunOptions{})
			require.NoError(t, err)
			p, err := m.Contract(ctx, name, migrator.ContractOptions{})
			require.ErrorIs(t, err, migrator.ErrNoSnapshot)
			require.Equal(t, before, p)
			if name == "move" {
				_, err = m.Advance(ctx, name, migrator.AdvanceOptions{To: migrator.Contracted})
				require.ErrorIs(t, err, migrator.ErrNoSnapshot, "no way around it")
			}
			require.Empty(t, snapshots(t, m, name))

			_, err = m.Contract(ctx, name, migrator.ContractOptions{Snapshot: "base backup of Monday"})
			require.NoError(t, err)
			require.Equal(t, []string{"base backup of Monday"}, snapshots(t, m, name))
			_, err = m.Contract(ctx, name, migrator.ContractOptions{})
			require.NoError(t, err, "what is given up, is")
		})
	}
}

func TestNothingIsGivenUpByAnIndex(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	tr, err := migrator.ParseTransition([]byte("name: i\ntable: users\nadd_index: {name: users_email, on: (email)}"))
	require.NoError(t, err)
	_, err = m.Start(ctx, tr)
	require.NoError(t, err)
	_, err = m.Run(ctx, "i", migrator.RunOptions{Until: migrator.Contracted})
	require.NoError(t, err)
	require.Empty(t, snapshots(t, m, "i"))
}
