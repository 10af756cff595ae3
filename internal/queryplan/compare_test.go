package queryplan

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// schema is a table whose column a is on its way to b, with counterparts of the
// indexes; c is another column without an index. "full" has many rows, "empty"
// none, and "partly" lacks the counterparts.
const schema = `
create table empty (id int primary key, a text, b text, tenant int, c text);
create index on empty (a);
create index on empty (b);
create index on empty (tenant, a);
create index on empty (tenant, b);
create table partly (id int primary key, a text unique, b text, tenant int, c text);
create index on partly (tenant, a);
create index on partly (tenant);
create table full_ (id int primary key, a text, b text, tenant int, c text);
create index on full_ (a);
create index on full_ (b);
insert into full_ select n, 'v' || n, 'v' || n, n % 100, 'c' from generate_series(1, 20000) n;
analyze full_;
create table skewed (id int primary key, a text, b text);
create index on skewed (a);
create index on skewed (b);
insert into skewed select n, 'v' || n, case when n < 3 then 'w' || n else 'same' end from generate_series(1, 20000) n;
analyze skewed;
create function f(text) returns text immutable language sql as 'select $1 || ''!''';
create schema other;
create table other.partly (id int primary key, a text, b text);
create index on other.partly (a);`

func TestCompare(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, schema).Conn(t)
	var before14 bool
	require.NoError(t, conn.QueryRow(t.Context(), `select current_setting('server_version_num')::int < 140000`).Scan(&before14))
	theOtherPlace := []Code{ConditionLost}
	if before14 {
		theOtherPlace = append(theOtherPlace, IndexLost) // it prefers to read an empty table as a whole
	}
	for _, c := range []struct {
		name, table, source, target string
		want                        []Code
	}{
		{"counterpart", "empty", "select a from empty where a = $1", "select b as a from empty where b = $1", nil},
		{"counterpart of a full table", "full_", "select a from full_ where a = $1", "select b as a from full_ where b = $1", nil},
		{"two columns", "empty", "select id from empty where tenant = $1 and a = $2", "select id from empty where tenant = $1 and b = $2", nil},
		{"no index", "partly", "select id from partly where a = $1", "select id from partly where b = $1", []Code{IndexLost}},
		{"an expression over the target", "empty", "select id from empty where a = $1", "select id from empty where f(b) = $1", []Code{IndexLost}},
		{"a part of the index", "partly", "select id from partly where tenant = $1 and a = $2 and c = 'x AND y'",
			"select id from partly where tenant = $1 and b = $2 and c = 'x AND y'", []Code{ConditionLost}},
		{"order", "empty", "select a from empty order by a limit 10", "select b from empty order by b limit 10", nil},
		{"order without index", "partly", "select a from partly order by a limit 10", "select b from partly order by b limit 10", []Code{IndexLost}},
		{"no condition", "partly", "select a from partly", "select b from partly", nil},
		{"the other place", "partly", "select x.a from partly x join partly y on y.id = x.id where x.tenant = $1 and y.a = $2",
			"select x.b from partly x join partly y on y.id = x.id where x.tenant = $1 and y.b = $2", theOtherPlace},
		{"update", "partly", "update partly set a = $1, b = $1 where a = $2", "update partly set a = $1, b = $1 where b = $2", []Code{IndexLost}},
		{"delete", "partly", "delete from partly where a = any($1)", "delete from partly where b = any($1)", []Code{IndexLost}},
		{"insert from itself", "empty", "insert into empty (id, a) select id + 1, a from empty where a = $1",
			"insert into empty (id, a) select id + 1, b from empty where b = $1", nil},
		{"for update", "empty", "select id from empty where a = $1 for update", "select id from empty where b = $1 for update", nil},
		{"conflict", "partly", "insert into partly (id, a) values ($1, $2) on conflict (a) do nothing",
			"insert into partly (id, a, b) values ($1, $2, $2) on conflict (b) do nothing", []Code{NotPlanned}},
		{"another table", "empty", "select id from partly where a = $1", "select id from partly where b = $1", []Code{Costlier}},
		{"the planner's choice", "skewed", "select id from skewed where a = 'v1'", "select id from skewed where b = 'same'", []Code{IndexLost}},
		{"costs", "full_", "select count(*) from full_ where id < 10", "select count(*) from full_ where id < 1000", []Code{Costlier}},
		{"a comment at the end", "empty", "select 1 -- one", "select 1 -- one", nil},
	} {
		findings, err := Compare(t.Context(), conn, "public", c.table, c.source, c.target, Options{})
		require.NoError(t, err, c.name)
		var got []Code
		for _, f := range findings {
			got = append(got, f.Code)
			require.NotEmpty(t, f.Source, c.name)
			require.NotEmpty(t, f.Hint, c.name)
		}
		require.Equal(t, c.want, got, "%s: %+v", c.name, findings)
	}
}

func TestCompareTellsBothLines(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, schema).Conn(t)
	findings, err := Compare(t.Context(), conn, "other", "partly", "select id from other.partly p where a = $1", "select id from other.partly p where b = $1", Options{})
	require.NoError(t, err)
	require.Len(t, findings, 1)
	require.Equal(t, Error, Worst(findings))
	require.Equal(t, "p", findings[0].Alias)
	require.Contains(t, findings[0].Source, "using partly_a_idx on partly p, Index Cond: (p.a = $1)")
	require.Equal(t, "Seq Scan on partly p, Filter: (p.b = $1)", findings[0].Target)
}

func TestCompareWithAnotherFactor(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, schema).Conn(t)
	findings, err := Compare(t.Context(), conn, "public", "full_", "select count(*) from full_ where id < 10",
		"select count(*) from full_ where id < 1000", Options{CostFactor: 1e6})
	require.NoError(t, err)
	require.Empty(t, findings)
	require.Empty(t, Worst(findings))
}

func TestCompareLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, schema)
	conn := db.Conn(t)
	for _, sql := range []string{"select nothing from empty", "vacuum empty", "select 1; delete from full_", ""} {
		var unplanned *UnplannedError
		_, err := Compare(t.Context(), conn, "public", "empty", sql, sql, Options{})
		require.True(t, errors.As(err, &unplanned), "%q: %v", sql, err)
	}
	update := "update full_ set a = $1 where id = $2"
	_, err := Compare(t.Context(), conn, "public", "full_", update, update, Options{})
	require.NoError(t, err)
	var rows, prepared int
	var setting string
	err = conn.QueryRow(context.Background(), `select (select count(*) from full_),
		(select count(*) from pg_prepared_statements where from_sql), current_setting('enable_seqscan')`).Scan(&rows, &prepared, &setting)
	require.NoError(t, err)
	require.Equal(t, 20000, rows)
	require.Zero(t, prepared)
	require.Equal(t, "on", setting)
}

func TestConjuncts(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]int{
		"": 0, "(a = 1)": 1, "((a = 1) AND (b = 2))": 2, "((a = ' AND ') AND (b = 2) AND (c > 3))": 3,
		"((a = 1) OR ((b = 2) AND (c = 3)))": 1, `("x AND y" = 1)`: 1, "(a = 'it''s AND ')": 1,
	} {
		require.Equal(t, want, conjuncts(condition), condition)
	}
}
