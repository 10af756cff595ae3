package migrator_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// people is a table for a split, with what it can carry along.
const people = `
	create table users (
		id bigint primary key, full_name text not null default 'Jane Doe', age int not null, email text);
	create unique index users_full_name_idx on users (full_name);
	create index users_cover_idx on users (age) include (full_name);
	insert into users select i, 'First' || i || ' Last' || i, i, i || '@example.org' from generate_series(1, 300) i`

func splitting() migrator.Transition {
	return migrator.Transition{
		Name: "split", Table: "users", IgnoreApplications: []string{auditor},
		Split: &migrator.Split{
			From: "full_name",
			To: []migrator.SplitInto{
				{Name: "first_name", Type: "text", Value: "split_part(full_name, ' ', 1)", NotNull: true},
				{Name: "last_name", Type: "text", Value: "split_part(full_name, ' ', 2)", NotNull: true}},
			Backward: "first_name || ' ' || last_name",
		},
	}
}

func widening() migrator.Transition {
	return migrator.Transition{
		Name: "wide", Table: "users", IgnoreApplications: []string{auditor},
		Change: &migrator.Change{From: "age", To: "age_big", Type: "bigint"},
	}
}

// begun returns a database of that kind with a ledger.
func begun(t *testing.T, setup string) (*pgtest.DB, *migrator.Migrator) {
	t.Helper()
	db := pgtest.NewFrom(t, setup)
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	return db, m
}

// TestSplitBackFromEachStep goes n steps, returns to off, and finds the table as
// it was.
func TestSplitBackFromEachStep(t *testing.T) {
	t.Parallel()
	for n := range 13 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			db, m := begun(t, people)
			conn := audit(t, db)
			original := shape(t, conn)
			values := list[string](t, conn, `select id || full_name from users order by id`)
			_, err := m.Start(ctx, splitting())
			require.NoError(t, err)
			for range n {
				_, err := m.Advance(ctx, "split", migrator.AdvanceOptions{})
				require.NoError(t, err)
			}
			_, err = m.Rollback(ctx, "split", migrator.RollbackOptions{})
			require.NoError(t, err)
			require.Equal(t, original, shape(t, conn))
			require.Equal(t, values, list[string](t, conn, `select id || full_name from users order by id`))
			if n == 12 {
				_, err = m.Run(ctx, "split", untilContracted)
				require.NoError(t, err)
				require.Equal(t, []string{
					`CREATE INDEX users_cover_idx ON public.users USING btree (age) INCLUDE (first_name, last_name)`,
					`CREATE UNIQUE INDEX users_first_name_last_name_idx ON public.users USING btree ((((first_name || ' '::text) || last_name)))`,
					`CREATE UNIQUE INDEX users_pkey ON public.users USING btree (id)`,
					`column age integer not null`,
					`column email text`,
					`column first_name text not null default 'Jane'::text`,
					`column id bigint not null`,
					`column last_name text not null default 'Doe'::text`,
					`constraint users_pkey PRIMARY KEY (id)`,
				}, shape(t, conn))
			}
		})
	}
}

// TestSeveralAtOnce: two transitions of one table pass each other, and a chain
// follows what is contracted.
func TestSeveralAtOnce(t *testing.T) {
	t.Parallel()
	db, m := begun(t, people+`; drop index users_cover_idx`)
	conn := audit(t, db)
	for _, tr := range []migrator.Transition{splitting(), widening()} {
		_, err := m.Start(ctx, tr)
		require.NoError(t, err)
		_, err = m.Run(ctx, tr.Name, migrator.RunOptions{Until: migrator.Shadow})
		require.NoError(t, err)
	}
	require.Equal(t, []string{"crossfade_t1_equal", "crossfade_t2_equal"},
		list[string](t, conn, `select conname::text from pg_constraint where conname like 'crossfade%' order by 1`))
	_, err := m.Run(ctx, "wide", untilContracted)
	require.NoError(t, err)
	_, err = m.Rollback(ctx, "split", migrator.RollbackOptions{})
	require.NoError(t, err)

	chain := migrator.Transition{Name: "chain", Table: "users", IgnoreApplications: []string{auditor},
		Change: &migrator.Change{From: "age_big", To: "years", Type: "text"}}
	_, err = m.Start(ctx, chain)
	require.NoError(t, err)
	again := migrator.Transition{Name: "again", Table: "users", Rename: &migrator.Rename{From: "age_big", To: "age"}}
	_, err = m.Start(ctx, again)
	var refused *migrator.RefusedError
	require.ErrorAs(t, err, &refused)
	require.ErrorContains(t, err, "transition-active")
	_, err = m.Run(ctx, "chain", untilContracted)
	require.NoError(t, err)
	_, err = m.Run(ctx, "split", untilContracted)
	require.NoError(t, err)
	require.Equal(t, "First300 Last300 300", scan[string](t, conn, `select first_name || ' ' || last_name || ' ' || years from users where id = 300`))
	status, err := m.Status(ctx, migrator.StatusOptions{})
	require.NoError(t, err)
	require.Len(t, status, 3)
}

