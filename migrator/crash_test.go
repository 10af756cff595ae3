package migrator_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/logical"
	"github.com/pgcrossfade/crossfade/migrator"
)

var (
	crashAll    = flag.Bool("crash.all", false, "crash at every statement in every manner, not at a sample")
	crashPoints = flag.Int("crash.points", 2, "size of the sample, for each operation and way")
	crashSeed   = flag.Uint64("crash.seed", 1, "seed of the sample")
)

// TestCrashAnywhere lets a migrator end, or get an error, at a statement that it
// sends, whichever it is: on the way from the start until the transition is removed, and on the way
// back from complete. An undisturbed run counts the statements; see fault for the
// manners of ending.
//
// Whatever happened, the database is as the protocol demands, an application goes
// on at once, and the way can be finished in either direction: all that the
// catalogs, the tables and the ledger hold is then what it would be without the
// crash and, after a rollback, without the transition.
func TestCrashAnywhere(t *testing.T) {
	t.Parallel()
	admin := pgtest.New(t)
	for _, s := range crashScenarios() {
		for _, back := range s.directions() {
			t.Run(s.name+", "+direction(back), func(t *testing.T) {
				t.Parallel()
				c := newCrash(t, s, back, admin, pgtest.New(t))
				for _, f := range c.sample(unsent, unanswered, terminated, full, denied) {
					t.Run(f.String(), func(t *testing.T) {
						t.Parallel()
						c.suffer(t, f)
					})
				}
			})
		}
	}
}

// TestCrashOfTheProcess is TestCrashAnywhere with a migrator in a process of its
// own, which gets SIGKILL.
func TestCrashOfTheProcess(t *testing.T) {
	t.Parallel()
	admin := pgtest.New(t)
	for _, s := range crashScenarios() {
		if !s.process && !*crashAll {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			c := newCrash(t, s, false, admin, pgtest.New(t))
			for _, f := range c.sample(killed) {
				t.Run(f.String(), func(t *testing.T) {
					t.Parallel()
					c.suffer(t, f)
				})
			}
		})
	}
}

// TestCrashOfTheServer is TestCrashAnywhere with a server that ends at once, with
// no checkpoint, and comes back.
func TestCrashOfTheServer(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, map[string]string{"max_prepared_transactions": "5"})
	admin := &pgtest.DB{Name: "postgres", URL: server.URL("postgres")}
	for _, s := range crashScenarios() {
		if !s.process && !*crashAll {
			continue
		}
		for _, back := range s.directions() {
			t.Run(s.name+", "+direction(back), func(t *testing.T) {
				name := fmt.Sprintf("crash_%x", hash(t.Name()))
				admin.Exec(t, `create database `+name)
				s.insert = "" // sequences skip numbers in a crash
				c := newCrash(t, s, back, admin, &pgtest.DB{Name: name, URL: server.URL(name)})
				c.restart = func(string) error { return server.Restart(ctx) }
				for _, f := range c.sample(restarted) {
					t.Run(f.String(), func(t *testing.T) { c.suffer(t, f) })
				}
			})
		}
	}
}

func direction(back bool) string { return map[bool]string{false: "forward", true: "back"}[back] }

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// crash is what the crashes of one operation on one way have in common.
type crash struct {
	crashScenario
	back        bool
	admin, base *pgtest.DB
	restart     func(string) error
	total       int // statements of an undisturbed run
	// done and undone are what the database holds after an undisturbed run, and
	// when nothing but the application's statements has happened.
	done, undone []string
}

// newCrash prepares an empty database.
func newCrash(t *testing.T, s crashScenario, back bool, admin, base *pgtest.DB) *crash {
	c := &crash{crashScenario: s, back: back, admin: admin, base: base}
	base.Exec(t, s.setup)
	m := c.migrator(t, base, nil)
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))

	undone := clone(t, admin, base, "undone")
	if back {
		c.write(t, undone, s.before, s.insert)
	}
	c.write(t, undone, s.after, s.insert)
	c.undone = state(t, undone, s.vary)
	require.NoError(t, toTheEnd(ctx, undone, c.migrator(t, undone, nil), s.transition, false), "undisturbed")
	c.done = state(t, undone, s.vary)
	require.NotEqual(t, c.undone, c.done)

	if s.from == "" {
		c.prepare(t, base)
	}
	w := &wire{}
	counted := c.copy(t, "count")
	require.NoError(t, toTheEnd(ctx, counted, c.migrator(t, counted, w), s.transition, back))
	c.total = int(w.sent.Load())
	require.Greater(t, c.total, 20)
	return c
}

// prepare brings a database to where the way back begins.
func (c *crash) prepare(t *testing.T, db *pgtest.DB) {
	t.Helper()
	if !c.back {
		return
	}
	m := c.migrator(t, db, nil)
	_, err := m.Start(ctx, c.transition)
	require.NoError(t, err)
	if c.from == "" {
		_, err = m.Run(ctx, c.transition.Name, migrator.RunOptions{})
		require.NoError(t, err)
	} else {
		advanceTo(t, m, c.transition.Name, c.from)
	}
	c.write(t, db, c.before, c.insert)
}

