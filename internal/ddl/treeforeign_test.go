package ddl_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

const referencing = tree + `; create table app.regions (name text primary key);
	insert into app.regions values ('a'), ('b'), ('c'), ('d'), ('e')`

var treeForeign = ddl.TreeForeignKey{
	ForeignKey: ddl.ForeignKey{Table: users, To: ddl.Name{Schema: "app", Table: "regions"},
		Body: "foreign key (region) references app.regions (name) on update cascade deferrable"},
	Name: "users_region_fkey", Mark: "crossfade_t1_fkey",
}

// foreignKeys lists the foreign keys that a test has made.
func foreignKeys(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	return query[string](t, conn, `select conrelid::regclass::text || ' ' || conname || case when conparentid <> 0 then ' part' else '' end
			|| case when not convalidated then ' NOT VALID' else '' end
		from pg_constraint where contype = 'f' order by 1`)
}

func TestTreeForeignKey(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, referencing)
	conn := db.Conn(t)
	var count int
	for range 2 {
		require.NoError(t, treeForeign.Ensure(t.Context(), conn, plainly(&count)))
		require.Equal(t, []string{`"Old one".early users_region_fkey part`, "app.l0 users_region_fkey part", "app.l1 users_region_fkey part",
			"app.late users_region_fkey part", "app.nothing users_region_fkey part", "app.users users_region_fkey"}, foreignKeys(t, conn))
		require.Equal(t, 10, count)
	}
	_, err := conn.Exec(t.Context(), `insert into app.users values (1, 'x')`)
	require.Error(t, err)
	_, err = conn.Exec(t.Context(), `update app.regions set name = 'e2' where name = 'e'; delete from app.regions where name = 'b'`)
	require.ErrorContains(t, err, "foreign key")
	for range 2 {
		require.NoError(t, treeForeign.Drop(t.Context(), conn, plainly(&count)))
		require.Empty(t, foreignKeys(t, conn))
		require.Equal(t, 11, count)
	}
}

// Whatever statement was the last one that was done, Ensure finishes and Drop
// takes all away.
func TestTreeForeignKeyAfterEachStatement(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, referencing).Conn(t)
	for stop, stopped := 0, true; stopped; stop++ {
		for _, finish := range []func(context.Context, *pgx.Conn, ddl.Do) error{treeForeign.Ensure, treeForeign.Drop} {
			done := 0
			err := treeForeign.Ensure(t.Context(), conn, func(s ddl.Statement, run func(ddl.Runner) error) error {
				if done++; done > stop {
					return context.Canceled
				}
				return run(ddl.Runner{})
			})
			stopped = err != nil
			var rest int
			require.NoError(t, finish(t.Context(), conn, plainly(&rest)))
		}
		require.Empty(t, foreignKeys(t, conn))
	}
}

// Partitions come and go while the foreign key is added: after its first part,
// before it is attached, and after that.
func TestPartitionsComeAndGoDuringAForeignKey(t *testing.T) {
	t.Parallel()
	for _, change := range []string{
		`create table app.new partition of app.users for values in ('d')`,
		`create table app.new (like app.users including all); insert into app.new values (1, 'd', 'x', 'y');
			alter table app.users attach partition app.new for values in ('d')`,
		`alter table app.users detach partition "Old one".early`,
		`drop table app.l1`,
		`alter table app.l1 rename to l9`,
	} {
		for _, at := range []int{2, 7, 8} {
			db := pgtest.NewFrom(t, referencing)
			conn := db.Conn(t)
			count := 0
			require.NoError(t, treeForeign.Ensure(t.Context(), conn, func(s ddl.Statement, run func(ddl.Runner) error) error {
				if count++; count == at {
					db.Exec(t, change)
				}
				return run(ddl.Runner{})
			}), "%s at %d", change, at)
			for _, key := range foreignKeys(t, conn) {
				require.NotContains(t, key, "crossfade", "%s at %d", change, at)
				require.NotContains(t, key, "NOT VALID", "%s at %d", change, at)
			}
		}
	}
}

// A row that refers to nothing in a partition that came at the last moment is found
// without a scan under the lock of the whole.
func TestForeignKeyOfAPartitionThatCame(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, referencing)
	conn := db.Conn(t)
	count, validated := 0, 0
	err := treeForeign.Ensure(t.Context(), conn, func(s ddl.Statement, run func(ddl.Runner) error) error {
		if s.Lock == ddl.ShareUpdateExclusive {
			validated++
		}
		if count++; s.Lock == ddl.ShareRowExclusive && s.AlsoLock != "" && validated == 3 {
			db.Exec(t, `create table app.new (like app.users including all); insert into app.new values (1, 'z', 'x', 'y');
				alter table app.users attach partition app.new for values in ('z')`)
		}
		return run(ddl.Runner{})
	})
	require.ErrorContains(t, err, "crossfade_t1_fkey")
	require.Equal(t, 4, validated, "its own part was validated, alone")
	require.NoError(t, treeForeign.Drop(t.Context(), conn, plainly(&count)))
	require.Empty(t, foreignKeys(t, conn))
}

// While it waits for a reader of the referenced table, others wait no longer than
// the lock timeout behind it.
func TestForeignKeyWaitsShortly(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, referencing)
	conn := db.Conn(t)
	reader, err := db.Conn(t).Begin(t.Context())
	require.NoError(t, err)
	_, err = reader.Exec(t.Context(), `select from app.regions`)
	require.NoError(t, err)
	other := db.Conn(t)
	err = treeForeign.Ensure(t.Context(), conn, func(s ddl.Statement, run func(ddl.Runner) error) error {
		return run(ddl.Runner{LockTimeout: 100 * time.Millisecond, MaxWait: time.Second, OnRetry: func(r ddl.Retry) {
			require.NotEmpty(t, r.Blockers)
			_, err := other.Exec(t.Context(), `set statement_timeout = '1s'; select from app.regions; insert into app.users values (1, 'a')`)
			require.NoError(t, err)
		}})
	})
	var blocked *ddl.BlockedError
	require.ErrorAs(t, err, &blocked)
	require.Equal(t, ddl.AccessExclusive, blocked.Statement.AlsoLock)
	require.NoError(t, reader.Rollback(t.Context()))
	var count int
	require.NoError(t, treeForeign.Ensure(t.Context(), conn, plainly(&count)))
	require.Equal(t, 4, count, "the parts were there")
}
