package openfeature_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"
	"github.com/open-feature/go-sdk/openfeature/memprovider"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/openfeature"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var ctx = context.Background()

const users = `
	create table users (id bigint generated always as identity primary key, full_name text not null);
	insert into users (full_name) select 'user ' || i from generate_series(1, 100) i;
	analyze users`

const (
	name = "users-name"
	key  = "crossfade.users-name"
)

// provider is the in-memory provider, with a beginning and events in the hands of a
// test.
type provider struct {
	*memprovider.InMemoryProvider
	down   error
	events chan of.Event
}

func newProvider(value string) *provider {
	return &provider{InMemoryProvider: memprovider.NewInMemoryProvider(flag(value)), events: make(chan of.Event, 8)}
}

func (p *provider) Init(of.EvaluationContext) error { return p.down }
func (p *provider) Shutdown()                       {}
func (p *provider) EventChannel() <-chan of.Event   { return p.events }
func (p *provider) emit(t of.EventType)             { p.events <- of.Event{ProviderName: "test", EventType: t} }
func (p *provider) set(f map[string]memprovider.InMemoryFlag) {
	p.UpdateFlags(f)
	p.emit(of.ProviderConfigChange)
}

// flag says a value, under a variant of another name.
func flag(value string) map[string]memprovider.InMemoryFlag {
	return map[string]memprovider.InMemoryFlag{key: {
		Key: key, State: memprovider.Enabled, DefaultVariant: "v-" + value, Variants: map[string]any{"v-" + value: value},
	}}
}

// fixture is a started transition and a provider that asks for it.
type fixture struct {
	t  *testing.T
	db *pgtest.DB
	m  *migrator.Migrator
	// poll is the time between two looks of followers.
	poll time.Duration
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, db: pgtest.NewFrom(t, users), poll: time.Hour}
	f.m = f.migrator(nil)
	require.NoError(t, f.m.Init(ctx, migrator.InitOptions{}))
	_, err := f.m.Start(ctx, migrator.Transition{Name: name, Table: "users", Rename: &migrator.Rename{From: "full_name", To: "name"}})
	require.NoError(t, err)
	return f
}

type observer func(migrator.Event)

func (o observer) Observe(e migrator.Event) { o(e) }

func (f *fixture) migrator(o migrator.Observer) *migrator.Migrator {
	f.t.Helper()
	m, err := migrator.New(f.db.Config(f.t), migrator.Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		PollInterval: 5 * time.Millisecond, Observer: o})
	require.NoError(f.t, err)
	return m
}

// client is one of an API of its own, with the provider set.
func client(t *testing.T, p of.FeatureProvider) *of.Client {
	t.Helper()
	api := isolated.NewAPI()
	t.Cleanup(func() { _ = api.Shutdown(ctx) })
	_ = api.SetProviderAndWait(ctx, p, of.WithDomain("crossfade")) // its failure is what some tests are about
	return api.NewClient(of.WithDomain("crossfade"))
}

// follow runs a follower. Its polls never come, unless a test says so: what it sees,
// events have told.
func (f *fixture) follow(c of.IClient, m *migrator.Migrator, settle time.Duration) (stop func()) {
	f.t.Helper()
	source := openfeature.New(c, openfeature.Config{})
	followCtx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- m.Follow(followCtx, migrator.FollowOptions{Source: source, Settle: settle, Poll: f.poll})
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		require.ErrorIs(f.t, <-ended, context.Canceled)
		source.Close()
		source.Close()
	})
	f.t.Cleanup(stop)
	return stop
}

func (f *fixture) status() migrator.Status {
	f.t.Helper()
	list, err := f.m.Status(ctx, migrator.StatusOptions{Name: name, Events: 1000})
	require.NoError(f.t, err)
	return list[0]
}

func (f *fixture) granted(p migrator.Phase) migrator.Status {
	f.t.Helper()
	pgtest.WaitFor(f.t, "the request for "+string(p)+" to be granted", func() bool {
		s := f.status()
		return s.Request != nil && s.Request.Phase == p && s.Request.GrantedAt != nil && s.Request.HeldBy == "" && s.Phase == p
	})
	return f.status()
}

func (f *fixture) heldBy(by string) migrator.Status {
	f.t.Helper()
	pgtest.WaitFor(f.t, "the request to be held by "+by, func() bool {
		s := f.status()
		return s.Request != nil && s.Request.HeldBy == by
	})
	return f.status()
}

func (f *fixture) moves() (list []string) {
	f.t.Helper()
	for _, e := range f.status().History {
		if e.Event == "move" {
			list = append(list, e.Detail)
		}
	}
	return list
}

