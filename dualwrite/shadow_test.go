package dualwrite_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// everything compares each read, as fast as it comes.
func everything(c *dualwrite.Config) {
	c.Shadow = dualwrite.Shadow{Rate: 1, Concurrency: 2, StatementsPerSecond: -1}
}

// compared waits until so many reads have been compared or skipped.
func (f *fixture) compared(hook *dualwrite.Hook, n int) dualwrite.Stats {
	f.t.Helper()
	var stats dualwrite.Stats
	pgtest.WaitFor(f.t, fmt.Sprintf("%d comparisons", n), func() bool {
		stats = hook.Stats()
		done := stats.Compared + stats.Dropped
		for _, skipped := range stats.Skipped {
			done += skipped
		}
		return done >= uint64(n)
	})
	return stats
}

// mismatches waits until the ledger has so many.
func (f *fixture) mismatches(n int) (list []ledger.Mismatch) {
	f.t.Helper()
	pgtest.WaitFor(f.t, fmt.Sprintf("%d mismatches in the ledger", n), func() bool {
		var err error
		list, err = ledger.Mismatches(f.t.Context(), f.admin, f.move.ID)
		require.NoError(f.t, err)
		return len(list) >= n
	})
	require.Len(f.t, list, n)
	return list
}

// shadowed is in phase p, with a hook that compares each read.
func shadowed(t testing.TB, p phase.Phase) (*fixture, *dualwrite.Hook) {
	f := moving(t)
	f.to(p)
	hook := f.hook(everything)
	f.run(hook)
	return f, hook
}

