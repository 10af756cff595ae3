package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcrossfade/crossfade/internal/explain"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/postgres"
	"github.com/pgcrossfade/crossfade/internal/queryplan"
)

// schemaSQL is what pg_dump makes of usersSQL, shortened, with a ledger as it
// may be in a dump.
const schemaSQL = `\restrict x
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.users (id bigint NOT NULL, full_name text DEFAULT 'nobody'::text NOT NULL, email text);
ALTER TABLE public.users OWNER TO app;
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE INDEX users_full_name_idx ON public.users USING btree (full_name);
`

const queriesSQL = `-- Queries of the application.

-- name: ByName :many
select id, full_name
from users
where full_name = @name;

-- name: Everybody :many
select id from users; -- no column of ours

-- name: Rows :many
select u
from users u;

-- name: Rename :exec
update users set full_name = sqlc.arg(new_name) where full_name = sqlc.arg(name);
`

// needsNoDatabase runs a command that must not look for one.
func needsNoDatabase(t *testing.T, code int, args ...string) outcome {
	t.Helper()
	o := bare(t, append(args, "--database-url", "postgres://127.0.0.1:1/nowhere")...)
	if strings.Contains(o.stderr, postgres.ErrNoPostgres.Error()) && os.Getenv(pgtest.EnvRequire) != "1" {
		t.Skip(o.stderr)
	}
	if o.code != code {
		t.Fatalf("%v: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", args, o.code, code, o.stdout, o.stderr)
	}
	return o
}

func TestExplainWithASchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"users-name.yaml": usersFile, "schema.sql": schemaSQL, "queries.sql": queriesSQL} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, schema, queries := filepath.Join(dir, "users-name.yaml"), filepath.Join(dir, "schema.sql"), filepath.Join(dir, "queries.sql")
	o := needsNoDatabase(t, exitRefused, "explain", "-t", file, "--schema", schema, "--gate", "--file", queries)
	golden(t, "explain_schema.txt", strings.ReplaceAll(o.stdout, dir, "DIR"))
	contains(t, o.stderr, "1 of 4 statements would be refused\n")

	o = needsNoDatabase(t, exitOK, "explain", "-t", file, "--schema", schema, "--gate", "-o", "json", "delete from users where full_name = $1")
	list := document[[]explain.Explanation](t, o)
	if len(list) != 1 || list[0].Plan == nil || list[0].Plan.Skipped != "" || len(list[0].Plan.Findings) != 0 {
		t.Errorf("with the counterpart of the index: %+v", list)
	}

	elsewhere := writeFile(t, "app.sql", "create schema app; create table app.users (id int primary key, full_name text); create table users (id int)")
	app := writeFile(t, "app.yaml", strings.Replace(usersFile, "public", "app", 1))
	contains(t, needsNoDatabase(t, exitOK, "explain", "-t", app, "--schema", elsewhere, "--search-path", "app, public", "select full_name from users").stdout, "name AS full_name")
	contains(t, needsNoDatabase(t, exitOK, "explain", "-t", app, "--schema", elsewhere, "select id from users").stdout, "select id from public.users")

	broken := writeFile(t, "broken.sql", "create table public.users (id int);\n\ncreate tabel x ();")
	contains(t, needsNoDatabase(t, exitUsage, "explain", "-t", file, "--schema", broken, "select 1").stderr, "broken.sql:3: ", "syntax error")
	other := writeFile(t, "other.sql", "create table people (id int primary key);")
	contains(t, needsNoDatabase(t, exitRefused, "explain", "-t", file, "--schema", other, "select 1").stderr, "table-missing")
}

// TestExplainAnExpression: the counterpart of an index serves the comparisons
// that can be moved over to the target, and no others.
func TestExplainAnExpression(t *testing.T) {
	t.Parallel()
	const file = "name: t\ntable: public.users\n" +
		"change: {from: full_name, to: name, type: text, forward: 'reverse(full_name)', backward: 'reverse(name)', preserves: equality}\n"
	change, schema := writeFile(t, "change.yaml", file), writeFile(t, "schema.sql", schemaSQL)
	equal, ordered := "select id from users where full_name = $1", "select id from users order by full_name limit 10"
	o := needsNoDatabase(t, exitRefused, "explain", "-t", change, "--schema", schema, "--gate", equal, ordered)
	golden(t, "explain_worse.txt", o.stdout)
	contains(t, o.stderr, "1 of 2 statements would get a worse plan\n")
	needsNoDatabase(t, exitOK, "explain", "-t", change, "--schema", schema, ordered)
	needsNoDatabase(t, exitOK, "explain", "-t", change, "--schema", schema, "--gate", equal)
}

