package preflight_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// script lists the statements of all changes, in the order of the steps.
func script(d ledger.Definition) string {
	var lines []string
	for _, step := range []string{"expand", "index", "constrain", "release", "settle"} {
		for _, dependent := range d.Dependents {
			for _, s := range dependent.Changes[step].Do {
				lines = append(lines, step+": "+strings.Join(strings.Fields(s.SQL), " "))
			}
			for _, s := range dependent.Changes[step].Undo {
				lines = append(lines, step+" undo: "+strings.Join(strings.Fields(s.SQL), " "))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// TestCarried has a row for each kind that goes along, with what it takes.
func TestCarried(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn(t)
	for _, c := range []struct{ setup, object, script string }{
		{
			"create view app.v as select id, full_name from app.users", "view app.v",
			`release: create or replace view "app"."v" as SELECT users.id, users.name AS full_name FROM app.users
release undo: create or replace view "app"."v" as SELECT users.id, users.full_name FROM app.users`,
		},
		{
			"create policy p on app.orders using (exists (select from app.users where users.full_name = orders.full_name))", "policy p on app.orders",
			`release: alter policy "p" on "app"."orders" using ((EXISTS ( SELECT FROM app.users WHERE (users.name = orders.full_name))))
release undo: alter policy "p" on "app"."orders" using ((EXISTS ( SELECT FROM app.users WHERE (users.full_name = orders.full_name))))`,
		},
		{
			trigger + "create trigger t before update of full_name on app.users for each row execute function app.touch()", "trigger t on app.users",
			`constrain: drop trigger if exists "t" on "app"."users"; CREATE TRIGGER t BEFORE UPDATE OF full_name, name ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch()
constrain undo: drop trigger if exists "t" on "app"."users"; CREATE TRIGGER t BEFORE UPDATE OF full_name ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch()
settle: drop trigger if exists "t" on "app"."users"; CREATE TRIGGER t BEFORE UPDATE OF name ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch()
settle undo: drop trigger if exists "t" on "app"."users"; CREATE TRIGGER t BEFORE UPDATE OF full_name, name ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch()`,
		},
		{
			"alter table app.users add constraint c check (full_name <> '' and age > 0) not valid", "check constraint c on app.users",
			`constrain: alter table "app"."users" drop constraint if exists "c_name", add constraint "c_name" check (((name <> ''::text) AND (age > 0))) not valid
constrain undo: alter table "app"."users" drop constraint if exists "c_name"
release: alter table "app"."users" drop constraint if exists "c"
release undo: alter table "app"."users" drop constraint if exists "c", add constraint "c" check (((full_name <> ''::text) AND (age > 0))) not valid`,
		},
		{
			"create statistics app.s (ndistinct, mcv) on full_name, age from app.users; alter statistics app.s set statistics 50", "statistics app.s",
			`index: create statistics if not exists "app"."s_name" (ndistinct, mcv) on "name", "age" from "app"."users"
index: alter statistics if exists "app"."s_name" set statistics 50
index undo: drop statistics if exists "app"."s_name"`,
		},
		{
			"grant select (full_name) on app.users to public; alter table app.users alter full_name set statistics 7", "settings of column full_name on app.users",
			`expand: grant SELECT ("name") on "app"."users" to public
expand: alter table "app"."users" alter column "name" set statistics 7`,
		},
		{
			"create unique index i on app.users (full_name); alter table app.users replica identity using index i", "replica identity app.users",
			`release: alter table "app"."users" replica identity using index "i_name"
release undo: alter table "app"."users" replica identity using index "i"`,
		},
	} {
		_, err := conn.Exec(t.Context(), reset+setup+c.setup)
		require.NoError(t, err)
		report := check(t, conn, rename())
		require.False(t, report.Refused(), report.Findings)
		requireOne(t, report, preflight.Info, "carried", c.object)
		// PostgreSQL 16 leaves out qualifiers that it does not need.
		got := script(report.Definition)
		require.Equal(t, unqualified(c.script), unqualified(got))
	}
}

func unqualified(text string) string {
	return strings.NewReplacer("users.id", "id", "users.name", "name", "users.full_name", "full_name").Replace(text)
}

// TestNotCarried has a row for each kind of dependent for which there is no way.
func TestNotCarried(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn(t)
	toNumber := func(r *preflight.Request) {
		r.Move = transform.Move{
			Kind:    transform.Change,
			Sources: []transform.Column{{Name: "age", Value: "years::integer"}},
			Targets: []transform.Column{{Name: "years", Type: "text", Value: "age::text"}},
		}
	}
	for _, c := range []struct {
		setup  string
		change func(*preflight.Request)
		code   string
	}{
		{"alter table app.users drop constraint users_age_check; drop view app.ages; create view app.v as select age from app.users", toNumber, "view-becomes-read-only"},
		{"drop view app.ages", func(r *preflight.Request) {
			toNumber(r)
			r.Move.Lossy = []transform.Direction{transform.Forward}
		}, "check-depends"},
		{"alter table app.users drop constraint users_age_check; drop view app.ages; create unique index i on app.users (age); alter table app.users alter age set not null; " +
			"alter table app.users replica identity using index i", toNumber, "replica-identity"},
	} {
		_, err := conn.Exec(t.Context(), reset+setup+c.setup)
		require.NoError(t, err)
		r := rename()
		c.change(&r)
		requireOne(t, check(t, conn, r), preflight.Refuse, c.code, "")
	}
}
