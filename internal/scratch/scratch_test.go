package scratch_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/postgres"
	"github.com/pgcrossfade/crossfade/internal/scratch"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func open(t *testing.T) *scratch.Database {
	t.Helper()
	db, err := scratch.Open(t.Context(), os.Stderr)
	if errors.Is(err, postgres.ErrNoPostgres) && os.Getenv(pgtest.EnvRequire) != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// dump is what pg_dump of a later version writes for a database with a ledger,
// rows included.
const dump = `--
-- PostgreSQL database dump
--
\restrict abc'
SET transaction_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE SCHEMA public;
CREATE EXTENSION IF NOT EXISTS no_such_extension WITH SCHEMA public;
COMMENT ON EXTENSION no_such_extension IS 'it is not here';
\connect production
CREATE SCHEMA crossfade;
CREATE TABLE crossfade.schema_version (version int);
CREATE TABLE public.users (id bigint NOT NULL PRIMARY KEY, full_name text NOT NULL, email text);
ALTER TABLE public.users OWNER TO "App's owner";
COPY public.users (id, full_name) FROM stdin;
1	it's; me
\.
CREATE UNIQUE INDEX users_email_idx ON public.users (email);
CREATE FUNCTION public.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
GRANT SELECT ON public.users TO reader, writer;
\unrestrict abc'
`

const migration = `-- +goose Up
create index users_full_name_idx on users (full_name);
-- +goose Down
drop table users;
`

func TestLoadAndExpand(t *testing.T) {
	t.Parallel()
	db := open(t)
	conn, err := db.Connect(t.Context())
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var major int
	require.NoError(t, conn.QueryRow(t.Context(), `select current_setting('server_version_num')::int / 10000`).Scan(&major))
	dump := dump
	if major < 14 {
		dump = strings.ReplaceAll(dump, "BEGIN ATOMIC SELECT 1; SELECT 2; END;", "AS 'SELECT 1; SELECT 2';")
	}
	notes, err := db.Load(t.Context(), []scratch.File{{Name: "dump.sql", Text: dump}, {Name: "1.sql", Text: "reset search_path;" + migration}})
	require.NoError(t, err)
	wanted := []string{`dump.sql:10: \connect production is a command of psql`, "dump.sql:5: left out: ", "dump.sql:8: left out: ", "dump.sql:9: left out: "}
	if major >= 17 {
		wanted = slices.Delete(wanted, 1, 2) // it knows transaction_timeout
	}
	require.Len(t, notes, len(wanted), "%q", notes)
	for i, note := range notes {
		require.Contains(t, note, wanted[i])
	}

	require.NoError(t, ledger.Check(t.Context(), conn))
	users := ddl.Name{Schema: "public", Table: "users"}
	move := transform.Renamed(transform.Column{Name: "email", Type: "text", BaseType: "text", NotNull: true, Position: 3}, "mail")
	d := ledger.Definition{Move: move, Indexes: []ledger.Index{
		{Name: "users_email_idx", Target: "users_mail_idx", Create: `create unique index concurrently users_mail_idx on public.users (mail)`,
			Constraint: "users_email_idx", TargetConstraint: "users_mail_idx"},
	}}
	require.NoError(t, scratch.Expand(t.Context(), conn, users, d, "token"))

	state, err := ddl.ReadIndex(t.Context(), conn, users, "users_mail_idx")
	require.NoError(t, err)
	require.Equal(t, ddl.IndexValid, state)
	constraint, err := ddl.ReadConstraint(t.Context(), conn, users, "users_mail_idx")
	require.NoError(t, err)
	require.True(t, constraint.Exists)
	mail, err := ddl.ReadColumn(t.Context(), conn, users, "mail")
	require.NoError(t, err)
	require.True(t, mail.Exists && mail.NotNull)
	rows, err := conn.Query(t.Context(), `select * from crossfade.token, users`)
	require.NoError(t, err)
	none, err := pgx.CollectRows(rows, pgx.RowToMap)
	require.NoError(t, err)
	require.Empty(t, none)

	_, err = db.Load(t.Context(), []scratch.File{{Name: "b.sql", Text: "select 1;\n\n-- a comment\ncreate table users ();"}})
	var failed *scratch.LoadError
	require.True(t, errors.As(err, &failed), "%v", err)
	require.Equal(t, 4, failed.Line)
	require.ErrorContains(t, err, `load b.sql:4: ERROR: relation "users" already exists`)
}
