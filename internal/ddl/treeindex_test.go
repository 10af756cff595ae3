package ddl_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// tree has a leaf in another schema, a partition with two leaves, and one
// without any.
const tree = `
	create schema app; create schema "Old one";
	create table app.users (id int, region text, name text, email text) partition by list (region);
	create table "Old one".early partition of app.users for values in ('a');
	create table app.late partition of app.users for values in ('b', 'c') partition by list (region);
	create table app.l0 partition of app.late for values in ('b');
	create table app.l1 partition of app.late for values in ('c');
	create table app.nothing partition of app.users default partition by list (region);
	insert into app.users select i, chr(97 + i % 3), 'name ' || i, i from generate_series(1, 300) i`

var (
	treeName = ddl.TreeIndex{Root: users, Name: "users_name_idx", Mark: "crossfade_t1_part",
		Create: `CREATE INDEX CONCURRENTLY "users_name_idx" ON ONLY app.users USING btree (lower(name)) INCLUDE (id) WITH (fillfactor='70') WHERE (name <> ''::text)`}
	treeKey = ddl.TreeIndex{Root: users, Name: "users_name_region_key", Mark: "crossfade_t1_part", Constraint: true, Timing: "deferrable",
		Create: `CREATE UNIQUE INDEX CONCURRENTLY "users_name_region_key" ON app.users USING btree (name, region) INCLUDE (email) WITH (fillfactor='70')`}
)

func query[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) []T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	require.NoError(t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[T])
	require.NoError(t, err)
	return list
}

// indexes lists the indexes of a tree that a test has made, and which are valid.
func indexes(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	return query[string](t, conn, `select i.relname || case when x.indisvalid then '' else ' INVALID' end
			|| coalesce(' of ' || p.relname, '') || coalesce(' ' || pg_get_constraintdef(k.oid), '')
		from pg_index x join pg_class i on i.oid = x.indexrelid
		left join pg_inherits h on h.inhrelid = i.oid left join pg_class p on p.oid = h.inhparent
		left join pg_constraint k on k.conindid = i.oid
		where i.relnamespace in ('app'::regnamespace, '"Old one"'::regnamespace) order by 1`)
}

// plainly runs each statement, and counts them.
func plainly(count *int) ddl.Do {
	return func(s ddl.Statement, run func(ddl.Runner) error) error {
		*count++
		return run(ddl.Runner{})
	}
}

func TestTreeIndex(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, tree).Conn(t)
	var count int
	for range 2 {
		require.NoError(t, treeName.Ensure(t.Context(), conn, plainly(&count)))
		require.NoError(t, treeKey.Ensure(t.Context(), conn, plainly(&count)))
		require.Equal(t, []string{
			"early_name_idx of users_name_idx",
			"early_name_region_key of users_name_region_key UNIQUE (name, region) INCLUDE (email) DEFERRABLE",
			"l0_name_idx of late_name_idx",
			"l0_name_region_key of late_name_region_key UNIQUE (name, region) INCLUDE (email) DEFERRABLE",
			"l1_name_idx of late_name_idx",
			"l1_name_region_key of late_name_region_key UNIQUE (name, region) INCLUDE (email) DEFERRABLE",
			"late_name_idx of users_name_idx",
			"late_name_region_key of users_name_region_key UNIQUE (name, region) INCLUDE (email) DEFERRABLE",
			"nothing_name_idx of users_name_idx",
			"nothing_name_region_key of users_name_region_key UNIQUE (name, region) INCLUDE (email) DEFERRABLE",
			"users_name_idx",
			"users_name_region_key UNIQUE (name, region) INCLUDE (email) DEFERRABLE",
		}, indexes(t, conn))
		require.Equal(t, 35, count)
	}
	require.Equal(t, []string{`CREATE INDEX l0_name_idx ON app.l0 USING btree (lower(name)) INCLUDE (id) WITH (fillfactor='70') WHERE (name <> ''::text)`},
		query[string](t, conn, `select pg_get_indexdef('app.l0_name_idx'::regclass)`))

	// A partition that comes later has them without our doing.
	_, err := conn.Exec(t.Context(), `create table app.l2 partition of app.nothing for values in ('z')`)
	require.NoError(t, err)
	require.Len(t, indexes(t, conn), 14)
	for range 2 {
		require.NoError(t, treeName.Drop(t.Context(), conn, plainly(&count)))
		require.NoError(t, treeKey.Drop(t.Context(), conn, plainly(&count)))
		require.Empty(t, indexes(t, conn))
		require.Equal(t, 37, count)
	}
}

