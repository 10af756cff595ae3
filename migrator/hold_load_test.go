package migrator_test

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestHeldFlipUnderLoad: applications that use pgxpool and database/sql, one with
// the old name and one with the meantime's, count up while the column takes its
// final name. Nobody gets an error, no increment is lost, and nobody waits much
// longer than a connection takes to open.
func TestHeldFlipUnderLoad(t *testing.T) {
	t.Parallel()
	db := completed(t)
	stop, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	var naming atomic.Bool
	var done [2]atomic.Int64 // before the flip, and from then on
	var mu sync.Mutex
	var longest [2]time.Duration // likewise; guarded by mu
	errs := make(chan error, 100)
	count := func(row int, exec func(ctx context.Context, row int) error) {
		running.Go(func() {
			for stop.Err() == nil {
				began := time.Now()
				if err := exec(ctx, row); err != nil {
					errs <- err
					return
				}
				during := 0
				if naming.Load() {
					during = 1
				}
				mu.Lock()
				longest[during] = max(longest[during], time.Since(began))
				mu.Unlock()
				done[during].Add(1)
			}
		})
	}
	hook, pool := hooked(t, db, dualwrite.StarsSource)
	other, std := hookedDB(t, db)
	for row := 1; row <= 4; row++ {
		count(row, func(ctx context.Context, row int) error {
			_, err := pool.Exec(ctx, `update users set visits = visits + 1 where id = $1`, row)
			return err
		})
		count(10+row, func(ctx context.Context, row int) error {
			_, err := std.ExecContext(ctx, `update users set visits_big = visits_big + 1 where id = $1`, row)
			return err
		})
	}
	m := newMigrator(t, db, migrator.Config{Observer: when("name", func() { naming.Store(true) })})
	_, err := m.Contract(ctx, keeping.Name, withoutSnapshot)
	require.NoError(t, err)
	after := done[1].Load()
	pgtest.WaitFor(t, "traffic in named", func() bool { return done[1].Load() > after+100 })
	cancel()
	running.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	require.Zero(t, hook.Stats().Stale+other.Stats().Stale)
	counted := scan[int64](t, audit(t, db), `select sum(visits - id) from users where id <= 4 or id between 11 and 14`)
	require.Equal(t, done[0].Load()+done[1].Load(), counted)
	moves := events(t, m, "move")
	t.Logf("%d increments; held for %v ms; longest before %s, during and after %s", counted, moves[len(moves)-1].Evidence["held_ms"],
		longest[0], longest[1])
}

// hookedDB is a *sql.DB with a hook of its own, closed at cleanup.
func hookedDB(t *testing.T, db *pgtest.DB) (*dualwrite.Hook, *sql.DB) {
	t.Helper()
	hook, err := dualwrite.New(dualwrite.Config{})
	require.NoError(t, err)
	std, err := hook.OpenDB(*db.Config(t))
	require.NoError(t, err)
	std.SetMaxOpenConns(3)
	t.Cleanup(func() { _ = std.Close() })
	follow(t, hook)
	return hook, std
}
