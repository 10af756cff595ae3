package migrator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/migrator"
)

func text(values ...string) []*string {
	list := make([]*string, len(values))
	for i := range values {
		list[i] = &values[i]
	}
	return list
}

// TestRepairFromTheSideThatIsRead: before live the source is right, from live on
// the target.
func TestRepairFromTheSideThatIsRead(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	conn := audit(t, db)
	for range 5 { // up to constrain
		_, err := m.Advance(ctx, rename.Name, migrator.AdvanceOptions{})
		require.NoError(t, err)
	}
	db.Exec(t, `update users set full_name = 'sneaked in' where id in (7, 8)`)
	var mismatch *migrator.MismatchError
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.ErrorAs(t, err, &mismatch)

	r, err := m.Repair(ctx, rename.Name, migrator.RepairOptions{DryRun: true, ShowValues: true})
	require.NoError(t, err)
	require.EqualValues(t, []int64{300, 2, 0}, []int64{r.Scanned, r.Differed, r.Repaired})
	require.Equal(t, "source", r.Authority)
	require.Equal(t, []string{"full_name"}, r.From)
	require.Equal(t, migrator.RepairRow{Key: []string{"7"}, From: text("sneaked in"), To: text("user 7"), Becomes: text("sneaked in")}, r.Rows[0])
	require.Nil(t, r.Verification)
	require.Equal(t, "user 7", scan[string](t, conn, `select name from users where id = 7`), "a dry run changes nothing")

	r, err = m.Repair(ctx, rename.Name, migrator.RepairOptions{Limit: 1})
	require.NoError(t, err)
	require.EqualValues(t, 2, r.Repaired)
	require.Equal(t, []migrator.RepairRow{{Key: []string{"7"}}}, r.Rows, "no values without being asked for them")
	require.Zero(t, r.Verification.Mismatches)
	require.EqualValues(t, 300, r.Verification.Rows)
	equal(t, conn)
	require.Equal(t, "sneaked in", scan[string](t, conn, `select name from users where id = 7`))
	require.Equal(t, "tester: 2 rows, name from full_name [[7], [8]]", scan[string](t, conn, `
		select actor || ': ' || detail || ' ' || replace(evidence ->> 'keys', '"', '') from crossfade.history where event = 'repair'`))

	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	db.Exec(t, `alter table users drop constraint crossfade_t1_equal`)
	db.Exec(t, `update users set full_name = 'too late' where id = 9`)
	r, err = m.Repair(ctx, rename.Name, migrator.RepairOptions{})
	require.NoError(t, err)
	require.Equal(t, "target", r.Authority)
	require.EqualValues(t, 1, r.Repaired)
	require.Equal(t, "user 9", scan[string](t, conn, `select full_name from users where id = 9`))
	require.Zero(t, capabilities(t, conn), "nobody is left permitted to copy")
	r, err = m.Repair(ctx, rename.Name, migrator.RepairOptions{})
	require.NoError(t, err)
	require.Zero(t, r.Differed)
	require.Nil(t, r.Verification)

	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	var gate *migrator.GateError
	_, err = m.Repair(ctx, rename.Name, migrator.RepairOptions{})
	require.ErrorAs(t, err, &gate, "in off nothing is to be equal")
}

// TestRepairThatIsUndone: a trigger sets the row again. The repair says so, and
// changes nothing.
func TestRepairThatIsUndone(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	conn := audit(t, db)
	for range 5 {
		_, err := m.Advance(ctx, rename.Name, migrator.AdvanceOptions{})
		require.NoError(t, err)
	}
	db.Exec(t, `create function spoil() returns trigger language plpgsql as $$ begin new.name := 'spoilt'; return new; end $$;
		create trigger spoil before update on users for each row execute function spoil()`)
	db.Exec(t, `update users set visits = visits + 1 where id = 5`)
	_, err := m.Repair(ctx, rename.Name, migrator.RepairOptions{})
	require.ErrorContains(t, err, "rows differ after they were set: a trigger of the table sets them again")
	require.ErrorContains(t, err, "key (5)")
	require.Zero(t, scan[int](t, conn, `select count(*) from crossfade.history where event = 'repair'`))
	db.Exec(t, `drop trigger spoil on users`)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.DualWrite})
	require.NoError(t, err)
	_, err = m.Repair(ctx, rename.Name, migrator.RepairOptions{})
	require.NoError(t, err)
	equal(t, conn)
}
