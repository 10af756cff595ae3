package migrator_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestCrashOfAlterations is TestCrashAnywhere for operations that move no column:
// those that have every kind of step between them.
func TestCrashOfAlterations(t *testing.T) {
	t.Parallel()
	admin := pgtest.New(t)
	for _, name := range []string{"add a column of the row", "drop a column", "add a unique constraint", "add a foreign key"} {
		c := alterations[slices.IndexFunc(alterations, func(c alterationCase) bool { return c.name == name })]
		for _, back := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, back %t", name, back), func(t *testing.T) {
				t.Parallel()
				base, m := prepared(t, accounts)
				conn := audit(t, base)
				original := shape(t, conn)
				altered := slices.Sorted(slices.Values(append(without(original, c.loses), c.gains...)))
				if back {
					_, err := m.Start(ctx, altering(t, c.operation))
					require.NoError(t, err)
					_, err = m.Run(ctx, "alter", migrator.RunOptions{})
					require.NoError(t, err)
				}
				require.NoError(t, conn.Close(ctx))
				total := countChanges(t, task{URL: clone(t, admin, base, "count").URL, Operation: c.operation, Back: back})
				require.Greater(t, total, 3)
				stride := 1
				if testing.Short() {
					stride = 4
				}
				for death := 1; death <= total; death += stride {
					t.Run(fmt.Sprint(death), func(t *testing.T) {
						t.Parallel()
						db := clone(t, admin, base, fmt.Sprint(death))
						die(t, task{URL: db.URL, Operation: c.operation, Back: back, Death: death})
						waitForDead(t, db)
						other := clone(t, admin, db, "other")
						finishAltered(t, db, c, altered)
						takeBack(t, other, c, original)
					})
				}
			})
		}
	}
}

// waitForDead waits until the server has done with what a dead process sent last.
func waitForDead(t *testing.T, db *pgtest.DB) {
	t.Helper()
	conn := audit(t, db)
	defer conn.Close(ctx)
	pgtest.WaitFor(t, "the dead migrator's session to end", func() bool {
		return scan[int](t, conn, `select count(*) from pg_stat_activity
			where datname = current_database() and application_name = 'crossfade migrator'`) == 0
	})
}

func finishAltered(t *testing.T, db *pgtest.DB, c alterationCase, altered []string) {
	t.Helper()
	m := newMigrator(t, db, migrator.Config{})
	if _, err := m.Start(ctx, altering(t, c.operation)); err != nil {
		require.ErrorIs(t, err, migrator.ErrActive)
	}
	p, err := m.Run(ctx, "alter", untilContracted)
	require.NoError(t, err)
	require.True(t, p.Ended)
	conn := audit(t, db)
	require.Equal(t, altered, slices.Sorted(slices.Values(shape(t, conn))))
	require.True(t, scan[bool](t, conn, c.check))
	require.Empty(t, tokens(t, conn))
}

// takeBack rolls back, unless it never began or the column has gone.
func takeBack(t *testing.T, db *pgtest.DB, c alterationCase, original []string) {
	t.Helper()
	conn := audit(t, db)
	_, err := newMigrator(t, db, migrator.Config{}).Rollback(ctx, "alter", migrator.RollbackOptions{})
	gone := c.name == "drop a column" && scan[int](t, conn, `select count(*) from pg_attribute
		where attrelid = 'users'::regclass and attname in ('full_name', 'full_name__crossfade_dropped')`) == 0
	switch {
	case gone:
		require.ErrorIs(t, err, migrator.ErrPointOfNoReturn)
		return
	case scan[int](t, conn, `select count(*) from crossfade.transition`) == 0:
		require.ErrorIs(t, err, migrator.ErrNotFound)
	default:
		require.NoError(t, err)
	}
	require.Equal(t, original, shape(t, conn))
	require.Empty(t, tokens(t, conn))
}