func TestExplainGate(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	byName := "select id from users where full_name = $1"
	gate := []string{"explain", "-t", s.file, "--gate", byName, "select 1"}
	o := s.must(exitRefused, gate...)
	contains(t, o.stderr, "note: plans are not compared: the transition has not begun", "1 of 2 statements could not be compared", "--schema")
	s.must(exitOK, "explain", "-t", s.file, byName)
	s.must(exitOK, append(gate, "--phase", "dualwrite")...) // it reads no target

	s.must(exitOK, "init")
	s.must(exitOK, "start", s.file)
	contains(t, s.must(exitRefused, gate...).stderr, "the target name does not exist yet")
	s.must(exitOK, "run", s.file, "--until", "shadow")
	contains(t, s.must(exitOK, gate...).stdout, "  plan, shadow -> live: as good as before\n")

	s.db.Exec(t, "drop index users_name_idx")
	o = s.must(exitRefused, gate...)
	contains(t, o.stdout, "  plan, shadow -> live: error [index-lost]\n", "source: ", "users_full_name_idx on users", "target: Seq Scan on users, Filter: (users.name = $1)")
	contains(t, o.stderr, "1 of 2 statements would get a worse plan")
	s.must(exitOK, "explain", "-t", s.file, byName)
	o = s.must(exitRefused, append(gate, "-o", "json")...)
	plan := document[[]explain.Explanation](t, o)[0].Plan
	if plan == nil || len(plan.Findings) != 1 || plan.Findings[0].Code != queryplan.IndexLost || plan.From != "shadow" || plan.To != "live" {
		t.Errorf("plan: %+v", plan)
	}
}

func TestExplainFiles(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"a.sql": queriesSQL, "b.sql": "\\set x 1\nselect 1", "c.txt": "select 2"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, b := filepath.Join(dir, "a.sql"), filepath.Join(dir, "b.sql")
	for _, c := range []struct {
		args  []string
		stdin string
		count int
	}{
		{[]string{a}, "", 4},
		{[]string{"--file", a, b}, "", 5}, // as a shell expands --file *.sql
		{[]string{"--file", dir}, "", 5},
		{[]string{"-f", filepath.Join(dir, "c.txt"), "select 3"}, "", 2},
		{nil, queriesSQL, 4},
	} {
		s.stdin = c.stdin
		o := s.run(append([]string{"explain", "-t", s.file, "-o", "json"}, c.args...)...)
		list := document[[]explain.Explanation](t, o)
		if len(list) != c.count {
			t.Errorf("%v: %d statements, want %d", c.args, len(list), c.count)
		}
		if c.count < 4 {
			continue
		}
		if e := list[0]; e.Name != "ByName" || e.Line != 4 || e.File != map[bool]string{true: stdinName, false: a}[c.args == nil] {
			t.Errorf("%v: the first is %+v", c.args, e.Statement)
		}
		if at := list[2].Phases[0].At; !strings.HasSuffix(at, ":12") {
			t.Errorf("%v: refused at %s", c.args, at)
		}
		live := list[0].Phases[3]
		got := list[0].SQL
		for i := len(live.Edits) - 1; i >= 0; i-- {
			edit := live.Edits[i]
			got = got[:edit.Start] + edit.Text + got[edit.End:]
		}
		if got != live.SQL || !strings.Contains(got, "where name = $1") {
			t.Errorf("the edits give %q, want %q", got, live.SQL)
		}
	}
	s.stdin = ""
	contains(t, s.run("explain", "-t", s.file, b).stderr, `note: `+b+`:1: \set x 1 is a command of psql, and was left out`)
	if o := s.run("explain", "-q", "-t", s.file, b); o.stderr != "" {
		t.Errorf("quiet wrote to stderr: %s", o.stderr)
	}
}
