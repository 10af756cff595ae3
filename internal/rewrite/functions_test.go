package rewrite

import (
	"maps"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// TestSteadyFunctions: no function of that name has effects, or returns a set.
func TestSteadyFunctions(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn(t)
	rows, err := conn.Query(t.Context(), `select distinct proname::text from pg_catalog.pg_proc
		where pronamespace = 'pg_catalog'::regnamespace and proname = any($1)
			and (provolatile = 'v' or proretset or prokind <> 'f')`, slices.Collect(maps.Keys(steady)))
	require.NoError(t, err)
	wrong, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Empty(t, wrong)
}

func TestSteadyCalls(t *testing.T) {
	t.Parallel()
	r, err := New(Catalog{Functions: map[string]bool{"slug": true, "upper": false, "roll": false, "lower": true}})
	require.NoError(t, err)
	for expr, want := range map[string]bool{
		"replace($1, 'a', 'b')":                true,
		"pg_catalog.upper($1)":                 true,
		"upper($1)":                            false, // there is another one
		"lower($1) || slug($2)":                true,
		"app.slug($1)":                         true,
		"roll()":                               false,
		"random()":                             false,
		"nextval('s')":                         false,
		"clock_timestamp()":                    false,
		"unknown_function(1)":                  false,
		"coalesce(to_char(now(), 'YYYY'), $1)": true,
		"replace(random()::text, '1', '2')":    false,
		"round(a) filter (where b)":            false,
		"(select 1)":                           false,
		"array[$1, abs($2)]":                   true,
	} {
		got, err := r.repeats(expr)
		require.NoError(t, err)
		require.Equal(t, want, got, expr)
	}
}
