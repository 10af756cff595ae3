package rewrite_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// search is a statement that an index serves.
type search struct {
	sql  string
	args []any // texts
	// sorts: the index gives the order, too.
	sorts bool
}

// fast tells whether the plan reads no table from one end to the other but the
// small one, and sorts nothing that it need not.
func (c search) fast(plan string) bool {
	scans := strings.ReplaceAll(plan, "Seq Scan on others", "")
	sorts := c.sorts && strings.Contains(plan, "Sort")
	return strings.Contains(plan, "Index") && !strings.Contains(scans, "Seq Scan") && !sorts
}

// indexed are statements for which an index on the source is used on the original
// table, and one on the target on the expanded one.
var indexed = []search{
	{sql: "select id from counters where n = 100"},
	{sql: "select id from counters where n = $1", args: []any{"100"}},
	{sql: "select id from counters where $1 = n", args: []any{"100"}},
	{sql: "select id from counters where n = '100'"},
	{sql: "select id from counters c where c.n < 20"},
	{sql: "select id from counters where n >= $1 and n < $2", args: []any{"10", "20"}},
	{sql: "select id from counters where n between 10 and 20"},
	{sql: "select id from counters where n between $1 and $2", args: []any{"10", "20"}},
	{sql: "select id from counters where n in (10, 20, 30)"},
	{sql: "select id from counters where n in ($1, $2)", args: []any{"10", "20"}},
	{sql: "select id from counters where n = any($1)", args: []any{"{10,20}"}},
	{sql: "select id from counters where n = any($1::int[])", args: []any{"{10,20}"}},
	{sql: "select id from counters where n = any('{10,20}')"},
	{sql: "select id, n from counters where (n, id) > ($1, $2) order by n, id limit 3", args: []any{"10", "10"}},
	{sql: "select id, n from counters order by n limit 3", sorts: true},
	{sql: "select * from counters order by n limit 3", sorts: true},
	{sql: "select id from counters order by n limit 3", sorts: true},
	{sql: "select c.* from counters c order by c.n desc limit 3", sorts: true},
	{sql: "select n as m from counters order by m limit 3", sorts: true},
	{sql: "select id, n from counters where n > $1 order by n desc nulls first limit 3", args: []any{"10"}, sorts: true},
	{sql: "select min(n), max(n) from counters", sorts: true},
	{sql: "select max(n) from counters where n < 50"},
	{sql: "select c.id from counters c join others o on o.n = c.n"},
	{sql: "select c.id from others o join counters c on c.n = o.n where o.id = 1"},
	{sql: "select id from others o where exists (select 1 from counters c where c.n = o.n)"},
	{sql: "select (select c.id from counters c where c.n = o.n) from others o"},
	{sql: "select id from counters where n = (select max(o.n) from others o)"},
	{sql: "select id from counters where n in (select o.n from others o)"},
	{sql: "select id from counters where n = any(select o.n from others o where o.id = 1)"},
	{sql: "select id from counters where (n, note) in (select o.n, o.label from others o)"},
	{sql: "select id from counters where n is null"},
	{sql: "select id from stamps where at is null"},
	{sql: "update counters set note = 'x' where n = $1", args: []any{"100"}},
	{sql: "delete from counters where n = $1", args: []any{"100"}},

	{sql: "select id from labels where label = $1", args: []any{"label 7"}},
	{sql: "select id from labels where label = 'label 7'"},
	{sql: "select id from labels where label like 'label 77%'"},
	{sql: "select id from labels where label > $1 order by label limit 3", args: []any{"label 7"}, sorts: true},
	{sql: "select id from labels where label in ($1, 'label 8')", args: []any{"label 7"}},
	{sql: "select id from labels where label = any($1)", args: []any{"{label 7}"}},
	{sql: "select id from labels where lower(label) = $1", args: []any{"label 7"}},
	{sql: "select max(label) from labels", sorts: true},
	{sql: "select label from labels order by label desc limit 3", sorts: true},

	{sql: "select id from stamps where at = $1", args: []any{"2021-01-01 00:00:07"}},
	{sql: "select id from stamps where at between $1 and $2", args: []any{"2021-01-01 00:00:07", "2021-01-01 00:00:09"}},
	{sql: "select id from stamps where at in ($1, '2021-01-01 00:00:09')", args: []any{"2021-01-01 00:00:07"}},
	{sql: "select id from stamps where at = any($1)", args: []any{"{2021-01-01 00:00:07}"}},
	{sql: "select id, at from stamps where at < $1 order by at desc limit 3", args: []any{"2021-01-01 00:10:07"}, sorts: true},
	{sql: "select id from stamps where (at, id) > ($1, $2) order by at, id limit 3", args: []any{"2021-01-01 00:00:07", "7"}},
	{sql: "select min(at) from stamps", sorts: true},
	{sql: "select a.id from stamps a join stamps b on a.at = b.at where b.id = 7"},
	{sql: "select id from stamps where at > timestamp '2021-01-01 01:00:00'"},

	{sql: "select id from codes where code = $1", args: []any{"7"}},
	{sql: "select id from codes where code = 7"},
	{sql: "select id from codes where code in ($1, $2)", args: []any{"7", "8"}},
	{sql: "select id from codes where code = any($1)", args: []any{"{7,8}"}},

	{sql: "select owner from keys where key = $1", args: []any{"00000000-0000-0000-0000-000000000007"}},
	{sql: "select owner from keys where key = any($1)", args: []any{"{00000000-0000-0000-0000-000000000007}"}},
	{sql: "select id from badges where badge = '7'"},
	{sql: "select id from badges where badge in ($1, $2)", args: []any{"7", "8"}},

	{sql: "select name from items where id = $1", args: []any{"7"}},
	{sql: "select i.id, i.name from items i join items p on p.id = i.parent where i.id = 7"},
	{sql: "select id from aliases where alias like 'alias 77%'"},
	{sql: "select alias from aliases where alias > $1 order by alias limit 3", args: []any{"alias 7"}, sorts: true},
}

