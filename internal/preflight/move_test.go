package preflight_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// things has a column of each kind that the cases move.
const things = `
	create schema app;
	create type app.mood as enum ('good', 'bad');
	create function app.twice(int) returns int language sql immutable as 'select $1 * 2';
	create table app.things (
		id bigint primary key, full_name text, first text, last text not null, age int not null default 7, code text, at timestamp,
		price numeric(8,4), label varchar(20), mood text default 'bad', feeling app.mood, doc json, flag text, born timestamp default now());
	insert into app.things select n, 'First' || n || ' Last' || n, 'F' || n, 'L' || n, n, md5(n::text)::uuid::text,
		'2020-01-01'::timestamp + n * interval '1 hour', n / 4.0, 'l' || n, 'good', 'bad', '{"a": 1}', '12'
	from generate_series(1, 50) n;
	create table app.pairs (id bigint primary key, age int not null, code int);
	insert into app.pairs values (1, 1, 2);
	insert into app.things (id, last, mood) values (99, 'none', null)`

func change(from, to, typ, forward, backward string, lossy ...transform.Direction) transform.Move {
	return transform.Move{
		Kind:    transform.Change,
		Sources: []transform.Column{{Name: from, Value: backward}},
		Targets: []transform.Column{{Name: to, Type: typ, Value: forward}},
		Lossy:   lossy,
	}
}

func split(first, last, backward string, lossy ...transform.Direction) transform.Move {
	return transform.Move{
		Kind:    transform.Split,
		Sources: []transform.Column{{Name: "full_name", Value: backward}},
		Targets: []transform.Column{{Name: "given", Type: "text", Value: first}, {Name: "family", Type: "text", Value: last}},
		Lossy:   lossy,
	}
}

var merge = transform.Move{
	Kind: transform.Merge,
	Sources: []transform.Column{
		{Name: "first", Value: "split_part(whole, ' ', 1)"}, {Name: "last", Value: "split_part(whole, ' ', 2)"}},
	Targets: []transform.Column{{Name: "whole", Type: "text", Value: "first || ' ' || last"}},
	Lossy:   []transform.Direction{transform.Forward, transform.Backward},
}

const (
	given  = "split_part(full_name, ' ', 1)"
	family = "split_part(full_name, ' ', 2)"
	whole  = "given || ' ' || family"
)

func request(m transform.Move) preflight.Request {
	return preflight.Request{Name: "move", Schema: "app", Table: "things", Move: m}
}

func thingsConn(t *testing.T) *pgx.Conn {
	t.Helper()
	return pgtest.NewFrom(t, things).Conn(t)
}

