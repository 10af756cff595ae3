package postgres

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestWithDatabase(t *testing.T) {
	t.Parallel()
	for _, connString := range []string{
		"postgres://u:p@localhost:5433/first?sslmode=disable",
		"postgres://u:p@localhost:5433?dbname=first&sslmode=disable",
		"postgresql://u:p@/first?host=localhost&port=5433",
		"postgres://u:p%40@localhost:5433/",
		"host=localhost port=5433 user=u password=p dbname=first",
		"host=localhost port=5433 user=u password='a b'",
	} {
		require.Equal(t, connString, withDatabase(connString, ""))
		for _, name := range []string{"second", `it's a "name"\`, "a/b?c%20d"} {
			got, err := pgx.ParseConfig(withDatabase(connString, name))
			require.NoError(t, err, connString)
			want, err := pgx.ParseConfig(connString)
			require.NoError(t, err)
			require.Equal(t, name, got.Database, connString)
			require.Equal(t, [...]any{want.Host, want.Port, want.User, want.Password},
				[...]any{got.Host, got.Port, got.User, got.Password})
		}
	}
}

func TestNewestFirst(t *testing.T) {
	t.Parallel()
	dirs := []string{"/usr/lib/postgresql/9.6/bin", "/usr/lib/postgresql/18/bin", "/usr/lib/postgresql/15/bin"}
	slices.SortFunc(dirs, newestFirst)
	require.Equal(t, []string{
		"/usr/lib/postgresql/18/bin", "/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/9.6/bin",
	}, dirs)
}
