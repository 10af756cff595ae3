package ddl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

func TestParseName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ddl.Name{
		"users":            {Table: "users"},
		"App.Users":        {Schema: "App", Table: "Users"},
		`"app".users`:      {Schema: "app", Table: "users"},
		`"Odd.One"."T.x"`:  {Schema: "Odd.One", Table: "T.x"},
		`app."users"`:      {Schema: "app", Table: "users"},
		"\"a\"\"b.\".c\"d": {Schema: `a"b.`, Table: `c"d`},
		`"a""`:             {},
		"":                 {},
		"a.b.c":            {},
		"a.":               {},
		`"a`:               {},
		`"a"b`:             {},
		`""."b"`:           {},
	} {
		got, err := ddl.ParseName(text)
		require.Equal(t, want, got, text)
		require.Equal(t, want == ddl.Name{}, err != nil, text)
	}
}

func TestResolveName(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, setup+`; create schema "B"; create table "B".users (id int); create view "B".v as select 1`).Conn(t)
	for _, c := range []struct {
		text string
		path []string
		want string
	}{
		{"users", []string{"nowhere", "B", "app"}, "B"},
		{"users", []string{"app", "B"}, "app"},
		{"v", []string{"app", "B"}, "B"},
		{"Users", []string{"app", "B"}, "app"}, // none: the first
		{"elsewhere.users", nil, "elsewhere"},
	} {
		got, err := ddl.ResolveName(t.Context(), conn, c.text, c.path)
		require.NoError(t, err)
		require.Equal(t, c.want, got.Schema, c.text)
	}
	_, err := ddl.ResolveName(t.Context(), conn, "users", nil)
	require.ErrorContains(t, err, "search_path")
}
