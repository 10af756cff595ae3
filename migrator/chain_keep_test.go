package migrator_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestChainBehindAKeptName: what has its name back can be moved on, and every name
// works in every phase, whichever the application sees in a star. The other way
// round, a name can only pass on when nothing stands behind it.
func TestChainBehindAKeptName(t *testing.T) {
	t.Parallel()
	db := completed(t)
	m := newMigrator(t, db, migrator.Config{})
	chain := migrator.Transition{Name: "chain", Table: "users", IgnoreApplications: []string{auditor},
		Rename: &migrator.Rename{From: "visits", To: "calls"}}
	_, err := m.Start(ctx, chain)
	require.ErrorContains(t, err, "transition-active")
	_, err = m.Contract(ctx, keeping.Name, withoutSnapshot)
	require.NoError(t, err)
	_, old := hooked(t, db, dualwrite.StarsSource)
	_, young := hooked(t, db, dualwrite.StarsTarget)
	works := func(source, target string) {
		t.Helper()
		for pool, star := range map[*pgxpool.Pool]string{old: source, young: target} {
			for _, name := range []string{"visits", "visits_big", "calls"} {
				if name == "calls" && target != name {
					continue
				}
				tag, err := pool.Exec(ctx, `update users set `+name+` = `+name+` + 1 where id = 1 and `+name+` = 1`)
				require.NoError(t, err, name)
				require.EqualValues(t, 1, tag.RowsAffected())
				_, err = pool.Exec(ctx, `update users set visits = 1 where id = 1`)
				require.NoError(t, err)
			}
			rows, err := pool.Query(ctx, `select * from users where visits_big = 5`)
			require.NoError(t, err)
			require.Equal(t, "id "+star+" email", fields(rows))
			rows.Close()
		}
	}
	works("visits", "visits_big")
	_, err = m.Start(ctx, chain)
	require.NoError(t, err)
	for _, p := range []migrator.Phase{migrator.Off, migrator.DualWrite, migrator.Live, migrator.Complete, migrator.Contracted} {
		_, err = m.Run(ctx, chain.Name, migrator.RunOptions{Until: p, Snapshot: migrator.NoSnapshot})
		require.NoError(t, err)
		works("visits", "calls")
	}
	back := migrator.Transition{Name: "back", Table: "users", IgnoreApplications: []string{auditor},
		Change: &migrator.Change{From: "calls", To: "calls_small", Type: "int", KeepName: true}}
	_, err = m.Start(ctx, back)
	require.ErrorContains(t, err, "can only keep its name")
}
