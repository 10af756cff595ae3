package migrator_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/migrator"
)

// A report that reads by one snapshot for an hour holds up each flip, by name, also
// before it has touched the table; whatever it reads is right. Others go on.
func TestLongReaderHoldsUpAFlip(t *testing.T) {
	t.Parallel()
	for _, touched := range []bool{false, true} {
		t.Run(fmt.Sprintf("touched %t", touched), func(t *testing.T) {
			t.Parallel()
			db, m := started(t, users, migrator.Config{})
			_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
			require.NoError(t, err)
			report, view := join(t, db)
			tx, err := report.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
			require.NoError(t, err)
			_, err = tx.Exec(ctx, `select from pg_class limit 1`) // its snapshot
			require.NoError(t, err)
			if touched {
				require.NoError(t, readOld(tx, view))
			}
			hasty := newMigrator(t, db, with(impatient, migrator.LaggardsFence))
			_, err = hasty.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
			hangs(t, err, report)
			app, now := join(t, db)
			require.Equal(t, migrator.Live, now.Transitions[0].Phase, "others are in the new phase already")
			_, err = app.Exec(ctx, `with cf as (select from crossfade.`+now.Transitions[0].Token+`) update users set full_name = 'new', name = 'new' where id = 1`)
			require.NoError(t, err)
			require.NoError(t, readOld(tx, view), "the old phase is allowed until it ends")
			require.NoError(t, tx.Commit(ctx))
			_, err = newMigrator(t, db, migrator.Config{Grace: time.Nanosecond}).Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
			require.NoError(t, err)
			require.Error(t, readOld(report, view))
			equal(t, audit(t, db))
		})
	}
}

// A prepared transaction of the old phase has no session to end, and no policy ends
// it: a flip waits for it, forward and back, and says its name.
func TestPreparedTransactionHoldsUpAFlip(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	app, view := join(t, db)
	name := "xa of " + db.Name
	_, err = app.Exec(ctx, fmt.Sprintf(`begin; with cf as (select from crossfade.%s) update users set full_name = 'xa', name = 'xa' where id = 1;
		prepare transaction '%s'`, view.Transitions[0].Token, name), pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err)
	require.NoError(t, app.Close(ctx))
	hasty := newMigrator(t, db, with(impatient, migrator.LaggardsTerminate))
	for range 2 {
		_, err = hasty.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
		require.ErrorContains(t, err, `prepared transaction "`+name+`"`)
		require.ErrorContains(t, err, "commit or roll back the prepared transactions")
	}
	_, err = hasty.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.ErrorContains(t, err, `prepared transaction "`+name+`"`)
	db.Exec(t, `commit prepared '`+name+`'`)
	_, err = newMigrator(t, db, migrator.Config{}).Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	require.Equal(t, "xa", scan[string](t, audit(t, db), `select name from users where id = 1`))
}

// An application that never reconnects keeps its first connection in every phase,
// there and back. It is fenced once, is refused whatever touches the column, and
// holds nobody up.
func TestApplicationThatNeverReconnects(t *testing.T) {
	t.Parallel()
	db, _ := started(t, users, migrator.Config{})
	app, view := join(t, db)
	require.NoError(t, readOld(app, view))
	m := newMigrator(t, db, migrator.Config{Grace: time.Nanosecond, DrainTimeout: time.Minute})
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	require.Error(t, readOld(app, view))
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Error(t, readOld(app, view), "a token's name never comes again")
	_, err = m.Run(ctx, rename.Name, untilContracted)
	require.NoError(t, err)
	require.Error(t, readOld(app, view))
	require.NoError(t, m.Remove(ctx, rename.Name))
	require.NoError(t, app.Ping(ctx), "nobody has ended it")
}
