package migrator_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// flags is a Source in the hands of a test.
type flags struct {
	mu      sync.Mutex // guards what follows
	answer  migrator.Answer
	err     error
	changed chan struct{}
}

func says(value string) *flags {
	f := &flags{changed: make(chan struct{}, 1)}
	f.say(value)
	return f
}

func (f *flags) say(value string) {
	f.set(migrator.Answer{Value: value, Reason: "TARGETING_MATCH", Provider: "test"}, nil)
}

func (f *flags) set(a migrator.Answer, err error) {
	f.mu.Lock()
	f.answer, f.err = a, err
	f.mu.Unlock()
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

func (f *flags) Variant(context.Context, string) (migrator.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.answer, f.err
}

func (f *flags) Changed() <-chan struct{} { return f.changed }

// startFollowing runs a follower until the test ends, or the returned function is called.
func startFollowing(t *testing.T, m *migrator.Migrator, o migrator.FollowOptions) (stop func()) {
	t.Helper()
	if o.Settle == 0 {
		o.Settle = time.Millisecond
	}
	if o.Poll == 0 {
		o.Poll = 50 * time.Millisecond
	}
	followCtx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- m.Follow(followCtx, o) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
	t.Cleanup(stop)
	return stop
}

func statusOf(t *testing.T, m *migrator.Migrator) migrator.Status {
	t.Helper()
	list, err := m.Status(ctx, migrator.StatusOptions{Name: rename.Name, Events: 1000})
	require.NoError(t, err)
	return list[0]
}

// granted waits for a request that is granted in phase p.
func granted(t *testing.T, m *migrator.Migrator, p migrator.Phase) migrator.Status {
	t.Helper()
	pgtest.WaitFor(t, "the request for "+string(p)+" to be granted", func() bool {
		s := statusOf(t, m)
		return s.Request != nil && s.Request.Phase == p && s.Request.GrantedAt != nil && s.Phase == p
	})
	return statusOf(t, m)
}

// heldBy waits for a request that is held by something.
func heldBy(t *testing.T, m *migrator.Migrator, by string) migrator.Status {
	t.Helper()
	pgtest.WaitFor(t, "the request to be held by "+by, func() bool {
		s := statusOf(t, m)
		return s.Request != nil && s.Request.HeldBy == by
	})
	return statusOf(t, m)
}

// details lists what the history has of one kind.
func details(s migrator.Status, kind string) []string {
	all := []string{}
	for _, e := range s.History {
		if e.Event == kind {
			all = append(all, e.Detail)
		}
	}
	return all
}

// TestFollowAJump: a flag that jumps from off to live is worked through phase by
// phase, and back, and leaves the table as it was.
func TestFollowAJump(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	conn := audit(t, db)
	f := says("off")
	startFollowing(t, m, migrator.FollowOptions{Source: f})
	granted(t, m, migrator.Off)
	f.say("live")
	s := granted(t, m, migrator.Live)
	require.Equal(t, []string{"off -> dualwrite", "dualwrite -> shadow", "shadow -> live"}, details(s, "move"))
	require.Equal(t, []string{"off, by flag crossfade.users-name", "live, by flag crossfade.users-name"}, details(s, "request"))
	require.Equal(t, []string{"off", "live"}, details(s, "granted"))
	i := slices.IndexFunc(s.History, func(e migrator.HistoryEvent) bool { return e.Event == "request" })
	require.Equal(t, map[string]any{"flag": "crossfade.users-name", "variant": "off", "reason": "TARGETING_MATCH", "provider": "test"}, s.History[i].Evidence)
	equal(t, conn)

	f.say("off")
	s = granted(t, m, migrator.Off)
	require.Equal(t, []string{"live -> shadow", "shadow -> dualwrite", "dualwrite -> off"}, details(s, "move")[3:])
	require.Equal(t, originalShape, shape(t, conn))

	f.say("complete")
	s = granted(t, m, migrator.Complete)
	require.Equal(t, "complete", s.Step, "contract is no request's business")
	f.say("rampdown")
	require.Equal(t, "rampdown", granted(t, m, migrator.RampDown).Step, "what prepares for complete is undone")
}

// TestFollowWhatIsNotKnown: nothing moves, and the status and the history say why.
func TestFollowWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, migrator.Config{})
	f := says("live")
	f.set(migrator.Answer{}, errors.New("connection refused"))
	startFollowing(t, m, migrator.FollowOptions{Source: f})
	require.Contains(t, heldBy(t, m, "provider").Request.Held, "connection refused")
	for by, set := range map[string]func(){
		"no-flag":         func() { f.set(migrator.Answer{}, migrator.ErrNoFlag) },
		"unknown-variant": func() { f.say("Live") },
		"stale":           func() { f.set(migrator.Answer{Value: "live", Stale: true}, nil) },
		"no-value":        func() { f.set(migrator.Answer{Reason: "DISABLED"}, nil) },
	} {
		set()
		s := heldBy(t, m, by)
		require.Empty(t, s.Request.Phase)
		pgtest.WaitFor(t, "the history to know", func() bool {
			return slices.ContainsFunc(details(statusOf(t, m), "held"), func(e string) bool { return strings.HasPrefix(e, by+": ") })
		})
	}
	f.say("contracted")
	pgtest.WaitFor(t, "a word about contract", func() bool { return strings.Contains(statusOf(t, m).Request.Held, "contract") })
	s := statusOf(t, m)
	require.Equal(t, "unknown-variant", s.Request.HeldBy)
	require.Equal(t, migrator.Off, s.Phase)
	require.Equal(t, "register", s.Step)
	require.Empty(t, details(s, "move"))

	// Later, on the way: the last request stands, and nothing moves.
	f.say("dualwrite")
	granted(t, m, migrator.DualWrite)
	f.set(migrator.Answer{}, migrator.ErrNoFlag)
	s = heldBy(t, m, "no-flag")
	require.Equal(t, migrator.DualWrite, s.Request.Phase)
	f.say("dualwrite")
	pgtest.WaitFor(t, "the hold to end", func() bool { return statusOf(t, m).Request.HeldBy == "" })
	require.Equal(t, []string{"off -> dualwrite"}, details(statusOf(t, m), "move"))
}

