package migrator_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/migrator"
)

// laden is a table whose column has one of everything that goes along.
const laden = `
	create table users (id bigint primary key, full_name text not null, visits int not null default 0);
	insert into users select i, 'user ' || i, 0 from generate_series(1, 50) i;
	create unique index users_full_name_key on users (full_name);
	alter table users replica identity using index users_full_name_key;
	alter table users alter full_name set statistics 300, alter full_name set storage external, alter full_name set (n_distinct = -0.5);
	comment on column users.full_name is 'how to address the user';
	grant select (full_name), update (full_name) on users to public;
	alter table users add constraint users_full_name_check check (length(full_name) < 40 and visits >= 0);
	comment on constraint users_full_name_check on users is 'short';
	create statistics users_full_name_stats on full_name, visits from users;
	alter table users enable row level security;
	create policy own on users for update to public using (full_name <> 'secret') with check (full_name <> 'evil');
	create function touch() returns trigger language plpgsql as 'begin new.visits := new.visits + 1; return new; end';
	create trigger listed before update of full_name on users for each row execute function touch();
	create trigger asked before update on users for each row when (old.full_name is distinct from new.full_name) execute function touch();
	alter table users enable always trigger asked;
	create view people with (security_barrier) as select id, full_name from users where full_name <> 'nobody';
	comment on view people is 'who is there';
	grant select on people to public;
	create view names as select upper(full_name) as loud from people`

// ladenTree is the same, partitioned.
var ladenTree = strings.NewReplacer(
	"visits int not null default 0);", `visits int not null default 0) partition by range (id);
		create table low partition of users for values from (minvalue) to (20);
		create table high partition of users default partition by hash (id);
		create table h0 partition of high for values with (modulus 2, remainder 0);
		create table h1 partition of high for values with (modulus 2, remainder 1);`,
	"users_full_name_key on users (full_name);\n\talter table users replica identity using index users_full_name_key;", "users_full_name_id_idx on users (full_name, id);",
).Replace(laden)

// loaded describes everything that hangs on columns of users, one a line.
func loaded(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	return list[string](t, conn, `
		select 'view ' || oid::regclass || coalesce(reloptions::text, '') || pg_get_viewdef(oid) || coalesce(relacl::text, '') || coalesce(obj_description(oid), '')
			from pg_class where relkind = 'v' and relnamespace = 'public'::regnamespace
		union all select 'policy ' || polname || pg_get_expr(polqual, polrelid) || coalesce(pg_get_expr(polwithcheck, polrelid), '') from pg_policy
		union all select 'trigger ' || pg_get_triggerdef(oid) || tgenabled::text from pg_trigger where not tgisinternal
		union all select 'check ' || conname || pg_get_constraintdef(oid) || coalesce(obj_description(oid, 'pg_constraint'), '')
			from pg_constraint where conrelid = 'users'::regclass and contype = 'c'
		union all select 'statistics ' || pg_get_statisticsobjdef(oid) from pg_statistic_ext
		union all select 'identity ' || indexrelid::regclass from pg_index where indisreplident
		union all select 'column ' || concat_ws(' ', attname, attstattarget, attstorage::text, attoptions::text, attacl::text, col_description(attrelid, attnum))
			from pg_attribute where attrelid = 'users'::regclass and attnum > 0 and not attisdropped
		order by 1`)
}

// TestDependents: everything that hangs on the source works for hooked and other
// sessions in every phase, is restored by a rollback, and is on the target alone
// in the end.
func TestDependents(t *testing.T) {
	t.Parallel()
	for name, setup := range map[string]string{"plain": laden, "partitioned": ladenTree} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testDependents(t, setup)
		})
	}
}

