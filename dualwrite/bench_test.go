package dualwrite_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// side is one of several ways to do the same, measured against each other.
type side struct {
	name string
	do   func(ctx context.Context) error
	took []float64 // microseconds
}

// interleaved runs a few turns of each side in each iteration, in random order,
// so that what else the machine does hits all alike. It reports each side's
// median, and how it compares with the first side: the median of the paired
// ratios, and the ratio of the tenth percentiles, which a busy machine disturbs
// less.
func interleaved(b *testing.B, turns int, sides ...*side) {
	ctx := b.Context()
	for _, s := range sides { // connections and caches
		for range 20 {
			require.NoError(b, s.do(ctx))
		}
	}
	for b.Loop() {
		for _, i := range rand.Perm(len(sides)) {
			for range turns {
				start := time.Now()
				if err := sides[i].do(ctx); err != nil {
					b.Fatal(sides[i].name, err)
				}
				sides[i].took = append(sides[i].took, float64(time.Since(start).Nanoseconds())/1000)
			}
		}
	}
	for _, s := range sides {
		ratios := make([]float64, len(s.took))
		for i := range ratios {
			ratios[i] = s.took[i] / sides[0].took[i]
		}
		b.ReportMetric(median(s.took), s.name+"-us")
		if s != sides[0] {
			b.ReportMetric(median(ratios), s.name+"/"+sides[0].name)
			b.ReportMetric(quantile(s.took, 0.1)/quantile(sides[0].took, 0.1), s.name+"/"+sides[0].name+"-p10")
		}
	}
	b.ReportMetric(0, "ns/op") // of all sides together: it says nothing
}

func median(x []float64) float64 { return quantile(x, 0.5) }

func quantile(x []float64, q float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	return slices.Sorted(slices.Values(x))[int(q*float64(len(x)))]
}

// plain is a pool without the hook, of one connection as the hooked one.
func (f *fixture) plain() *pgxpool.Pool {
	config := f.poolConfig()
	single(config)
	pool, err := pgxpool.NewWithConfig(f.t.Context(), config)
	require.NoError(f.t, err)
	f.t.Cleanup(pool.Close)
	return pool
}

func (f *fixture) one() *pgxpool.Pool {
	return f.pool(f.hook(), single)
}

// single makes a pool of one connection that does not wait for the disk.
func single(c *pgxpool.Config) {
	c.MaxConns = 1
	c.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
}

// sent returns the text that a hooked pool makes of sql, for plain pgx.
func (f *fixture) sent(pool *pgxpool.Pool, sql string, args ...any) string {
	var text string
	require.NoError(f.t, pool.AcquireFunc(f.t.Context(), func(c *pgxpool.Conn) error {
		if _, err := c.Exec(f.t.Context(), sql, args...); err != nil {
			return err
		}
		return f.admin.QueryRow(f.t.Context(), `select query from pg_stat_activity where pid = $1`, c.Conn().PgConn().PID()).Scan(&text)
	}))
	require.NotEqual(f.t, sql, text)
	return text
}

// The hook in dualwrite against the same statement written by hand, against a
// second plain pool as the control, and against the statement as it was: without
// a token, and writing one column.
func BenchmarkPoint(b *testing.B) {
	f := moving(b)
	f.to(phase.DualWrite)
	for name, sql := range map[string]string{
		"select": `select full_name from users where id = $1`,
		"update": `update users set full_name = 'name' || $1::text where id = $1::text::bigint`,
	} {
		b.Run(name, func(b *testing.B) {
			hooked, plain, control := f.one(), f.plain(), f.plain()
			var args []any
			if name == "select" {
				args = []any{7}
			} else {
				args = []any{"7"}
			}
			byHand := f.sent(hooked, sql, args...)
			on := func(pool *pgxpool.Pool, sql string) func(context.Context) error {
				return func(ctx context.Context) error {
					if name == "select" {
						var got string
						return pool.QueryRow(ctx, sql, args...).Scan(&got)
					}
					_, err := pool.Exec(ctx, sql, args...)
					return err
				}
			}
			interleaved(b, 20,
				&side{name: "plain", do: on(plain, byHand)},
				&side{name: "control", do: on(control, byHand)},
				&side{name: "hooked", do: on(hooked, sql)},
				&side{name: "unfenced", do: on(f.plain(), sql)})
			b.ReportMetric(allocations(b, on(hooked, sql))-allocations(b, on(plain, byHand)), "added-allocs")
		})
	}
}

