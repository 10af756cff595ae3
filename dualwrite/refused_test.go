package dualwrite_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// wholeRow is refused in every phase.
const wholeRow = `select u /* by ada */ from users u where age in (4711, $1) and full_name <> 'secret'`

func (f *fixture) refusedNow() []ledger.RefusedStatement {
	f.t.Helper()
	list, err := ledger.Refused(f.t.Context(), f.admin, f.move.ID)
	require.NoError(f.t, err)
	return list
}

// waitRefused waits until so many refusals are in the ledger, all in all.
func (f *fixture) waitRefused(n int64) (list []ledger.RefusedStatement) {
	f.t.Helper()
	pgtest.WaitFor(f.t, fmt.Sprintf("%d refusals in the ledger", n), func() bool {
		sum := int64(0)
		list = f.refusedNow()
		for _, r := range list {
			sum += r.Count
		}
		require.LessOrEqual(f.t, sum, n)
		return sum == n
	})
	return list
}

func (f *fixture) refuse(pool *pgxpool.Pool, sql string, args ...any) *dualwrite.Refusal {
	f.t.Helper()
	_, err := pool.Exec(f.t.Context(), sql, args...)
	refusal, ok := dualwrite.AsRefusal(err)
	require.True(f.t, ok, "%v", err)
	return refusal
}

func called(name string) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["application_name"] = name }
}

// What is refused is in the ledger soon, once for texts that differ in constants,
// with the words of the error and nothing of the values.
func TestRefusedReachTheLedger(t *testing.T) {
	t.Parallel()
	f := moving(t)
	hook := f.hook()
	f.run(hook)
	pool := f.pool(hook, called("checkout"))
	refusal := f.refuse(pool, wholeRow, 99)
	f.refuse(pool, strings.ReplaceAll(wholeRow, "secret", "other"), 98)
	first := f.waitRefused(2)
	require.Len(t, first, 1)
	require.Equal(t, "select u from users u where age in (?, $1) and full_name <> ?", first[0].Statement)
	require.Equal(t, refusal.Message, first[0].Message)
	require.Equal(t, refusal.Hint, first[0].Hint)
	require.Equal(t, "checkout", first[0].Application)
	require.Equal(t, string(phase.Off), first[0].Phase)
	require.NotEmpty(t, first[0].Instance)

	f.to(phase.DualWrite)
	pgtest.WaitFor(t, "the pool to follow", func() bool {
		f.refuse(pool, wholeRow, 1)
		return hook.Stats().Connections[f.move.Epoch] > 0
	})
	pgtest.WaitFor(t, "the new phase", func() bool { return f.refusedNow()[0].Phase == string(phase.DualWrite) })
	again := f.waitRefused(int64(hook.Stats().Refused))[0]
	require.Equal(t, first[0].FirstAt, again.FirstAt)
	require.True(t, again.LastAt.After(first[0].LastAt))
	require.Equal(t, f.move.Epoch, again.Epoch)

	// Who sets it is called that from then on; a text that cannot be parsed is not
	// quoted by its message.
	_, err := pool.Exec(t.Context(), `set application_name = 'renamed'`)
	require.NoError(t, err)
	require.Contains(t, f.refuse(pool, `select full_name from users where full_name = 'a' 'password'`).Message, "password")
	list := f.waitRefused(int64(hook.Stats().Refused))
	require.Len(t, list, 2)
	require.Equal(t, "renamed", list[0].Application)
	require.Equal(t, "crossfade: the text cannot be parsed", list[0].Message)
	require.Equal(t, "select full_name from users where full_name = ? ?", list[0].Statement)
	require.Zero(t, f.seen(dualwrite.ReportFailed))
}

// Each transition has those that name its table, and those that name none.
func TestRefusedByTransition(t *testing.T) {
	t.Parallel()
	f := moving(t)
	f.exec(`alter table other add column remark text`)
	other := ledger.Transition{Name: "other.note", Schema: "public", Table: "other", Definition: ledger.Definition{
		Move: transform.Renamed(transform.Column{Name: "note", Type: "text", BaseType: "text", Position: 2}, "remark"),
		Key:  []string{"id"}, KeyTypes: []string{"bigint"},
	}}
	require.NoError(t, ledger.Register(t.Context(), f.admin, &other, ledger.Event{Actor: "test", Event: "register"}))
	hook := f.hook()
	f.run(hook)
	pool := f.pool(hook, func(c *pgxpool.Config) { c.MaxConns = 1 })
	f.refuse(pool, `select o from other o`)
	f.refuse(pool, `select u from users u`)
	f.refuse(pool, `select u, o from users u, other o`)
	f.refuse(pool, `do 'begin delete from users; end'`)
	_, err := pool.Exec(t.Context(), `prepare p as select 1; set search_path = public`, pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err)
	f.refuse(pool, `execute p`)
	list := f.waitRefused(4)
	var texts []string
	for _, r := range list {
		texts = append(texts, r.Statement)
	}
	require.ElementsMatch(t, []string{"select u from users u", "select u, o from users u, other o", "do ?", "execute p"}, texts)
	others, err := ledger.Refused(t.Context(), f.admin, other.ID)
	require.NoError(t, err)
	require.Len(t, others, 3)
}

