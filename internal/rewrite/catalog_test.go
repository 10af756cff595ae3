package rewrite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// testCatalog is the database of the goldens, with every transition in one
// phase.
func testCatalog(p phase.Phase) rewrite.Catalog {
	columns := func(pairs ...string) (list []rewrite.Column) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, rewrite.Column{Name: pairs[i], Type: pairs[i+1]})
		}
		return list
	}
	name := func(n string) rewrite.Name { return rewrite.Name{Schema: "public", Name: n} }
	var c rewrite.Catalog
	// renames adds a table with one column that gets another name.
	renames := func(id int64, table, source, target, def string, constraints map[string]rewrite.Counterpart, list []rewrite.Column) {
		moving := transform.Column{Name: source, Default: def}
		for _, c := range list {
			if c.Name == source {
				moving.Type, moving.BaseType = c.Type, c.Type
			}
		}
		move := transform.Renamed(moving, target)
		move.KeepName = p == phase.Named
		c.Transitions = append(c.Transitions, rewrite.Transition{
			ID: id, Table: name(table), Move: move, Phase: p, Token: table + "_token", Constraints: constraints,
		})
		c.Tables = append(c.Tables, rewrite.Table{Name: name(table), Of: name(table), Columns: list})
	}
	renames(1, "users", "full_name", "name", "",
		map[string]rewrite.Counterpart{"users_full_name_key": {Constraint: "users_name_key"}},
		columns("id", "bigint", "email", "text", "full_name", "text", "balance", "numeric", "created_at", "timestamp with time zone"))
	renames(2, "accounts", "owner", "holder", "'nobody'::text", nil,
		columns("id", "bigint", "owner", "text", "kind", "character varying", "code", "character"))
	renames(3, "vouchers", "code", "token", "(public.gen_code())::text", nil,
		columns("id", "bigint", "code", "text", "amount", "integer"))
	renames(4, "docs", "body", "content", "'{}'::jsonb", nil, columns("id", "bigint", "body", "jsonb", "note", "text"))
	renames(5, "sets", "tags", "labels", "", nil, columns("id", "bigint", "tags", "text[]", "nums", "integer[]"))
	renames(6, "events", "at", "happened", "'2020-01-01 00:00:00+00'::timestamp with time zone", nil,
		columns("id", "bigint", "at", "timestamp with time zone", "kind", "character varying"))
	renames(7, "flags", "active", "enabled", "false", nil, columns("id", "bigint", "active", "boolean"))
	c.SearchPath = []string{"pg_catalog", "public"}
	c.Homonyms = []rewrite.Name{
		name("docs"), name("sets"), name("events"), name("flags"),
		name("users"), name("accounts"), name("vouchers"), {Schema: "archive", Name: "users"},
	}
	c.Namesakes = map[rewrite.Name][]string{
		name("products"):                            {"name"},
		name("devices"):                             {"full_name", "name"},
		{Schema: "archive", Name: "users"}:          {"full_name"},
		{Schema: "pg_catalog", Name: "pg_settings"}: {"name"},
		{Schema: "public", Name: "account_view"}:    {"owner"},
	}
	others(&c)
	return c
}

// others adds what leads to the tables' rows by another way.
func others(c *rewrite.Catalog) {
	users, accounts := c.Tables[0].Name, c.Tables[1].Name
	view := func(name string, of rewrite.Name, kind rewrite.ViewKind, reads ...string) *rewrite.View {
		c.Views = append(c.Views, rewrite.View{Name: rewrite.Name{Schema: "public", Name: name}, Of: of, Kind: kind, Reads: reads})
		return &c.Views[len(c.Views)-1]
	}
	view("user_names", users, rewrite.ViewPlain, "full_name")
	view("user_new_names", users, rewrite.ViewPlain, "name")
	view("user_emails", users, rewrite.ViewPlain)
	view("user_cache", users, rewrite.ViewStored, "full_name")
	view("user_mails_cache", users, rewrite.ViewStored)
	view("account_kinds", accounts, rewrite.ViewPlain)
	view("holdings", users, rewrite.ViewPlain, "full_name")
	view("holdings", accounts, rewrite.ViewPlain, "owner")
	view("user_rows", users, rewrite.ViewPlain).Whole = true
	view("user_entry", users, rewrite.ViewPlain).Acts = true
	view("journal", users, rewrite.ViewRule).Acts = true
	c.Ancestors = []rewrite.Ancestor{{Name: rewrite.Name{Schema: "public", Name: "people"}, Of: users}}
	for _, name := range []string{"tidy_users", "rename_all"} {
		c.Opaque = append(c.Opaque, rewrite.Function{Name: rewrite.Name{Schema: "public", Name: name}, Of: users})
	}
	for _, v := range c.Views {
		c.Homonyms = append(c.Homonyms, v.Name)
	}
	c.Homonyms = append(c.Homonyms, c.Ancestors[0].Name, rewrite.Name{Schema: "archive", Name: "user_names"})
	c.Namesakes[rewrite.Name{Schema: "public", Name: "user_names"}] = []string{"full_name"}
	c.Namesakes[rewrite.Name{Schema: "public", Name: "people"}] = []string{"full_name"}
}

// newRewriter is a Rewriter for the test catalog.
func newRewriter(t testing.TB, p phase.Phase, change ...func(*rewrite.Catalog)) *rewrite.Rewriter {
	t.Helper()
	c := testCatalog(p)
	for _, f := range change {
		f(&c)
	}
	r, err := rewrite.New(c)
	require.NoError(t, err)
	return r
}
