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

func TestSubstituteColumn(t *testing.T) {
	const value = `(((first || ' '::text) || last)::text)`
	for _, c := range []struct{ def, want string }{
		{
			"CREATE UNIQUE INDEX i ON public.users USING btree (tenant, name DESC NULLS LAST) WHERE (name IS NOT NULL)",
			"CREATE UNIQUE INDEX i ON public.users USING btree (tenant, " + value + " DESC NULLS LAST) WHERE (" + value + " IS NOT NULL)",
		},
		{
			`CREATE INDEX name ON public.name USING btree (lower(name), name text_pattern_ops, name COLLATE "C") INCLUDE (age, name)`,
			`CREATE INDEX name ON public.name USING btree (lower(` + value + `), ` + value + ` text_pattern_ops, ` + value +
				` COLLATE "C") INCLUDE (age, first, "Last")`,
		},
		{
			`CREATE INDEX i ON public.users USING btree (id) INCLUDE (name) WHERE (name > 'a'::text)`,
			`CREATE INDEX i ON public.users USING btree (id) INCLUDE (first, "Last") WHERE (` + value + ` > 'a'::text)`,
		},
	} {
		got, err := rewrite.SubstituteColumn(c.def, "name", value, []string{"first", "Last"})
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	_, err := rewrite.SubstituteColumn("CREATE INDEX i ON t USING btree (name)", "name", "first || last", nil)
	require.ErrorContains(t, err, "substitute column")
}
