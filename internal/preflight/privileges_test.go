package preflight_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
)

func TestNotOwner(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	report := check(t, as(t, db, role(t, db)), rename())
	requireOne(t, report, preflight.Refuse, "not-owner", "app.users")
}

// An ordinary owner can run a check, and is told what it lacks.
func TestPlainOwner(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup+"drop table app.orders; drop view app.ages; create index i on app.users (full_name)")
	name := role(t, db)
	db.Exec(t, "grant usage on schema app to "+name+"; alter table app.users owner to "+name)
	conn := as(t, db, name)

	report := check(t, conn, rename())
	require.Empty(t, find(report, "not-owner"))
	requireOne(t, report, preflight.Refuse, "no-read-all-stats", name)
	requireOne(t, report, preflight.Info, "no-signal-backend", name)
	requireOne(t, report, preflight.Refuse, "no-create-on-schema", "app")

	db.Exec(t, "grant create on schema app to "+name+"; grant pg_read_all_stats, pg_signal_backend to "+name)
	require.False(t, check(t, conn, rename()).Refused())

	db.Exec(t, "alter table app.users enable row level security, force row level security")
	requireOne(t, check(t, conn, rename()), preflight.Refuse, "row-security", "app.users")
}

func TestRolesThatCannotJoin(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	name := role(t, db)
	conn := db.Conn(t)
	require.NoError(t, ledger.Migrate(t.Context(), conn, []string{"pg_monitor"}))
	config := db.Config(t)
	config.User = name
	app, err := connect(t, config)
	require.NoError(t, err)
	requireOne(t, check(t, conn, rename()), preflight.Warn, "role-cannot-join", name)

	require.NoError(t, ledger.Migrate(t.Context(), conn, []string{name}))
	require.Empty(t, find(check(t, conn, rename()), "role-cannot-join"))
	require.NoError(t, app.Close(t.Context()))
}