func testDependents(t *testing.T, setup string) {
	db, m := begun(t, setup)
	conn := audit(t, db)
	before, tree := loaded(t, conn), treeShape(t, conn)
	_, err := m.Start(ctx, rename)
	require.NoError(t, err)
	_, pool := hooked(t, db, dualwrite.StarsSource)
	visits := 0
	use := func(p migrator.Phase) {
		t.Helper()
		for _, value := range []string{"Ada", "Grace"} {
			tag, err := pool.Exec(ctx, "update users set full_name = $1 where id = 1", value)
			require.NoError(t, err, p)
			require.EqualValues(t, 1, tag.RowsAffected())
			var through, loud string
			require.NoError(t, pool.QueryRow(ctx, "select full_name from people where id = 1").Scan(&through), p)
			require.Equal(t, value, through, p)
			require.NoError(t, pool.QueryRow(ctx, "select loud from names where loud = $1", strings.ToUpper(value)).Scan(&loud), p)
			require.Equal(t, value, scan[string](t, conn, "select full_name from people where id = 1"), "a session without the hook, in %s", p)
			visits += 2 // each trigger once
			require.Equal(t, visits, scan[int](t, conn, "select visits from users where id = 1"), p)
		}
		_, err := pool.Exec(ctx, "update users set full_name = repeat('x', 50) where id = 1")
		require.ErrorContains(t, err, "23514", p)
		require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "select set_config('role', 'pg_read_all_settings', true)"); err != nil {
				return err
			}
			var columns int // what public may
			err := tx.QueryRow(ctx, "select count(full_name) from users").Scan(&columns)
			require.NoError(t, err, p)
			return err
		}), p)
	}
	for _, p := range []migrator.Phase{migrator.Off, migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown, migrator.Complete} {
		_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: p, Snapshot: migrator.NoSnapshot})
		require.NoError(t, err, p)
		use(p)
	}
	for _, p := range []migrator.Phase{migrator.RampDown, migrator.DualWrite, migrator.Off} {
		_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{To: p})
		require.NoError(t, err, p)
		use(p)
	}
	require.Equal(t, before, loaded(t, conn))
	require.Equal(t, tree, treeShape(t, conn))
	_, err = m.Run(ctx, rename.Name, untilContracted)
	require.NoError(t, err)
	use(migrator.Contracted)
	for _, object := range loaded(t, conn) {
		require.NotContains(t, strings.ReplaceAll(object, "AS full_name", ""), "users.full_name", object)
	}
	require.Len(t, loaded(t, conn), len(before))
	require.Contains(t, strings.Join(loaded(t, conn), "\n"), "UPDATE OF name ON")
}

// TestDependentsAreCompared: reads do not move while anything is missing on the
// target, nor writes away from the source while anything reads it.
func TestDependentsAreCompared(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ at, change, says, right string }{
		"a check came later":      {"shadow", "alter table users add constraint late check (full_name <> 'x')", "+ check constraint late", "alter table users drop constraint late"},
		"a counterpart has gone":  {"shadow", "alter table users drop constraint users_name_check", "- check constraint users_full_name_check", "alter table users add constraint users_name_check check (length(name) < 40 and visits >= 0)"},
		"a view was changed":      {"shadow", "create or replace view people as select id, full_name from users", "~ view public.people", ""},
		"a grant came later":      {"shadow", "grant references (full_name) on users to public", "~ settings of column full_name", "revoke references (full_name) on users from public"},
		"statistics have gone":    {"shadow", "drop statistics users_name_stats", "- statistics public.users_full_name_stats", "create statistics users_name_stats on name, visits from users"},
		"a view of the source":    {"rampdown", "create view late as select full_name from users", "view public.late", "drop view late"},
		"a stored copy":           {"rampdown", "create materialized view late as select full_name from users", "materialized view public.late", "drop materialized view late"},
		"a view changed in live":  {"live", "create or replace view people with (security_barrier) as select id, full_name from users where full_name <> 'anybody'", "was changed after the transition began", "create or replace view people with (security_barrier) as select id, full_name from users where full_name <> 'nobody'"},
		"a view dropped in live":  {"live", "drop view people cascade", "", ""},
		"a policy dropped before": {"dualwrite", "drop policy own on users", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, m := begun(t, laden)
			_, err := m.Start(ctx, rename)
			require.NoError(t, err)
			_, err = m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Phase(c.at)})
			require.NoError(t, err)
			if c.at == "rampdown" {
				_, err = m.Advance(ctx, rename.Name, migrator.AdvanceOptions{}) // release
				require.NoError(t, err)
			}
			db.Exec(t, c.change)
			_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			var gate *migrator.GateError
			require.ErrorAs(t, err, &gate)
			require.ErrorContains(t, err, c.says)
			if c.right == "" {
				return
			}
			db.Exec(t, c.right)
			_, err = m.Run(ctx, rename.Name, migrator.RunOptions{})
			require.NoError(t, err)
		})
	}
}

