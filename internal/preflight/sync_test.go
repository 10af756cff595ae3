package preflight_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/synctrigger"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func synced(mode synctrigger.Mode) preflight.Request {
	r := rename()
	r.Sync = mode
	return r
}

func TestTriggersBesideSync(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, setup+`
		create function app.f() returns trigger language plpgsql as 'begin return new; end';
		create trigger touch before update of age on app.users for each row execute function app.f();
		create trigger "zzzz_crossfade_u" before insert on app.users for each row execute function app.f();
		create trigger "zzzzz after" after insert on app.users for each row execute function app.f();
		create trigger "zzzz_crossfade_t9_sync" before insert or update of age on app.users for each row execute function app.f();
		create trigger stand_in instead of update on app.ages for each row execute function app.f()`).Conn(t)
	require.Empty(t, find(check(t, conn, rename()), "sync-trigger-later"))
	report := check(t, conn, synced(synctrigger.Sync))
	requireOne(t, report, preflight.Refuse, "sync-trigger-later", "zzzz_crossfade_u")
	requireOne(t, report, preflight.Info, "sync-trigger-before", "touch")
	requireOne(t, report, preflight.Info, "sync-instead-of", "stand_in")
}

func TestSyncLanguage(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	user := role(t, db)
	db.Exec(t, "revoke usage on language plpgsql from public")
	requireOne(t, check(t, as(t, db, user), synced(synctrigger.Refuse)), preflight.Refuse, "sync-language", "plpgsql")
	db.Exec(t, "drop extension plpgsql")
	requireOne(t, check(t, db.Conn(t), synced(synctrigger.Refuse)), preflight.Refuse, "sync-language", "plpgsql")
}

func TestSyncDefaultOrNull(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	conn := db.Conn(t)
	require.Empty(t, find(check(t, conn, synced(synctrigger.Sync)), "sync-null-default"))
	db.Exec(t, "alter table app.users alter column full_name drop not null")
	requireOne(t, check(t, conn, synced(synctrigger.Sync)), preflight.Refuse, "sync-null-default", "full_name")
	require.Empty(t, find(check(t, conn, synced(synctrigger.Refuse)), "sync-null-default"))
	r := synced(synctrigger.Sync)
	r.Accept = []string{"sync-null-default"}
	require.False(t, check(t, conn, r).Refused())
}

func TestSessionsUnderSync(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	conn := db.Conn(t)
	initLedger(t, conn)
	config := db.Config(t)
	config.RuntimeParams["application_name"] = "legacy"
	_, err := connect(t, config)
	require.NoError(t, err)
	require.NotEmpty(t, find(check(t, conn, rename()), "session-without-hook"))
	require.NotEmpty(t, find(check(t, conn, synced(synctrigger.Count)), "session-without-hook"))
	report := check(t, conn, synced(synctrigger.Sync))
	require.Empty(t, find(report, "session-without-hook"))
	requireOne(t, report, preflight.Info, "session-followed", "legacy")
}

// TestSyncOfAKey: what hangs on a key moves too early for a trigger that keeps
// the source.
func TestSyncOfAKey(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, setup).Conn(t)
	r := synced(synctrigger.Sync)
	r.Move = transform.Move{Kind: transform.Change, Sources: []transform.Column{{Name: "id"}},
		Targets: []transform.Column{{Name: "id_new", Type: "numeric"}}}
	requireOne(t, check(t, conn, r), preflight.Refuse, "sync-key", "users")
	r.Sync = synctrigger.Refuse
	require.Empty(t, find(check(t, conn, r), "sync-key"))
}
