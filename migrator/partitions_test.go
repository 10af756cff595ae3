package migrator_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// layout is the table users, partitioned in some way.
type layout struct {
	key, by    string
	partitions string
	// move is a statement that moves a row to another partition. It does not name
	// the source, so the hook leaves the target of the row alone.
	move string
}

var layouts = map[string]layout{
	"range": {
		key: "primary key (id)", by: "range (id)",
		partitions: `create table users_low partition of users for values from (minvalue) to (100);
			create table users_high partition of users default`,
		move: `update users set id = -id where id = $1`,
	},
	"list and hash": {
		key: "primary key (region, id)", by: "list (region)",
		partitions: `create schema "Old one"; create table "Old one".south (visits int not null default 0, region text not null default 'north',
				id bigint not null default nextval('ids'), email text not null, full_name text not null default 'no' || 'body');
			alter table users attach partition "Old one".south for values in ('south');
			create table north partition of users for values in ('north') partition by hash (id);
			create table n0 partition of north for values with (modulus 3, remainder 0);
			create table n1 partition of north for values with (modulus 3, remainder 1);
			create table n2 partition of north for values with (modulus 3, remainder 2);
			create table nowhere partition of users default partition by range (id)`,
		move: `update users set region = 'south' where id = $1`,
	},
	"hash, no primary key": {
		key: "unique (id)", by: "hash (id)",
		partitions: `create table h0 partition of users for values with (modulus 2, remainder 0);
			create table h1 partition of users for values with (modulus 2, remainder 1)`,
		move: `update users set id = id + 1000001 where id = $1`,
	},
}

func (l layout) setup(rows int) string {
	unique := strings.NewReplacer("primary key (", "", "unique (", "", ")", "").Replace(l.key)
	return fmt.Sprintf(`
		create sequence ids;
		create table users (id bigint not null default nextval('ids'), region text not null default 'north',
			full_name text not null default 'no' || 'body', email text not null, visits int not null default 0, %s) partition by %s;
		%s;
		comment on column users.full_name is 'how to address the user';
		create index users_full_name_idx on users (full_name);
		create index users_lower_idx on users (lower(full_name), visits) where visits > 0;
		alter table users add unique (full_name, email, %s);
		insert into users (full_name, email, visits) select 'user ' || i, i || '@example.org', i from generate_series(1, %d) i;
		analyze users`, l.key, l.by, l.partitions, unique, rows)
}

// treeShape is shape for all tables of a partition tree, with what their indexes
// and constraints are parts of.
func treeShape(t testing.TB, conn *pgx.Conn) []string {
	t.Helper()
	return list[string](t, conn, `
		with tree as (select relid as oid from pg_partition_tree('users'))
		select concat_ws(' ', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod),
			case when a.attnotnull then 'not null' end, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum))
		from tree join pg_attribute a on a.attrelid = tree.oid and a.attnum > 0 and not a.attisdropped
		left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
		union all
		select concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(k.oid), conparentid <> 0 or coninhcount > 0)
		from tree join pg_constraint k on conrelid = tree.oid and contype <> 'n'
		union all
		select concat_ws(' ', pg_get_indexdef(x.indexrelid), case when not indisvalid then 'INVALID' end, h.inhparent::regclass)
		from tree join pg_index x on indrelid = tree.oid left join pg_inherits h on h.inhrelid = x.indexrelid
		order by 1`)
}

// TestPartitionsUnderTraffic is TestUnderTraffic for each layout; meanwhile rows
// move between the partitions.
func TestPartitionsUnderTraffic(t *testing.T) {
	t.Parallel()
	for name, l := range layouts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := underTraffic(t, l.setup(5000), rename, func(ctx context.Context, pool *pgxpool.Pool, statements *atomic.Int64) error {
				for id := 100; id < 5000 && ctx.Err() == nil; id++ {
					if _, err := pool.Exec(context.WithoutCancel(ctx), l.move, id); err != nil {
						return fmt.Errorf("move rows: %w", err)
					}
					statements.Add(1)
				}
				return nil
			})
			require.Equal(t, 5000, scan[int](t, conn, `select count(*) from users where email like '%@example.org'`))
			require.Zero(t, scan[int](t, conn, `select count(*) from users where id not in (1, 2, 3, 4) and email like '%@example.org'
				and name is distinct from 'user ' || split_part(email, '@', 1)`))
			assertContracted(t, conn, l)
		})
	}
}

