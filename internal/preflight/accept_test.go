package preflight_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup+`create statistics app.s on full_name, age from app.users;
		create view app.v as select full_name from app.users`)
	conn := db.Conn(t)
	r := rename()
	r.Accept = []string{"statistics-depend"}
	report := check(t, conn, r)
	found := requireOne(t, report, preflight.Warn, "statistics-depend", "app.s")
	require.True(t, found.Accepted)
	require.True(t, report.Refused()) // for the view

	db.Exec(t, "drop view app.v")
	require.False(t, check(t, conn, r).Refused())
}