// Whatever statement was the last one that was done, Ensure finishes and Drop
// takes all away.
func TestTreeIndexAfterEachStatement(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, tree).Conn(t)
	for _, x := range []ddl.TreeIndex{treeName, treeKey} {
		for stop, stopped := 1, true; stopped; stop++ {
			for _, finish := range []func(context.Context, *pgx.Conn, ddl.Do) error{x.Ensure, x.Drop} {
				done := 0
				err := x.Ensure(t.Context(), conn, func(s ddl.Statement, run func(ddl.Runner) error) error {
					if done++; done > stop {
						return context.Canceled
					}
					return run(ddl.Runner{})
				})
				stopped = err != nil
				var rest int
				require.NoError(t, finish(t.Context(), conn, plainly(&rest)))
				if rest > 0 && stopped {
					require.ErrorIs(t, err, context.Canceled)
				}
			}
			require.Empty(t, indexes(t, conn))
		}
	}
}

// What a build on a leaf has left INVALID is built again, or dropped.
func TestTreeIndexReplacesAnInvalidPart(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, tree+`; update app.users set name = 'same' where id in (1, 4)`)
	conn := db.Conn(t)
	var count int
	err := treeKey.Ensure(t.Context(), conn, plainly(&count))
	require.ErrorContains(t, err, "duplicates")
	require.Contains(t, indexes(t, conn), "users_name_region_key INVALID UNIQUE (name, region) INCLUDE (email) DEFERRABLE")
	part := fmt.Sprintf("crossfade_t1_part_%x_%d", sha256.Sum256([]byte(treeKey.Name)), query[uint32](t, conn, `select 'app.l0'::regclass::oid`)[0])
	part = strings.Replace(part, part[26:82], "", 1) // eight letters will do
	_, err = conn.Exec(t.Context(), `create unique index concurrently `+part+` on app.l0 (name, region) include (email) with (fillfactor = 70)`)
	require.Error(t, err)
	require.Contains(t, indexes(t, conn), part+" INVALID")
	db.Exec(t, `update app.users set name = id::text`)
	require.NoError(t, treeKey.Ensure(t.Context(), conn, plainly(&count)))
	require.Contains(t, indexes(t, conn), "l0_name_region_key of late_name_region_key UNIQUE (name, region) INCLUDE (email) DEFERRABLE")
	require.Contains(t, indexes(t, conn), "users_name_region_key UNIQUE (name, region) INCLUDE (email) DEFERRABLE")
}

// Names that others have are left alone, and long ones are cut.
func TestNamesOfParts(t *testing.T) {
	t.Parallel()
	const long = "a_name_that_is_as_long_as_any_may_be_in_postgresql_and_no_longer"
	db := pgtest.NewFrom(t, tree+`; create table app.l0_name_idx (); create index l1_name_idx on app.l1 (name);
		create index nothing_name_idx on only app.nothing (lower(name)) include (id) where name <> '';
		alter table "Old one".early rename to `+long)
	conn := db.Conn(t)
	var count int
	require.NoError(t, treeName.Ensure(t.Context(), conn, plainly(&count)))
	made := indexes(t, conn)
	require.Contains(t, made, "l0_name_idx_1 of late_name_idx")
	require.Contains(t, made, "l1_name_idx_1 of late_name_idx")
	require.Contains(t, made, "nothing_name_idx_1 of users_name_idx", "an index that looks like an earlier attempt, and is not")
	require.NoError(t, treeName.Drop(t.Context(), conn, plainly(&count)))
	require.Equal(t, []string{"l1_name_idx", "nothing_name_idx"}, indexes(t, conn))
}

// Partitions come and go while the index is built.
func TestPartitionsComeAndGoDuringABuild(t *testing.T) {
	t.Parallel()
	for _, change := range []string{
		`create table app.new partition of app.users for values in ('d')`,
		`alter table app.users detach partition "Old one".early`,
		`alter table app.users detach partition app.late`,
		`drop table app.l1`,
		`alter table app.l1 rename to l9`,
		`create table app.new (like app.users including all); insert into app.new values (1, 'd', 'x', 'y');
			alter table app.users attach partition app.new for values in ('d')`,
	} {
		db := pgtest.NewFrom(t, tree)
		conn := db.Conn(t)
		count := 0
		require.NoError(t, treeName.Ensure(t.Context(), conn, func(s ddl.Statement, run func(ddl.Runner) error) error {
			if count++; count == 4 {
				db.Exec(t, change)
			}
			return run(ddl.Runner{})
		}), change)
		require.Equal(t, ddl.IndexValid, indexState(t, conn, "users_name_idx"), change)
		require.Zero(t, query[int](t, conn, `select count(*) from pg_index x join pg_class c on c.oid = x.indexrelid
			where not indisvalid or relname ~ '^crossfade'`)[0], change)
	}
}