func TestComparedInEveryMode(t *testing.T) {
	for _, p := range []phase.Phase{phase.Shadow, phase.Live} {
		f, hook := shadowed(t, p)
		ctx := t.Context()
		n := 0
		for _, mode := range modes {
			pool := f.pool(hook, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
			for range 3 {
				var name string
				require.NoError(t, pool.QueryRow(ctx, `select full_name from users where id = $1`, 7).Scan(&name))
				require.Equal(t, "user 7", name)
				n++
				stats := f.compared(hook, n) // one after the other, so none is dropped
				require.EqualValues(t, n, stats.Compared, "%v in %s: %v", mode, p, stats)
			}
		}
		require.Zero(t, hook.Stats().Mismatched)
		_, err := f.admin.Exec(ctx, `update users set name = 'somebody else' where id = 7`)
		require.NoError(t, err)
		for _, mode := range modes {
			pool := f.pool(hook, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
			_, err := pool.Exec(ctx, `select full_name from users where id = $1`, 7)
			require.NoError(t, err)
			n++
			f.compared(hook, n)
		}
		require.EqualValues(t, len(modes), hook.Stats().Mismatched)
		require.Equal(t, len(modes), f.seen(dualwrite.Mismatched))
		var list []ledger.Mismatch
		pgtest.WaitFor(t, "the report", func() bool {
			total := int64(0)
			list, err = ledger.Mismatches(ctx, f.admin, f.move.ID)
			require.NoError(t, err)
			for _, m := range list {
				total += m.Count
			}
			return total == int64(len(modes))
		})
		for _, m := range list { // the simple protocol has its constants in the text
			require.Contains(t, m.Statement, "select full_name from users where id =")
			require.NotContains(t, m.Statement, "7")
			require.Empty(t, m.Parameters)
			require.Equal(t, "rows", m.Kind)
			require.Equal(t, string(p), m.Phase)
			require.Equal(t, f.move.Epoch, m.Epoch)
		}
		reads, err := ledger.ReadsOf(ctx, f.admin, f.move)
		require.NoError(t, err)
		require.Len(t, reads, 1)
		for _, r := range reads {
			require.EqualValues(t, n, r.Compared)
			require.EqualValues(t, len(modes), r.Mismatched)
			require.EqualValues(t, n, r.Timed)
			require.Positive(t, r.SourceSeconds)
			require.Positive(t, r.TargetSeconds)
		}
	}
}

// What must not run twice does not, and is counted with its reason.
func TestNotComparedTwice(t *testing.T) {
	f, hook := shadowed(t, phase.Shadow)
	f.exec(`create table calls (n int);
		create function noisy(text) returns text language sql volatile as $$ 
			insert into calls values (1); select pg_advisory_lock(4242); select $1 $$;
		create function liar(text) returns text language plpgsql stable as $$ begin perform noisy($1); return $1; end $$;
		create function noisy_row(other) returns text language sql volatile as $$ select clock_timestamp()::text $$;
		create function one() returns setof int language sql immutable as $$ select 1 $$;
		create function own(a text, b text) returns boolean language sql volatile as $$ select a = b $$;
		create operator === (leftarg = text, rightarg = text, function = own);
		create aggregate together(text) (sfunc = textcat, stype = text);
		create domain short as text check (length(value) < 100);
		create view ages as select id, age from users;
		create table secrets (id int); alter table secrets enable row level security; alter table secrets force row level security;
		create role reader; grant usage on schema public to reader; grant select on all tables in schema public to reader;
		create sequence numbers`)
	pool := f.pool(hook)
	ctx := t.Context()
	n := 0
	for _, c := range []struct{ reason, sql string }{
		{"volatile", `select noisy(full_name) from users where id = 1`},
		{"volatile", `select full_name from users where id = 1 and noisy('x') = 'x'`},
		{"volatile", `select full_name, random() from users where id = 1`},
		{"volatile", `select full_name, nextval('numbers') from users where id = 1`},
		{"volatile", `select full_name from users where full_name === 'user 1'`},
		{"volatile", `select full_name from users tablesample system (100)`},
		{"volatile", `select liar(full_name) from users where id = 1`},
		{"volatile", `select full_name, o.noisy_row from users left join other o using (id) where id = 1`},
		{"volatile", `select full_name, (o).noisy_row from users left join other o using (id) where id = 1`},
		{"order", `select o.array_agg from users join other o on o.note = full_name`},
		{"unknown", `select full_name, one() from users where id = 1`},
		{"unknown", `select full_name::short from users where id = 1`},
		{"order", `select together(full_name) from users`},
		{"order", `select array_agg(full_name) from users`},
		{"order", `select full_name, row_number() over (order by age) from users`},
		{"order", `select full_name from users limit 5`},
		{"order", `select full_name from users order by age limit 5`},
		{"order", `select full_name from users where age = 3 limit 1`},
		{"order", `select distinct on (age) full_name from users order by age`},
		{"order", `select avg(age::float8), max(full_name) from users`},
		{"session", `select full_name, current_setting('work_mem') from users where id = 1`},
		{"session", `select full_name, statement_timestamp() from users where id = 1`},
		{"relation", `select full_name from users join ages using (id) where id = 1`},
		{"write", `with w as (insert into other values (77, 'x') returning id) select full_name from users where id = (select id - 76 from w)`},
		{"rows", `select full_name from users, generate_series(1, 100)`},
	} {
		before := hook.Stats().Skipped[c.reason]
		_, err := pool.Exec(ctx, c.sql)
		require.NoError(t, err, c.sql)
		n++
		stats := f.compared(hook, n)
		require.EqualValues(t, before+1, stats.Skipped[c.reason], "%s: %v", c.sql, stats)
	}
	// noisy has left its traces in the application's session and nowhere else, also
	// what a rollback does not undo.
	var calls, locks, elsewhere int
	require.NoError(t, f.admin.QueryRow(ctx, `select count(*) from calls`).Scan(&calls))
	require.Equal(t, 3, calls)
	require.NoError(t, f.admin.QueryRow(ctx, `select count(*), count(*) filter (where application_name = 'crossfade shadow')
		from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' and objid = 4242`).Scan(&locks, &elsewhere))
	require.Positive(t, locks)
	require.Zero(t, elsewhere)
	// Writes and locks are no reads at all.
	for _, sql := range []string{
		`select full_name from users where id = 1 for update`,
		`update users set full_name = full_name where id = 1 returning full_name`,
		`select full_name from users where id = 1; select full_name from users where id = 2`,
		`select full_name into temp taken from users where id = 1`,
	} {
		_, err := pool.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err, sql)
	}
	// The session's role and search_path are others than those of the comparison.
	require.NoError(t, pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		_, err := c.Exec(ctx, `set role reader`)
		require.NoError(t, err)
		_, err = c.Exec(ctx, `select full_name from users where id = 1`)
		return err
	}))
	n++
	stats := f.compared(hook, n)
	require.EqualValues(t, 2, stats.Skipped["session"])
	require.EqualValues(t, 1, stats.Skipped["search-path"])
	require.Zero(t, stats.Compared)
	require.Zero(t, stats.Dropped)
	require.Zero(t, stats.Mismatched)
}