// TestFollowAFlap: a flag that does not keep to what it says moves nothing.
func TestFollowAFlap(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, migrator.Config{})
	f := says("dualwrite")
	stop := startFollowing(t, m, migrator.FollowOptions{Source: f})
	granted(t, m, migrator.DualWrite)
	stop()

	startFollowing(t, m, migrator.FollowOptions{Source: f, Settle: time.Hour})
	for i := range 20 {
		f.say([]string{"live", "off"}[i%2])
		pgtest.WaitFor(t, "the flag to be seen", func() bool {
			s := statusOf(t, m)
			return s.Request.HeldBy == "settling" && strings.HasPrefix(s.Request.Held, []string{"live", "off"}[i%2])
		})
	}
	s := statusOf(t, m)
	require.Equal(t, migrator.DualWrite, s.Phase)
	require.Equal(t, []string{"off -> dualwrite"}, details(s, "move"))
	require.Len(t, details(s, "request"), 1)
	f.say("dualwrite")
	pgtest.WaitFor(t, "the flag to be what was granted", func() bool { return statusOf(t, m).Request.HeldBy == "" })
}

// TestFollowAClosedGate: a request waits at a gate, visibly, and is granted when
// that opens.
func TestFollowAClosedGate(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	conn := audit(t, db)
	constraint := scan[string](t, conn, `select conname from pg_constraint where conname ~ '^crossfade_t[0-9]+_equal$'`)
	definition := scan[string](t, conn, `select pg_get_constraintdef(oid) from pg_constraint where conname = $1`, constraint)
	db.Exec(t, `alter table users drop constraint `+constraint)

	var mu sync.Mutex
	var told []migrator.RequestEvent
	watching := newMigrator(t, db, migrator.Config{Observer: observer(func(e migrator.Event) {
		if r, ok := e.(migrator.RequestEvent); ok {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, r)
		}
	})})
	startFollowing(t, watching, migrator.FollowOptions{Source: says("live")})
	s := heldBy(t, m, "equality-enforced")
	require.Equal(t, migrator.Live, s.Request.Phase)
	require.Equal(t, migrator.Shadow, s.Phase)
	require.Contains(t, s.Request.Held, "hint")
	pgtest.WaitFor(t, "the history to know", func() bool { return len(details(statusOf(t, m), "held")) == 1 })
	require.NotContains(t, details(statusOf(t, m), "begin"), "live", "a closed gate begins nothing")
	db.Exec(t, `alter table users add constraint `+constraint+` `+definition)
	granted(t, m, migrator.Live)

	pgtest.WaitFor(t, "the observer to be told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return told[len(told)-1].Granted
	})
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, migrator.RequestEvent{Transition: rename.Name, Key: "crossfade.users-name", Value: "live", Variant: "live",
		Reason: "TARGETING_MATCH", Provider: "test", Requested: migrator.Live, Effective: migrator.Live, Granted: true}, told[len(told)-1])
	require.True(t, slices.ContainsFunc(told, func(e migrator.RequestEvent) bool {
		return e.HeldBy == "equality-enforced" && e.Effective == migrator.Shadow && !e.Granted
	}))
}