func TestDefinitionsOfMoves(t *testing.T) {
	t.Parallel()
	conn := thingsConn(t)
	zoned := func(column string) string { return "(" + column + " AT TIME ZONE 'UTC'::text)" }
	var before14 bool
	require.NoError(t, conn.QueryRow(t.Context(), `select current_setting('server_version_num')::int < 140000`).Scan(&before14))
	if before14 {
		zoned = func(column string) string { return "timezone('UTC'::text, " + column + ")" }
	}
	for _, c := range []struct {
		name              string
		move              transform.Move
		target, source    string // the values
		typ               string
		preserves         transform.Preserve
		notNull           bool
		defaults          string
		onlyTargetsReport preflight.Severity
	}{
		{"widening", change("age", "age_big", "bigint", "", ""), "age", "age_big", "bigint",
			transform.PreserveComparison, true, "'7'::bigint", preflight.Info},
		{"widening, written out", change("age", "age_big", "int8", "age::bigint -- wide", "age_big::int"), "(age)::bigint", "(age_big)::integer", "bigint",
			transform.PreserveComparison, true, "'7'::bigint", preflight.Info},
		{"own function", change("age", "doubled", "int", "app.twice(age)", "doubled / 2"), "app.twice(age)", "(doubled / 2)", "integer",
			"", true, "14", preflight.Warn},
		{"text to uuid", change("code", "uid", "uuid", "", ""), "code", "uid", "uuid", "", false, "", ""},
		{"zone", change("at", "at_tz", "timestamptz", "at at time zone 'UTC'", "at_tz at time zone 'UTC'"),
			zoned("at"), zoned("at_tz"), "timestamp with time zone", transform.PreserveOrder, false, "", ""},
		{"varchar", change("label", "tag", "text", "", ""), "label", "tag", "text",
			transform.PreserveComparison, false, "", preflight.Info},
		{"longer varchar", change("label", "tag", "varchar(30)", "", ""), "label", "tag",
			"character varying(30)", transform.PreserveComparison, false, "", ""},
		{"shorter varchar", change("label", "tag", "varchar(10)", "", ""), "label", "tag",
			"character varying(10)", "", false, "", ""},
		{"finer numeric", change("price", "amount", "numeric(10,5)", "", ""), "price", "amount", "numeric(10,5)",
			transform.PreserveComparison, false, "", preflight.Info},
		{"text to enum", change("mood", "humour", "app.mood", "", ""), "mood", "humour", "app.mood", "", false, "'bad'::app.mood", ""},
		{"enum to text", change("feeling", "felt", "text", "", ""), "feeling", "felt", "text", "", false, "", preflight.Info},
		{"json", change("doc", "doc_b", "jsonb", "", "", transform.Forward), "doc", "doc_b", "jsonb", "", false, "", ""},
		{"split", split(given, family, whole, transform.Backward), "split_part(full_name, ' '::text, 1)", "((given || ' '::text) || family)", "text",
			"", false, "", ""},
		{"merge", merge, "((first || ' '::text) || last)", "split_part(whole, ' '::text, 1)", "text", "", false, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			report := check(t, conn, request(c.move))
			require.False(t, report.Refused(), report.Findings)
			d := report.Definition
			require.Equal(t, c.move.Kind, d.Kind)
			require.Equal(t, c.target, d.Targets[0].Value)
			require.Equal(t, c.source, d.Sources[0].Value)
			require.Equal(t, c.typ, d.Targets[0].Type)
			require.Equal(t, c.preserves, d.Preserves)
			require.Equal(t, c.notNull, d.Targets[0].NotNull)
			require.Equal(t, c.defaults, d.TargetDefaults[0])
			if c.onlyTargetsReport != "" {
				requireOne(t, report, c.onlyTargetsReport, "target-only-values", "app.things")
			}
			for _, lossy := range c.move.Lossy {
				requireOne(t, report, preflight.Warn, "lossy-"+string(lossy), "app.things")
			}
			requireOne(t, report, preflight.Info, "null-forward", "app.things")
			requireOne(t, report, preflight.Info, "null-backward", "app.things")
		})
	}
	var left int
	require.NoError(t, conn.QueryRow(t.Context(), "select count(*) from pg_class where relname like 'crossfade%'").Scan(&left))
	require.Zero(t, left, "the trial leaves nothing behind")
}