// Where the server reads quotes in another way, nobody knows what is a constant.
func TestRefusedTextIsNotGuessed(t *testing.T) {
	t.Parallel()
	f := moving(t)
	hook := f.hook()
	f.run(hook)
	pool := f.pool(hook, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["standard_conforming_strings"] = "off" })
	f.refuse(pool, `select 'a\' secret '' from users`)
	require.Empty(t, f.waitRefused(1)[0].Statement)
}

// A statement that is refused all the time is written down now and then, whoever
// sends it how often.
func TestRefusedInALoop(t *testing.T) {
	t.Parallel()
	f := moving(t)
	f.exec(`create table reports (at timestamptz default clock_timestamp());
		alter function crossfade.report_refused_v1(jsonb) rename to really;
		create function crossfade.report_refused_v1(report jsonb) returns void language sql security definer
			as 'insert into public.reports default values; select crossfade.really(report)'`)
	const poll = 20 * time.Millisecond
	hook := f.hook(func(c *dualwrite.Config) { c.PollInterval = poll })
	f.run(hook)
	pool := f.pool(hook)
	began := time.Now()
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for i := range 200 {
				_, err := pool.Exec(t.Context(), fmt.Sprintf(`select u from users u where id = %d`, i), pgx.QueryExecModeSimpleProtocol)
				if _, refused := dualwrite.AsRefusal(err); !refused {
					t.Errorf("not refused: %v", err)
				}
			}
		})
	}
	senders.Wait()
	require.Len(t, f.waitRefused(800), 1)
	var reports int
	require.NoError(t, f.admin.QueryRow(t.Context(), `select count(*) from reports`).Scan(&reports))
	require.LessOrEqual(t, reports, 1+int(time.Since(began)/poll))
}

// However many texts are refused, a bounded number is kept; the counters have all.
func TestRefusedTextsAreBounded(t *testing.T) {
	t.Parallel()
	f := moving(t)
	hook := f.hook(func(c *dualwrite.Config) { c.PollInterval = time.Hour })
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = hook.Run(ctx) })
	pool := f.pool(hook)
	for i := range 150 {
		f.refuse(pool, fmt.Sprintf(`select u as c%d from users u`, i))
	}
	f.refuse(pool, `select u as c0, `+strings.Repeat("'x' as y, ", 4000)+`1 from users u`)
	f.waitEvent(dualwrite.Following)
	stop() // it reports for the last time
	running.Wait()
	require.EqualValues(t, 151, hook.Stats().Refused)
	require.Len(t, f.waitRefused(100), 100)
}

// What cannot be written is written later. A ledger that does not know refusals
// hears of none, and nobody is worse off.
func TestRefusedAreKeptUntilReported(t *testing.T) {
	t.Parallel()
	f := moving(t)
	f.exec(`revoke execute on function crossfade.report_refused_v1 from public`)
	role := "app_" + f.Name
	f.exec(`create role ` + role + ` login; grant all on users to ` + role)
	t.Cleanup(func() { f.Exec(t, `drop owned by `+role+`; drop role `+role) })
	hook := f.hook()
	f.run(hook)
	// Its transactions write nothing by default.
	pool := f.pool(hook, func(c *pgxpool.Config) {
		c.ConnConfig.User, c.ConnConfig.RuntimeParams["default_transaction_read_only"] = role, "on"
	})
	f.refuse(pool, wholeRow, 1)
	f.waitEvent(dualwrite.ReportFailed)
	f.refuse(pool, wholeRow, 1)
	require.Empty(t, f.refusedNow())
	f.exec(`grant execute on function crossfade.report_refused_v1 to public`)
	f.waitRefused(2)

	f.exec(`alter function crossfade.report_refused_v1 rename to report_refused_v2`)
	failed := f.seen(dualwrite.ReportFailed)
	f.refuse(pool, wholeRow, 1)
	pgtest.WaitFor(t, "the hook to find that there is nobody to report to", func() (asked bool) {
		require.NoError(t, f.admin.QueryRow(t.Context(), `select exists (select from pg_stat_activity where application_name = 'crossfade hook'
			and datname = current_database() and state = 'idle' and query like '%to_regprocedure(''crossfade.report_refused_v1%')`).Scan(&asked))
		return asked
	})
	require.Equal(t, failed, f.seen(dualwrite.ReportFailed))
	require.Len(t, f.waitRefused(2), 1)
}