// TestFollowTwo: of two followers whose flags say different things one decides; the
// other one waits, and goes on when it ends.
func TestFollowTwo(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	stop := startFollowing(t, m, migrator.FollowOptions{Source: says("dualwrite")})
	granted(t, m, migrator.DualWrite)
	second := newMigrator(t, db, migrator.Config{Actor: "second"})
	startFollowing(t, second, migrator.FollowOptions{Source: says("shadow")})
	conn := audit(t, db)
	pgtest.WaitFor(t, "the second to come", func() bool {
		return scan[int](t, conn, `select count(*) from pg_locks where locktype = 'advisory' and classid = x'63660001'::int and database =
			(select oid from pg_database where datname = current_database())`) == 2
	})
	require.Equal(t, migrator.DualWrite, statusOf(t, m).Phase)
	stop()
	s := granted(t, m, migrator.Shadow)
	require.Equal(t, "second", s.Request.Actor)
}

// TestFollowBesidesAnotherMigrator: it waits while another one works.
func TestFollowBesidesAnotherMigrator(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	leader := connect(t, db, auditor)
	require.True(t, scan[bool](t, leader, `select pg_try_advisory_lock(x'63660002'::int, 0)`))
	quickly := newMigrator(t, db, migrator.Config{LeaderWait: time.Millisecond})
	startFollowing(t, quickly, migrator.FollowOptions{Source: says("dualwrite")})
	require.Equal(t, migrator.Off, heldBy(t, m, "another-migrator").Phase)
	require.True(t, scan[bool](t, leader, `select pg_advisory_unlock(x'63660002'::int, 0)`))
	s := granted(t, m, migrator.DualWrite)
	require.Empty(t, details(s, "held"))
}

// TestFollowByHand: what was done by hand is not undone by a flag that never asked
// for it, nor by one whose request has been granted.
func TestFollowByHand(t *testing.T) {
	t.Parallel()
	_, m := started(t, users, migrator.Config{})
	_, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: migrator.Shadow})
	require.NoError(t, err)
	f := says("off")
	startFollowing(t, m, migrator.FollowOptions{Source: f})
	require.Contains(t, heldBy(t, m, "by-hand").Request.Held, "crossfade rollback")
	f.say("live")
	granted(t, m, migrator.Live)
	_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{To: migrator.Shadow})
	require.NoError(t, err)
	require.Contains(t, heldBy(t, m, "by-hand").Request.Held, "moved by hand")
	f.say("dualwrite")
	granted(t, m, migrator.DualWrite)
}

// TestFollowTurnsAround: a flag that goes back while a backfill is at work stops it.
func TestFollowTurnsAround(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Pause(ctx, rename.Name) // the backfill would go on for ever
	require.NoError(t, err)
	f := says("live")
	startFollowing(t, m, migrator.FollowOptions{Source: f})
	pgtest.WaitFor(t, "the backfill to begin", func() bool { return statusOf(t, m).Underway == "backfill" })
	f.say("off")
	granted(t, m, migrator.Off)
	require.Equal(t, originalShape, shape(t, audit(t, db)))
}

