package migrator_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// priced is a table of which price moves to cents. Who reads price gets it by a
// function once the target is read, and that one needs a table of its own.
const priced = `
	create table items (id bigint primary key, price int not null, note text);
	create index items_price on items (price);
	insert into items select i, i, repeat('x', 100) from generate_series(1, 60000) i;
	analyze items;
	create table rates (cents int);
	create function busy() returns int language plpgsql stable as $$ begin return 1; end $$;
	create function price_of(bigint) returns int language plpgsql immutable as $$ begin return $1 / 100; end $$`

var pricing = migrator.Transition{
	Name: "price", Table: "items", IgnoreApplications: []string{auditor},
	Change: &migrator.Change{From: "price", To: "cents", Type: "bigint", Forward: "price::bigint * 100", Backward: "public.price_of(cents)"},
}

// priceOf lets the function do something first.
func priceOf(what string) string {
	return `create or replace function price_of(bigint) returns int language plpgsql immutable as $$ begin ` + what + `; return $1 / 100; end $$`
}

// TestStepBackByCause: what makes reads of the target slow, or fail, takes them back,
// and the history says which it was. What hits both sides takes back nothing.
func TestStepBackByCause(t *testing.T) {
	t.Parallel()
	everything := dualwrite.Shadow{Rate: 1, StatementsPerSecond: -1, Timeout: 200 * time.Millisecond, Concurrency: 2}
	const read = `select price from items where id = 7`
	renaming := pricing
	renaming.Change, renaming.Rename = nil, &migrator.Rename{From: "price", To: "cost"}
	for name, c := range map[string]struct {
		rename bool // rather than pricing
		shadow dualwrite.Shadow
		// timeout is the application's statement_timeout.
		timeout string
		read    string
		// fault begins what is wrong, and returns what ends it.
		fault func(t *testing.T, db *pgtest.DB) (end func())
		// why is in the history, given tells that reads of the target were given up;
		// nothing happens without a why.
		why   string
		given bool
	}{
		"an index is missing": {
			rename: true, shadow: everything, read: `select id from items where price = 777`, why: "latency: ",
			fault: func(t *testing.T, db *pgtest.DB) func() {
				conn := audit(t, db)
				db.Exec(t, `drop index `+scan[string](t, conn, `select indexrelid::regclass::text from pg_index
					where indrelid = 'items'::regclass and pg_get_indexdef(indexrelid) like '%(cost)'`))
				return nil
			},
		},
		"a conversion is slow": {
			shadow: everything, read: read, why: "latency: ",
			fault: func(t *testing.T, db *pgtest.DB) func() {
				db.Exec(t, priceOf(`perform pg_sleep(0.02)`))
				return nil
			},
		},
		"a conversion takes too long": {
			shadow: everything, read: read, why: "latency: ", given: true,
			fault: func(t *testing.T, db *pgtest.DB) func() {
				db.Exec(t, priceOf(`perform pg_sleep(0.3)`))
				return nil
			},
		},
		"a conversion waits for a lock": {
			shadow: everything, read: read, why: "latency: ",
			fault: func(t *testing.T, db *pgtest.DB) func() {
				db.Exec(t, priceOf(`perform from public.rates`))
				return locked(t, db, `lock table rates in access exclusive mode`)
			},
		},
		"a conversion fails": {
			shadow: everything, read: read, why: "fail where the target is read",
			fault: func(t *testing.T, db *pgtest.DB) func() {
				db.Exec(t, priceOf(`perform $1 / 0`))
				return nil
			},
		},
		"a conversion fails and nobody compares": {
			read: read, why: "errors: ",
			fault: func(t *testing.T, db *pgtest.DB) func() {
				db.Exec(t, priceOf(`perform ('x' || $1)::int`))
				return nil
			},
		},
		"statement_timeout and nobody compares": {
			read: read, timeout: "300ms", why: "errors: ",
			fault: func(t *testing.T, db *pgtest.DB) func() {
				db.Exec(t, priceOf(`perform pg_sleep(10)`))
				return nil
			},
		},
		"the table is locked now and then": {
			shadow: everything, read: read,
			fault: func(t *testing.T, db *pgtest.DB) func() {
				return lockAgain(t, db)
			},
		},
		"both sides are slow": {
			shadow: everything, read: `select price, busy() from items where id = 7`,
			fault: func(t *testing.T, db *pgtest.DB) func() {
				db.Exec(t, `create or replace function busy() returns int language plpgsql stable as $$ begin perform pg_sleep(random() * 0.22); return 1; end $$`)
				return nil
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := pricing
			if c.rename {
				tr = renaming
			}
			db, m := start(t, priced, tr, migrator.Config{})
			_, err := m.Ramp(ctx, pricing.Name, 50)
			require.NoError(t, err)
			_, err = m.Run(ctx, pricing.Name, migrator.RunOptions{Until: migrator.Live})
			require.NoError(t, err)
			a := newShadowed(t, db, c.shadow, func(config *pgxpool.Config) {
				config.MaxConns = 4
				if c.timeout != "" {
					config.ConnConfig.RuntimeParams["statement_timeout"] = c.timeout
				}
			})
			var guard guarded
			guard.start(t, m, pricing.Name)
			a.read(t, 4, c.read)
			// All is well on both sides.
			pgtest.WaitFor(t, "statements of both sides", func() bool {
				r := standing(t, m, pricing.Name).Reads
				return r != nil && r.SourceStatements > 100 && r.TargetStatements > 100 && (c.shadow.Rate == 0 || r.Timed > 100)
			})
			require.Equal(t, 50, standing(t, m, pricing.Name).Ramp)
			before := *standing(t, m, pricing.Name).Reads

			began := time.Now()
			end := c.fault(t, db)
			if end != nil {
				defer end()
			}
			if c.why == "" {
				pgtest.WaitFor(t, "comparisons that were held up", func() bool {
					r := standing(t, m, pricing.Name).Reads
					return r.SourceSlower > before.SourceSlower+20 && r.TargetSlower > before.TargetSlower+20 && r.Timed > before.Timed+100
				})
				awaitLooks(t, db, 3)
				s := standing(t, m, pricing.Name)
				t.Logf("%+v", s.Reads)
				require.Equal(t, 50, s.Ramp)
				return
			}
			select {
			case <-guard.done:
			case <-time.After(time.Minute):
				t.Fatalf("nothing went back: %+v", standing(t, m, pricing.Name).Reads)
			}
			took := time.Since(began)
			var back *migrator.StepBackError
			require.ErrorAs(t, guard.err, &back)
			t.Logf("%s after the fault: %s", took.Round(time.Millisecond), back.Why)
			require.Contains(t, back.Why, c.why)
			s := standing(t, m, pricing.Name)
			require.Zero(t, s.Ramp)
			require.Equal(t, migrator.Live, s.Phase)
			last := s.History[len(s.History)-1]
			require.Equal(t, "step back", last.Event)
			require.Equal(t, "50 -> 0 of 100 connections read the target; "+back.Why, last.Detail)
			require.Contains(t, last.Evidence, "reads")
			if c.given {
				require.Contains(t, back.Why, "of the target were given up")
				found, err := m.Mismatches(ctx, pricing.Name)
				require.NoError(t, err)
				require.Equal(t, "timeout", found[0].Kind)
			}
			// Who reads now is served.
			if end != nil {
				end()
			}
			pgtest.WaitFor(t, "all to read the source", func() bool {
				for _, explained := range a.each(t, 4, `explain verbose select price from items where id = 7`) {
					if !strings.Contains(explained, "Output: price\n") {
						return false
					}
				}
				return true
			})
		})
	}
}

// read lets n goroutines read until the test ends. Their reads may fail.
func (a *shadowed) read(t testing.TB, n int, sql string) {
	reading, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	for range n {
		readers.Go(func() {
			for reading.Err() == nil {
				_, _ = a.pool.Exec(reading, sql)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		readers.Wait()
	})
}

// locked holds a lock until it is ended, which may be done twice.
func locked(t testing.TB, db *pgtest.DB, sql string) (end func()) {
	t.Helper()
	conn := audit(t, db)
	_, err := conn.Exec(ctx, "begin; "+sql)
	require.NoError(t, err)
	return func() { _ = conn.Close(ctx) }
}

// lockAgain locks the table now and then, for longer than a comparison waits, until it
// is ended.
func lockAgain(t testing.TB, db *pgtest.DB) (end func()) {
	t.Helper()
	conn := audit(t, db)
	locking, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for locking.Err() == nil {
			_, _ = conn.Exec(ctx, `begin; lock table items in access exclusive mode; select pg_sleep(0.12); commit; select pg_sleep(0.02)`)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
