package main

import (
	"slices"
	"testing"
)

func TestSplitStatements(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", " ;; -- nothing;\n /* ; */ ", nil},
		{"two", "select 1; select 2", []string{"select 1", "select 2"}},
		{"comments stay", "-- name: X;\nselect 1 /* a /* b; */ ; */;", []string{"-- name: X;\nselect 1 /* a /* b; */ ; */"}},
		{"strings", `select 'a;''b;', "c;""d;", E'\';', 'x\'; select 2`, []string{`select 'a;''b;', "c;""d;", E'\';', 'x\'`, "select 2"}},
		{"escape string", `select E'a'';\';'; select 2`, []string{`select E'a'';\';'`, "select 2"}},
		{"a name that ends in e", `select tablee';\'; select 2`, []string{`select tablee';\'`, "select 2"}},
		{"dollar quotes", "do $x$ begin; $$ ; end $x$; select $1, $2; select a$b$c; select $$;$$",
			[]string{"do $x$ begin; $$ ; end $x$", "select $1, $2", "select a$b$c", "select $$;$$"}},
		{"parentheses", "create rule r as on insert to t do (select 1; select 2); select 3",
			[]string{"create rule r as on insert to t do (select 1; select 2)", "select 3"}},
		{"atomic", "create function f() returns int begin atomic select case when true then 1 end; select 2; end; select 3",
			[]string{"create function f() returns int begin atomic select case when true then 1 end; select 2; end", "select 3"}},
		{"begin", "begin; select 1; end", []string{"begin", "select 1", "end"}},
		{"no end", "select 1; select 'a; b", []string{"select 1", "select 'a; b"}},
		{"no end of a comment", "select 1; /* a; b", []string{"select 1"}},
		{"one dollar", "select $", []string{"select $"}},
	} {
		if got := splitStatements(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}
