package migrator_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// accounts is a table for operations that move no column.
const accounts = `
	create table teams (id bigint primary key, code text not null unique);
	insert into teams select i, 'team ' || i from generate_series(1, 10) i;
	create table users (
		id bigint generated always as identity primary key,
		full_name text not null,
		email text not null,
		team bigint,
		nick text default 'nobody',
		visits int not null default 0);
	comment on column users.full_name is 'how to address the user';
	create index users_team_idx on users (team);
	create index users_name_idx on users (full_name);
	insert into users (full_name, email, team, nick, visits)
		select 'user ' || i, i || '@example.org', 1 + i % 10, nullif('nick ' || i, 'nick 7'), i from generate_series(1, 300) i;
	analyze users`

// alterationCase is an operation on accounts, with what the shape of the table
// gains, and loses, in the end.
type alterationCase struct {
	name, operation string
	// gains and loses are lines of the shape.
	gains, loses []string
	// check is true of the table in the end.
	check string
	// steps are the names of all steps.
	steps []string
}

var alterations = []alterationCase{
	{
		name:      "add a column with a constant",
		operation: "add_column: {name: plan, type: text, default: \"'free'\", not_null: true}",
		gains:     []string{"column plan text not null default 'free'::text"},
		check:     "select bool_and(plan = 'free') from users",
		steps:     []string{"register", "add"},
	},
	{
		name:      "add a nullable column",
		operation: `add_column: {name: "Odd name", type: "varchar(10)", collation: "pg_catalog.\"C\""}`,
		gains:     []string{"column Odd name character varying(10)"},
		check:     `select bool_and("Odd name" is null) from users`,
		steps:     []string{"register", "add"},
	},
	{
		name:      "add a column with a volatile default",
		operation: "add_column: {name: token, type: text, default: \"md5(random()::text)\", not_null: true}",
		gains:     []string{"column token text not null default md5((random())::text)"},
		check:     "select count(distinct token) = 300 from users",
		steps:     []string{"register", "add", "fill", "count", "constrain"},
	},
	{
		name:      "add a column of the row",
		operation: "add_column: {name: domain, type: text, value: \"split_part(email, '@', 2)\", default: \"''\", not_null: true}",
		gains:     []string{"column domain text not null default ''::text"},
		check:     "select bool_and(domain = 'example.org') from users",
		steps:     []string{"register", "add", "fill", "count", "constrain"},
	},
	{
		name:      "drop a column",
		operation: "drop_column: {name: full_name}",
		loses:     []string{"column full_name text not null -- how to address the user", "CREATE INDEX users_name_idx ON public.users USING btree (full_name)"},
		check:     "select count(*) = 300 from users",
		steps:     []string{"register", "relax", "hide", "drop"},
	},
	{
		name:      "drop a column with a default",
		operation: "drop_column: {name: visits}",
		loses:     []string{"column visits integer not null default 0"},
		check:     "select count(*) = 300 from users",
		steps:     []string{"register", "hide", "drop"},
	},
	{
		name:      "set not null",
		operation: "set_not_null: {column: team}",
		gains:     []string{"column team bigint not null"},
		loses:     []string{"column team bigint"},
		check:     "select true",
		steps:     []string{"register", "count", "constrain"},
	},
	{
		name:      "set not null with a value",
		operation: "set_not_null: {column: nick, value: \"'nick of ' || full_name\"}",
		gains:     []string{"column nick text not null default 'nobody'::text"},
		loses:     []string{"column nick text default 'nobody'::text"},
		check:     "select nick = 'nick of user 7' from users where id = 7",
		steps:     []string{"register", "fill", "count", "constrain"},
	},
	{
		name:      "add an index",
		operation: "add_index: {name: users_mail_idx, on: \"using btree (lower(email) text_pattern_ops desc, visits) include (nick) with (fillfactor = 70) where visits > 0\"}",
		gains: []string{"CREATE INDEX users_mail_idx ON public.users USING btree (lower(email) text_pattern_ops DESC, visits) " +
			"INCLUDE (nick) WITH (fillfactor='70') WHERE (visits > 0)"},
		check: "select true",
		steps: []string{"register", "build"},
	},
	{
		name:      "add a unique index",
		operation: "add_index: {name: users_mail_key, unique: true, on: (lower(email)) where visits > 0}",
		gains:     []string{"CREATE UNIQUE INDEX users_mail_key ON public.users USING btree (lower(email)) WHERE (visits > 0)"},
		check:     "select true",
		steps:     []string{"register", "build"},
	},
	{
		name:      "add a unique constraint",
		operation: "add_unique: {name: users_email_key, columns: [email, team], include: [nick], deferrable: true, initially_deferred: true}",
		gains: []string{"constraint users_email_key UNIQUE (email, team) INCLUDE (nick) DEFERRABLE INITIALLY DEFERRED",
			"CREATE UNIQUE INDEX users_email_key ON public.users USING btree (email, team) INCLUDE (nick)"},
		check: "select true",
		steps: []string{"register", "build"},
	},
	{
		name:      "add a check",
		operation: "add_check: {name: users_visits_check, check: \"visits >= 0 -- never less\"}",
		gains:     []string{"constraint users_visits_check CHECK ((visits >= 0))"},
		check:     "select convalidated from pg_constraint where conname = 'users_visits_check'",
		steps:     []string{"register", "count", "constrain"},
	},
	{
		name: "add a foreign key",
		operation: "add_foreign_key: {name: users_team_fkey, columns: [team], references: {table: teams}, on_delete: set null, on_update: cascade, " +
			"match: full, deferrable: true}",
		gains: []string{"constraint users_team_fkey FOREIGN KEY (team) REFERENCES teams(id) MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE"},
		check: "select convalidated from pg_constraint where conname = 'users_team_fkey'",
		steps: []string{"register", "count", "constrain"},
	},
}

