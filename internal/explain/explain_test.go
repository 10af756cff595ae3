package explain

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/catalog"
	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/queryplan"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/scratch"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const usersSQL = `
create table users (id bigint primary key, full_name text, email text);
create index users_full_name_idx on users (full_name);
create unique index users_email_idx on users (email, full_name);`

var usersTable = ddl.Name{Schema: "public", Table: "users"}

func usersMember() fence.Member {
	source := transform.Column{Name: "full_name", Type: "text", BaseType: "text", Position: 2}
	return fence.Member{ID: 1, Name: "users-name", Schema: "public", Table: "users", Phase: phase.Off, Definition: ledger.Definition{
		Move: transform.Renamed(source, "name"), Key: []string{"id"}, KeyTypes: []string{"bigint"},
		Indexes: []ledger.Index{
			{Name: "users_full_name_idx", Target: "users_name_idx", Create: "create index concurrently users_name_idx on public.users (name)"},
			{Name: "users_email_idx", Target: "users_email_name_idx",
				Create: "create unique index concurrently users_email_name_idx on public.users (email, name)"},
		},
	}}
}

func newExplainer(t *testing.T, conn *pgx.Conn) *Explainer {
	t.Helper()
	require.NoError(t, ledger.Migrate(t.Context(), conn, nil))
	x := &Explainer{View: fence.View{SearchPath: []string{"pg_catalog", "public"}, Transitions: []fence.Member{usersMember()}}}
	var err error
	x.Snapshot, err = catalog.Read(t.Context(), conn.PgConn(), x.View)
	require.NoError(t, err)
	return x
}

func TestParse(t *testing.T) {
	t.Parallel()
	const text = `\set ON_ERROR_STOP 1
-- Users by their name.
-- name: ListUsers :many
select * from users
where full_name = @name;

/* name: Count :one */ select count(*) from users;
select @ id from users;
`
	statements, skipped := Parse("q.sql", text)
	require.Equal(t, []Statement{
		{SQL: "-- Users by their name.\n-- name: ListUsers :many\nselect * from users\nwhere full_name = $1", Name: "ListUsers", File: "q.sql", Line: 4},
		{SQL: "/* name: Count :one */ select count(*) from users", Name: "Count", File: "q.sql", Line: 7},
		{SQL: "select @ id from users", File: "q.sql", Line: 8},
	}, statements)
	require.Equal(t, []Statement{{SQL: `\set ON_ERROR_STOP 1`, File: "q.sql", Line: 1}}, skipped)
	require.Equal(t, "q.sql:4", statements[0].Place())
	alone, _ := Parse("", "select 1")
	require.Equal(t, []Statement{{SQL: "select 1"}}, alone)
	require.Empty(t, alone[0].Place())
}

func TestExplain(t *testing.T) {
	t.Parallel()
	x := newExplainer(t, pgtest.NewFrom(t, usersSQL).Conn(t))
	statements, _ := Parse("q.sql", "\n\n-- names\nselect\nfull_name from users;\n-- a\nselect 1;\n-- rows\nselect u\nfrom users u")
	explained, err := x.Explain(statements, phase.All())
	require.NoError(t, err)
	require.Len(t, explained, 3)
	off, live := explained[0].Phases[0], explained[0].Phases[3]
	require.Equal(t, rewrite.Rewritten, live.Outcome)
	require.NotEmpty(t, live.Edits)
	require.Contains(t, live.SQL, "name AS full_name")
	require.False(t, off.SameAs(live))
	require.Equal(t, rewrite.Passed, explained[1].Phases[3].Outcome)
	require.True(t, explained[2].Refused())
	require.Equal(t, "q.sql:9", explained[2].Phases[0].At)
	require.Equal(t, phase.Off, x.Member().Phase, "the explainer has changed its own view")
}

