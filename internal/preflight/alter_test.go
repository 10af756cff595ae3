package preflight_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// altered has something of everything on app.users.
const altered = setup + `
	create domain app.positive as int check (value > 0);
	create table app.bare (a int, b text);
	create table app.parts (id int primary key) partition by range (id);
	create unlogged table app.fleeting (id bigint primary key);
	create index users_both_idx on app.users (full_name, email);
	create view app.names as select full_name from app.users;
	create policy mine on app.users using (email = current_user);
	create function app.greet() returns text language sql as 'select ''hi '' || full_name from app.users limit 1';
	create function app.touch() returns trigger language plpgsql as 'begin new.email := lower(new.email); return new; end';
	create trigger touch before update on app.users for each row execute function app.touch();
	alter table app.users add column half int generated always as (age / 2) stored, add column code text unique, add column team bigint,
		add column serial_no bigserial, add column ticket bigint generated always as identity;
	create statistics app.users_stats on age, email from app.users;
	alter table app.orders add column code text references app.users (code);
	update app.users set email = null where id = 7`

func altering(kind transform.Kind, a ledger.Alteration) preflight.Request {
	r := preflight.Request{Name: "alter", Schema: "app", Table: "users", Alteration: &a}
	r.Move.Kind = kind
	return r
}

func foreign(table string, columns, of []string) ledger.Alteration {
	return ledger.Alteration{Constraint: "fk", Columns: columns, References: &ledger.Reference{Table: table, Columns: of}}
}

