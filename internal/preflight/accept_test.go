package preflight_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup+`create materialized view app.m as select full_name from app.users;
		create view app.v as select u from app.users u`)
	conn := db.Conn(t)
	r := rename()
	r.Accept = []string{"materialized-view-depends"}
	report := check(t, conn, r)
	found := requireOne(t, report, preflight.Warn, "materialized-view-depends", "app.m")
	require.True(t, found.Accepted)
	require.True(t, report.Refused()) // for the view

	db.Exec(t, "drop view app.v")
	require.False(t, check(t, conn, r).Refused())
}
