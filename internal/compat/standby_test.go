//go:build unix

package compat

import (
	"errors"
	"net/url"
	"testing"

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
	return &replicated{newJourneyOn(t, db), pgtest.Standby(t, db)}
}

// standbyBefore: the hook may be in a standby's pool long before it is needed.
func standbyBefore(t *testing.T) outcome {
	r := newReplicated(t)
	r.app = r.standby.URL
	u, err := pgxShop{r.pool(nil)}.User(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, "Ada", u.FullName)
	return outcome{works, ""}
}

// standbyDuring: a pool that was open already is refused as soon as the standby
// has replayed the beginning.
func standbyDuring(t *testing.T) outcome {
	r := newReplicated(t)
	r.app = r.standby.URL
	pool := r.pool(nil)
	require.NoError(t, pool.Ping(t.Context()))
	r.follow()
	r.begin()
	var err error
	pgtest.WaitFor(t, "the standby to be refused", func() bool {
		_, err = pgxShop{pool}.User(t.Context(), 1)
		return err != nil
	})
	require.True(t, errors.Is(err, dualwrite.ErrStandby), "%v", err)
	return refused(dualwrite.ErrStandby)
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
