package migrator_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestCrashWithTrigger is TestCrashAnywhere with a trigger, and a writer without
// the hook that comes by after each death: what it writes is kept.
func TestCrashWithTrigger(t *testing.T) {
	t.Parallel()
	admin := pgtest.New(t)
	tr := withSync(rename, "")
	for name, back := range map[string]bool{"forward": false, "back": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := pgtest.NewFrom(t, users)
			m := newMigrator(t, base, migrator.Config{})
			require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
			if back {
				_, err := m.Start(ctx, tr)
				require.NoError(t, err)
				_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
				require.NoError(t, err)
			}
			work := task{Sync: true, Back: back}
			work.URL = clone(t, admin, base, "count").URL
			total := countChanges(t, work)
			stride := 3
			if testing.Short() {
				stride = 15
			}
			for death := 1; death <= total; death += stride {
				t.Run(strconv.Itoa(death), func(t *testing.T) {
					t.Parallel()
					db := clone(t, admin, base, strconv.Itoa(death))
					work := task{URL: db.URL, Sync: true, Back: back, Death: death}
					die(t, work)
					row := assertProtocol(t, db)
					written := "user 1"
					// Once contract has begun nobody without the hook is left.
					if following(row) {
						written = "legacy after " + strconv.Itoa(death)
						db.Exec(t, `update users set full_name = $1 where id = 1`, written)
					}
					age(t, db)
					other := clone(t, admin, db, "other")
					finishSync(t, db, written)
					if row.Phase != phase.Contracted && row.Name != "" {
						_, err := newMigrator(t, other, migrator.Config{}).Rollback(ctx, tr.Name, migrator.RollbackOptions{})
						require.NoError(t, err)
						conn := audit(t, other)
						require.Equal(t, originalShape, shape(t, conn))
						require.Zero(t, traces(t, conn))
						assertValues(t, conn, "full_name", written)
					}
				})
			}
		})
	}
}

// following tells whether what is written to the source alone is kept.
func following(row ledger.Transition) bool {
	return row.Phase != phase.Contracted && row.Step != "unsync" && row.Step != "settle" &&
		row.Underway != "unsync"
}

func finishSync(t *testing.T, db *pgtest.DB, written string) {
	t.Helper()
	m := newMigrator(t, db, migrator.Config{})
	if _, err := m.Start(ctx, withSync(rename, "")); err != nil {
		require.ErrorIs(t, err, migrator.ErrActive)
	}
	p, err := m.Run(ctx, rename.Name, untilContracted)
	require.NoError(t, err)
	require.Equal(t, "drop", p.Step)
	conn := audit(t, db)
	require.Equal(t, contractedShape, shape(t, conn))
	require.Zero(t, traces(t, conn))
	assertValues(t, conn, "name", written)
}
