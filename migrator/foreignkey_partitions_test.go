package migrator_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/migrator"
)

// membership has foreign keys from a partitioned table, to one, and from one to
// the column of a plain table.
const membership = `
	create table teams (id bigint primary key, code text not null unique);
	insert into teams select i, 'team ' || i from generate_series(1, 10) i;
	create table users (id bigint primary key, number int not null, team bigint references teams (id) on delete cascade deferrable,
		code text references teams (code), unique (number, id)) partition by range (id);
	create table low partition of users for values from (minvalue) to (20);
	create table high partition of users default partition by hash (id);
	create table h0 partition of high for values with (modulus 2, remainder 0);
	create table h1 partition of high for values with (modulus 2, remainder 1);
	insert into users select i, i, 1 + i % 10, 'team ' || 1 + i % 10 from generate_series(1, 50) i;
	create table visits (number int, user_id bigint, foreign key (number, user_id) references users (number, id));
	insert into visits select i, i from generate_series(1, 50) i`

func referencesOf(t *testing.T, conn *pgx.Conn) []string {
	return list[string](t, conn, `select concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid), conparentid <> 0, conislocal)
		from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace and (conparentid = 0 or conrelid <> 'visits'::regclass) order by 1`)
}

// Foreign keys of partitioned tables move with their columns, on either side of
// them, and are what they were after each way back.
func TestForeignKeysOfPartitionsMove(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ table, from, bad, direct string }{
		"from":       {"users", "team", `update users set team = 11 where id = 30`, `alter table users rename team to moved`},
		"to":         {"users", "number", `update users set number = 99 where id = 30`, `alter table users rename number to moved`},
		"key":        {"teams", "id", `update users set team = 11 where id = 30`, `alter table teams rename id to moved`},
		"from other": {"teams", "code", `update teams set code = 'x' where id = 3`, `alter table teams rename code to moved`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, m := begun(t, membership)
			conn := audit(t, db)
			before := referencesOf(t, conn)
			tr := migrator.Transition{Name: "move", Table: c.table, Rename: &migrator.Rename{From: c.from, To: "moved"}, IgnoreApplications: []string{auditor}}
			_, err := m.Start(ctx, tr)
			require.NoError(t, err)
			_, pool := hooked(t, db, dualwrite.StarsSource)
			use := func(p migrator.Phase) {
				t.Helper()
				_, err := pool.Exec(ctx, c.bad)
				require.ErrorContains(t, err, "23503", p)
			}
			for _, p := range []migrator.Phase{migrator.DualWrite, migrator.Live, migrator.Complete} {
				_, err = m.Run(ctx, tr.Name, migrator.RunOptions{Until: p, Snapshot: migrator.NoSnapshot})
				require.NoError(t, err, p)
				use(p)
				_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{})
				require.NoError(t, err, p)
				use(migrator.Off)
				require.Equal(t, before, referencesOf(t, conn), p)
			}
			_, err = m.Run(ctx, tr.Name, untilContracted)
			require.NoError(t, err)
			use(migrator.Contracted)
			after := referencesOf(t, conn)

			fresh, _ := begun(t, membership)
			fresh.Exec(t, c.direct)
			require.Equal(t, referencesOf(t, audit(t, fresh)), after)
		})
	}
}