// TestNoCounterpart: what only the target can hold has no way back, until
// somebody changes it.
func TestNoCounterpart(t *testing.T) {
	t.Parallel()
	db, m := begun(t, people)
	conn := audit(t, db)
	_, err := m.Start(ctx, widening())
	require.NoError(t, err)
	_, err = m.Run(ctx, "wide", migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	_, err = conn.Exec(ctx, `update users set age_big = 3000000000 where id = 7`)
	require.ErrorContains(t, err, "crossfade_t1_equal", "while both are kept it is refused")
	_, err = m.Run(ctx, "wide", migrator.RunOptions{})
	require.NoError(t, err)
	db.Exec(t, `update users set age_big = 3000000000 where id = 7`)

	_, err = m.Rollback(ctx, "wide", migrator.RollbackOptions{})
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	require.Contains(t, gate.Why, "no counterpart")
	db.Exec(t, `update users set age_big = 3000 where id = 7`)
	_, err = m.Rollback(ctx, "wide", migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, 3000, scan[int](t, conn, `select age from users where id = 7`))
}

// TestSameFileGoesOn: an edited expression is another transition.
func TestSameFileGoesOn(t *testing.T) {
	t.Parallel()
	_, m := begun(t, people)
	tr := widening()
	_, err := m.Start(ctx, tr)
	require.NoError(t, err)
	tr.Change = &migrator.Change{From: "age", To: "age_big", Type: "bigint", Forward: "age * 2", Backward: "age_big / 2"}
	_, err = m.Start(ctx, tr)
	require.ErrorIs(t, err, migrator.ErrActive)
	require.ErrorContains(t, err, "the file says something else now")
}

// TestPlanOfASplit: what is particular about it.
func TestPlanOfASplit(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, people)
	plan, err := newMigrator(t, db, migrator.Config{}).Plan(ctx, splitting())
	require.NoError(t, err)
	require.False(t, plan.Refused(), plan.Findings)
	var got []string
	for _, step := range plan.Steps {
		for _, s := range step.Statements {
			if step.Name == "expand" || step.Name == "backfill" || step.Name == "enforce" || step.Name == "settle" {
				got = append(got, step.Name+": "+s.SQL)
			}
		}
	}
	const rule = `pg_catalog.record_image_eq(row("first_name"), row(((split_part(full_name, ' '::text, 1))::text)))` +
		` and pg_catalog.record_image_eq(row("last_name"), row(((split_part(full_name, ' '::text, 2))::text)))`
	require.Equal(t, []string{
		`expand: alter table "public"."users" add column "first_name" text`,
		`expand: alter table "public"."users" add column "last_name" text`,
		`backfill: update "public"."users" set "first_name" = ((split_part(full_name, ' '::text, 1))::text), ` +
			`"last_name" = ((split_part(full_name, ' '::text, 2))::text) where ("id") > $1 and ("id") <= $2 and not (` + rule + `)`,
		`enforce: alter table "public"."users" add constraint "crossfade_t<id>_equal" check (` + rule + `) not valid`,
		`enforce: alter table "public"."users" validate constraint "crossfade_t<id>_equal"`,
		`settle: alter table "public"."users" alter column "first_name" set default 'Jane'::text`,
		`settle: alter table "public"."users" alter column "last_name" set default 'Doe'::text`,
	}, got)
}