// TestAlterationsRefused: each is refused, with a message that says why.
func TestAlterationsRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, altered)
	conn := db.Conn(t)
	column := func(c transform.Column) ledger.Alteration { return ledger.Alteration{Column: &c} }
	for _, c := range []struct {
		name, code string
		kind       transform.Kind
		a          ledger.Alteration
		says       string
	}{
		{"a column that is there", "column-exists", ledger.AddColumn, column(transform.Column{Name: "age", Type: "int"}), "exists already"},
		{"no type", "type-invalid", ledger.AddColumn, column(transform.Column{Name: "c", Type: "nonsense"}), "does not exist"},
		{"more than a type", "type-invalid", ledger.AddColumn, column(transform.Column{Name: "c", Type: "int not null"}), "more than a type"},
		{"two columns", "type-invalid", ledger.AddColumn, column(transform.Column{Name: "c", Type: "int, add column d int"}), "more than a type"},
		{"a serial", "type-invalid", ledger.AddColumn, column(transform.Column{Name: "c", Type: "bigserial"}), "more than a type"},
		{"a domain with a rule", "domain-constraint", ledger.AddColumn, column(transform.Column{Name: "c", Type: "app.positive"}), "rewrites the table"},
		{"nothing for NOT NULL", "no-value", ledger.AddColumn, column(transform.Column{Name: "c", Type: "int", NotNull: true}), "nothing says what it is"},
		{"nobody for new rows", "new-rows-unfilled", ledger.AddColumn, column(transform.Column{Name: "c", Type: "int", NotNull: true, Value: "age"}), "inserted meanwhile"},
		{"a subquery", "expression-invalid", ledger.AddColumn, column(transform.Column{Name: "c", Type: "int", Value: "(select 1)"}), "subquery"},
		{"no such column", "expression-invalid", ledger.AddColumn, column(transform.Column{Name: "c", Type: "int", Value: "agee"}), "agee"},
		{"a bad cast", "expression-invalid", ledger.AddColumn, column(transform.Column{Name: "c", Type: "int", Value: "half > 1 and true, 'x'"}), ""},
		{"the wrong type", "expression-invalid", ledger.AddColumn, column(transform.Column{Name: "c", Type: "uuid", Value: "age"}), "cannot cast"},
		{"closed parentheses", "expression-invalid", ledger.AddColumn, column(transform.Column{Name: "c", Type: "int", Value: "1) is not null), add column d int, add check ((2"}), "not one expression"},
		{"a default of the row", "expression-invalid", ledger.AddColumn, column(transform.Column{Name: "c", Type: "int", Default: "age"}), "column"},
		{"a default and more", "expression-invalid", ledger.AddColumn, column(transform.Column{Name: "c", Type: "int", Default: "1 not null"}), "not one DEFAULT"},

		{"no column to drop", "column-missing", ledger.DropColumn, column(transform.Column{Name: "agee"}), "does not exist"},
		{"the key", "primary-key", ledger.DropColumn, column(transform.Column{Name: "id"}), "PRIMARY KEY (id)"},
		{"a referenced key", "foreign-key-references", ledger.DropColumn, column(transform.Column{Name: "code"}), "REFERENCES app.users(code)"},
		{"under a view", "view-depends", ledger.DropColumn, column(transform.Column{Name: "full_name"}), "FROM app.users"},
		{"in an index with others", "drops-with-column", ledger.DropColumn, column(transform.Column{Name: "full_name"}), "(full_name, email)"},
		{"in a function", "function-names-column", ledger.DropColumn, column(transform.Column{Name: "full_name"}), "names the table and the column"},
		{"under a policy", "policy-depends", ledger.DropColumn, column(transform.Column{Name: "email"}), "CURRENT_USER"},
		{"in statistics", "drops-with-column", ledger.DropColumn, column(transform.Column{Name: "email"}), "users_stats"},
		{"in a trigger", "trigger-names-column", ledger.DropColumn, column(transform.Column{Name: "email"}), "writes would fail"},
		{"under a generated column", "generated-depends", ledger.DropColumn, column(transform.Column{Name: "age"}), "age / 2"},

		{"NOT NULL already", "already-not-null", ledger.SetNotNull, column(transform.Column{Name: "full_name"}), "already"},
		{"a NULL", "rows-violate", ledger.SetNotNull, column(transform.Column{Name: "email"}), "1 of 100 rows stand in the way, with the keys (id) (7)"},
		{"a generated value", "generated", ledger.SetNotNull, column(transform.Column{Name: "half", Value: "1"}), "generated"},

		{"no index", "index-invalid", ledger.AddIndex, ledger.Alteration{Index: "i", Create: "(nothing)"}, "nothing"},
		{"two statements", "index-invalid", ledger.AddIndex, ledger.Alteration{Index: "i", Create: "(age); drop table app.users"}, "multiple commands"},
		{"a volatile index", "index-invalid", ledger.AddIndex, ledger.Alteration{Index: "i", Create: "((age + random()))"}, "IMMUTABLE"},
		{"a taken name", "name-taken", ledger.AddIndex, ledger.Alteration{Index: "users_age_idx", Create: "(age)"}, "exists already"},
		{"duplicates", "duplicates", ledger.AddIndex, ledger.Alteration{Index: "i", Unique: true, Create: "((age % 50))"}, "100 rows share 50 values"},
		{"a taken constraint", "name-taken", ledger.AddUnique, ledger.Alteration{Index: "users_pkey", Constraint: "users_pkey", Unique: true, Create: "(age)"}, "PRIMARY KEY"},

		{"no condition", "expression-invalid", ledger.AddCheck, ledger.Alteration{Constraint: "c", Body: "age"}, "boolean"},
		{"two conditions", "expression-invalid", ledger.AddCheck, ledger.Alteration{Constraint: "c", Body: "true), check (false"}, ""},
		{"rows that break it", "rows-violate", ledger.AddCheck, ledger.Alteration{Constraint: "c", Body: "age < 100"}, "(100)"},

		{"no table", "referenced-table", ledger.AddForeignKey, foreign("app.nowhere", []string{"team"}, nil), "does not exist"},
		{"a view", "referenced-table", ledger.AddForeignKey, foreign("app.names", []string{"team"}, nil), "no table"},
		{"a fleeting one", "referenced-table", ledger.AddForeignKey, foreign("app.fleeting", []string{"team"}, nil), "permanent"},
		{"no key", "referenced-key", ledger.AddForeignKey, foreign("app.bare", []string{"team"}, nil), "no primary key"},
		{"another column", "referenced-key", ledger.AddForeignKey, foreign("app.orders", []string{"team"}, []string{"user_id"}), "(user_id) is no key"},
		{"types apart", "constraint-invalid", ledger.AddForeignKey, foreign("app.orders", []string{"email"}, nil), "cannot be implemented"},
		{"more columns", "foreign-key-columns", ledger.AddForeignKey, foreign("app.orders", []string{"team", "age"}, nil), "2 columns reference 1"},
		{"no such column", "column-missing", ledger.AddForeignKey, foreign("app.orders", []string{"teams"}, nil), "does not exist"},
		{"references to nothing", "rows-violate", ledger.AddForeignKey, foreign("app.orders", []string{"age"}, nil), "100 of 100 rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			report := check(t, conn, altering(c.kind, c.a))
			require.True(t, report.Refused())
			found := find(report, c.code)
			require.NotEmpty(t, found, "%v", report.Findings)
			texts := ""
			for _, f := range found {
				require.Equal(t, preflight.Refuse, f.Severity)
				require.NotEmpty(t, f.Hint)
				texts += f.Message + "\n"
			}
			require.Contains(t, texts, c.says)
		})
	}
	var left bool
	require.NoError(t, conn.QueryRow(t.Context(), `select exists (select from pg_class where relname like 'crossfade_%')`).Scan(&left))
	require.False(t, left, "nothing of the trials is left")
}

