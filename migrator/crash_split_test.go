package migrator_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestCrashOfASplit is TestCrashAnywhere for several targets, whose steps have
// more halves to be caught between. It dies at every fifth change.
func TestCrashOfASplit(t *testing.T) {
	t.Parallel()
	admin := pgtest.New(t)
	for name, back := range map[string]bool{"forward": false, "back": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base, m := begun(t, people)
			conn := audit(t, base)
			original := shape(t, conn)
			values := list[string](t, conn, `select id || full_name from users order by id`)
			if back {
				_, err := m.Start(ctx, splitting())
				require.NoError(t, err)
				_, err = m.Run(ctx, "split", migrator.RunOptions{})
				require.NoError(t, err)
				base.Exec(t, `update users set first_name = 'X' || id, last_name = 'Y' where id % 2 = 0`)
				values = list[string](t, conn, `select id || first_name || ' ' || last_name from users order by id`)
			}
			require.NoError(t, conn.Close(ctx))
			total := countChanges(t, task{URL: clone(t, admin, base, "count").URL, Split: true, Back: back})
			stride := 5
			if testing.Short() {
				stride = 15
			}
			for death := 1; death <= total; death += stride {
				t.Run(strconv.Itoa(death), func(t *testing.T) {
					t.Parallel()
					db := clone(t, admin, base, strconv.Itoa(death))
					die(t, task{URL: db.URL, Split: true, Back: back, Death: death})
					row := assertProtocol(t, db)
					other := clone(t, admin, db, "other")
					finishSplit(t, db, values)
					if row.Phase != phase.Contracted && row.Name != "" {
						_, err := newMigrator(t, other, migrator.Config{}).Rollback(ctx, "split", migrator.RollbackOptions{})
						require.NoError(t, err)
						conn := audit(t, other)
						require.Equal(t, original, shape(t, conn))
						require.Equal(t, values, list[string](t, conn, `select id || full_name from users order by id`))
					}
				})
			}
		})
	}
}

func finishSplit(t *testing.T, db *pgtest.DB, values []string) {
	t.Helper()
	m := newMigrator(t, db, migrator.Config{})
	if _, err := m.Start(ctx, splitting()); err != nil {
		require.ErrorIs(t, err, migrator.ErrActive)
	}
	p, err := m.Run(ctx, "split", untilContracted)
	require.NoError(t, err)
	require.Equal(t, "name", p.Step)
	conn := audit(t, db)
	require.Equal(t, values, list[string](t, conn, `select id || first_name || ' ' || last_name from users order by id`))
	for _, line := range shape(t, conn) {
		require.NotContains(t, line, "crossfade_")
		require.NotContains(t, line, "full_name")
	}
}
