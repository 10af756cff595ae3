package migrator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// reported writes down what a hook would report of the phase in force.
func reported(t testing.TB, db *pgtest.DB, instance string, reads ledger.Reads, mismatches ...ledger.Mismatch) {
	t.Helper()
	conn := audit(t, db)
	now, err := ledger.Get(ctx, conn, rename.Name)
	require.NoError(t, err)
	require.NoError(t, ledger.ReportReads(ctx, conn, ledger.Report{Instance: instance, Transitions: []ledger.TransitionReport{{
		ID: now.ID, Epoch: now.Epoch, Reads: reads, Mismatches: mismatches,
	}}}))
}

var mismatch = ledger.Mismatch{
	Fingerprint: "f1", Statement: "select full_name from users where id = $1", Kind: "rows", Detail: "1 of 1 rows", Phase: "shadow", Count: 2,
}

func TestMismatchesHoldLive(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	reported(t, db, "one", ledger.Reads{Compared: 10, Mismatched: 2, Skipped: map[string]int64{"order": 3}}, mismatch)
	reported(t, db, "two", ledger.Reads{Compared: 5, Mismatched: 2, Skipped: map[string]int64{"order": 1}}, mismatch)
	status, err := m.Status(ctx, migrator.StatusOptions{Name: rename.Name})
	require.NoError(t, err)
	require.Equal(t, &migrator.Reads{Instances: 2, Reads: ledger.Reads{Compared: 15, Mismatched: 4, Skipped: map[string]int64{"order": 4}}}, status[0].Reads)
	require.Equal(t, 1, status[0].Mismatches)
	require.EqualValues(t, 4, status[0].LastMismatch.Count)

	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	require.Equal(t, "reads-agree", gate.Gate)
	require.True(t, gate.Forcible)
	require.Contains(t, gate.Hint, "crossfade mismatches users-name")

	// Long ago is not now.
	old := newMigrator(t, db, migrator.Config{ReadsQuiet: time.Nanosecond, MinComparisons: 16})
	_, err = old.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.ErrorAs(t, err, &gate)
	require.Contains(t, gate.Why, "15 reads have been compared, 16 are wanted")

	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live,
		Force: migrator.Force{Gates: []string{"reads-agree"}, Reason: "it sorts by another collation"}})
	require.NoError(t, err)
	require.Equal(t, []string{"shadow -> live, gate reads-agree forced: it sorts by another collation, 15 reads compared"},
		list[string](t, audit(t, db), `select detail from crossfade.history where detail like 'shadow -> live%'`))

	// A new phase begins to count anew; what is listed stays until it is forgotten.
	status, err = m.Status(ctx, migrator.StatusOptions{Name: rename.Name})
	require.NoError(t, err)
	require.Nil(t, status[0].Reads)
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{To: migrator.Shadow})
	require.NoError(t, err)
	n, err := m.ForgetMismatches(ctx, rename.Name, "repaired")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	found, err := m.Mismatches(ctx, rename.Name)
	require.NoError(t, err)
	require.Empty(t, found)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	require.Equal(t, []string{"0"}, list[string](t, audit(t, db),
		`select evidence -> 'reads' ->> 'compared' from crossfade.history where detail = 'shadow -> live'`))
}

// What an application reports is bounded, and about transitions that there are.
func TestReportsAreBounded(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	conn := audit(t, db)
	for _, sql := range []string{
		`select crossfade.report_reads_v1(jsonb_build_object('instance', repeat('x', 10000), 'transitions', (
			select jsonb_agg(jsonb_build_object('id', i, 'epoch', 7, 'reads', '{"compared": 1, "later": 2}'::jsonb, 'mismatches', '[]'::jsonb))
			from generate_series(1, 3) i)))`,
		`select crossfade.report_reads_v1(jsonb_build_object('instance', i::text, 'transitions', jsonb_build_array(jsonb_build_object(
			'id', 1, 'epoch', 7, 'reads', '{}'::jsonb, 'mismatches', (select jsonb_agg(jsonb_build_object(
				'fingerprint', i || ' ' || j, 'statement', repeat('y', 10000), 'kind', 'rows', 'phase', 'shadow', 'count', 1))
				from generate_series(1, 150) j)))))
			from generate_series(1, 3) i`,
	} {
		_, err = conn.Exec(ctx, sql)
		require.NoError(t, err)
	}
	require.Equal(t, 4, scan[int](t, conn, `select count(*) from crossfade.reads`))
	require.Equal(t, 200, scan[int](t, conn, `select max(length(instance)) from crossfade.reads`))
	require.Equal(t, 100, scan[int](t, conn, `select count(*) from crossfade.mismatch`))
	require.Equal(t, 4000, scan[int](t, conn, `select max(length(statement)) from crossfade.mismatch`))
}