// copy is a database in which the way begins. A slot cannot be copied.
func (c *crash) copy(t *testing.T, suffix string) *pgtest.DB {
	t.Helper()
	db := clone(t, c.admin, c.base, suffix)
	if c.from != "" {
		c.prepare(t, db)
	}
	return db
}

// sample draws faults of these kinds.
func (c *crash) sample(kinds ...kind) (faults []fault) {
	if *crashAll {
		for at := range c.total {
			for _, k := range kinds {
				faults = append(faults, fault{kind: k, at: int64(at + 1)})
			}
		}
		return faults
	}
	random := rand.New(rand.NewPCG(*crashSeed, hash(c.name+direction(c.back))))
	turn := random.IntN(len(kinds))
	points := min(*crashPoints, c.total)
	for i := range points {
		low, high := i*c.total/points, (i+1)*c.total/points
		faults = append(faults, fault{kind: kinds[(turn+i)%len(kinds)], at: int64(1 + low + random.IntN(high-low))})
	}
	return faults
}

// suffer lets a migrator end by a fault, and others finish in both directions.
func (c *crash) suffer(t *testing.T, f fault) {
	db := c.copy(t, fmt.Sprintf("%d_%s", f.at, f.kind))
	switch f.kind {
	case killed:
		die(t, task{URL: db.URL, Scenario: c.name, Back: c.back, At: f.at})
	default:
		w := &wire{fault: f, strike: c.restart}
		if f.kind == terminated {
			w.strike = func(application string) error { return terminate(db, application) }
		}
		if f.kind == restarted {
			// Else PostgreSQL loses what a sequence copied with the database has
			// counted since: it writes that to the WAL after a checkpoint only.
			c.admin.Exec(t, `checkpoint`)
		}
		limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
		err := toTheEnd(limited, db, c.migrator(t, db, w), c.transition, c.back)
		require.NoError(t, limited.Err(), "the migrator hangs: %v", err)
		require.NoError(t, w.failure())
		t.Logf("%s: %v", w.text, err)
		switch {
		case err == nil: // it can do without that statement
		case f.kind.refused():
			require.NotErrorIs(t, err, migrator.ErrUnknownOutcome)
			var pgErr *pgconn.PgError
			require.ErrorAs(t, err, &pgErr)
			require.EqualValues(t, f.kind, pgErr.Code)
			require.ErrorContains(t, err, "then run the command again")
		case f.kind.lost() && !strings.HasPrefix(w.text, "crossfade tail") && !strings.Contains(err.Error(), "connect: "):
			require.ErrorIs(t, err, migrator.ErrUnknownOutcome)
		}
	}
	conn := audit(t, db)
	row, removed := assertTokens(t, conn)
	gone := c.gone(t, conn, row)
	require.NoError(t, conn.Close(ctx))
	switch {
	case removed && !c.back: // the old name is not known any more
		require.NoError(t, toTheEnd(ctx, db, c.migrator(t, db, nil), c.transition, false))
		require.Equal(t, withoutRows(c.done), withoutRows(state(t, db, c.vary)))
		return
	case c.legacy != nil && !removed && c.legacy(row):
		db.Exec(t, c.after)
	default:
		c.write(t, db, c.after, c.insert)
	}

	forward, backward := db, clone(t, c.admin, db, "other")
	unfollowed := c.transition.Sync == "logical" && noSlot(t, backward, row)
	if unfollowed && f.at%2 == 0 { // let both ways be gone with the slot, and without
		forward, backward = backward, forward
	} else {
		unfollowed = false
	}
	err := toTheEnd(ctx, backward, c.migrator(t, backward, nil), c.transition, true)
	if gone {
		require.ErrorIs(t, err, migrator.ErrPointOfNoReturn)
	} else {
		require.NoError(t, err)
		c.equal(t, c.undone, backward)
	}
	if removed {
		return
	}
	m := c.migrator(t, forward, nil)
	if unfollowed {
		lost, ok := logical.AsSlotLost(toTheEnd(ctx, forward, m, c.transition, false))
		require.True(t, ok, "the copy of a database has no slot")
		require.Equal(t, logical.Missing, lost.Reason)
		_, err := m.RenewTail(ctx, c.transition.Name)
		require.NoError(t, err)
	}
	require.NoError(t, toTheEnd(ctx, forward, m, c.transition, false))
	c.equal(t, c.done, forward)
}

// noSlot tells whether a transition that is to be followed has no slot, as in a
// copy of its database.
func noSlot(t *testing.T, db *pgtest.DB, row ledger.Transition) bool {
	t.Helper()
	conn := audit(t, db)
	defer conn.Close(ctx)
	// The CHECK, once it is valid, proves that nothing was missed.
	return row.Underway != "enforce" && slices.Contains([]string{"sync", "backfill", "sync-barrier", "index", "constrain", "verify"}, row.Step) &&
		scan[bool](t, conn, `select exists (select from crossfade.tail where slot <> '')
			and not exists (select from pg_replication_slots where database = current_database())`)
}

