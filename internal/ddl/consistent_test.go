package ddl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// TestConsistent asks PostgreSQL, row by row, what the rule says.
func TestConsistent(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn(t)
	column := func(name, typ, value string) transform.Column {
		return transform.Column{Name: name, Type: typ, BaseType: typ, Value: value}
	}
	change := func(from, to string, backward, forward string, lossy ...transform.Direction) transform.Move {
		return transform.Move{Sources: []transform.Column{column("s", from, backward)}, Targets: []transform.Column{column("t", to, forward)}, Lossy: lossy}
	}
	for _, c := range []struct {
		name string
		move transform.Move
		row  string // s, t
		want bool
	}{
		{"same", change("integer", "bigint", "t", "s"), "1, 1", true},
		{"other", change("integer", "bigint", "t", "s"), "1, 2", false},
		{"NULLs", change("integer", "bigint", "t", "s"), "null, null", true},
		{"not filled", change("integer", "bigint", "t", "s"), "1, null", false},
		{"stale", change("integer", "bigint", "t", "s"), "null, 1", false},
		{"scale is no difference", change("integer", "numeric", "t", "s"), "1, 1.00", true},
		{"a rounded source, not declared", change("integer", "numeric", "t", "s"), "2, 1.5", false},
		{"a rounded source, declared", change("integer", "numeric", "t", "s", transform.Backward), "2, 1.5", true},
		{"forward is lossy", change("numeric", "integer", "t", "s", transform.Forward), "1.4, 1", true},
		{"forward is lossy, and has not been asked", change("numeric", "integer", "t", "s", transform.Forward), "1.4, 2", false},
		{"images of text", change("text", "text", "t", "s"), "'a', 'a '", false},
		{"json has no equality", change("text", "json", "t", "s"), `'{"a":1}', '{"a": 1}'`, false},
		{"neither", change("integer", "numeric", "t", "s", transform.Backward), "3, 1.5", false},
		{"not filled, with loss", change("integer", "numeric", "t", "s", transform.Backward), "3, null", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := conn.Exec(t.Context(), "create temp table r (s "+c.move.Sources[0].Type+", t "+c.move.Targets[0].Type+");"+
				"insert into r values ("+c.row+")")
			require.NoError(t, err)
			var got *bool
			require.NoError(t, conn.QueryRow(t.Context(), "select "+ddl.Consistent(c.move)+" from r").Scan(&got))
			require.NotNil(t, got)
			require.Equal(t, c.want, *got)
			s := ddl.AddConsistentCheck(ddl.Name{Schema: "pg_temp", Table: "r"}, "c", c.move)
			require.Equal(t, ddl.AccessExclusive, s.Lock)
			_, err = conn.Exec(t.Context(), s.SQL+"; alter table r validate constraint c")
			require.Equal(t, c.want, err == nil, "the constraint says the same: %v", err)
			_, err = conn.Exec(t.Context(), "drop table r")
			require.NoError(t, err)
		})
	}
}

func TestCheckOfARename(t *testing.T) {
	t.Parallel()
	s := ddl.AddConsistentCheck(users, "c", transform.Renamed(transform.Column{Name: "a", Type: "integer", BaseType: "integer"}, "B"))
	require.Contains(t, s.SQL, `check (pg_catalog.record_image_eq(row("a"), row("B"))) not valid`)
}
