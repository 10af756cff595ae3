package dualwrite_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestMain(m *testing.M) { pgtest.MainWithExamples(m) }

const schema = `
create table users (id bigint primary key, full_name text not null default 'nobody', age int);
create table other (id bigint primary key, note text);
insert into users (id, full_name, age) select i, 'user ' || i, i from generate_series(1, 100) i`

// fixture is a database with the table users, whose full_name can be moved to
// name by hand: without a migrator.
type fixture struct {
	*pgtest.DB
	t     testing.TB
	admin *pgx.Conn // Crossfade's own: drains do not wait for it
	move  ledger.Transition

	mu     sync.Mutex // guards what follows
	events []dualwrite.Event
}

// bare has no ledger.
func bare(t testing.TB) *fixture {
	f := &fixture{DB: pgtest.NewFrom(t, schema), t: t}
	f.admin = f.Conn(t)
	require.NoError(t, fence.Own(t.Context(), f.admin))
	return f
}

// moving has a transition in phase off, with the target made already.
func moving(t testing.TB) *fixture {
	f := bare(t)
	f.register()
	return f
}

func (f *fixture) register() {
	ctx := f.t.Context()
	require.NoError(f.t, ledger.Migrate(ctx, f.admin, nil))
	f.move = ledger.Transition{
		Name: "users.full_name", Schema: "public", Table: "users",
		Definition: ledger.Definition{
			Move: transform.Renamed(transform.Column{
				Name: "full_name", Type: "text", BaseType: "text", Default: "'nobody'::text", NotNull: true, Position: 2,
			}, "name"),
			Key: []string{"id"}, KeyTypes: []string{"bigint"},
		},
	}
	_, err := f.admin.Exec(ctx, `alter table users add column name text`)
	require.NoError(f.t, err)
	require.NoError(f.t, ledger.Register(ctx, f.admin, &f.move, ledger.Event{Actor: "test", Event: "register"}))
}

// to moves the phase, step by step, filling the target on the way. It does not
// wait for drains: each token left is dropped when nobody holds it.
func (f *fixture) to(target phase.Phase) {
	for f.move.Phase != target {
		f.step(target)
		f.drop()
	}
}

// step moves the phase to the next neighbour on the way.
func (f *fixture) step(target phase.Phase) {
	ctx := f.t.Context()
	all := phase.All()
	for i, p := range all {
		if p != f.move.Phase {
			continue
		}
		next := i + 1
		if target.Before(p) {
			next = i - 1
		}
		require.NoError(f.t, ledger.Move(ctx, f.admin, &f.move, all[next], ledger.Event{Actor: "test", Event: "move"}))
		return
	}
}

// drop drops the token of the phase left as soon as nobody holds it, and
// copies to what is going to be read.
func (f *fixture) drop() {
	ctx := f.t.Context()
	pgtest.WaitFor(f.t, "the drop of token "+f.move.Draining, func() bool {
		err := pgx.BeginFunc(ctx, f.admin, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `set local lock_timeout = '20ms'`); err != nil {
				return err
			}
			return ledger.Drained(ctx, tx, &f.move, ledger.Event{Actor: "test", Event: "drained"})
		})
		var pgErr *pgconn.PgError
		if errors.As(err, &pgErr) && pgErr.Code == "55P03" {
			return false
		}
		require.NoError(f.t, err)
		return true
	})
	switch f.move.Phase {
	case phase.DualWrite:
		f.exec(`update users set name = full_name where name is distinct from full_name`)
	case phase.Complete:
		f.exec(`alter table users alter full_name drop not null`)
	}
}

// drained waits until every hooked connection has left older epochs.
func (f *fixture) drained() {
	pgtest.WaitFor(f.t, "older sessions to end", func() bool {
		older, err := fence.Older(f.t.Context(), f.admin, f.move.Epoch)
		require.NoError(f.t, err)
		return len(older) == 0
	})
}

func (f *fixture) exec(sql string, args ...any) {
	_, err := f.admin.Exec(f.t.Context(), sql, args...)
	require.NoError(f.t, err)
}

// hook makes a hook that is quick, and keeps its events.
func (f *fixture) hook(change ...func(*dualwrite.Config)) *dualwrite.Hook {
	config := dualwrite.Config{
		PollInterval:  50 * time.Millisecond,
		DriftInterval: 50 * time.Millisecond,
		RecycleWithin: 20 * time.Millisecond,
		OnEvent: func(e dualwrite.Event) {
			f.mu.Lock()
			f.events = append(f.events, e)
			f.mu.Unlock()
		},
	}
	for _, c := range change {
		c(&config)
	}
	hook, err := dualwrite.New(config)
	require.NoError(f.t, err)
	return hook
}

// run runs the hook until the test ends.
func (f *fixture) run(hook *dualwrite.Hook) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- hook.Run(ctx) }()
	f.t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			f.t.Errorf("Run returned %v", err)
		}
	})
}

// seen counts the events of a kind.
func (f *fixture) seen(kind dualwrite.EventKind) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, e := range f.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func (f *fixture) waitEvent(kind dualwrite.EventKind) {
	pgtest.WaitFor(f.t, "event "+string(kind), func() bool { return f.seen(kind) > 0 })
}

func (f *fixture) poolConfig() *pgxpool.Config {
	config, err := pgxpool.ParseConfig(f.URL)
	require.NoError(f.t, err)
	return config
}

// pool opens a hooked pool, which is closed when the test ends.
func (f *fixture) pool(hook *dualwrite.Hook, change ...func(*pgxpool.Config)) *pgxpool.Pool {
	config := f.poolConfig()
	for _, c := range change {
		c(config)
	}
	pool, err := hook.NewPool(f.t.Context(), config)
	require.NoError(f.t, err)
	f.t.Cleanup(pool.Close)
	return pool
}

func pgError(t testing.TB, err error) *pgconn.PgError {
	t.Helper()
	var pgErr *pgconn.PgError
	require.ErrorAs(t, err, &pgErr)
	return pgErr
}