// TestAJump: two stages and more at once, forward and back, through the neighbours.
func TestAJump(t *testing.T) {
	t.Parallel()
	f, p := newFixture(t), newProvider("off")
	var mu sync.Mutex
	var last migrator.RequestEvent
	m := f.migrator(observer(func(e migrator.Event) {
		if r, ok := e.(migrator.RequestEvent); ok {
			mu.Lock()
			defer mu.Unlock()
			last = r
		}
	}))
	f.follow(client(t, p), m, time.Millisecond)
	f.granted(migrator.Off)
	p.set(flag("live"))
	s := f.granted(migrator.Live)
	require.Equal(t, []string{"off -> dualwrite", "dualwrite -> shadow", "shadow -> live"}, f.moves())
	require.Equal(t, key, s.Request.Flag)
	require.Equal(t, "v-live", s.Request.Variant)
	require.Equal(t, "STATIC", s.Request.Reason)
	require.Equal(t, "InMemoryProvider", s.Request.Provider)
	want := migrator.RequestEvent{Transition: name, Key: key, Value: "live", Variant: "v-live", Reason: "STATIC", Provider: "InMemoryProvider",
		Requested: migrator.Live, Effective: migrator.Live, Granted: true}
	pgtest.WaitFor(t, "the observer to be told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return last == want
	})
	p.set(flag("dualwrite"))
	f.granted(migrator.DualWrite)
	require.Equal(t, []string{"live -> shadow", "shadow -> dualwrite"}, f.moves()[3:])
}

// TestARamp: the value carries how many connections read the target in live, under
// whatever name the variant has.
func TestARamp(t *testing.T) {
	t.Parallel()
	f, p := newFixture(t), newProvider("live:25")
	f.follow(client(t, p), f.m, time.Millisecond)
	s := f.granted(migrator.Live)
	require.Equal(t, 25, s.Ramp)
	require.Equal(t, "v-live:25", s.Request.Variant)
	epoch := s.Epoch
	p.set(flag("live:75"))
	pgtest.WaitFor(t, "the ramp to rise", func() bool { return f.status().Ramp == 75 })
	p.set(flag("live:750"))
	require.Equal(t, 75, f.heldBy("unknown-variant").Ramp)
	p.set(flag("live"))
	pgtest.WaitFor(t, "the ramp to be full", func() bool { return f.status().Ramp == 100 })
	require.Equal(t, epoch, f.status().Epoch)
}

// TestProviderDownAtStart: nothing moves until it is ready.
func TestProviderDownAtStart(t *testing.T) {
	t.Parallel()
	f, p := newFixture(t), newProvider("dualwrite")
	p.down = errors.New("connection refused")
	f.follow(client(t, p), f.m, time.Millisecond)
	s := f.heldBy("provider")
	require.Contains(t, s.Request.Held, "ERROR", "the provider answers, and is not believed")
	require.Empty(t, s.Request.Phase)
	p.emit(of.ProviderReady)
	f.granted(migrator.DualWrite)
}

// TestProviderDownLater: the last request stands, and nothing moves.
func TestProviderDownLater(t *testing.T) {
	t.Parallel()
	f, p := newFixture(t), newProvider("dualwrite")
	f.follow(client(t, p), f.m, time.Millisecond)
	f.granted(migrator.DualWrite)
	p.emit(of.ProviderError)
	f.heldBy("provider")
	p.set(flag("off")) // an event of another kind does not end an error
	p.emit(of.ProviderStale)
	s := f.heldBy("stale")
	require.Equal(t, migrator.DualWrite, s.Request.Phase)
	require.Equal(t, migrator.DualWrite, s.Phase)
	require.Equal(t, []string{"off -> dualwrite"}, f.moves())
	p.emit(of.ProviderReady)
	f.granted(migrator.Off)
}

func TestWhatAsksForNothing(t *testing.T) {
	t.Parallel()
	f, p := newFixture(t), newProvider("dualwrite")
	f.follow(client(t, p), f.m, time.Millisecond)
	f.granted(migrator.DualWrite)
	number := flag("live")
	number[key] = memprovider.InMemoryFlag{Key: key, State: memprovider.Enabled, DefaultVariant: "a", Variants: map[string]any{"a": 3}}
	disabled := flag("live")
	disabled[key] = memprovider.InMemoryFlag{Key: key, State: memprovider.Disabled}
	for _, c := range []struct {
		by    string
		flags map[string]memprovider.InMemoryFlag
	}{
		{"unknown-variant", flag("LIVE")},
		{"no-flag", nil},
		{"unknown-variant", flag("contracted")},
		{"provider", number},
		{"no-value", disabled},
	} {
		p.set(c.flags)
		f.heldBy(c.by)
	}
	require.Equal(t, []string{"off -> dualwrite"}, f.moves())
}

