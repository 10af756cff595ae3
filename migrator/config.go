package migrator

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/pgcrossfade/crossfade/internal/ddl"
)

// LaggardPolicy says what happens to sessions that are still in the old phase
// when the grace period of a drain is over.
type LaggardPolicy string

const (
	// LaggardsFence drops the token of the old phase although laggards live, if
	// they embed the hook, joined after the transition was registered and are
	// idle outside a transaction. A later statement of theirs that touches the
	// column is refused with a retriable error before it does anything. The
	// drain goes on waiting for all others.
	LaggardsFence LaggardPolicy = "fence"
	// LaggardsWait waits for every session, as long as it takes.
	LaggardsWait LaggardPolicy = "wait"
	// LaggardsTerminate fences as LaggardsFence does, and ends the hooked
	// sessions that cannot be fenced with pg_terminate_backend: their
	// transaction is rolled back and their client gets an error. Sessions
	// without the hook are never ended.
	LaggardsTerminate LaggardPolicy = "terminate"
)

// Config tunes a Migrator. The zero value works.
type Config struct {
	// Logger takes phase changes and steps (Info), batches (Debug) and what is
	// degraded (Warn). Nil means slog.Default().
	Logger *slog.Logger
	// Observer is told what happens, as it happens. Nil means nobody is.
	Observer Observer
	// TracerProvider and MeterProvider take the spans and metrics that
	// docs/observability.md lists. Nil means the global ones, which take none until
	// the program sets them.
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
	// Actor goes to the history as the author of every move. Empty means
	// user@host of this process.
	Actor string
	// LockTimeout bounds how long one attempt of a DDL statement waits for its
	// lock, and so how long other statements can queue up behind it. 0 means
	// 100 ms.
	LockTimeout time.Duration
	// DDLMaxWait bounds how long a DDL statement is tried again when its lock
	// is not to be had. 0 means 5 minutes.
	DDLMaxWait time.Duration
	// ConcurrentTimeout bounds each wait of CREATE and DROP INDEX CONCURRENTLY
	// for older transactions, which the observer sees meanwhile. Nobody queues
	// up behind such a wait, but giving up throws the build away. 0 means 6 h.
	ConcurrentTimeout time.Duration
	// Grace is how long a drain waits before Laggards applies. 0 means 30 s.
	Grace time.Duration
	// Laggards is the policy for sessions that stay in the old phase. Empty
	// means LaggardsFence.
	Laggards LaggardPolicy
	// DrainTimeout bounds a drain: after it the call returns a *DrainError that
	// names those it waits for, and the next call continues. 0 means to wait
	// for ever.
	DrainTimeout time.Duration
	// HoldTimeout bounds how long connections that open are held while a column
	// takes its final name, which two phases cannot share: what is not done by then
	// is given up, and tried again later. Applications should allow for it in their
	// connect_timeout. 0 means 1 second.
	HoldTimeout time.Duration
	// IgnoreApplications lists application names, in addition to those of the
	// transition, whose sessions without the hook need not be waited for.
	IgnoreApplications []string
	// Standbys lead to the standbys that applications read from. Drains also wait
	// for the sessions there, and gate standby-readers asks that no session there is
	// older than the transition. The migrator must be allowed to connect, directly,
	// with the rights that it has on the primary. Nil means none.
	Standbys []*pgx.ConnConfig
	// StandbyWait is how long a flip forward waits for the standbys to replay
	// what led to it, before gate replica-lag is closed. 0 means 30 s.
	StandbyWait time.Duration
	// IgnoreStandbys lists application names of standbys that no flip waits for:
	// those that are delayed on purpose, or that are never promoted.
	IgnoreStandbys []string
	// BatchTarget is the duration that a batch of a backfill or a verification
	// aims at; its size adapts. 0 means 100 ms for what writes, 500 ms for a
	// verification.
	BatchTarget time.Duration
	// Workers is how many connections share a backfill, a refill or a verification;
	// 0 means one. Other processes can join with Help.
	Workers int
	// Throttle holds back backfills and verifications. The zero value has a
	// sane limit for each of its signals; ThrottleOff is none.
	Throttle Throttle
	// PollInterval is how often a drain looks at the sessions. 0 means 50 ms.
	PollInterval time.Duration
	// WritersQuiet is how long a trigger must have seen nobody write without the
	// hook before contract. 0 means one hour.
	WritersQuiet time.Duration
	// ReadsQuiet is how long no comparison of reads may have found a difference before
	// live: gate reads-agree. 0 means one hour.
	ReadsQuiet time.Duration
	// MinComparisons is how many reads must have been compared in shadow before live.
	// 0 means none: an application need not compare any.
	MinComparisons int
	// RampLimits say when reads go back to the source by themselves in phase live.
	RampLimits RampLimits
	// LeaderWait is how long to wait for another migrator to end, which a
	// killed one may take a moment to do. 0 means 3 s.
	LeaderWait time.Duration
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Actor == "" {
		c.Actor = defaultActor()
	}
	c.RampLimits = c.RampLimits.withDefaults()
	if c.Laggards == "" {
		c.Laggards = LaggardsFence
	}
	for _, d := range []struct {
		value *time.Duration
		unset time.Duration
	}{
		{&c.LockTimeout, ddl.DefaultLockTimeout},
		{&c.DDLMaxWait, 5 * time.Minute},
		{&c.ConcurrentTimeout, ddl.DefaultConcurrentTimeout},
		{&c.Grace, 30 * time.Second},
		{&c.HoldTimeout, time.Second},
		{&c.PollInterval, 50 * time.Millisecond},
		{&c.LeaderWait, 3 * time.Second},
		{&c.WritersQuiet, time.Hour},
		{&c.ReadsQuiet, time.Hour},
		{&c.StandbyWait, 30 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.unset
		}
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"LockTimeout", c.LockTimeout}, {"DDLMaxWait", c.DDLMaxWait}, {"Grace", c.Grace},
		{"ConcurrentTimeout", c.ConcurrentTimeout},
		{"HoldTimeout", c.HoldTimeout}, {"DrainTimeout", c.DrainTimeout}, {"BatchTarget", c.BatchTarget}, {"PollInterval", c.PollInterval},
		{"LeaderWait", c.LeaderWait}, {"StandbyWait", c.StandbyWait}, {"WritersQuiet", c.WritersQuiet},
		{"ReadsQuiet", c.ReadsQuiet},
	} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("%s is negative: %s", d.name, d.value))
		}
	}
	if c.MinComparisons < 0 {
		errs = append(errs, fmt.Errorf("number of comparisons is negative: %d", c.MinComparisons))
	}
	if c.Workers < 0 {
		errs = append(errs, fmt.Errorf("number of workers is negative: %d", c.Workers))
	}
	if err := c.RampLimits.validate(); err != nil {
		errs = append(errs, err)
	}
	if err := c.Throttle.validate(); err != nil {
		errs = append(errs, err)
	}
	switch c.Laggards {
	case "", LaggardsFence, LaggardsWait, LaggardsTerminate:
	default:
		errs = append(errs, fmt.Errorf("policy for laggards %q is none of %q, %q, %q",
			c.Laggards, LaggardsFence, LaggardsWait, LaggardsTerminate))
	}
	return errors.Join(errs...)
}

func defaultActor() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}