// equal compares what a database holds.
func (c *crash) equal(t *testing.T, want []string, db *pgtest.DB) {
	t.Helper()
	got := state(t, db, c.vary)
	if c.restart != nil {
		want, got = without(want, sequencesIn(want)), without(got, sequencesIn(got))
	}
	require.Equal(t, want, got)
}

// write runs statements of the application, which knows the source's name and
// waits for nobody: also not for a hold of a migrator that is gone.
func (c *crash) write(t *testing.T, db *pgtest.DB, statements ...string) {
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	hook, err := dualwrite.New(dualwrite.Config{})
	require.NoError(t, err)
	config, err := pgxpool.ParseConfig(db.URL)
	require.NoError(t, err)
	pool, err := hook.NewPool(limited, config)
	require.NoError(t, err)
	defer pool.Close()
	for _, sql := range statements {
		if sql == "" {
			continue
		}
		_, err = pool.Exec(limited, sql)
		require.NoError(t, err)
	}
}

func (c *crash) migrator(t testing.TB, db *pgtest.DB, w *wire) *migrator.Migrator {
	t.Helper()
	config := db.Config(t)
	if w != nil {
		config.DialFunc = w.dial
	}
	m, err := migrator.New(config, crashConfig())
	require.NoError(t, err)
	return m
}

// crashConfig lets a hold outlast the patience of write.
func crashConfig() migrator.Config {
	return quick(migrator.Config{WritersQuiet: time.Nanosecond, HoldTimeout: time.Minute})
}

// toTheEnd brings a transition to its end from wherever it stands: contracted, or as
// if it had never been; and removes it.
func toTheEnd(ctx context.Context, db *pgtest.DB, m *migrator.Migrator, tr migrator.Transition, back bool) error {
	removed, err := isRemoved(ctx, db)
	switch {
	case err != nil:
		return err
	case removed:
		if err := m.Remove(ctx, tr.Name); !errors.Is(err, migrator.ErrNotFound) {
			return err
		}
		return nil
	case back:
		_, err = m.Rollback(ctx, tr.Name, migrator.RollbackOptions{})
		if errors.Is(err, migrator.ErrNotFound) {
			return nil // it never began
		}
	default:
		if _, err := m.Start(ctx, tr); err != nil && !errors.Is(err, migrator.ErrActive) {
			return err
		}
		_, err = m.Run(ctx, tr.Name, untilContracted)
	}
	if err != nil {
		return err
	}
	return m.Remove(ctx, tr.Name)
}

// isRemoved tells whether there has been a transition, and is none any more.
func isRemoved(ctx context.Context, db *pgtest.DB) (removed bool, err error) {
	conn, err := pgx.Connect(ctx, db.URL)
	if err != nil {
		return false, err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, `select count(*) > 0 and bool_and(removed_at is not null) from crossfade.transition`).Scan(&removed)
	return removed, err
}

// gone tells whether what the transition gives up has been given up.
func (c *crash) gone(t *testing.T, conn *pgx.Conn, row ledger.Transition) bool {
	t.Helper()
	if row.Definition.Moves() {
		return row.Phase.SourceGone()
	}
	if c.transition.DropColumn == nil {
		return false
	}
	return scan[int](t, conn, `select count(*) from pg_attribute where attrelid = $1::regclass and attname = any($2)`,
		c.transition.Table, []string{c.transition.DropColumn.Name, c.transition.DropColumn.Name + "__crossfade_dropped"}) == 0
}

// assertTokens checks what must hold at any moment, and returns the row of the
// ledger; a zero one when the transition has not been registered. Removed: it was.
func assertTokens(t *testing.T, conn *pgx.Conn) (row ledger.Transition, removed bool) {
	t.Helper()
	// The server still works on what the dead migrator sent last.
	pgtest.WaitFor(t, "the dead migrator's session to end", func() bool {
		return scan[int](t, conn, `select count(*) from pg_stat_activity
			where datname = current_database() and application_name in ('crossfade migrator', 'crossfade tail')`) == 0
	})
	transitions, err := ledger.List(ctx, conn)
	require.NoError(t, err)
	var phases []phase.Phase
	names := map[string]bool{}
	for _, token := range tokens(t, conn) {
		names[token] = true
		if p, _, err := ledger.ParseToken(token); err == nil {
			phases = append(phases, p)
		}
	}
	require.LessOrEqual(t, capabilities(t, conn), 1)
	if len(transitions) == 0 {
		removed = scan[bool](t, conn, `select exists (select from crossfade.transition)`)
		require.LessOrEqual(t, len(names), map[bool]int{false: 0, true: 1}[removed])
		return ledger.Transition{}, removed
	}
	row = transitions[0]
	if !row.Definition.Moves() {
		require.Empty(t, phases)
		return row, false
	}
	require.True(t, names[row.Token], "the phase in force has its token")
	if row.Draining == "" {
		require.Len(t, phases, 1)
		return row, false
	}
	require.True(t, names[row.Draining])
	require.Len(t, phases, 2)
	require.True(t, phases[0].CanMoveTo(phases[1]), "%v are neighbours", phases)
	return row, false
}
