package synctrigger_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/synctrigger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// TestKinds: what one statement makes of a table with one row.
func TestKinds(t *testing.T) {
	t.Parallel()
	withDefault := renamed("text")
	withDefault.Sources[0].Default = "'nobody'::text"
	wide := transform.Move{Kind: transform.Change,
		Sources: []transform.Column{column("s", "integer", "t")}, Targets: []transform.Column{column("t", "bigint", "s")}}
	cut := transform.Move{Kind: transform.Change, Lossy: []transform.Direction{transform.Forward},
		Sources: []transform.Column{column("s", "numeric", "t")}, Targets: []transform.Column{column("t", "integer", "s")}}
	merge := transform.Move{Kind: transform.Merge, Sources: []transform.Column{
		column("first", "text", "split_part(name, ' ', 1)"), column("last", "text", "split_part(name, ' ', 2)")},
		Targets: []transform.Column{column("name", "text", "first || ' ' || last")},
		Lossy:   []transform.Direction{transform.Forward, transform.Backward}}
	odd := transform.Move{Kind: transform.Change, // names that PL/pgSQL uses itself
		Sources: []transform.Column{column("new", "text", `lower("tg_op")`)}, Targets: []transform.Column{column("tg_op", "text", `upper("new")`)}}
	const renameTable, splitTable = "s text default null, t text", "name text, first text, last text"
	for _, c := range []struct {
		name    string
		move    transform.Move
		columns string // of the table, behind id and note
		row     string // their values in row 1
		write   string
		want    string // row 1, or row 2 after an insert
	}{
		{"insert source", renamed("text"), renameTable, "'a', 'a'", "insert into x (id, s) values (2, 'b')", "(b,b)"},
		{"insert target", renamed("text"), renameTable, "'a', 'a'", "insert into x (id, t) values (2, 'b')", "(b,b)"},
		{"insert neither", renamed("text"), renameTable, "'a', 'a'", "insert into x (id) values (2)", "(,)"},
		{"insert NULL", renamed("text"), renameTable, "'a', 'a'", "insert into x (id, s) values (2, null)", "(,)"},
		{"insert both", renamed("text"), renameTable, "'a', 'a'", "insert into x (id, s, t) values (2, 'b', 'b')", "(b,b)"},
		{"insert both, and they differ", renamed("text"), renameTable, "'a', 'a'", "insert into x (id, s, t) values (2, 'b', 'c')", "(b,c)"},
		{"default", withDefault, "s text default 'nobody', t text", "'a', 'a'", "insert into x (id) values (2)", "(nobody,nobody)"},
		{"default and target", withDefault, "s text default 'nobody', t text", "'a', 'a'", "insert into x (id, t) values (2, 'b')", "(b,b)"},
		{"default and NULL", withDefault, "s text default 'nobody', t text", "'a', 'a'", "insert into x (id, s) values (2, null)", "(,)"},
		{"update source", renamed("text"), renameTable, "'a', 'a'", "update x set s = 'b'", "(b,b)"},
		{"update target", renamed("text"), renameTable, "'a', 'a'", "update x set t = 'b'", "(b,b)"},
		{"update to NULL", renamed("text"), renameTable, "'a', 'a'", "update x set t = null", "(,)"},
		{"update both", renamed("text"), renameTable, "'a', 'a'", "update x set s = 'b', t = 'b'", "(b,b)"},
		{"update something else", renamed("text"), renameTable, "'a', 'b'", "update x set note = 'x'", "(a,b)"},
		{"update to the same", renamed("text"), renameTable, "'a', 'b'", "update x set s = s, t = t", "(a,b)"},
		{"not filled, update source", renamed("text"), renameTable, "'a', null", "update x set s = 'b'", "(b,b)"},
		{"not filled, update something else", renamed("text"), renameTable, "'a', null", "update x set note = 'x'", "(a,)"},
		{"backfill", renamed("text"), renameTable, "'a', null", "update x set t = s", "(a,a)"},
		{"equal is not the same", renamed("numeric"), "s numeric, t numeric", "1.0, 1.0", "update x set s = 1.00", "(1.00,1.00)"},
		{"json", renamed("json"), "s json, t json", "'[1]', '[1]'", "update x set t = '[1, 2]'", `("[1, 2]","[1, 2]")`},
		{"varchar in C", renamed("text"), `s text collate "C", t text collate "C"`, "'a', 'a'", "update x set t = 'A'", "(A,A)"},
		{"widen", wide, "s integer, t bigint", "1, 1", "update x set t = 5", "(5,5)"},
		{"forward is lossy, backfill", cut, "s numeric, t integer", "1.4, null", "update x set t = s", "(1.4,1)"},
		{"forward is lossy, source", cut, "s numeric, t integer", "1.4, 1", "update x set s = 2.6", "(2.6,3)"},
		{"forward is lossy, target", cut, "s numeric, t integer", "1.4, 1", "update x set t = 3", "(3,3)"},
		{"forward is lossy, same target", cut, "s numeric, t integer", "1.4, 1", "update x set s = 1.3", "(1.3,1)"},
		{"split", split, splitTable, "'a b', 'a', 'b'", "update x set name = 'c d'", `("c d",c,d)`},
		{"split, one target", split, splitTable, "'a b', 'a', 'b'", "update x set last = 'd'", `("a d",a,d)`},
		{"split, one target of a row not filled", split, splitTable, "'a b', null, null", "update x set last = 'd'", `("a d",a,d)`},
		{"split, a target that forward would cut elsewhere", split, splitTable, "'a b', 'a', 'b'",
			"update x set first = 'a b', last = 'c'", `("a b c","a b",c)`},
		{"split, hooked, by the source's name", split, splitTable, "'a b c', 'a b', 'c'",
			"update x set name = 'a b c', first = 'a', last = 'b'", `("a b c",a,b)`},
		{"split, insert one", split, splitTable, "null, null, null", "insert into x (id, first, last) values (2, 'a', '')", `("a ",a,"")`},
		{"merge", merge, "first text, last text, name text", "'a', 'b', 'a b'", "update x set last = 'c'", `(a,c,"a c")`},
		{"merge, target", merge, "first text, last text, name text", "'a', 'b', 'a b'", "update x set name = 'c d'", `(c,d,"c d")`},
		{"merge, hooked, what backward would cut elsewhere", merge, "first text, last text, name text", "'a', 'b', 'a b'",
			"update x set first = 'a b', last = 'c', name = 'a b c'", `("a b",c,"a b c")`},
		{"merge, something else", merge, "first text, last text, name text", "'a b', 'c', 'a b c'", "update x set note = 'x'", `("a b",c,"a b c")`},
		{"odd names", odd, `"new" text, "tg_op" text`, "'a', 'A'", `update x set "new" = 'b'`, "(b,B)"},
		{"odd names, target", odd, `"new" text, "tg_op" text`, "'a', 'A'", `update x set "tg_op" = 'B'`, "(b,B)"},
		{"on conflict, insert", renamed("text"), renameTable, "'a', 'a'",
			"insert into x (id, s) values (2, 'b') on conflict (id) do update set s = excluded.s", "(b,b)"},
		{"on conflict, update", renamed("text"), renameTable, "'a', 'a'",
			"insert into x (id, s) values (1, 'b') on conflict (id) do update set s = excluded.s || x.s", "(ba,ba)"},
		{"replica", renamed("text"), renameTable, "'a', 'a'", "set session_replication_role = replica; update x set s = 'b'", "(b,b)"},
		{"another search_path", renamed("text"), renameTable, "'a', 'a'", "set search_path = ''; update public.x set s = 'b'", "(b,b)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, "create table x (id int primary key, note text, "+c.columns+"); insert into x values (1, null, "+c.row+")")
			install(t, db, "x", c.move, synctrigger.Sync)
			conn := db.Conn(t)
			_, err := conn.Exec(t.Context(), c.write)
			require.NoError(t, err)
			names := ""
			for _, name := range append(c.move.SourceNames(), c.move.TargetNames()...) {
				names += `, x."` + name + `"`
			}
			require.Equal(t, c.want, rows(t, conn, "select row("+names[2:]+")::text from public.x order by id desc limit 1")[0])
		})
	}
}