// A function may claim to do nothing, and take what outlives a transaction. No session
// of the comparisons keeps it, and all of them go on being Crossfade's own.
func TestComparisonsLeaveNothingBehind(t *testing.T) {
	f, hook := shadowed(t, phase.Shadow)
	f.exec(`create function grabs(text) returns text language plpgsql stable as $$ begin
		perform pg_advisory_lock_shared(4242), set_config('work_mem', '1MB', false); return $1; end $$`)
	pool := f.pool(hook)
	for n := range 3 {
		_, err := pool.Exec(t.Context(), `select grabs(full_name) from users where id = 1`)
		require.NoError(t, err)
		require.EqualValues(t, n+1, f.compared(hook, n+1).Compared)
	}
	var sessions, locks, own int
	require.NoError(t, f.admin.QueryRow(t.Context(), `select count(distinct pid), count(*) filter (where objid = 4242), count(*) filter (where classid::bigint = $1)
		from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' and application_name = 'crossfade shadow'`, fence.OwnClass).
		Scan(&sessions, &locks, &own))
	require.Positive(t, sessions)
	require.Zero(t, locks)
	require.Equal(t, sessions, own)
}

// What is fixed by a key, or comes in any order, is compared.
func TestComparedWhateverTheOrder(t *testing.T) {
	f, hook := shadowed(t, phase.Shadow)
	pool := f.pool(hook)
	n := 0
	for _, sql := range []string{
		`select full_name from users where id = 3 limit 1`,
		`select full_name from users u where age > 3 and 5 = u.id limit 1`,
		`select * from users order by id limit 10 offset 5`,
		`select full_name from users order by full_name, id`,
		`select full_name from users`,
		`select 1 from users where full_name like 'user%' limit 1`,
		`select count(*), min(full_name), max(full_name) from users`,
		`select full_name, count(*) from users group by 1 having count(*) > 0`,
		`select array_agg(full_name order by full_name) from users`,
		`select full_name, rank() over (order by age), count(*) over () from users`,
		`with u as (select * from users) select full_name from u where exists (select from u v where v.id = u.id)`,
		`select u.full_name, o.note from users u left join other o on o.id = u.id`,
		`select full_name, now(), lower(full_name)::varchar, age / 3.0 from users`,
	} {
		_, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
		n++
		stats := f.compared(hook, n)
		require.EqualValues(t, n, stats.Compared, "%s: %v", sql, stats)
		require.Zero(t, stats.Mismatched, sql)
	}
}