// TestFollowRequests: without a source it is Request that asks.
func TestFollowRequests(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	_, err := m.Request(ctx, "nobody", migrator.Request{Phase: migrator.Live})
	require.ErrorIs(t, err, migrator.ErrNotFound)
	_, err = m.Request(ctx, rename.Name, migrator.Request{Phase: migrator.Contracted})
	require.ErrorContains(t, err, "contract")
	_, err = m.Request(ctx, rename.Name, migrator.Request{})
	require.ErrorContains(t, err, "no stage")
	for range 2 {
		r, err := m.Request(ctx, rename.Name, migrator.Request{Phase: migrator.DualWrite, Reason: "the release of Tuesday"})
		require.NoError(t, err)
		require.Nil(t, r.GrantedAt)
	}
	s := statusOf(t, m)
	require.Equal(t, []string{"dualwrite"}, details(s, "request"), "only a change is recorded")
	require.Equal(t, migrator.Off, s.Phase, "a request moves nothing")
	startFollowing(t, m, migrator.FollowOptions{})
	granted(t, m, migrator.DualWrite)

	// The follower outlives its connection.
	db.Exec(t, `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = x'63660005'::int
		and database = (select oid from pg_database where datname = current_database())`)
	_, err = m.Request(ctx, rename.Name, migrator.Request{Phase: migrator.Off})
	require.NoError(t, err)
	granted(t, m, migrator.Off)
}

func TestFollowNothing(t *testing.T) {
	t.Parallel()
	m := newMigrator(t, pgtest.New(t), migrator.Config{})
	require.ErrorIs(t, m.Follow(ctx, migrator.FollowOptions{Source: says("live")}), migrator.ErrNoLedger)
	require.ErrorContains(t, m.Follow(ctx, migrator.FollowOptions{Settle: -1}), "negative")
}

func TestFileFlags(t *testing.T) {
	t.Parallel()
	f := migrator.FileFlags{Path: filepath.Join(t.TempDir(), "flags.yaml")}
	write := func(text string) { require.NoError(t, os.WriteFile(f.Path, []byte(text), 0o600)) }
	_, err := f.Variant(ctx, "crossfade.a")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorIs(t, err, migrator.ErrNoFlag, "a file that is lost is no flag that is lost")
	write("crossfade.a: off # a boolean in YAML 1.1\ncrossfade.b: live\n")
	for key, want := range map[string]string{"crossfade.a": "off", "crossfade.b": "live"} {
		a, err := f.Variant(ctx, key)
		require.NoError(t, err)
		require.Equal(t, migrator.Answer{Value: want, Reason: "STATIC", Provider: "file"}, a)
	}
	_, err = f.Variant(ctx, "crossfade.c")
	require.ErrorIs(t, err, migrator.ErrNoFlag)
	write(`{"crossfade.a": "shadow"}`)
	a, err := f.Variant(ctx, "crossfade.a")
	require.NoError(t, err)
	require.Equal(t, "shadow", a.Value)
	for _, wrong := range []string{"", "crossfade.a: [off]", "crossfade.a: off\ncrossfade.a: live", "a: off", "crossfade.a: off\n---\n", "crossfade.a: {", "live"} {
		write(wrong)
		_, err := f.Variant(ctx, "crossfade.a")
		require.Error(t, err, wrong)
		require.NotErrorIs(t, err, migrator.ErrNoFlag, wrong)
	}
}

func TestEnvFlags(t *testing.T) {
	t.Setenv("CROSSFADE_FLAG_USERS_NAME_2", "live")
	a, err := migrator.EnvFlags{}.Variant(ctx, migrator.FlagKey("users-name.2"))
	require.NoError(t, err)
	require.Equal(t, migrator.Answer{Value: "live", Reason: "STATIC", Provider: "env"}, a)
	t.Setenv("CROSSFADE_FLAG_USERS_NAME_2", "")
	_, err = migrator.EnvFlags{}.Variant(ctx, migrator.FlagKey("users-name.2"))
	require.ErrorIs(t, err, migrator.ErrNoFlag)
}