// TestNoCounterpart: what the other side cannot hold is not written at all.
func TestNoCounterpart(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, "create table x (id int primary key, s int, t bigint); insert into x values (1, 1, 1)")
	install(t, db, "x", transform.Move{Kind: transform.Change,
		Sources: []transform.Column{column("s", "integer", "t")}, Targets: []transform.Column{column("t", "bigint", "s")}}, synctrigger.Sync)
	conn := db.Conn(t)
	_, err := conn.Exec(t.Context(), "update x set t = 3000000000")
	var failed *pgconn.PgError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "22003", failed.Code)
	require.Equal(t, []string{"(1,1,1)"}, rows(t, conn, "select x::text from x"))
}

// TestRefuse: a write of one side fails, whoever makes it; one of both does not.
func TestRefuse(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, "create table x (id int primary key, s text, t text); insert into x values (1, 'a', 'a'), (2, 'b', null)")
	trigger := install(t, db, "x", renamed("text"), synctrigger.Refuse)
	conn := db.Conn(t)
	fails := func(sql string) {
		t.Helper()
		_, err := conn.Exec(t.Context(), sql)
		var failed *pgconn.PgError
		require.ErrorAs(t, err, &failed, sql)
		require.Equal(t, "23514", failed.Code)
		require.Equal(t, trigger.Name(), failed.ConstraintName)
		require.Equal(t, "x", failed.TableName)
		require.NotEmpty(t, failed.Hint)
	}
	passes := func(sql string) {
		t.Helper()
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	fails("update x set s = 'c'")
	fails("update x set t = 'c' where id = 1")
	fails("insert into x (id, s) values (3, 'c')")
	fails("insert into x (id, t) values (3, 'c')")
	passes("insert into x (id) values (3)")
	passes("update x set s = 'c', t = 'c' where id = 1")
	passes("update x set t = s where id = 2")

	trigger.SourceIsFree = true
	require.NoError(t, ddl.Runner{}.Run(t.Context(), conn, ddl.CreateTriggerFunction(trigger.Table, trigger.Function())))
	passes("update x set t = 'd'")
	passes("insert into x (id, t) values (4, 'd')")
	fails("update x set s = 'e'")
	fails("insert into x (id, s) values (5, 'e')")
	passes("update x set s = 'e', t = 'e'")
	passes("update x set id = 9 where id = 4")
}

