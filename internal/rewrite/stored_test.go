package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/transform"
)

func storedOf(t *testing.T, m transform.Move) *Stored {
	t.Helper()
	users := Name{"public", "users"}
	s, err := NewStored(Catalog{
		Transitions: []Transition{{ID: 1, Table: users, Move: m, Phase: "off", Token: "t"}},
		Tables:      []Table{{Name: users, Of: users, Columns: []Column{{Name: "id", Type: "bigint"}, {Name: m.Sources[0].Name, Type: m.Sources[0].BaseType}}}},
	})
	require.NoError(t, err)
	return s
}

func TestStored(t *testing.T) {
	t.Parallel()
	rename := storedOf(t, transform.Renamed(transform.Column{Name: "full_name", Type: "text", BaseType: "text"}, "name"))
	change := storedOf(t, transform.Move{
		Kind:    transform.Change,
		Sources: []transform.Column{{Name: "n", Type: "integer", BaseType: "integer", Value: "(s)::integer"}},
		Targets: []transform.Column{{Name: "s", Type: "text", BaseType: "text", Value: "(n)::text"}},
	})
	out, err := rename.Query(" SELECT users.id,\n    users.full_name\n   FROM public.users\n  WHERE (users.full_name <> ''::text)")
	require.NoError(t, err)
	require.Equal(t, " SELECT users.id,\n    users.name AS full_name\n   FROM public.users\n  WHERE (users.name <> ''::text)", out)
	out, err = change.Query("WITH x AS (SELECT users.n AS m FROM public.users) SELECT m FROM x")
	require.NoError(t, err)
	require.NotContains(t, out, "crossfade")
	require.Contains(t, out, "(users.s)::integer")

	out, err = rename.Condition("public.users", "(full_name = CURRENT_USER)")
	require.NoError(t, err)
	require.Equal(t, "(name = CURRENT_USER)", out)
	out, err = change.Condition("public.users old, public.users new", "(old.n IS DISTINCT FROM new.n)")
	require.NoError(t, err)
	require.Contains(t, out, "old.s")
	require.NotContains(t, out, ".n")
	out, err = change.Value("public.users", "n")
	require.NoError(t, err)
	require.Contains(t, out, "(s)::integer")

	_, err = rename.Query("SELECT u FROM public.users u")
	require.Error(t, err, "a whole row would show the target")
}

func TestParseTrigger(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, condition, want string }{
		{
			`CREATE TRIGGER "update of" BEFORE INSERT OR UPDATE OF full_name, "on" ON public.users FOR EACH ROW WHEN (((new.full_name <> ''::text) AND true)) EXECUTE FUNCTION f('when (x)')`,
			`((new.full_name <> ''::text) AND true)`,
			`CREATE TRIGGER "update of" BEFORE INSERT OR UPDATE OF name ON public.users FOR EACH ROW WHEN (c) EXECUTE FUNCTION f('when (x)')`,
		},
		{
			`CREATE TRIGGER t AFTER UPDATE ON public.users FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION f()`,
			`(old.* IS DISTINCT FROM new.*)`,
			`CREATE TRIGGER t AFTER UPDATE ON public.users FOR EACH ROW WHEN (c) EXECUTE FUNCTION f()`,
		},
		{
			`CREATE TRIGGER t AFTER UPDATE OF a, b OR TRUNCATE ON public.users FOR EACH STATEMENT EXECUTE FUNCTION f()`, ``,
			`CREATE TRIGGER t AFTER UPDATE OF name OR TRUNCATE ON public.users FOR EACH STATEMENT EXECUTE FUNCTION f()`,
		},
	} {
		trigger := ParseTrigger(c.text)
		require.Equal(t, c.condition, trigger.Condition)
		condition := ""
		if c.condition != "" {
			condition = "c"
		}
		require.Equal(t, c.want, trigger.With([]string{"name"}, condition))
	}
}