func TestCompare(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, usersSQL).Conn(t)
	x := newExplainer(t, conn)
	require.NoError(t, scratch.Expand(t.Context(), conn, usersTable, x.Member().Definition, Token))
	statements, _ := Parse("", `
		select id from users where full_name = $1;
		select email from users where id = $1;
		copy (select full_name from users) to stdout;
		update users set email = $1 where full_name = $2;
		select full_name from users, nothing;
		insert into users (id, email, full_name) values (1, $1, $2) on conflict (email, full_name) do nothing`)
	compare := func() []Explanation {
		explained, err := x.Explain(statements, phase.All())
		require.NoError(t, err)
		require.NoError(t, x.Compare(t.Context(), conn, Token, explained, queryplan.Options{}))
		return explained
	}
	explained := compare()
	require.Nil(t, explained[1].Plan)
	require.Contains(t, explained[2].Plan.Skipped, "COPY, DECLARE")
	require.Contains(t, explained[4].Plan.Skipped, `relation "nothing" does not exist`)
	for _, i := range []int{0, 3, 5} {
		require.Equal(t, &Plan{From: phase.Shadow, To: phase.Live, Findings: []queryplan.Finding{}}, explained[i].Plan)
	}

	_, err := conn.Exec(t.Context(), `drop index users_name_idx, users_email_name_idx`)
	require.NoError(t, err)
	explained = compare()
	for i, code := range map[int]queryplan.Code{0: queryplan.IndexLost, 3: queryplan.IndexLost, 5: queryplan.NotPlanned} {
		require.Len(t, explained[i].Plan.Findings, 1)
		require.Equal(t, code, explained[i].Plan.Findings[0].Code)
	}
	require.NoError(t, x.Skip(explained, "not now"))
	require.Equal(t, "not now", explained[0].Plan.Skipped)
}

// TestCompareAnExpression: an index on the target does not serve what reads the
// source back from it, unless comparisons can be moved over.
func TestCompareAnExpression(t *testing.T) {
	t.Parallel()
	for preserves, want := range map[transform.Preserve][]queryplan.Code{
		transform.PreserveNothing:  {queryplan.IndexLost},
		transform.PreserveEquality: nil,
	} {
		conn := pgtest.NewFrom(t, usersSQL).Conn(t)
		require.NoError(t, ledger.Migrate(t.Context(), conn, nil))
		member := usersMember()
		member.Definition.Move = transform.Move{
			Kind:      transform.Change,
			Sources:   []transform.Column{{Name: "full_name", Type: "text", BaseType: "text", Position: 2, Value: "reverse(name)"}},
			Targets:   []transform.Column{{Name: "name", Type: "text", BaseType: "text", Value: "reverse(full_name)"}},
			Preserves: preserves,
		}
		x := &Explainer{View: fence.View{SearchPath: []string{"pg_catalog", "public"}, Transitions: []fence.Member{member}}}
		var err error
		x.Snapshot, err = catalog.Read(t.Context(), conn.PgConn(), x.View)
		require.NoError(t, err)
		require.NoError(t, scratch.Expand(t.Context(), conn, usersTable, member.Definition, Token))
		statements, _ := Parse("", "select id from users where full_name = $1")
		explained, err := x.Explain(statements, phase.All())
		require.NoError(t, err)
		require.NoError(t, x.Compare(t.Context(), conn, Token, explained, queryplan.Options{}))
		require.NotNil(t, explained[0].Plan)
		require.Empty(t, explained[0].Plan.Skipped)
		var got []queryplan.Code
		for _, f := range explained[0].Plan.Findings {
			got = append(got, f.Code)
		}
		require.Equal(t, want, got, "%q: %+v", preserves, explained[0])
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, usersSQL)
	conn := db.Conn(t)
	member := usersMember()
	for _, c := range []struct {
		sql, want string
		phase     phase.Phase
	}{
		{"", "target name does not exist yet", phase.Off},
		{"alter table users add column name text", "users_name_idx, the counterpart of users_full_name_idx, is not built yet", phase.DualWrite},
		{"create index users_name_idx on users (name)", "users_email_name_idx", phase.DualWrite},
		{"", "", phase.Shadow},
		{"create unique index users_email_name_idx on users (email, name)", "", phase.DualWrite},
		{"alter table users drop column full_name", "source full_name does not exist any more", phase.Contracted},
	} {
		db.Exec(t, c.sql)
		member.Phase = c.phase
		reason, err := Ready(t.Context(), conn, member)
		require.NoError(t, err)
		require.Equal(t, c.want == "", reason == "", reason)
		require.Contains(t, reason, c.want)
	}
	member.ID = 0
	reason, err := Ready(t.Context(), conn, member)
	require.NoError(t, err)
	require.Contains(t, reason, "--schema")
}

func TestReported(t *testing.T) {
	t.Parallel()
	x := newExplainer(t, pgtest.NewFrom(t, usersSQL+`
create function touch() returns void language sql as 'update users set full_name = upper(full_name)';`).Conn(t))
	statements, _ := Parse("", "select touch()")
	explained, err := x.Explain(statements, []phase.Phase{phase.DualWrite})
	require.NoError(t, err)
	require.Equal(t, rewrite.Passed, explained[0].Phases[0].Outcome)
	require.Len(t, explained[0].Phases[0].Reported, 1)
	require.Contains(t, explained[0].Phases[0].Reported[0], "touch")
}