// TestReports: Sync and Count note who wrote the source alone, once for a
// session, also for a role that may not read the ledger.
func TestReports(t *testing.T) {
	t.Parallel()
	for _, mode := range []synctrigger.Mode{synctrigger.Sync, synctrigger.Count} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, "create table x (id int primary key, s text, t text); insert into x values (1, 'a', 'a'), (2, 'b', 'b')")
			install(t, db, "x", renamed("text"), mode)
			conn := db.Conn(t)
			for _, sql := range []string{
				"update x set s = 'c', t = 'c'", "update x set id = id",
				"set application_name = 'legacy'", "update x set s = 'd'", "update x set s = 'e'",
			} {
				_, err := conn.Exec(t.Context(), sql)
				require.NoError(t, err)
			}
			require.Equal(t, []string{"7 legacy"}, rows(t, conn, "select transition_id || ' ' || application from crossfade.writer"))
			require.Equal(t, []string{map[synctrigger.Mode]string{synctrigger.Sync: "e", synctrigger.Count: "c"}[mode]},
				rows(t, conn, "select distinct t from x"))
		})
	}
}

// TestRights: the trigger works for a role that has no rights but on the table.
func TestRights(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, "create table x (id int primary key, s text, t text); insert into x values (1, 'a', 'a')")
	install(t, db, "x", renamed("text"), synctrigger.Sync)
	role := "poor_" + db.Name
	db.Exec(t, "revoke usage on schema crossfade from public; create role "+role+"; grant select, update on x to "+role)
	t.Cleanup(func() { db.Exec(t, "drop owned by "+role+"; drop role "+role) })
	conn := db.Conn(t)
	_, err := conn.Exec(t.Context(), "set role "+role+"; update x set s = 'b'")
	require.NoError(t, err)
	require.Equal(t, []string{"(1,b,b)"}, rows(t, conn, "select x::text from x"))
}
