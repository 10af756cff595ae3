package sweep

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Every statement of a batch walks the index of the key within the range, also
// where the planner's guesses are bad: without statistics, with keys in no
// order, with composite keys of which the first column says little, with
// indexes that tempt it.
func TestBatchesWalkTheIndexOfTheKey(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cases := []struct {
		name, key, value, more string
		columns                []string
		lower, upper           []string
	}{
		{name: "int", key: "id int", value: "i", columns: []string{"id"}, lower: []string{"10000"}, upper: []string{"10500"}},
		{name: "never analyzed", key: "id int", value: "i", columns: []string{"id"}, lower: []string{"10000"}, upper: []string{"10500"},
			more: "-"},
		{name: "uuid", key: "id uuid", value: "md5(i::text)::uuid", columns: []string{"id"},
			lower: []string{"80000000-0000-0000-0000-000000000000"}, upper: []string{"84000000-0000-0000-0000-000000000000"}},
		{name: "text", key: `id text collate "und-x-icu"`, value: "'k' || i", columns: []string{"id"},
			lower: []string{"k15000"}, upper: []string{"k15400"}},
		{name: "composite", key: "a int, b text", value: "i % 4, 'k' || i", columns: []string{"a", "b"},
			lower: []string{"2", "k15000"}, upper: []string{"2", "k17000"},
			more: "create index on item (a); create index on item (b); analyze item"},
		{name: "composite, across", key: "a int, b int, c int", value: "i / 4000, i / 200, i", columns: []string{"a", "b", "c"},
			lower: []string{"2", "45", "9100"}, upper: []string{"3", "60", "12100"},
			more: "create index on item (a); create index on item (c); analyze item"},
		{name: "composite, across a little", key: "a int, b int, c int", value: "i / 4000, i / 200, i", columns: []string{"a", "b", "c"},
			lower: []string{"2", "45", "9100"}, upper: []string{"2", "46", "9310"},
			more: "create index on item (a); create index on item (a, b); analyze item"},
		{name: "composite, one value", key: "a int, b int, c int", value: "1, 1, i", columns: []string{"a", "b", "c"},
			lower: []string{"1", "1", "10000"}, upper: []string{"1", "1", "10500"},
			more: "create index on item (a, b); analyze item"},
	}
	db := pgtest.New(t)
	db.Exec(t, `create schema crossfade; create table crossfade.t1_fwd_1 ()`)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.more == "" {
				c.more = "analyze item"
			}
			db.Exec(t, fmt.Sprintf(`drop table if exists item;
				create table item (%s, src text, dst text, primary key (%s)) with (autovacuum_enabled = off);
				insert into item select %s, 'value ' || i, null from generate_series(1, 20000) i order by md5(i::text);
				%s`, c.key, strings.Join(c.columns, ", "), c.value, strings.TrimPrefix(c.more, "-")))
			conn := db.Conn(t)
			move := transform.Renamed(transform.Column{Name: "src"}, "dst")
			key, sources, targets, err := readColumns(ctx, conn, Table{Schema: "public", Name: "item", Key: c.columns}, move)
			require.NoError(t, err)
			movement, err := movementOf(ledger.Definition{Move: move}, ledger.Backfill, sources, targets)
			require.NoError(t, err)
			q := statements{table: `"public"."item"`, key: key, token: "t1_fwd_1", movement: movement}
			s := span{lower: c.lower, upper: c.upper}

			for name, build := range map[string]func() (string, arguments){
				"bound":   func() (string, arguments) { return q.bound(s, 200) },
				"count":   func() (string, arguments) { return q.count(s) },
				"copy":    func() (string, arguments) { return q.copy(s) },
				"compare": func() (string, arguments) { return q.compare(s) },
			} {
				sql, args := build()
				for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
					plan := explain(t, conn, mode, sql, args)
					require.Contains(t, plan, "item_pkey", "%s %s\n%s", name, mode, plan)
					for _, bad := range []string{"Seq Scan", "Sort", "Gather", "Rows Removed", "item_b_idx"} {
						require.NotContains(t, plan, bad, "%s %s\n%s", name, mode, plan)
					}
				}
			}
			plan := explain(t, conn, "force_generic_plan", q.upper(), nil)
			require.Contains(t, plan, "Backward using item_pkey", plan)
		})
	}
}

// explain runs a statement with the settings of a batch and returns what it
// did, as text.
func explain(t *testing.T, conn *pgx.Conn, mode, sql string, args []any) string {
	ctx := context.Background()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: fmt.Sprintf(settings, 1000, 60000)})
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = tx.Exec(ctx, `set local plan_cache_mode = `+mode)
	require.NoError(t, err)
	types, values := make([]string, len(args)), make([]string, len(args))
	for i, arg := range args {
		types[i] = "text"
		if _, ok := arg.(int); ok {
			types[i] = "bigint"
		}
		values[i] = fmt.Sprintf("'%v'", arg)
	}
	declared, given := "", ""
	if len(args) > 0 {
		declared, given = "("+strings.Join(types, ",")+")", "("+strings.Join(values, ",")+")"
	}
	_, err = tx.Exec(ctx, `prepare explained`+declared+` as `+sql)
	require.NoError(t, err)
	rows, err := tx.Query(ctx, `explain (analyze, costs off, timing off) execute explained`+given)
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `deallocate explained`)
	require.NoError(t, err)
	return strings.Join(lines, "\n")
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	conn := pgtest.New(t).Conn(t)
	for _, rows := range []int64{0, 1, 777, 300_000} {
		_, err := conn.Exec(ctx, fmt.Sprintf(`drop table if exists item; create table item (id int, filler text);
			insert into item select i, repeat('x', 100) from generate_series(1, %d) i`, rows))
		require.NoError(t, err)
		for range 2 {
			require.NoError(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
				got, err := estimate(ctx, tx, `"public"."item"`)
				if rows < 1000 {
					require.Equal(t, rows, got)
				}
				require.InDelta(t, rows, got, 1.5*float64(rows)) // never analyzed: the right order
				return err
			}))
			_, err := conn.Exec(ctx, `analyze item`)
			require.NoError(t, err)
		}
	}
}
