package rewrite_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/phase"
)

// TestOriginalOffset: what an error points at in the rewritten text is found in
// the application's.
func TestOriginalOffset(t *testing.T) {
	t.Parallel()
	r := newRewriter(t, phase.Live)
	for _, c := range []struct{ sql, at string }{
		{"insert into users (id, full_name) values (1, gen(nosuch(7)))", "nosuch(7)"},
		{"update users set full_name = gen(full_name || oops) where id = 1", "oops"},
		{"select full_name, oops from users", "oops"},
		{"select id, full_name + 1 from users", "+ 1"},
		{"insert into users (id, full_name) values (1, $1 || oops), (2, gen(- 'x'))", "- 'x'"},
	} {
		result := r.Rewrite(c.sql)
		require.NotEmpty(t, result.SQL, c.sql)
		at := strings.LastIndex(result.SQL, c.at)
		require.Positive(t, at, result.SQL)
		require.Equal(t, strings.Index(c.sql, c.at), result.OriginalOffset(at), result.SQL)
		if first := strings.Index(result.SQL, c.at); first != at {
			require.Equal(t, strings.Index(c.sql, c.at), result.OriginalOffset(first), result.SQL)
		}
	}
}
