package main

import (
	"strings"
	"testing"

	"github.com/pgcrossfade/crossfade/internal/explain"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/migrator"
)

const someStatements = `
-- name: GetUser :one
select id, full_name from users where id = $1;
update users set full_name = $1 where id = $2;
select 'no column; of ours';
`

func TestExplainBeforeAnythingBegan(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.stdin = someStatements
	contains(t, s.must(exitOK, "explain", "-t", s.file).stdout, "  off, dualwrite, shadow:\n    -- name: GetUser :one\n",
		"  dualwrite, shadow, live, rampdown:\n", "set full_name = $1, name = $1", "  complete, contracted:\n", "  every phase: as it is\n")
	contains(t, s.must(exitOK, "explain", "-t", s.file, "--stars", "target", "--phase", "dualwrite", "select * from users").stdout,
		"  dualwrite:\n", "select id, full_name AS name, email from users")
}

func TestExplainAnActiveTransition(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	contains(t, s.must(exitUsage, "explain", "select 1").stderr, "0 active transitions", "--transition")
	s.must(exitOK, "init")
	s.must(exitOK, "start", s.file)
	s.stdin = someStatements
	contains(t, s.must(exitOK, "explain", "-t", s.file, "--phase", "live").stdout, "name AS full_name")
	byName := document[[]explain.Explanation](t, s.must(exitOK, "explain", "-t", "users-name", "-o", "json"))
	theOnlyOne := document[[]explain.Explanation](t, s.must(exitOK, "explain", "-o", "json"))
	if len(byName) != 3 || len(theOnlyOne) != 3 {
		t.Fatalf("%d and %d statements, want 3", len(byName), len(theOnlyOne))
	}
	for i, e := range byName {
		if len(e.Phases) != len(migrator.Phases()) {
			t.Errorf("%d phases for %s", len(e.Phases), e.SQL)
		}
		for j, p := range e.Phases {
			if i == 2 && p.Outcome != rewrite.Passed || i < 2 && p.SQL == "" {
				t.Errorf("%s in %s: %+v", e.SQL, p.Phase, p)
			}
			if o := theOnlyOne[i].Phases[j]; o.SQL != p.SQL {
				t.Errorf("without a name: %s, with it: %s", o.SQL, p.SQL)
			}
		}
	}
	contains(t, byName[1].Phases[1].SQL, "crossfade.token", "full_name =", "name =")
}

func TestExplainRefuses(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	bad := "copy users (full_name) from stdin"
	o := s.must(exitRefused, "explain", "-t", s.file, "select 1", bad)
	contains(t, o.stdout, bad, "refused", "hint: ")
	contains(t, o.stderr, "1 of 2 statements would be refused")

	o = s.must(exitRefused, "explain", "-t", s.file, "-o", "json", bad)
	e := document[[]explain.Explanation](t, o)
	if !e[0].Refused() {
		t.Errorf("not refused: %+v", e)
	}
	contains(t, o.stderr, `"kind":"refused"`)
}

func TestExplainFindsTheTable(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.db.Exec(t, `create schema "Odd.One"; create table "Odd.One"."T" (id int primary key, a text)`)
	for table, code := range map[string]int{
		`"Odd.One".T`: exitOK, `"Odd.One"."T"`: exitOK, "users": exitOK, `"users"`: exitOK, `public."users"`: exitOK,
		"T": exitRefused, "Users": exitRefused, "odd.T": exitRefused,
	} {
		column := "full_name"
		if strings.HasSuffix(strings.Trim(table, `"`), "T") {
			column = "a"
		}
		file := writeFile(t, "t.yaml", "name: t\ntable: '"+table+"'\nrename: {from: "+column+", to: b}\n")
		if o := s.run("explain", "-t", file, "select 1"); o.code != code {
			t.Errorf("table %s: exit code %d, want %d: %s", table, o.code, code, o.stderr)
		}
	}
}

func TestExplainNeedsNoMoreThanTheApplication(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(exitOK, "init")
	s.must(exitOK, "start", s.file)
	role := "explainer_" + s.db.Name // roles belong to the server, not to the database
	s.db.Exec(t, "create role "+role+"; grant select on users to "+role)
	t.Cleanup(func() {
		s.db.Exec(t, "set role none; alter database "+s.db.Name+" reset role; drop owned by "+role+"; drop role "+role)
	})
	s.db.Exec(t, "alter database "+s.db.Name+" set role = "+role)
	contains(t, s.must(exitError, "status").stderr, "permission denied")
	s.must(exitOK, "explain", "select full_name from users")
}