func TestAlteredTables(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, altered)
	conn := db.Conn(t)
	r := altering(ledger.AddIndex, ledger.Alteration{Index: "i", Create: "(id)"})
	r.Table = "parts"
	report := check(t, conn, r)
	require.False(t, report.Refused(), "%v", report.Findings)
	requireOne(t, report, preflight.Warn, "partitions-locked", "app.parts")
	r.Table = "ages"
	requireOne(t, check(t, conn, r), preflight.Refuse, "table-kind", "app.ages")

	// Without a key there is nothing to walk along.
	r = altering(ledger.AddColumn, ledger.Alteration{Column: &transform.Column{Name: "c", Type: "int", Value: "a"}})
	r.Table = "bare"
	requireOne(t, check(t, conn, r), preflight.Refuse, "no-primary-key", "app.bare")
	r = altering(ledger.AddCheck, ledger.Alteration{Constraint: "c", Body: "a > 0"})
	r.Table = "bare"
	report = check(t, conn, r)
	require.False(t, report.Refused(), "%v", report.Findings)
	requireOne(t, report, preflight.Info, "no-primary-key", "app.bare")

	// Somebody else's table.
	name := role(t, db)
	db.Exec(t, "grant usage on schema app to "+name+"; grant select on app.users to "+name)
	report = check(t, as(t, db, name), altering(ledger.AddIndex, ledger.Alteration{Index: "i", Create: "(email)"}))
	requireOne(t, report, preflight.Refuse, "not-owner", "app.users")
	requireOne(t, report, preflight.Refuse, "no-create-on-schema", "app")
}

// What is written down is what PostgreSQL has read, with every name qualified.
func TestAlterationsAsRead(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, altered+`; create function app.double(int) returns int immutable language sql as 'select $1 * 2'`)
	conn := db.Conn(t)
	read := func(kind transform.Kind, a ledger.Alteration) ledger.Alteration {
		t.Helper()
		r := altering(kind, a)
		r.Path, r.Accept = []string{"app"}, []string{"new-rows-unfilled", "drops-with-column"}
		report := check(t, conn, r)
		require.False(t, report.Refused(), "%v", report.Findings)
		require.Equal(t, kind, report.Definition.Kind)
		require.Equal(t, []string{"id"}, report.Definition.Key)
		return *report.Definition.Alteration
	}
	a := read(ledger.AddColumn, ledger.Alteration{Column: &transform.Column{Name: "c", Type: "numeric(5,1)", Value: "double(age) -- twice", NotNull: true}})
	require.Equal(t, "app.double(age)", a.Column.Value)
	require.Equal(t, "numeric(5,1)", a.Column.Type)
	require.Equal(t, []string{"age"}, a.Columns)
	require.Equal(t, `t."c" is null`, a.Violated)

	a = read(ledger.AddColumn, ledger.Alteration{Column: &transform.Column{Name: "c", Type: "timestamptz", Default: "now()", NotNull: true}})
	require.False(t, a.Late || a.Fills(), "now() is stable")
	a = read(ledger.AddColumn, ledger.Alteration{Column: &transform.Column{Name: "c", Type: "timestamptz", Default: "clock_timestamp()"}})
	require.True(t, a.Late && a.Fills(), "clock_timestamp() is volatile")

	a = read(ledger.AddIndex, ledger.Alteration{Index: "i", Unique: true, Create: "(double(age), email) where age > 3"})
	require.Equal(t, `CREATE UNIQUE INDEX CONCURRENTLY "i" ON "app"."users" USING btree (app.double(age), email) WHERE (age > 3)`, a.Create)
	require.ElementsMatch(t, []string{"age", "email"}, a.Columns)
	require.Equal(t, "((age > 3)) and (app.double(age)) is not null and (email) is not null", a.Compared)

	a = read(ledger.AddForeignKey, ledger.Alteration{Constraint: "fk", Columns: []string{"team"}, Body: "on delete cascade",
		References: &ledger.Reference{Table: "orders"}})
	require.Equal(t, `foreign key ("team") references "app"."orders" ("id") on delete cascade`, a.Body)
	require.Equal(t, `(t."team" is not null) and not exists (select from "app"."orders" as r where r."id" operator(pg_catalog.=) t."team")`, a.Violated)

	a = read(ledger.DropColumn, ledger.Alteration{Column: &transform.Column{Name: "serial_no"}})
	require.Equal(t, "serial_no__crossfade_dropped", a.Hidden)
	a = read(ledger.DropColumn, ledger.Alteration{Column: &transform.Column{Name: "ticket"}})
	require.False(t, a.Column.NotNull, "an identity cannot be made nullable, and need not be")
	require.Empty(t, a.Violated)
}

// A backfill fires triggers.
func TestAlterWithTriggers(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, altered).Conn(t)
	report := check(t, conn, altering(ledger.AddColumn, ledger.Alteration{Column: &transform.Column{Name: "c", Type: "int", Value: "age"}}))
	require.False(t, report.Refused(), "%v", report.Findings)
	requireOne(t, report, preflight.Warn, "trigger-on-update", "touch")
	report = check(t, conn, altering(ledger.AddColumn, ledger.Alteration{Column: &transform.Column{Name: "c", Type: "int"}}))
	require.Empty(t, find(report, "trigger-on-update"))
}