const manyRows = `
	truncate counters, keys, stamps, labels, codes, badges, items, aliases;
	insert into counters select g, g, 'n' || g from generate_series(1, 5000) g;
	insert into keys select lpad(g::text, 8, '0') || '-0000-0000-0000-' || lpad(g::text, 12, '0'), 'o', g from generate_series(1, 5000) g;
	update keys set key = '00000000' || substr(key, 9);
	insert into stamps select g, timestamp '2021-01-01' + g * interval '1 second', 'k' from generate_series(1, 5000) g;
	insert into labels select g, 'label ' || g, 'k' from generate_series(1, 5000) g;
	insert into codes select g, g, 'n' from generate_series(1, 5000) g;
	insert into badges select g, g, 'n' from generate_series(1, 5000) g;
	insert into items select g, 'i', g / 2 from generate_series(1, 5000) g;
	insert into aliases select g, 'alias ' || g, 'm' from generate_series(1, 5000) g;
	create index on aliases (alias);
	create index on labels (label varchar_pattern_ops);
	create index on labels (lower(label));
`

const moreIndexes = `create index on labels (title text_pattern_ops); create index on labels (lower(title));`

// TestIndexes compares plans: where the original statement finds its rows through
// an index on the source, the rewritten one finds them through one on the target.
func TestIndexes(t *testing.T) {
	script, err := os.ReadFile("testdata/differential/kinds.sql")
	require.NoError(t, err)
	setup := string(script) + manyRows + "create schema crossfade;"
	for _, transition := range kindsCatalog(phase.Off).Transitions {
		setup += "create table crossfade." + transition.Token + "();"
	}
	original := pgtest.NewFrom(t, setup+"analyze;").Conn(t)
	for _, s := range states[3:] {
		if s.phase == phase.Named {
			continue // the source's name is that of a column of another type then
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			conn := pgtest.NewFrom(t, setup+expandKinds(s)+moreIndexes+"analyze;").Conn(t)
			r, err := rewrite.New(kindsCatalog(s.phase))
			require.NoError(t, err)
			for _, c := range indexed {
				result := r.Rewrite(c.sql)
				require.Equal(t, rewrite.Rewritten, result.Outcome, c.sql)
				plan := explain(t, conn, result.SQL, c.args)
				assert.True(t, c.fast(plan), "%s\n%s\n%s", c.sql, result.SQL, plan)
			}
		})
	}
	for _, c := range indexed {
		plan := explain(t, original, c.sql, c.args)
		assert.True(t, c.fast(plan), "%s\n%s", c.sql, plan)
	}
}

// explain is the plan of a statement with its parameters as they are.
func explain(t *testing.T, conn *pgx.Conn, sql string, args []any) string {
	t.Helper()
	_, err := conn.Exec(t.Context(), "set plan_cache_mode = force_custom_plan")
	require.NoError(t, err)
	values := make([][]byte, len(args))
	for i, arg := range args {
		values[i] = []byte(arg.(string))
	}
	r := conn.PgConn().ExecParams(context.WithoutCancel(t.Context()), "explain (costs off) "+sql, values, nil, nil, nil).Read()
	require.NoError(t, r.Err, sql)
	var lines []string
	for _, row := range r.Rows {
		lines = append(lines, string(row[0]))
	}
	return strings.Join(lines, "\n")
}