// TestAFlap: a flag that does not keep to what it says moves nothing.
func TestAFlap(t *testing.T) {
	t.Parallel()
	f, p := newFixture(t), newProvider("dualwrite")
	c := client(t, p)
	stop := f.follow(c, f.m, time.Millisecond)
	f.granted(migrator.DualWrite)
	stop()
	f.follow(c, f.m, time.Hour)
	for _, value := range []string{"live", "off", "live", "off"} {
		p.set(flag(value))
		pgtest.WaitFor(t, "the flag to be seen", func() bool {
			r := f.status().Request
			return r.HeldBy == "settling" && strings.HasPrefix(r.Held, value)
		})
	}
	require.Equal(t, []string{"off -> dualwrite"}, f.moves())
}

// TestGrantedLater: a request waits at a gate, and is granted when that opens.
func TestGrantedLater(t *testing.T) {
	t.Parallel()
	f, p := newFixture(t), newProvider("shadow")
	f.poll = 50 * time.Millisecond
	f.follow(client(t, p), f.m, time.Millisecond)
	f.granted(migrator.Shadow)
	f.db.Exec(t, `alter table users rename constraint crossfade_t1_equal to away`)
	p.set(flag("live"))
	s := f.heldBy("equality-enforced")
	require.Equal(t, migrator.Live, s.Request.Phase)
	require.Equal(t, migrator.Shadow, s.Phase)
	f.db.Exec(t, `alter table users rename constraint away to crossfade_t1_equal`)
	f.granted(migrator.Live)
}

// TestTwoFollowers: each sees another value; one decides, and moves only neighbours.
func TestTwoFollowers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	stop := f.follow(client(t, newProvider("dualwrite")), f.m, time.Millisecond)
	f.granted(migrator.DualWrite)
	f.follow(client(t, newProvider("shadow")), f.migrator(nil), time.Millisecond)
	require.Equal(t, []string{"off -> dualwrite"}, f.moves())
	stop()
	f.granted(migrator.Shadow)
	require.Equal(t, []string{"off -> dualwrite", "dualwrite -> shadow"}, f.moves())
}

// TestNoProvider: the client of a domain for which nothing was set.
func TestNoProvider(t *testing.T) {
	t.Parallel()
	source := openfeature.New(isolated.NewAPI().NewClient(), openfeature.Config{})
	defer source.Close()
	a, err := source.Variant(ctx, key)
	require.ErrorContains(t, err, "NOT_READY")
	require.Empty(t, a.Value)
}

// TestContext: the targeting key is the same for all, unless somebody says so.
func TestContext(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]openfeature.Config{
		openfeature.TargetingKey: {},
		"eu":                     {Context: of.NewEvaluationContext("eu", nil)},
	} {
		evaluate := func(_ memprovider.InMemoryFlag, flat of.FlattenedContext) (any, of.ProviderResolutionDetail) {
			return flat[of.TargetingKey], of.ProviderResolutionDetail{Reason: of.TargetingMatchReason}
		}
		p := memprovider.NewInMemoryProvider(map[string]memprovider.InMemoryFlag{key: {Key: key, ContextEvaluator: &evaluate}})
		source := openfeature.New(client(t, p), c)
		defer source.Close()
		a, err := source.Variant(ctx, key)
		require.NoError(t, err)
		require.Equal(t, want, a.Value)
		require.Equal(t, "TARGETING_MATCH", a.Reason)
	}
}

// TestFlagsOfFewerStages: migration flags of four and of two stages go all the way
// and back through the stages that they do not have.
func TestFlagsOfFewerStages(t *testing.T) {
	t.Parallel()
	all := []string{"off -> dualwrite", "dualwrite -> shadow", "shadow -> live", "live -> rampdown", "rampdown -> complete",
		"complete -> rampdown", "rampdown -> live", "live -> shadow", "shadow -> dualwrite", "dualwrite -> off"}
	for stages, values := range map[string][]string{
		"four": {"shadow", "live", "complete", "live", "shadow", "off"},
		"two":  {"complete", "off"},
	} {
		t.Run(stages, func(t *testing.T) {
			t.Parallel()
			f, p := newFixture(t), newProvider("off")
			f.follow(client(t, p), f.m, time.Millisecond)
			f.granted(migrator.Off)
			for _, value := range values {
				p.set(flag(value))
				f.granted(migrator.Phase(value))
			}
			require.Equal(t, all, f.moves())
		})
	}
}
