package pgtest_test

import (
	"testing"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestDatabasesAreIsolated(t *testing.T) {
	const setup = "create table item (id int primary key); insert into item values (1)"
	for range 2 {
		t.Run("clone", func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, setup)
			tag := db.Exec(t, "insert into item values ($1)", 2)
			require.EqualValues(t, 1, tag.RowsAffected())
		})
	}
}
