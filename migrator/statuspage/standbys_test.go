//go:build unix

package statuspage_test

import (
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/statuspage"
)

// TestStandbys: who is on a standby is shown when it was given; otherwise that nobody
// looks.
func TestStandbys(t *testing.T) {
	t.Parallel()
	primary := pgtest.Server(t, nil)
	db := &pgtest.DB{URL: primary.URL("postgres"), Name: "postgres"}
	db.Exec(t, users)
	replica := pgtest.Standby(t, db)
	m := newMigrator(t, db, migrator.Config{Standbys: []*pgx.ConnConfig{replica.Config(t)}})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err := m.Start(ctx, rename)
	require.NoError(t, err)
	_, err = fence.Join(ctx, connect(t, replica, "readers").PgConn())
	require.NoError(t, err)

	s := serve(t, m, statuspage.Config{})
	s.get("/", "Standby "+replica.Config(t).Host, "<td>readers</td>")
	s.get("/metrics", `server_port="`+strconv.Itoa(int(replica.Config(t).Port))+`",crossfade_epoch=`)
	s.get("/status.json", `"looked": true`)
	blind := serve(t, newMigrator(t, db, migrator.Config{}), statuspage.Config{})
	require.NotContains(t, blind.get("/", "Standby walreceiver", "Not looked at: give its URL with --standby."), "readers")
}
