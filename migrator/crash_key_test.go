package migrator_test

import (
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestCrashOfAKey is TestCrashAnywhere for a primary key with an identity and
// foreign keys. It dies at every third change.
func TestCrashOfAKey(t *testing.T) {
	t.Parallel()
	admin := pgtest.New(t)
	for name, back := range map[string]bool{"forward": false, "back": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base, m := begunWith(t, orders)
			conn := audit(t, base)
			original, highest := outline(t, conn), int64(300)
			if back {
				_, err := m.Start(ctx, widen)
				require.NoError(t, err)
				_, err = m.Run(ctx, widen.Name, migrator.RunOptions{})
				require.NoError(t, err)
				highest = scan[int64](t, conn, `insert into orders (id_big, customer_id) values (nextval('orders_id_seq'), 1) returning id_big`)
			}
			require.NoError(t, conn.Close(ctx))
			total := countChanges(t, task{URL: clone(t, admin, base, "count").URL, Key: true, Back: back})
			stride := 3
			if testing.Short() {
				stride = 8
			}
			for death := 1; death <= total; death += stride {
				t.Run(strconv.Itoa(death), func(t *testing.T) {
					t.Parallel()
					db := clone(t, admin, base, strconv.Itoa(death))
					die(t, task{URL: db.URL, Key: true, Back: back, Death: death})
					row := assertKey(t, db)
					other := clone(t, admin, db, "other")
					m := newMigrator(t, db, migrator.Config{})
					if _, err := m.Start(ctx, widen); err != nil {
						require.ErrorIs(t, err, migrator.ErrActive)
					}
					_, err := m.Run(ctx, widen.Name, untilContracted)
					require.NoError(t, err)
					require.NoError(t, m.Remove(ctx, widen.Name))
					conn := audit(t, db)
					require.Equal(t, widened, outline(t, conn))
					goesOn(t, conn, "id_big", highest)
					if row.Phase == phase.Contracted || row.Name == "" {
						return
					}
					_, err = newMigrator(t, other, migrator.Config{}).Rollback(ctx, widen.Name, migrator.RollbackOptions{})
					require.NoError(t, err)
					conn = audit(t, other)
					require.Equal(t, original, outline(t, conn))
					goesOn(t, conn, "id", highest)
				})
			}
		})
	}
}

// assertKey: whatever has happened, the table has a primary key, and foreign keys
// that hold.
func assertKey(t *testing.T, db *pgtest.DB) (row struct {
	Name  string
	Phase phase.Phase
}) {
	t.Helper()
	conn := audit(t, db)
	defer conn.Close(ctx)
	found := assertTokens(t, conn)
	require.Equal(t, 1, scan[int](t, conn, `select count(*) from pg_constraint where conrelid = 'orders'::regclass and contype = 'p' and conname = 'orders_pkey'`))
	require.Equal(t, 3, scan[int](t, conn, `select count(distinct conrelid) from pg_constraint where confrelid = 'orders'::regclass and convalidated`))
	row.Name, row.Phase = found.Name, found.Phase
	return row
}

// goesOn: the next number is new, and no row is lost.
func goesOn(t *testing.T, conn *pgx.Conn, column string, highest int64) {
	t.Helper()
	require.Equal(t, highest, scan[int64](t, conn, `select count(*) from orders`))
	require.Equal(t, highest+1, scan[int64](t, conn, `insert into orders (customer_id) values (1) returning `+column))
	require.Equal(t, highest+1, scan[int64](t, conn, `select currval('orders_id_seq')`))
}