// TestDependentsOfAChange: where the values change on the way, what hangs on the
// source reads them back from the target.
func TestDependentsOfAChange(t *testing.T) {
	t.Parallel()
	db, m := begun(t, `
		create table users (id bigint primary key, n integer not null, label text);
		insert into users select i, i, 'x' from generate_series(1, 50) i;
		alter table users add constraint n_check check (n > 0 and n % 1000 <> 999);
		do $$ begin
			if current_setting('server_version_num')::int >= 140000 then create statistics n_stats on n, label from users; end if;
		end $$;
		create policy own on users using (n < 1000);
		create function touch() returns trigger language plpgsql as 'begin new.label := ''touched''; return new; end';
		create trigger listed before update of n on users for each row when (new.n > 10) execute function touch();
		create view numbers as select id, n, n + 1 as next from users group by id`)
	conn := audit(t, db)
	before := loaded(t, conn)
	tr := migrator.Transition{Name: rename.Name, Table: "users", IgnoreApplications: rename.IgnoreApplications,
		Change: &migrator.Change{From: "n", To: "code", Type: "text", Forward: "n::text", Backward: "code::integer"}}
	_, err := m.Start(ctx, tr)
	require.NoError(t, err)
	_, pool := hooked(t, db, dualwrite.StarsSource)
	use := func(p migrator.Phase) {
		t.Helper()
		db.Exec(t, "update users set label = 'x'")
		_, err := pool.Exec(ctx, "update users set n = 20 where id = 1")
		require.NoError(t, err, p)
		var n, next int
		require.NoError(t, pool.QueryRow(ctx, "select n, next from numbers where id = 1").Scan(&n, &next), p)
		require.Equal(t, []int{20, 21}, []int{n, next}, p)
		require.Equal(t, "touched", scan[string](t, conn, "select label from users where id = 1"), p)
		_, err = pool.Exec(ctx, "update users set n = 5 where id = 2")
		require.NoError(t, err, p)
		require.Equal(t, "x", scan[string](t, conn, "select label from users where id = 2"), p)
		_, err = pool.Exec(ctx, "update users set n = 1999 where id = 1")
		require.ErrorContains(t, err, "23514", p)
	}
	for _, p := range []migrator.Phase{migrator.DualWrite, migrator.Live, migrator.Complete} {
		_, err = m.Run(ctx, tr.Name, migrator.RunOptions{Until: p, Snapshot: migrator.NoSnapshot})
		require.NoError(t, err, p)
		use(p)
	}
	_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{})
	require.NoError(t, err)
	use(migrator.Off)
	require.Equal(t, before, loaded(t, conn))
	_, err = m.Run(ctx, tr.Name, untilContracted)
	require.NoError(t, err)
	use(migrator.Contracted)
	require.Len(t, loaded(t, conn), len(before))
}

// TestDependentsInterrupted: each statement of the way there and back may be the
// last one before a crash.
func TestDependentsInterrupted(t *testing.T) {
	t.Parallel()
	db, m := begun(t, laden)
	conn := audit(t, db)
	before := loaded(t, conn)
	_, err := m.Start(ctx, rename)
	require.NoError(t, err)
	interrupted := func(call func(context.Context, *migrator.Migrator) error) {
		t.Helper()
		for seen := map[string]bool{}; ; {
			stopped, stop := context.WithCancel(ctx)
			m := newMigrator(t, db, migrator.Config{Observer: observer(func(e migrator.Event) {
				if s, ok := e.(migrator.StatementEvent); ok && s.Done && s.Err == nil && !seen[s.Step+s.SQL] && !strings.HasPrefix(s.SQL, "--") {
					seen[s.Step+s.SQL] = true
					stop()
				}
			})})
			err := call(stopped, m)
			stop()
			if err == nil {
				return
			}
			require.ErrorIs(t, err, context.Canceled)
		}
	}
	interrupted(func(ctx context.Context, m *migrator.Migrator) error {
		_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
		return err
	})
	interrupted(func(ctx context.Context, m *migrator.Migrator) error {
		_, err := m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
		return err
	})
	require.Equal(t, before, loaded(t, conn))
}
