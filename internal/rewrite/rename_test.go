package rewrite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

func TestRenameColumn(t *testing.T) {
	for _, c := range []struct{ def, want string }{
		{
			"CREATE INDEX users_name_idx ON public.users USING btree (name)",
			"CREATE INDEX users_name_idx ON public.users USING btree (full_name)",
		},
		{
			"CREATE UNIQUE INDEX name ON public.name USING btree (id, name DESC NULLS LAST) WHERE (name IS NOT NULL)",
			"CREATE UNIQUE INDEX name ON public.name USING btree (id, full_name DESC NULLS LAST) WHERE (full_name IS NOT NULL)",
		},
		{
			`CREATE INDEX i ON public.users USING gin (lower((name)::text) name, name(name) COLLATE name) INCLUDE (name)`,
			`CREATE INDEX i ON public.users USING gin (lower((full_name)::text) name, name(full_name) COLLATE name) INCLUDE (full_name)`,
		},
		{
			`CREATE INDEX i ON public.users USING btree (((name || ' '::text) || name), COALESCE(name, 'name'::name)) WHERE ((NOT (name = 'x'::text)) AND name > 'a'::"name")`,
			`CREATE INDEX i ON public.users USING btree (((full_name || ' '::text) || full_name), COALESCE(full_name, 'name'::name)) WHERE ((NOT (full_name = 'x'::text)) AND full_name > 'a'::"name")`,
		},
		{
			`CREATE INDEX i ON ONLY public.users USING btree ((CASE WHEN (name = ANY (ARRAY['a'::text, name])) THEN name ELSE name END) public.name)`,
			`CREATE INDEX i ON ONLY public.users USING btree ((CASE WHEN (full_name = ANY (ARRAY['a'::text, full_name])) THEN full_name ELSE full_name END) public.name)`,
		},
		{
			`CREATE INDEX i ON public.users USING btree ("name" text_pattern_ops, name) NULLS NOT DISTINCT WITH (fillfactor='70') TABLESPACE name`,
			`CREATE INDEX i ON public.users USING btree (full_name text_pattern_ops, full_name) NULLS NOT DISTINCT WITH (fillfactor='70') TABLESPACE name`,
		},
	} {
		got, err := rewrite.RenameColumn(c.def, "name", "full_name")
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	for _, def := range []string{"select 1", "create table using (name int)", "CREATE INDEX i ON t USING btree (name"} {
		_, err := rewrite.RenameColumn(def, "name", "full_name")
		require.Error(t, err)
	}
	got, err := rewrite.RenameColumn(`CREATE INDEX i ON t USING btree ("Na me", U&"Na\0020me")`, "Na me", "select")
	require.NoError(t, err)
	require.Equal(t, `CREATE INDEX i ON t USING btree ("select", "select")`, got)
}