// Snapshots: under writes that never rest, no comparison finds a difference.
func TestNoFalseMismatch(t *testing.T) {
	f, hook := shadowed(t, phase.Shadow)
	pool := f.pool(hook, func(c *pgxpool.Config) { c.MaxConns = 6 })
	writing, stop := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for w := range 2 {
		go func() {
			for i := 0; writing.Err() == nil; i++ {
				_, err := pool.Exec(t.Context(), `update users set full_name = $1, age = age + 1 where id % 2 = $2`, fmt.Sprint("writer ", i), w)
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	pgtest.WaitFor(t, "comparisons", func() bool {
		_, err := pool.Exec(t.Context(), `select full_name, age from users where id < 50`)
		require.NoError(t, err)
		_, err = pool.Exec(t.Context(), `select full_name, count(*) from users group by 1 order by 1`)
		require.NoError(t, err)
		return hook.Stats().Compared > 200
	})
	stop()
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	require.Zero(t, hook.Stats().Mismatched)
}

// The application does not wait for a comparison that waits, and what does not fit
// is dropped.
func TestComparisonsHoldNobodyUp(t *testing.T) {
	f := moving(t)
	f.to(phase.Shadow)
	hook := f.hook(func(c *dualwrite.Config) {
		everything(c)
		c.Shadow.Concurrency = 1
	})
	f.run(hook)
	pool := f.pool(hook)
	ctx := t.Context()
	_, err := pool.Exec(ctx, `select full_name from users where id = 1`)
	require.NoError(t, err)
	f.compared(hook, 1)

	// The connection that compares waits for this lock before it may judge anything new.
	blocker := f.Conn(t)
	tx, err := blocker.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `lock table pg_catalog.pg_aggregate in access exclusive mode`)
	require.NoError(t, err)
	for i := range 50 {
		var name string
		sql := fmt.Sprintf(`select full_name from users where id = %d`, i+1)
		require.NoError(t, pool.QueryRow(ctx, sql).Scan(&name))
	}
	require.NoError(t, tx.Rollback(ctx))
	stats := f.compared(hook, 51)
	require.Positive(t, stats.Dropped, "%v", stats)
	require.Zero(t, stats.Mismatched)
	// The waiting ended by its lock_timeout, and things go on.
	before := stats.Compared
	pgtest.WaitFor(t, "a comparison", func() bool {
		_, err := pool.Exec(ctx, `select full_name from users where id = 1`)
		require.NoError(t, err)
		return hook.Stats().Compared > before
	})
}

// A flip does not wait for more than the comparison under way, and one of a phase
// that has ended is none.
func TestComparisonsAcrossFlips(t *testing.T) {
	f, hook := shadowed(t, phase.Shadow)
	pool := f.pool(hook)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	var reads atomic.Int64
	go func() {
		for ctx.Err() == nil {
			if _, err := pool.Exec(t.Context(), `select full_name from users where id < 50`); err != nil {
				done <- err
				return
			}
			reads.Add(1)
		}
		done <- nil
	}()
	for range 5 {
		for _, p := range []phase.Phase{phase.Live, phase.Shadow} {
			enough := reads.Load() + 10
			f.step(p)
			f.drained()
			f.drop()
			pgtest.WaitFor(t, "reads", func() bool { return reads.Load() >= enough || len(done) > 0 })
		}
	}
	stop()
	require.NoError(t, <-done)
	stats := hook.Stats()
	require.Zero(t, stats.Mismatched)
	require.Zero(t, f.seen(dualwrite.ShadowFailed))
}

// What only one side can do is a difference, and so is what the target refuses.
func TestOnlyOneSideFails(t *testing.T) {
	f, hook := shadowed(t, phase.Shadow)
	pool := f.pool(hook)
	ctx := t.Context()
	f.exec(`update users set name = 'not a number' where id = 2; update users set full_name = '2' where id = 2`)
	_, err := pool.Exec(ctx, `select full_name::int from users where id = 2`)
	require.NoError(t, err)
	stats := f.compared(hook, 1)
	require.EqualValues(t, 1, stats.Mismatched)
	m := f.mismatches(1)[0]
	require.Equal(t, "error", m.Kind)
	require.Equal(t, "22P02", m.Code)
	require.Equal(t, "only the read of the target fails", m.Detail, "the server's message has a value of the row")
}

// With KeepValues the ledger has what is needed to run it again.
func TestMismatchWithValues(t *testing.T) {
	f := moving(t)
	f.to(phase.Shadow)
	hook := f.hook(func(c *dualwrite.Config) {
		everything(c)
		c.Shadow.KeepValues = true
	})
	f.run(hook)
	pool := f.pool(hook)
	f.exec(`update users set name = 'x' where id = 2`)
	_, err := pool.Exec(t.Context(), `select full_name from users where full_name = $1 and id > 0`, "user 2")
	require.NoError(t, err)
	f.compared(hook, 1)
	m := f.mismatches(1)[0]
	require.Equal(t, []string{"user 2"}, m.Parameters)
	require.True(t, strings.HasSuffix(m.Statement, "id > 0"))
}
