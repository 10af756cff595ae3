package migrator_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// refuse writes down what a hook would report as refused.
func refuse(t testing.TB, db *pgtest.DB, instance string, list ...ledger.RefusedStatement) {
	t.Helper()
	require.NoError(t, ledger.ReportRefused(ctx, audit(t, db), ledger.RefusedReport{Instance: instance, Refused: list}))
}

// Status has what was refused within the last day, the last one first.
func TestStatusOfRefused(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	look := func() []migrator.RefusedStatement {
		t.Helper()
		list, err := m.Status(ctx, migrator.StatusOptions{Name: rename.Name})
		require.NoError(t, err)
		return list[0].Refused
	}
	require.Empty(t, look())
	one := ledger.RefusedStatement{Transition: 1, Fingerprint: "f1", Statement: "select u from users u", Message: "crossfade: no", Hint: "Do not.",
		Phase: "off", Epoch: 2, Application: "checkout", Count: 3}
	other := one
	other.Fingerprint, other.Statement, other.Application = "f2", "", "cron"
	refuse(t, db, "web-1", one)
	refuse(t, db, "web-2", one, other)
	elsewhere := one
	elsewhere.Transition = 4711
	refuse(t, db, "web-3", elsewhere)
	refuse(t, db, "web-2", one)
	list := look()
	require.Len(t, list, 2)
	first := list[0]
	require.WithinDuration(t, time.Now(), first.LastAt, time.Minute)
	require.True(t, first.FirstAt.Before(first.LastAt))
	require.Less(t, first.Ago, time.Minute)
	require.EqualValues(t, 9, first.Count)
	require.Equal(t, []string{"web-2", "checkout", "crossfade: no", "Do not.", "off"}, []string{first.Instance, first.Application, first.Message, first.Hint, first.Phase})
	require.Equal(t, "cron", list[1].Application)

	// What is a day old is not shown, is counted anew, and goes with the next report.
	db.Exec(t, `update crossfade.refused set last_at = last_at - interval '25 hours', first_at = first_at - interval '26 hours'`)
	require.Empty(t, look())
	refuse(t, db, "web-1", one)
	list = look()
	require.Len(t, list, 1)
	require.EqualValues(t, 3, list[0].Count)
	require.WithinDuration(t, time.Now(), list[0].FirstAt, time.Minute)
	require.Equal(t, 1, scan[int](t, audit(t, db), `select count(*) from crossfade.refused`))

	require.NoError(t, m.Remove(ctx, rename.Name))
	refuse(t, db, "web-1", other)
	require.Zero(t, scan[int](t, audit(t, db), `select count(*) from crossfade.refused where fingerprint = 'f2'`), "it is removed")
}

// What anybody reports is bounded, and instances that report at once do not get into
// each other's way.
func TestRefusedReportsAreBounded(t *testing.T) {
	t.Parallel()
	db, _ := started(t, users, migrator.Config{})
	var instances sync.WaitGroup
	for i := range 4 {
		conn := audit(t, db)
		instances.Go(func() {
			for n := range 10 {
				var list []ledger.RefusedStatement
				for k := range 50 {
					list = append(list, ledger.RefusedStatement{Transition: 1, Fingerprint: fmt.Sprint((k*7 + n*i) % 150), Count: 1})
				}
				if err := ledger.ReportRefused(ctx, conn, ledger.RefusedReport{Instance: fmt.Sprint(i), Refused: list}); err != nil {
					t.Errorf("instance %d: %v", i, err)
				}
			}
		})
	}
	instances.Wait()
	conn := audit(t, db)
	_, err := conn.Exec(ctx, `select crossfade.report_refused_v1(jsonb_build_object('instance', repeat('x', 10000), 'refused', (
		select jsonb_agg(jsonb_build_object('transition', 1, 'fingerprint', 'g' || i, 'statement', repeat('y', 10000), 'message', repeat('z', 10000),
			'hint', '', 'phase', 'off', 'epoch', 1, 'application', repeat('a', 10000), 'count', 9223372036854775807))
		from generate_series(1, 150) i)))`)
	require.NoError(t, err)
	require.Equal(t, []string{"100 4000 1000 200 200 1000000000"}, list[string](t, conn, `select concat_ws(' ', count(*), max(length(statement)),
		max(length(message)), max(length(application)), max(length(instance)), max(count)) from crossfade.refused`))
}
