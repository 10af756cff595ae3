package migrator_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// rampKinds are the kinds of moves, each with statements of an application that knows
// the source.
var rampKinds = []struct {
	name, setup string
	transition  migrator.Transition
	// reads are run both ways. write changes row $1 to what the number $2 says.
	reads []string
	write string
	// plan shows which side a connection reads by the columns in its output, of which
	// target is one.
	plan, target string
	// plant changes the target of row 7, and nothing else.
	plant string
}{
	{
		name: "rename", setup: users, transition: rename,
		reads: []string{`select full_name from users where id = 7`, `select id, full_name from users where full_name = 'user 7'`,
			`select full_name, count(*) from users group by full_name`},
		write: `update users set full_name = 'user ' || $2::int where id = $1`,
		plan:  `select full_name from users`, target: "Output: name", plant: `update users set name = 'planted' where id = 7`,
	},
	{
		name: "change", transition: widening(),
		setup: `create table users (id bigint primary key, age int not null default 0); create index on users (age);
			insert into users select i, i from generate_series(1, 300) i`,
		reads: []string{`select age from users where id = 7`, `select id from users where age = 7`, `select sum(age), max(age) from users`},
		write: `update users set age = $2 where id = $1`,
		plan:  `select age from users`, target: "age_big", plant: `update users set age_big = -1 where id = 7`,
	},
	{
		name: "split", setup: people, transition: splitting(),
		reads: []string{`select full_name from users where id = 7`, `select * from users where id = 7`, `select id from users where full_name = 'First7 Last7'`},
		write: `update users set full_name = 'First' || $2::int || ' Last' where id = $1`,
		plan:  `select full_name from users`, target: "first_name", plant: `update users set last_name = 'planted' where id = 7`,
	},
	{
		name: "merge", transition: merging(),
		setup: people + `; alter table users add first_name text not null default 'Jane', add last_name text;
			update users set first_name = 'F' || id, last_name = 'L' || id; alter table users alter last_name set not null; alter table users drop full_name`,
		reads: []string{`select first_name, last_name from users where id = 7`, `select * from users where id = 7`,
			`select id from users where last_name = 'L7'`, `select count(*), max(first_name) from users`},
		write: `update users set first_name = 'F' || $2::int, last_name = 'L' where id = $1`,
		plan:  `select first_name from users`, target: "full_name", plant: `update users set full_name = 'planted it' where id = 7`,
	},
}

// TestRampOfEachKind: whatever moves and whatever keeps the other writers, so many
// connections read the target as the ramp says, reads are compared and do not differ
// while applications write; and a row that does differ is found, and takes the reads
// back.
func TestRampOfEachKind(t *testing.T) {
	t.Parallel()
	const conns = 8
	for _, c := range rampKinds {
		for _, sync := range []string{"none", "trigger", "refuse", "logical"} {
			t.Run(c.name+", "+sync, func(t *testing.T) {
				t.Parallel()
				tr := c.transition
				switch tr.Sync = sync; sync {
				case "none":
					tr.Sync = ""
				case "refuse":
					tr = withSync(tr, "refuse")
				}
				db, m := start(t, c.setup, tr, migrator.Config{})
				_, err := m.Ramp(ctx, tr.Name, 50)
				require.NoError(t, err)
				_, err = m.Run(ctx, tr.Name, migrator.RunOptions{Until: migrator.Live})
				require.NoError(t, err)
				a := newShadowed(t, db, dualwrite.Shadow{Rate: 1, StatementsPerSecond: -1}, func(c *pgxpool.Config) { c.MaxConns = conns })
				share := func() int {
					n := 0
					for _, explained := range a.each(t, conns, "explain verbose "+c.plan) {
						if strings.Contains(explained, c.target) {
							n++
						}
					}
					return n
				}
				require.InDelta(t, conns/2, share(), 1)
				for _, percent := range []int{25, 75} {
					_, err = m.Ramp(ctx, tr.Name, percent)
					require.NoError(t, err)
					pgtest.WaitFor(t, fmt.Sprintf("a ramp of %d", percent), func() bool {
						return math.Abs(float64(share())-float64(percent*conns)/100) <= 1
					})
				}

				var guard guarded
				guard.start(t, newMigrator(t, db, migrator.Config{RampLimits: migrator.RampLimits{Latency: -1}}), tr.Name)
				want := int64(20 * len(c.reads))
				for n := 0; ; n++ {
					for _, sql := range c.reads {
						_, err := a.pool.Exec(ctx, sql)
						require.NoError(t, err, sql)
					}
					_, err := a.pool.Exec(ctx, c.write, 8+n%100, n)
					require.NoError(t, err)
					if r := standing(t, m, tr.Name).Reads; n%5 == 0 && r != nil && r.Compared >= want {
						require.Zero(t, r.Mismatched)
						break
					}
				}
				require.Empty(t, a.differ.Load())

				// The constraint goes first, and nothing may repair it.
				conn := audit(t, db)
				for _, name := range list[string](t, conn, `select conname from pg_constraint where conrelid = 'users'::regclass and conname like 'crossfade%'`) {
					db.Exec(t, `alter table users drop constraint `+name)
				}
				db.Exec(t, `begin; alter table users disable trigger user; `+c.plant+`; commit`)
				planted := time.Now()
				guard.wait(t, a.pool, c.reads[0])
				t.Logf("reads went back %s after the row was changed: %v", time.Since(planted).Round(time.Millisecond), guard.err)
				var back *migrator.StepBackError
				require.ErrorAs(t, guard.err, &back)
				require.Contains(t, back.Why, "mismatches: ")
				found, err := m.Mismatches(ctx, tr.Name)
				require.NoError(t, err)
				require.NotEmpty(t, found)
				require.Equal(t, "rows", found[0].Kind)
				pgtest.WaitFor(t, "all to read the source", func() bool { return share() == 0 })
				require.Zero(t, standing(t, m, tr.Name).Ramp)
			})
		}
	}
}