func TestRefusalsOfMoves(t *testing.T) {
	t.Parallel()
	conn := thingsConn(t)
	order, yes := transform.PreserveOrder, true
	for _, c := range []struct {
		name    string
		move    transform.Move
		change  func(*preflight.Request)
		code    string
		message string
	}{
		{"unknown type", change("age", "n", "integre", "", ""), nil, "type-invalid", "integre"},
		{"type with a default", change("age", "n", "int default 3", "", ""), nil, "type-invalid", "more than a type"},
		{"serial", change("age", "n", "serial", "", ""), nil, "type-invalid", "more than a type"},
		{"two columns as type", change("age", "n", "int, add column m int", "", ""), nil, "type-invalid", "more than a type"},
		{"domain with a check", change("age", "n", "information_schema.cardinal_number", "", ""), nil, "domain-constraint", "has constraints"},
		{"no cast", change("age", "n", "uuid", "", ""), nil, "expression-invalid", "cannot cast type integer to uuid"},
		{"column of the other side", change("age", "n", "bigint", "n", ""), nil, "expression-invalid", `column "n" does not exist`},
		{"other column", change("age", "n", "bigint", "age + id", ""), nil, "expression-invalid", `column "id" does not exist`},
		{"subquery", change("age", "n", "bigint", "(select max(id) from app.things)", ""), nil, "expression-invalid", "subquery"},
		{"aggregate", change("age", "n", "bigint", "max(age)", ""), nil, "expression-invalid", "aggregate"},
		{"window", change("age", "n", "bigint", "row_number() over (order by age)", ""), nil, "expression-invalid", "window"},
		{"set", change("age", "n", "bigint", "generate_series(1, age)", ""), nil, "expression-invalid", "set-returning"},
		{"parameter", change("age", "n", "bigint", "age + $1", ""), nil, "expression-invalid", "no parameter $1"},
		{"syntax", change("age", "n", "bigint", "age +", ""), nil, "expression-invalid", "syntax"},
		{"out of its parentheses", change("age", "n", "bigint", "1) is not null), add column x int check ((2", ""), nil,
			"expression-invalid", "not one expression"},
		{"two statements", change("age", "n", "bigint", "1) is not null); drop table app.things; --", ""), nil,
			"expression-invalid", "syntax error"},
		{"now", change("at", "n", "timestamptz", "now()", "n at time zone 'UTC'"), nil, "expression-not-immutable", "now()"},
		{"random", change("age", "n", "bigint", "age + random()::int", ""), nil, "expression-not-immutable", "random()"},
		{"zone of the session", change("at", "n", "timestamptz", "", ""), nil, "expression-not-immutable", "at"},
		{"zone of the session, backward", change("at", "n", "timestamptz", "at at time zone 'UTC'", ""), nil, "expression-not-immutable", "n"},
		{"forward fails", change("label", "n", "int", "", "", transform.Forward), nil, "forward-fails", "invalid input syntax"},
		{"backward fails", change("age", "n", "text", "age || 'x'", ""), nil, "backward-fails", "invalid input syntax"},
		{"undeclared loss", change("price", "n", "numeric(8,1)", "", ""), nil, "lossy-undeclared", "rows tried"},
		{"undeclared loss of NULL", change("code", "n", "text", "coalesce(code, '')", "n"), nil, "lossy-undeclared", ""},
		{"ambiguous NULL", change("code", "n", "text", "coalesce(code, '')", "nullif(n, '')", transform.Backward), nil, "null-ambiguous", "not filled yet"},
		{"a merge that loses by NULL", transform.Move{Kind: transform.Merge, Sources: []transform.Column{
			{Name: "age", Value: "pair[1]"}, {Name: "code", Value: "pair[2]"}},
			Targets: []transform.Column{{Name: "pair", Type: "int[]", Value: "case when code is not null then array[age, code] end"}}},
			func(r *preflight.Request) { r.Table = "pairs" }, "lossy-undeclared", "the other sources do not come back"},
		{"NULL in NOT NULL", change("code", "n", "uuid", "", ""), func(r *preflight.Request) { r.NotNull = &yes }, "null-in-not-null", "1 of"},
		{"order that is none", change("age", "n", "int", "-age", "-n"), func(r *preflight.Request) { r.Preserves = &order }, "preserves-broken", "order"},
		{"preserves of a merge", merge, func(r *preflight.Request) { r.Preserves = &order }, "preserves-invalid", "one column to one"},
		{"preserves without NULL", change("code", "n", "text", "coalesce(code, '')", "n", transform.Forward), func(r *preflight.Request) { r.Preserves = &order },
			"preserves-invalid", "for NULL"},
		{"default that forward refuses", change("mood", "n", "int", "case mood when 'bad' then ('x' || mood)::int end", "n::text", transform.Forward), nil,
			"default-fails", "invalid input syntax"},
		{"target exists", change("age", "code", "bigint", "", "code::int"), nil, "target-exists", "exists already"},
		{"one name twice", change("age", "age", "bigint", "", ""), nil, "name-invalid", "same column"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(c.move)
			if c.change != nil {
				c.change(&r)
			}
			report := check(t, conn, r)
			found := find(report, c.code)
			require.NotEmpty(t, found, report.Findings)
			require.Equal(t, preflight.Refuse, found[0].Severity)
			require.Contains(t, found[0].Message, c.message)
			require.NotEmpty(t, found[0].Hint)
			for _, f := range report.Findings {
				if f.Severity == preflight.Refuse && f.Code != c.code {
					t.Errorf("also %s", f)
				}
			}
		})
	}
}