// altering reads the transition of an operation.
func altering(t testing.TB, operation string) migrator.Transition {
	t.Helper()
	tr, err := alteration(operation)
	require.NoError(t, err)
	return tr
}

func alteration(operation string) (migrator.Transition, error) {
	return migrator.ParseTransition([]byte("name: alter\ntable: users\n" + operation))
}

// prepared returns a database with a ledger.
func prepared(t testing.TB, setup string) (*pgtest.DB, *migrator.Migrator) {
	t.Helper()
	db := pgtest.NewFrom(t, setup)
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	return db, m
}

func TestAlterations(t *testing.T) {
	t.Parallel()
	for _, c := range alterations {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db, m := prepared(t, accounts)
			conn := audit(t, db)
			original := shape(t, conn)
			epoch := scan[int](t, conn, `select epoch from crossfade.join_v1`)
			tr := altering(t, c.operation)

			plan, err := m.Plan(ctx, tr)
			require.NoError(t, err)
			require.False(t, plan.Refused(), "%v", plan.Findings)
			var steps []string
			contracts := false
			for _, s := range plan.Steps {
				steps = append(steps, s.Name)
				require.Empty(t, s.Phase)
				contracts = contracts || s.Act == "contract"
				require.True(t, s.Name == "register" || len(s.Statements) > 0)
			}
			require.Equal(t, c.steps, steps)

			p, err := m.Start(ctx, tr)
			require.NoError(t, err)
			require.Equal(t, migrator.Position{Name: "alter", Step: "register", Epoch: epoch}, p)
			require.Equal(t, original, shape(t, conn), "a start changes nothing")
			p, err = m.Run(ctx, "alter", migrator.RunOptions{})
			require.NoError(t, err)
			require.Equal(t, !contracts, p.Ended)

			_, err = m.Rollback(ctx, "alter", migrator.RollbackOptions{})
			require.NoError(t, err)
			require.Equal(t, original, shape(t, conn))

			p, err = m.Run(ctx, "alter", migrator.RunOptions{})
			require.NoError(t, err)
			if contracts {
				require.Error(t, m.Remove(ctx, "alter"), "the column still exists")
				p, err = m.Contract(ctx, "alter", withoutSnapshot)
				require.NoError(t, err)
				_, err = m.Rollback(ctx, "alter", migrator.RollbackOptions{})
				require.ErrorIs(t, err, migrator.ErrPointOfNoReturn)
			} else {
				_, err = m.Contract(ctx, "alter", withoutSnapshot)
				require.ErrorContains(t, err, "it drops nothing")
			}
			require.True(t, p.Ended)
			require.Equal(t, c.steps[len(c.steps)-1], p.Step)
			require.ElementsMatch(t, append(without(original, c.loses), c.gains...), shape(t, conn))
			require.True(t, scan[bool](t, conn, c.check))

			require.Empty(t, tokens(t, conn), "no token, no capability is left")
			require.Equal(t, "[]", scan[string](t, conn, `select transitions::text from crossfade.join_v1`))
			require.NoError(t, m.Remove(ctx, "alter"))
			require.Equal(t, epoch, scan[int](t, conn, `select epoch from crossfade.join_v1`), "no connection has been made stale")
			_, err = m.Status(ctx, migrator.StatusOptions{Name: "alter"})
			require.ErrorIs(t, err, migrator.ErrNotFound)
		})
	}
}

func without(list, gone []string) []string {
	var rest []string
	for _, line := range list {
		if !slices.Contains(gone, line) {
			rest = append(rest, line)
		}
	}
	return rest
}
