package migrator_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// asked waits for a request that is granted as a stage, such as live:25.
func asked(t *testing.T, m *migrator.Migrator, stage string) migrator.Status {
	t.Helper()
	pgtest.WaitFor(t, stage+" to be granted", func() bool {
		r := statusOf(t, m).Request
		return r != nil && r.Stage() == stage && r.GrantedAt != nil && r.HeldBy == ""
	})
	return statusOf(t, m)
}

// rampsWhen lists the phases in which the ramp was set, with what it became.
func rampsWhen(t *testing.T, db *pgtest.DB) []string {
	return list[string](t, audit(t, db), `select coalesce(substring((select detail from crossfade.history m
		where m.event = 'move' and m.id < h.id order by m.id desc limit 1) from '-> (.*)'), 'off') || ': ' || detail
		from crossfade.history h where event = 'ramp' order by id`)
}

// TestFollowARamp: a flag carries the share of live, which live begins with; what no
// request has set, live leaves alone.
func TestFollowARamp(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	f := says("live:25")
	startFollowing(t, m, migrator.FollowOptions{Source: f})
	s := asked(t, m, "live:25")
	require.Equal(t, migrator.Live, s.Phase)
	require.Equal(t, 25, s.Ramp)
	require.Equal(t, []string{"off: 100 -> 25 of 100 connections read the target, by flag crossfade.users-name"}, rampsWhen(t, db))
	require.Equal(t, []string{"live:25, by flag crossfade.users-name"}, details(s, "request"))
	require.Equal(t, []string{"live:25"}, details(s, "granted"))

	epoch := s.Epoch
	f.say("live:0")
	require.Zero(t, asked(t, m, "live:0").Ramp)
	f.say("live:50")
	require.Equal(t, 50, asked(t, m, "live:50").Ramp)
	require.Equal(t, epoch, statusOf(t, m).Epoch, "it is no new phase")

	f.say("rampdown")
	require.Equal(t, 50, heldBy(t, m, "ramp-full").Ramp, "rampdown is no word about the ramp")
	f.say("shadow")
	require.Equal(t, 50, granted(t, m, migrator.Shadow).Ramp, "as it is by hand")
	f.say("live")
	s = asked(t, m, "live:100")
	require.Equal(t, migrator.Live, s.Phase)
	require.Equal(t, 100, s.Ramp, "after a share live means all")
	require.Equal(t, "shadow: 50 -> 100 of 100 connections read the target, by flag crossfade.users-name", rampsWhen(t, db)[3], "before live")
	f.say("complete")
	granted(t, m, migrator.Complete)
	f.say("live:10")
	require.Equal(t, 10, asked(t, m, "live:10").Ramp)
	require.Equal(t, "live: 100 -> 10 of 100 connections read the target, by flag crossfade.users-name", rampsWhen(t, db)[4], "on the way back, when it is there")
	f.say("off")
	granted(t, m, migrator.Off)
	require.Equal(t, originalShape, shape(t, audit(t, db)))
}

// TestFollowARampByHand: what was set by hand stays under a flag that says live, and
// under one whose share has been granted.
func TestFollowARampByHand(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Ramp(ctx, rename.Name, 30)
	require.NoError(t, err)
	f := says("live")
	startFollowing(t, m, migrator.FollowOptions{Source: f})
	require.Equal(t, 30, granted(t, m, migrator.Live).Ramp)
	require.Equal(t, "live", statusOf(t, m).Request.Stage())
	f.say("live:40")
	require.Equal(t, 40, asked(t, m, "live:40").Ramp)
	_, err = m.Ramp(ctx, rename.Name, 60)
	require.NoError(t, err)
	s := heldBy(t, m, "ramp")
	require.Contains(t, s.Request.Held, "the ramp was set to 40 as asked, and is 60 since")
	require.NotNil(t, s.Request.GrantedAt)
	require.Equal(t, 60, s.Ramp)
	f.say("live:60")
	asked(t, m, "live:60")
	require.Len(t, rampsWhen(t, db), 3, "what is so already is not set again")
}

// TestFollowARampBack: the guard takes the reads back, and the flag that goes on
// saying the same does not undo that.
func TestFollowARampBack(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	f := says("live:25")
	stop := startFollowing(t, m, migrator.FollowOptions{Source: f, Poll: 10 * time.Millisecond})
	asked(t, m, "live:25")
	awaitLooks(t, db, 1)
	reported(t, db, "one", ledger.Reads{Compared: 10, Mismatched: 1})
	s := heldBy(t, m, "ramp")
	require.Zero(t, s.Ramp)
	require.Contains(t, s.SteppedBack, "25 -> 0")
	require.Contains(t, s.Request.Held, "the ramp was set to 25 as asked, and is 0 since")
	awaitLooks(t, db, 3)
	stop()
	startFollowing(t, m, migrator.FollowOptions{Source: f, Poll: 10 * time.Millisecond}) // another one knows too
	awaitLooks(t, db, 3)
	s = statusOf(t, m)
	require.Zero(t, s.Ramp)
	require.Equal(t, "ramp", s.Request.HeldBy)
	f.say("live:10")
	s = asked(t, m, "live:10")
	require.Equal(t, 10, s.Ramp)
	require.Empty(t, s.SteppedBack)
	f.say("live:25")
	require.Equal(t, 25, asked(t, m, "live:25").Ramp, "it was asked anew")
}