func allocations(b *testing.B, do func(context.Context) error) float64 {
	return testing.AllocsPerRun(200, func() {
		if err := do(b.Context()); err != nil {
			b.Fatal(err)
		}
	})
}

// A hooked write against a write of the source alone that a trigger completes.
func BenchmarkDualWriteOrTrigger(b *testing.B) {
	f := moving(b)
	f.to(phase.DualWrite)
	f.exec(`create table triggered (like users including all);
		insert into triggered select * from users;
		create function keep() returns trigger language plpgsql as $$
			begin
				if new.full_name is distinct from old.full_name then new.name := new.full_name; end if;
				return new;
			end $$;
		create trigger keep before update on triggered for each row execute function keep()`)
	update := func(pool *pgxpool.Pool, table string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := pool.Exec(ctx, `update `+table+` set full_name = $1 where id = 7`, fmt.Sprint(time.Now().UnixNano()))
			return err
		}
	}
	interleaved(b, 20,
		&side{name: "trigger", do: update(f.plain(), "triggered")},
		&side{name: "hooked", do: update(f.one(), "users")})
}

// A scan of 100,000 rows from a server.
func BenchmarkScan(b *testing.B) {
	f := moving(b)
	f.exec(`create table long as select i, 'row ' || i as text from generate_series(1, 100000) i`)
	scan := func(pool *pgxpool.Pool) func(context.Context) error {
		return func(ctx context.Context) error {
			rows, err := pool.Query(ctx, `select i, text from long`)
			if err != nil {
				return err
			}
			n := 0
			for rows.Next() {
				n += len(rows.RawValues())
			}
			if rows.Err() == nil && n != 200_000 {
				return pgx.ErrNoRows
			}
			return rows.Err()
		}
	}
	interleaved(b, 1,
		&side{name: "plain", do: scan(f.plain())},
		&side{name: "control", do: scan(f.plain())},
		&side{name: "hooked", do: scan(f.one())})
}

// Texts with their values inlined by the simple protocol, each of them new: the
// hook against plain pgx, against a second plain connection as the control, and
// against the text as the hook sends it, written by hand.
func BenchmarkSimpleProtocol(b *testing.B) {
	f := moving(b)
	f.to(phase.DualWrite)
	f.exec(`create table accounts as select id, full_name, age from users; alter table accounts add primary key (id); analyze`)
	list := "in (7"
	for i := 1000; i < 1300; i++ {
		list += fmt.Sprint(", ", i)
	}
	list += ")"
	const touching, unrelated = `select full_name from users where id in (7) and age < $1`, `select full_name from accounts where id in (7) and age < $1`
	short := strings.NewReplacer()
	long := strings.NewReplacer("in (7)", list) // about 2 KB
	for _, c := range []struct {
		name, sql string
		length    *strings.Replacer
	}{
		{"touching", touching, short},
		{"touching-2KB", touching, long},
		{"writing", `update users set full_name = 'name ' || $1::text where id = 7`, short},
		{"unrelated", unrelated, short},
		{"unrelated-2KB", unrelated, long},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := 1_000_000
			on := func(pool *pgxpool.Pool, sql string) func(context.Context) error {
				sql = c.length.Replace(sql)
				return func(ctx context.Context) error {
					n++
					tag, err := pool.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol, n)
					if err == nil && tag.RowsAffected() != 1 {
						return pgx.ErrNoRows
					}
					return err
				}
			}
			hooked := f.one()
			sides := []*side{
				{name: "plain", do: on(f.plain(), c.sql)},
				{name: "control", do: on(f.plain(), c.sql)},
				{name: "hooked", do: on(hooked, c.sql)},
			}
			if strings.Contains(c.sql, "users") {
				sides = append(sides, &side{name: "byhand", do: on(f.plain(), f.sent(hooked, c.sql, "7"))})
			}
			interleaved(b, 20, sides...)
			for _, s := range sides {
				b.ReportMetric(1e6/median(s.took), s.name+"/s")
			}
		})
	}
}