// standing is the status of a transition.
func standing(t testing.TB, m *migrator.Migrator, name string) migrator.Status {
	t.Helper()
	all, err := m.Status(ctx, migrator.StatusOptions{Name: name})
	require.NoError(t, err)
	return all[0]
}

// shadowed is an application that compares its reads.
type shadowed struct {
	pool *pgxpool.Pool
	hook *dualwrite.Hook
	// differ counts the reads that have differed, failed the comparisons that could
	// not be made.
	differ, failed atomic.Int64
}

func newShadowed(t *testing.T, db *pgtest.DB, s dualwrite.Shadow, change ...func(*pgxpool.Config)) *shadowed {
	t.Helper()
	a := &shadowed{}
	hook, err := dualwrite.New(dualwrite.Config{
		PollInterval: 20 * time.Millisecond, RecycleWithin: -1, Shadow: s,
		OnEvent: func(e dualwrite.Event) {
			switch e.Kind {
			case dualwrite.Mismatched:
				a.differ.Add(1)
			case dualwrite.ShadowFailed:
				a.failed.Add(1)
			}
		},
	})
	require.NoError(t, err)
	config, err := pgxpool.ParseConfig(db.URL)
	require.NoError(t, err)
	for _, c := range change {
		c(config)
	}
	a.hook = hook
	a.pool, err = hook.NewPool(ctx, config)
	require.NoError(t, err)
	t.Cleanup(a.pool.Close)
	follow(t, hook)
	return a
}

// each is what n connections at once say to a statement.
func (a *shadowed) each(t testing.TB, n int, sql string) (said []string) {
	t.Helper()
	conns := make([]*pgxpool.Conn, n)
	for i := range conns {
		var err error
		conns[i], err = a.pool.Acquire(ctx)
		require.NoError(t, err)
	}
	for _, conn := range conns {
		said = append(said, strings.Join(list[string](t, conn.Conn(), sql), "\n"))
		conn.Release()
	}
	return said
}

// guarded is a guard in its goroutine.
type guarded struct {
	done chan struct{}
	err  error // after done
}

// start returns when the guard has had its first look.
func (g *guarded) start(t testing.TB, m *migrator.Migrator, name string) {
	t.Helper()
	guarding, cancel := context.WithCancel(ctx)
	g.done = make(chan struct{})
	go func() {
		defer close(g.done)
		g.err = m.GuardReads(guarding, name, 20*time.Millisecond)
	}()
	t.Cleanup(func() {
		cancel()
		<-g.done
	})
	pgtest.WaitFor(t, "the guard", func() bool { return standing(t, m, name).Guarded })
}

// wait lets an application read until the guard has ended.
func (g *guarded) wait(t testing.TB, pool *pgxpool.Pool, sql string) {
	t.Helper()
	pgtest.WaitFor(t, "the guard to step back", func() bool {
		select {
		case <-g.done:
			return true
		default:
			_, _ = pool.Exec(ctx, sql) // it may well fail
			return false
		}
	})
}
