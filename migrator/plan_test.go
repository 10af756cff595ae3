package migrator_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	conn := audit(t, db)
	m := newMigrator(t, db, migrator.Config{})
	before := shape(t, conn)
	plan, err := m.Plan(ctx, rename)
	require.NoError(t, err)
	require.False(t, plan.Refused(), plan.Findings)
	require.Equal(t, before, shape(t, conn))
	require.False(t, scan[bool](t, conn, `select to_regnamespace('crossfade') is not null`), "it makes no ledger")

	var got []string
	for _, step := range plan.Steps {
		for _, s := range step.Statements {
			got = append(got, fmt.Sprintf("%s/%s: %s", step.Act, step.Name, s.SQL))
			require.NotEmpty(t, s.Lock, s.SQL)
			require.NotEmpty(t, s.On, s.SQL)
			require.NotEmpty(t, s.Why, s.SQL)
			if s.Lock == "ACCESS EXCLUSIVE" {
				require.NotZero(t, s.LockTimeout, s.SQL)
				require.LessOrEqual(t, s.LockTimeout, time.Second, s.SQL)
			}
		}
	}
	require.Equal(t, []string{
		`run/register: create table "crossfade".t<id>_off_<epoch> ()`,
		`run/expand: alter table "public"."users" add column "name" text`,
		`run/expand: comment on column "public"."users"."name" is 'how to address the user'`,
		`run/dualwrite: create table "crossfade".t<id>_dualwrite_<epoch> ()`,
		`run/dualwrite: drop table "crossfade".t<id>_off_<epoch>`,
		`run/backfill: update "public"."users" set "name" = "full_name" where ("id") > $1 and ("id") <= $2 and "name" is distinct from "full_name"`,
		`run/index: CREATE UNIQUE INDEX CONCURRENTLY "users_email_name_key" ON public.users USING btree (email, name)`,
		`run/index: alter table "public"."users" add constraint "users_email_name_key" unique using index "users_email_name_key"`,
		`run/index: CREATE INDEX CONCURRENTLY "users_name_idx" ON public.users USING btree (name)`,
		`run/index: CREATE INDEX CONCURRENTLY "users_lower_idx_name" ON public.users USING btree (lower(name), visits) WHERE (visits > 0)`,
		`run/index: analyze "public"."users"`,
		`run/constrain: alter table "public"."users" add constraint "crossfade_t<id>_not_null_2" check ("name" is not null) not valid`,
		`run/constrain: alter table "public"."users" validate constraint "crossfade_t<id>_not_null_2"`,
		`run/constrain: alter table "public"."users" alter column "name" set not null`,
		`run/constrain: alter table "public"."users" drop constraint if exists "crossfade_t<id>_not_null_2"`,
		`run/verify: select count(*) from "public"."users" where ("id") > $1 and ("id") <= $2 and "name" is distinct from "full_name"`,
		`run/enforce: alter table "public"."users" add constraint "crossfade_t<id>_equal" check (pg_catalog.record_image_eq(row("full_name"), row("name"))) not valid`,
		`run/enforce: alter table "public"."users" validate constraint "crossfade_t<id>_equal"`,
		`run/shadow: create table "crossfade".t<id>_shadow_<epoch> ()`,
		`run/shadow: drop table "crossfade".t<id>_dualwrite_<epoch>`,
		`run/live: create table "crossfade".t<id>_live_<epoch> ()`,
		`run/live: drop table "crossfade".t<id>_shadow_<epoch>`,
		`run/rampdown: create table "crossfade".t<id>_rampdown_<epoch> ()`,
		`run/rampdown: drop table "crossfade".t<id>_live_<epoch>`,
		`run/release: alter table "public"."users" drop constraint if exists "users_email_full_name_key"`,
		`run/release: alter table "public"."users" alter column "full_name" drop not null`,
		`run/release: alter table "public"."users" alter column "full_name" drop default`,
		`run/release: alter table "public"."users" drop constraint if exists "crossfade_t<id>_equal"`,
		`run/complete: create table "crossfade".t<id>_complete_<epoch> ()`,
		`run/complete: drop table "crossfade".t<id>_rampdown_<epoch>`,
		`contract/settle: alter table "public"."users" alter column "name" set default ('no'::text || 'body'::text)`,
		`contract/contracted: create table "crossfade".t<id>_contracted_<epoch> ()`,
		`contract/contracted: drop table "crossfade".t<id>_complete_<epoch>`,
		`contract/drop: alter table "public"."users" drop column "full_name"`,
		`contract/name: alter index "public"."users_lower_idx_name" rename to "users_lower_idx"`,
	}, got)
	_, err = json.Marshal(plan)
	require.NoError(t, err)
}

// TestPlanIsWhatHappens: every statement of the plan that changes the table is
// executed, and no other.
func TestPlanIsWhatHappens(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	planned := map[string]bool{}
	plan, err := newMigrator(t, db, migrator.Config{}).Plan(ctx, rename)
	require.NoError(t, err)
	batches := map[string]bool{"backfill": true, "verify": true}
	for _, step := range plan.Steps {
		for _, s := range step.Statements {
			planned[strings.ReplaceAll(s.SQL, "crossfade_t<id>", "crossfade_t1")] = !step.Flip && !batches[step.Name] && step.Name != "register"
		}
	}
	m := newMigrator(t, db, migrator.Config{Observer: observer(func(e migrator.Event) {
		// What the plan leaves out: the comment's text, and the rehearsal of the drop.
		s, ok := e.(migrator.StatementEvent)
		if !ok || !s.Done || s.Lock == "" || s.Step == "contracted" || s.Step == "settle" && s.Lock != "ACCESS EXCLUSIVE" {
			return
		}
		require.NoError(t, s.Err)
		require.True(t, planned[s.SQL], s.SQL)
		delete(planned, s.SQL)
	})})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err = m.Start(ctx, rename)
	require.NoError(t, err)
	_, err = m.Run(ctx, rename.Name, untilContracted)
	require.NoError(t, err)
	for sql, changes := range planned {
		require.False(t, changes, "planned, but not executed: %s", sql)
	}
}

// TestUnqualifiedTable finds the table in the role's own search_path.
func TestUnqualifiedTable(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users+`; create schema app; create table app.users (id int primary key, full_name varchar(20))`)
	config := db.Config(t)
	config.RuntimeParams["search_path"] = "nowhere, app, public"
	m, err := migrator.New(config, quick(migrator.Config{}))
	require.NoError(t, err)
	plan, err := m.Plan(ctx, rename)
	require.NoError(t, err)
	require.Equal(t, `alter table "app"."users" add column "name" character varying(20)`, plan.Steps[1].Statements[0].SQL)
}
