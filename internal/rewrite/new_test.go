package rewrite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestNewRejectsContradictions(t *testing.T) {
	first := func(c *rewrite.Catalog) *rewrite.Transition { return &c.Transitions[0] }
	for want, change := range map[string]func(*rewrite.Catalog){
		`"gone" is none of`:                    func(c *rewrite.Catalog) { first(c).Phase = "gone" },
		"the table has no name":                func(c *rewrite.Catalog) { first(c).Table.Schema = "" },
		"a column has no name":                 func(c *rewrite.Catalog) { first(c).Targets[0].Name = "" },
		"source and target are both":           func(c *rewrite.Catalog) { first(c).Targets[0].Name = "full_name" },
		"the token has no name":                func(c *rewrite.Catalog) { first(c).Token = "" },
		`the source "x" is not among`:          func(c *rewrite.Catalog) { first(c).Sources[0].Name = "x" },
		`the target "email" is among`:          func(c *rewrite.Catalog) { first(c).Targets[0].Name = "email" },
		`"full_name" is in two transitions`:    func(c *rewrite.Catalog) { c.Transitions = append(c.Transitions, *first(c)) },
		"stands twice":                         func(c *rewrite.Catalog) { c.Tables = append(c.Tables, c.Tables[0]) },
		"its columns are not known":            func(c *rewrite.Catalog) { c.Tables = c.Tables[1:] },
		"no transition is of it":               func(c *rewrite.Catalog) { c.Transitions = c.Transitions[1:] },
		`default of "full_name": syntax error`: func(c *rewrite.Catalog) { first(c).Sources[0].Default = "1 +" },
		`"1, 2" is not one expression`:         func(c *rewrite.Catalog) { first(c).Sources[0].Default = "1, 2" },
		"has no expression": func(c *rewrite.Catalog) {
			first(c).Sources = append(first(c).Sources, transform.Column{Name: "email", Type: "text", Value: "name"})
		},
		"names something that is not one of [full_name]": func(c *rewrite.Catalog) { first(c).Targets[0].Value = "email" },
		"sub-query":                            func(c *rewrite.Catalog) { first(c).Targets[0].Value = "(select 1)" },
		"view {public user_names}: no trans":   func(c *rewrite.Catalog) { c.Views[0].Of.Name = "gone" },
		"ancestor {public people}: no trans":   func(c *rewrite.Catalog) { c.Ancestors[0].Of.Name = "gone" },
		"function {public tidy_users}: no":     func(c *rewrite.Catalog) { c.Opaque[0].Of.Name = "gone" },
		`policy: "warn" is neither`:            func(c *rewrite.Catalog) { c.OpaqueText = "warn" },
		"stars: \"all\" is neither \"source\"": func(c *rewrite.Catalog) { c.Stars = "all" },
	} {
		c := testCatalog(phase.Off)
		change(&c)
		_, err := rewrite.New(c)
		require.ErrorContains(t, err, want)
	}
}

func TestNoTransitions(t *testing.T) {
	r, err := rewrite.New(rewrite.Catalog{})
	require.NoError(t, err)
	require.Equal(t, rewrite.Passed, r.Rewrite("select * from users").Outcome)
	require.True(t, r.Rewrite("discard all").Resets)
	require.True(t, r.Rewrite("set role x").MovesPath)
}

func TestNamesThatNeedCare(t *testing.T) {
	c := testCatalog(phase.Live)
	tr := &c.Transitions[0]
	tr.Table.Name, tr.Sources[0].Name, tr.Targets[0].Name, tr.Token = `Us"ers`, "Füll Name", "order", "Tok"
	c.Tables[0].Name, c.Tables[0].Of, c.Tables[0].Columns[2].Name = tr.Table, tr.Table, "Füll Name"
	c.Homonyms = append(c.Homonyms, tr.Table)
	c.Views, c.Ancestors, c.Opaque = nil, nil, nil
	r, err := rewrite.New(c)
	require.NoError(t, err)
	for sql, want := range map[string]string{
		`select "Füll Name" from "Us""ers"`:                          `select "order" AS "Füll Name" from "Us""ers"`,
		`select * from "Us""ers"`:                                    `select id, email, "order" AS "Füll Name", balance, created_at from "Us""ers"`,
		`select "Füll Name" from U&"\0055s""ers" x order by "order"`: `select "order" AS "Füll Name" from U&"\0055s""ers" x order by "order"`,
		`update "Us""ers" set "Füll Name"=$1`:                        `update "Us""ers" set "Füll Name"=$1, "order" = $1`,
	} {
		require.Equal(t, `WITH _crossfade AS (SELECT FROM crossfade."Tok") `+want, r.Rewrite(sql).SQL)
	}
	require.Equal(t, rewrite.Passed, r.Rewrite(`select "Füll Name" from "us""ers"`).Outcome)
	for _, sql := range []string{
		`do $$ begin delete from "Us""ers"; end $$`,
		`do 'begin delete from "Us""ers"; end'`,
		`do $$ begin delete from U&"\0055s\0022ers"; end $$`,
		`do $$ begin execute E'delete from "\x55s""ers"'; end $$`,
		`select dblink(E'delete from "\125s""ers"')`,
	} {
		require.Equal(t, rewrite.Refused, r.Rewrite(sql).Outcome, sql)
	}
	for _, sql := range []string{
		`do $$ begin perform regexp_replace(x, '(a)', '\1') from y; end $$`,
		`do $$ begin perform E'a\nb', E'\\1'; end $$`,
	} {
		require.Equal(t, rewrite.Passed, r.Rewrite(sql).Outcome, sql)
	}
}

// TestNamesOfColumns: a bare name is a whole row only where it can be no column.
func TestNamesOfColumns(t *testing.T) {
	c := testCatalog(phase.Live)
	c.ColumnNames = map[string]bool{"u": true, "id": true}
	r, err := rewrite.New(c)
	require.NoError(t, err)
	for sql, want := range map[string]rewrite.Outcome{
		"select row_to_json(u) from users u":                              rewrite.Rewritten,
		"select row_to_json(u) from users u, orders o":                    rewrite.Refused,
		"select row_to_json(x) from users x, orders o":                    rewrite.Rewritten,
		"select row_to_json(u.*) from users u, orders o":                  rewrite.Rewritten,
		"select (select row_to_json(u) from users u limit 1) from orders": rewrite.Refused,
		"select row_to_json(u) from users u, (select 1 as a) o":           rewrite.Rewritten,
	} {
		require.Equal(t, want, r.Rewrite(sql).Outcome, sql)
	}
}