func TestIndexesOfMoves(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, things+`;
		create index things_age_idx on app.things (age desc) where age > 5;
		create unique index things_code_key on app.things (code, id);
		create index things_lower_idx on app.things (lower(code));
		alter table app.things add constraint things_full_name_key unique (full_name);
		create index things_cover_idx on app.things (id) include (full_name);
		create index things_mood_idx on app.things (mood)`)
	conn := db.Conn(t)
	equality := transform.PreserveEquality
	for _, c := range []struct {
		name      string
		move      transform.Move
		preserves *transform.Preserve
		creates   []string
	}{
		{"comparison", change("age", "age_big", "bigint", "", ""), nil, []string{
			`CREATE INDEX CONCURRENTLY "things_age_big_idx" ON app.things USING btree (age_big DESC) WHERE (age_big > 5)`}},
		{"equality", change("code", "uid", "uuid", "", ""), &equality, []string{
			`CREATE UNIQUE INDEX CONCURRENTLY "things_uid_key" ON app.things USING btree (uid, id)`,
			`CREATE INDEX CONCURRENTLY "things_lower_idx_uid" ON app.things USING btree (lower(((uid)::text)))`}},
		{"split", split(given, family, whole, transform.Backward), nil, []string{
			`CREATE INDEX CONCURRENTLY "things_cover_idx_given_family" ON app.things USING btree (id) INCLUDE (given, family)`,
			`CREATE UNIQUE INDEX CONCURRENTLY "things_given_family_key" ON app.things USING btree (((((given || ' '::text) || family))::text))`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(c.move)
			r.Preserves = c.preserves
			report := check(t, conn, r)
			require.False(t, report.Refused(), report.Findings)
			var creates []string
			for _, x := range report.Definition.Indexes {
				creates = append(creates, x.Create)
				require.Empty(t, x.TargetConstraint, "no constraint holds an expression")
			}
			require.Equal(t, c.creates, creates)
		})
	}
	found := requireOne(t, check(t, conn, request(change("mood", "humour", "app.mood", "", ""))), preflight.Refuse, "index-unsupported", "things_mood_idx")
	require.Contains(t, found.Message, "IMMUTABLE")
	r := request(change("mood", "humour", "app.mood", "", ""))
	r.Preserves = &equality
	require.False(t, check(t, conn, r).Refused())
}

// A second statement in an expression is never run, whoever wrote it so.
func TestExpressionsAreOneStatement(t *testing.T) {
	t.Parallel()
	conn := thingsConn(t)
	m := change("age", "n", "bigint", "1) is not null); drop table app.things; select (1", "")
	require.NotEmpty(t, find(check(t, conn, request(m)), "expression-invalid"))
	var left bool
	require.NoError(t, conn.QueryRow(t.Context(), "select to_regclass('app.things') is not null").Scan(&left))
	require.True(t, left)
}

func TestWithoutTemporaryTables(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, things)
	owner := role(t, db)
	db.Exec(t, "revoke temporary on database "+pgx.Identifier{db.Name}.Sanitize()+" from public")
	db.Exec(t, "alter table app.things owner to "+owner+"; grant usage, create on schema app to "+owner)
	conn := as(t, db, owner)
	report := check(t, conn, request(change("age", "age_big", "bigint", "", "")))
	requireOne(t, report, preflight.Refuse, "no-temporary-tables", "database")
	require.Empty(t, report.Definition.Sources)
	r := request(transform.Renamed(transform.Column{Name: "age"}, "years"))
	require.Empty(t, find(check(t, conn, r), "no-temporary-tables"), "a rename needs none")
}
