package migrator_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/migrator"
)

// TestRollbackAfterEachStep goes n steps, returns to off, finds the table as
// it was, and goes all the way.
func TestRollbackAfterEachStep(t *testing.T) {
	t.Parallel()
	for n, name := range []string{
		"register", "expand", "dualwrite", "backfill", "index", "constrain", "verify", "enforce", "shadow", "live", "rampdown",
		"release", "complete",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, m := started(t, users, migrator.Config{})
			conn := audit(t, db)
			original := shape(t, conn)
			for range n {
				_, err := m.Advance(ctx, rename.Name, migrator.AdvanceOptions{})
				require.NoError(t, err)
			}
			status, err := m.Status(ctx, migrator.StatusOptions{Name: rename.Name})
			require.NoError(t, err)
			require.Equal(t, name, status[0].Step)
			if name == "complete" {
				// Writes of this phase leave the source out.
				db.Exec(t, `update users set name = name || '!', full_name = default where id % 3 = 0`)
				db.Exec(t, `insert into users (name, email) values ('late', 'late@example.org')`)
			}
			values := list[string](t, conn, `select id || email from users order by id`)

			p, err := m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
			require.NoError(t, err)
			require.Equal(t, migrator.Off, p.Phase)
			require.Equal(t, "register", p.Step)
			require.Equal(t, original, shape(t, conn))
			require.Equal(t, values, list[string](t, conn, `select id || email from users order by id`))
			if name == "complete" {
				require.Equal(t, "late", scan[string](t, conn, `select full_name from users where email = 'late@example.org'`))
				require.Equal(t, 100, scan[int](t, conn, `select count(*) from users where full_name like 'user %!'`))
			}
			require.Len(t, tokens(t, conn), 1)

			p, err = m.Run(ctx, rename.Name, untilContracted)
			require.NoError(t, err)
			require.Equal(t, migrator.Contracted, p.Phase)
			require.Equal(t, contractedShape, shape(t, conn))
		})
	}
}

// TestRollbackTo returns from each phase to each one before it, and goes on.
func TestRollbackTo(t *testing.T) {
	t.Parallel()
	phases := []migrator.Phase{migrator.Off, migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown, migrator.Complete}
	for i, from := range phases {
		t.Run(string(from), func(t *testing.T) {
			t.Parallel()
			db, m := started(t, users, migrator.Config{})
			conn := audit(t, db)
			for _, to := range phases[:i+1] {
				p, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: from})
				require.NoError(t, err)
				require.Equal(t, from, p.Phase)
				p, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{To: to})
				require.NoError(t, err, "to %s", to)
				require.Equal(t, to, p.Phase)
				require.Len(t, tokens(t, conn), 1+capabilities(t, conn))
				if to == migrator.RampDown {
					equal(t, conn)
				}
			}
		})
	}
}

func TestNoReturnFromContracted(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, migrator.Config{})
	_, err := m.Run(ctx, rename.Name, untilContracted)
	require.NoError(t, err)
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
	require.ErrorIs(t, err, migrator.ErrPointOfNoReturn)
}

func TestDirectionIsNamed(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, migrator.Config{})
	_, err := m.Rollback(ctx, rename.Name, migrator.RollbackOptions{To: migrator.Live})
	require.ErrorContains(t, err, "to go on is an advance")
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	_, err = m.Advance(ctx, rename.Name, migrator.AdvanceOptions{To: migrator.DualWrite})
	require.ErrorContains(t, err, "to return is a rollback")
	_, err = m.Contract(ctx, rename.Name, withoutSnapshot)
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
	_, err = m.Advance(ctx, rename.Name, migrator.AdvanceOptions{})
	require.ErrorAs(t, err, &gate)
	require.ErrorContains(t, err, "an act of its own")
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: "sideways"})
	require.ErrorContains(t, err, fmt.Sprintf("%q", "sideways"))
}