// TestFollowARampFlap: a share counts when it has settled, too.
func TestFollowARampFlap(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, migrator.Config{})
	f := says("live:25")
	stop := startFollowing(t, m, migrator.FollowOptions{Source: f})
	asked(t, m, "live:25")
	stop()
	startFollowing(t, m, migrator.FollowOptions{Source: f, Settle: time.Hour})
	f.say("live:50")
	require.Contains(t, heldBy(t, m, "settling").Request.Held, "live:50 is asked for")
	f.say("live")
	pgtest.WaitFor(t, "the flag to be seen", func() bool { return statusOf(t, m).Request.Held[:8] == "live:100" })
	require.Equal(t, 25, statusOf(t, m).Ramp)
	f.say("live:25")
	asked(t, m, "live:25")
}

// TestFollowARampThatIsNone: what is no share moves nothing, and says what would be.
func TestFollowARampThatIsNone(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, migrator.Config{})
	f := says("dualwrite")
	startFollowing(t, m, migrator.FollowOptions{Source: f})
	granted(t, m, migrator.DualWrite)
	for value, why := range map[string]string{
		"live:101": "0 to 100", "live:-1": "0 to 100", "live:": "0 to 100", "live:025": "0 to 100", "live:+5": "0 to 100", "live:25%": "0 to 100",
		"live:2.5": "0 to 100", "live:25:5": "0 to 100", "live: 25": "0 to 100", "shadow:25": "only live takes a share", "contracted:25": "is no stage",
		"Live:25": "is no stage", ":25": "is no stage", "25": "is no stage",
	} {
		f.say(value)
		pgtest.WaitFor(t, value+" to be seen", func() bool {
			r := statusOf(t, m).Request
			return r.HeldBy == "unknown-variant" && strings.Contains(r.Held, why) && strings.Contains(r.Held, strconv.Quote(value))
		})
	}
	require.Equal(t, migrator.DualWrite, statusOf(t, m).Phase)
	require.Equal(t, 100, statusOf(t, m).Ramp)
}

// TestFollowARampOfWhatLoses: where the two sides need not read alike, live is not
// entered at all by a flag that wants some to read the source.
func TestFollowARampOfWhatLoses(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	_, err := m.Start(ctx, migrator.Transition{
		Name: rename.Name, Table: "users", IgnoreApplications: []string{auditor},
		Change: &migrator.Change{From: "full_name", To: "name", Type: "text", Forward: "lower(full_name)", Backward: "name", Lossy: []string{"forward"}},
	})
	require.NoError(t, err)
	f := says("live:25")
	startFollowing(t, m, migrator.FollowOptions{Source: f})
	s := heldBy(t, m, "ramp")
	require.Contains(t, s.Request.Held, "lossy")
	require.Equal(t, migrator.Off, s.Phase)
	require.Nil(t, s.Request.GrantedAt)
	f.say("dualwrite")
	granted(t, m, migrator.DualWrite)
}

// TestFollowARampOfAFile: the file source, and requests without a source.
func TestFollowARampOfAFile(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, migrator.Config{})
	file := migrator.FileFlags{Path: filepath.Join(t.TempDir(), "flags.yaml")}
	write := func(value string) {
		require.NoError(t, os.WriteFile(file.Path+".new", []byte("crossfade.users-name: "+value+"\n"), 0o600))
		require.NoError(t, os.Rename(file.Path+".new", file.Path))
	}
	write("live:25")
	stop := startFollowing(t, m, migrator.FollowOptions{Source: file})
	require.Equal(t, 25, asked(t, m, "live:25").Ramp)
	write("live:75")
	require.Equal(t, 75, asked(t, m, "live:75").Ramp)
	stop()

	startFollowing(t, m, migrator.FollowOptions{})
	_, err := m.Request(ctx, rename.Name, migrator.Request{Phase: migrator.Shadow, Ramp: new(5)})
	require.ErrorContains(t, err, "only live takes a share")
	_, err = m.Request(ctx, rename.Name, migrator.Request{Phase: migrator.Live, Ramp: new(101)})
	require.ErrorContains(t, err, "0 to 100")
	r, err := m.Request(ctx, rename.Name, migrator.Request{Phase: migrator.Live, Ramp: new(5)})
	require.NoError(t, err)
	require.Equal(t, "live:5", r.Stage())
	require.Equal(t, 5, asked(t, m, "live:5").Ramp)
	r, err = m.Request(ctx, rename.Name, migrator.Request{Phase: migrator.Live})
	require.NoError(t, err)
	require.Equal(t, "live:100", r.Stage())
	require.Equal(t, 100, asked(t, m, "live:100").Ramp)
}