// assertContracted: the tree looks like that of a table that had the target's name
// from the beginning.
func assertContracted(t *testing.T, conn *pgx.Conn, l layout) {
	t.Helper()
	db := pgtest.NewFrom(t, l.setup(0)+`; alter table users rename full_name to name`)
	want := treeShape(t, audit(t, db))
	require.ElementsMatch(t, nameless(want), nameless(treeShape(t, conn)))
}

// nameless leaves out how indexes and constraints are called.
func nameless(shape []string) []string {
	names := regexp.MustCompile(`\S+_(idx\w*|key|pkey)\b`)
	for i, line := range shape {
		shape[i] = names.ReplaceAllString(line, "...")
	}
	return shape
}

// TestPartitionsThereAndBack: after each way back the tree is what it was.
func TestPartitionsThereAndBack(t *testing.T) {
	t.Parallel()
	for name, l := range layouts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, m := started(t, l.setup(300), migrator.Config{})
			conn := audit(t, db)
			before := treeShape(t, conn)
			for _, p := range []migrator.Phase{migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.Complete} {
				_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: p, Snapshot: migrator.NoSnapshot})
				require.NoError(t, err)
				if p == migrator.Shadow || p == migrator.Live {
					equal(t, conn)
				}
				_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
				require.NoError(t, err)
				require.Equal(t, before, treeShape(t, conn), p)
				require.Equal(t, 300, scan[int](t, conn, `select count(*) from users where full_name = 'user ' || split_part(email, '@', 1)`))
			}
		})
	}
}

// Each kind of move works on a partitioned table, whichever of its tables a
// statement names.
func TestKindsOfMovesOnPartitions(t *testing.T) {
	t.Parallel()
	const tables = `create table users (id bigint, region text, age int not null default 7, full_name text, primary key (id, region)) partition by list (region);
		create table north partition of users for values in ('north');
		create table south partition of users default partition by hash (id);
		create table s0 partition of south for values with (modulus 2, remainder 0);
		create table s1 partition of south for values with (modulus 2, remainder 1);
		alter table users add unique (age, id, region);
		insert into users select i, case when i % 2 = 0 then 'north' else 'south' end, i, 'Jane Doe' from generate_series(1, 100) i`
	for operation, turns := range map[string][3]string{
		`change: {from: age, to: years, type: bigint}`: {`update %s set age = age + 1`, `select count(*) from users where years = id + 1`},
		`split: {from: full_name, backward: "first || ' ' || last", lossy: [forward, backward], to: [{name: first, type: text,
			value: "split_part(full_name, ' ', 1)"}, {name: last, type: text, value: "split_part(full_name, ' ', 2)"}]}`: {
			`update %s set full_name = 'Ada King'`, `select count(*) from users where first = 'Ada' and last = 'King'`},
	} {
		t.Run(operation[:5], func(t *testing.T) {
			t.Parallel()
			db, m := begun(t, tables)
			tr, err := migrator.ParseTransition([]byte("name: move\ntable: users\nignore_applications: [auditor]\n" + operation))
			require.NoError(t, err)
			_, err = m.Start(ctx, tr)
			require.NoError(t, err)
			_, pool := hooked(t, db, dualwrite.StarsSource)
			for _, p := range []migrator.Phase{migrator.DualWrite, migrator.Live, migrator.Complete, migrator.Off, migrator.Contracted} {
				_, err = pool.Exec(ctx, `update users set age = id, full_name = 'Jane Doe'`)
				require.NoError(t, err)
				if p == migrator.Off {
					_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{})
				} else {
					_, err = m.Run(ctx, tr.Name, migrator.RunOptions{Until: p, Snapshot: migrator.NoSnapshot})
				}
				require.NoError(t, err, p)
				for _, table := range []string{"users where region = 'north'", "s0", "s1"} {
					table, where, _ := strings.Cut(table, " ")
					_, err = pool.Exec(ctx, fmt.Sprintf(turns[0], table)+" "+where)
					require.NoError(t, err, "%s in %s", table, p)
				}
				var n int
				require.NoError(t, pool.QueryRow(ctx, turns[1]).Scan(&n))
				require.Equal(t, 100, n, p)
			}
		})
	}
}

