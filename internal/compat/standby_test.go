//go:build unix

package compat

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// replicated is a journey on a primary with a standby.
type replicated struct {
	*journey
	standby *pgtest.DB
}

func newReplicated(t *testing.T) *replicated {
	primary := pgtest.Server(t, nil)
	db := &pgtest.DB{URL: primary.URL("postgres"), Name: "postgres"}
	db.Exec(t, schema+`; insert into users (full_name, email) values ('Ada', 'ada@example.com')`)
	r := &replicated{newJourneyOn(t, db), pgtest.Standby(t, db)}
	r.standbys = []*pgx.ConnConfig{r.standby.Config(t)}
	r.migrate()
	return r
}

// standbyReads uses a hooked pool of a standby all the way, while customers write
// on the primary and the replay stands still now and then.
func standbyReads(t *testing.T) outcome {
	r := newReplicated(t)
	config := r.standby.Config(t)
	config.RuntimeParams["application_name"] = auditor
	replica, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = replica.Close(context.Background()) })
	r.app = r.standby.URL
	readers := r.pool(nil)
	r.app = r.URL
	writers := r.pool(nil)
	r.follow()
	reader := func() string {
		for try := 0; ; try++ {
			u, err := pgxShop{readers}.User(t.Context(), 1)
			if dualwrite.IsStalePhase(err) && try < 3 {
				continue
			}
			require.NoError(t, err)
			return u.FullName
		}
	}
	visits := 0
	r.travel(func(where string) {
		visits++
		name := "Ada, in " + where
		require.NoError(t, pgxShop{writers}.Rename(t.Context(), 1, name), where)
		pgtest.WaitFor(t, "the standby to have it in "+where, func() bool { return reader() == name })
		found, err := pgxShop{readers}.Named(t.Context(), name, "nobody")
		require.NoError(t, err, where)
		require.Len(t, found, 1, where)
		// The next flip is not replayed at once.
		_, err = replica.Exec(t.Context(), `select pg_wal_replay_pause()`)
		require.NoError(t, err)
		resumed := make(chan error, 1)
		time.AfterFunc(300*time.Millisecond, func() {
			_, err := replica.Exec(context.Background(), `select pg_wal_replay_resume()`)
			resumed <- err
		})
		for range 20 {
			require.Equal(t, name, reader(), where)
		}
		if visits%2 == 0 { // this one goes on while the replay stands still
			t.Cleanup(func() { <-resumed })
			return
		}
		require.NoError(t, <-resumed)
	})
	require.Zero(t, r.hook.Stats().Stale, "statements failed because their phase had ended")
	return outcome{worksWith, "`--standby URL` of the migrator, by which drains wait for the sessions there; without it they get errors of SQLSTATE 40001 " +
		"(`dualwrite.IsStalePhase`, or a conflict with recovery), and gate standby-readers asks for it"}
}

// standbyFirst: pgx skips the standby, and the hook is only on the primary.
func standbyFirst(t *testing.T) outcome {
	r := newReplicated(t)
	u, err := url.Parse(r.standby.URL)
	require.NoError(t, err)
	r.Exec(t, `delete from users`)
	r.app = withHosts(t, r.URL, u.Query().Get("host")) + "&target_session_attrs=primary"
	r.run(pgxShop{r.pool(nil)})
	return outcome{works, ""}
}
