package rewrite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
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
	return rewrite.Catalog{
		SearchPath: []string{"pg_catalog", "public"},
		Transitions: []rewrite.Transition{
			{
				ID: 1, Table: name("users"), Source: "full_name", Target: "name", Phase: p, Token: "users_token",
				Constraints: map[string]string{"users_full_name_key": "users_name_key"},
				Columns: columns("id", "bigint", "email", "text", "full_name", "text", "balance", "numeric",
					"created_at", "timestamp with time zone"),
			},
			{
				ID: 2, Table: name("accounts"), Source: "owner", Target: "holder", Phase: p, Token: "accounts_token",
				Columns: columns("id", "bigint", "owner", "text", "kind", "character varying", "code", "character"),
				Default: "'nobody'::text",
			},
			{
				ID: 3, Table: name("vouchers"), Source: "code", Target: "token", Phase: p, Token: "vouchers_token",
				Columns: columns("id", "bigint", "code", "text", "amount", "integer"),
				Default: "(public.gen_code())::text",
			},
			{
				ID: 4, Table: name("docs"), Source: "body", Target: "content", Phase: p, Token: "docs_token",
				Columns: columns("id", "bigint", "body", "jsonb", "note", "text"),
				Default: "'{}'::jsonb",
			},
			{
				ID: 5, Table: name("sets"), Source: "tags", Target: "labels", Phase: p, Token: "sets_token",
				Columns: columns("id", "bigint", "tags", "text[]", "nums", "integer[]"),
			},
			{
				ID: 6, Table: name("events"), Source: "at", Target: "happened", Phase: p, Token: "events_token",
				Columns: columns("id", "bigint", "at", "timestamp with time zone", "kind", "character varying"),
				Default: "'2020-01-01 00:00:00+00'::timestamp with time zone",
			},
			{
				ID: 7, Table: name("flags"), Source: "active", Target: "enabled", Phase: p, Token: "flags_token",
				Columns: columns("id", "bigint", "active", "boolean"),
				Default: "false",
			},
		},
		Homonyms: []rewrite.Name{
			name("docs"), name("sets"), name("events"), name("flags"),
			name("users"), name("accounts"), name("vouchers"), {Schema: "archive", Name: "users"},
		},
		Namesakes: map[rewrite.Name][]string{
			name("products"):                            {"name"},
			name("devices"):                             {"full_name", "name"},
			{Schema: "archive", Name: "users"}:          {"full_name"},
			{Schema: "pg_catalog", Name: "pg_settings"}: {"name"},
			{Schema: "public", Name: "account_view"}:    {"owner"},
		},
	}
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