// The backfill may miss rows of a partition that is attached under it. The
// verification finds them, and they are copied.
func TestFilledPartitionIsAttachedDuringTheBackfill(t *testing.T) {
	t.Parallel()
	l := layouts["range"]
	l.partitions = `create table users_low partition of users for values from (minvalue) to (100);
		create table users_mid partition of users for values from (100) to (1000)`
	var db *pgtest.DB
	attached, differed := false, false
	db, m := started(t, l.setup(300), migrator.Config{Observer: observer(func(e migrator.Event) {
		switch e := e.(type) {
		case migrator.BatchEvent:
			if e.Progress.Job == "backfill" && !attached {
				attached = true
				db.Exec(t, `create table aaa (like users including all);
					insert into aaa (id, full_name, email) select i, 'user ' || i, i || '@example.org' from generate_series(1000, 1099) i;
					alter table users attach partition aaa for values from (1000) to (2000)`)
			}
			differed = differed || e.Progress.Job == "verify" && e.Progress.Mismatches > 0
		}
	})})
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	require.True(t, attached && differed)
	conn := audit(t, db)
	equal(t, conn)
	require.Equal(t, 400, scan[int](t, conn, `select count(*) from users`))

	// From then on PostgreSQL itself refuses one that differs.
	db.Exec(t, `create table bbb (like users including all); alter table bbb drop constraint crossfade_t1_equal;
		insert into bbb (id, full_name, name, email) values (2000, 'a', 'b', 'c')`)
	_, err = conn.Exec(ctx, `alter table users attach partition bbb for values from (2000) to (3000)`)
	require.ErrorContains(t, err, "crossfade_t1_equal")

	// One with a constraint of its own holds the flip to complete.
	db.Exec(t, `update bbb set name = full_name; alter table bbb add constraint crossfade_t1_equal check (`+
		scan[string](t, conn, `select pg_get_expr(conbin, conrelid) from pg_constraint where conname = 'crossfade_t1_equal' and conrelid = 'users'::regclass`)+`);
		create unique index own on bbb (full_name); alter table users attach partition bbb for values from (2000) to (3000)`)
	var gate *migrator.GateError
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
	require.ErrorAs(t, err, &gate)
	require.Contains(t, gate.Why, "index public.own")
	db.Exec(t, `drop index own`)
	_, err = m.Run(ctx, rename.Name, untilContracted)
	require.NoError(t, err)
}

// A reader of one partition keeps DDL waiting, and nobody else behind it for
// longer than the lock timeout.
func TestReaderOfOnePartition(t *testing.T) {
	t.Parallel()
	var db *pgtest.DB
	var reader pgx.Tx
	retries := 0
	db, m := started(t, layouts["list and hash"].setup(300), migrator.Config{Observer: observer(func(e migrator.Event) {
		if s, ok := e.(migrator.StatementEvent); ok && s.Retry > 0 && reader != nil {
			if retries++; retries == 3 {
				require.NotEmpty(t, s.Blockers)
				require.Contains(t, s.Blockers[0], auditor)
				err := reader.Rollback(ctx)
				reader = nil
				require.NoError(t, err)
			}
		}
	})})
	var err error
	reader, err = audit(t, db).Begin(ctx)
	require.NoError(t, err)
	_, err = reader.Exec(ctx, `select count(*) from n2`)
	require.NoError(t, err)
	_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	require.GreaterOrEqual(t, retries, 3)
}
