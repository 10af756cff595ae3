package migrator_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestUnderTraffic runs, rolls back, runs again and contracts, while an old
// application uses the source's name and a new one the target's. Each worker
// owns a row and knows what it must hold.
func TestUnderTraffic(t *testing.T) {
	t.Parallel()
	conn := underTraffic(t, many, rename)
	require.Equal(t, contractedShape, shape(t, conn))
}

// TestChangeUnderTraffic is the same with expressions in between.
func TestChangeUnderTraffic(t *testing.T) {
	t.Parallel()
	underTraffic(t, many, migrator.Transition{
		Name: rename.Name, Table: rename.Table, IgnoreApplications: rename.IgnoreApplications,
		Change: &migrator.Change{From: "full_name", To: "name", Type: "varchar(100)"},
	})
}

// TestKeepNameUnderTraffic is the same where the target takes the source's name in
// the end.
func TestKeepNameUnderTraffic(t *testing.T) {
	t.Parallel()
	conn := underTraffic(t, many, migrator.Transition{
		Name: rename.Name, Table: rename.Table, IgnoreApplications: rename.IgnoreApplications,
		Change: &migrator.Change{From: "full_name", To: "name", Type: "varchar(100)", KeepName: true},
	})
	require.Equal(t, "character varying", scan[string](t, conn, `select pg_typeof(full_name)::text from users limit 1`))
}

// underTraffic takes a transition from full_name to name all the ways, and
// returns a connection to what is left. More work goes on meanwhile, which counts
// its statements.
func underTraffic(t *testing.T, setup string, transition migrator.Transition,
	more ...func(context.Context, *pgxpool.Pool, *atomic.Int64) error,
) *pgx.Conn {
	t.Helper()
	db := pgtest.NewFrom(t, setup)
	var statements atomic.Int64
	// Each phase must see some traffic before the next one comes.
	busy := observer(func(e migrator.Event) {
		if step, ok := e.(migrator.StepEvent); ok && step.Done {
			before := statements.Load()
			pgtest.WaitFor(t, "traffic after "+step.Name, func() bool { return statements.Load() > before+100 })
		}
	})
	m := newMigrator(t, db, migrator.Config{Observer: busy})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))

	stop, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	errs := make(chan error, 100)
	employ := func(column string, stars dualwrite.Stars, rows ...int) *dualwrite.Hook {
		hook, pool := hooked(t, db, stars)
		for _, row := range rows {
			w := &worker{pool: pool, column: column, row: row, statements: &statements}
			running.Go(func() {
				if err := w.work(stop); err != nil {
					errs <- err
				}
			})
		}
		return hook
	}
	hooks := []*dualwrite.Hook{employ("full_name", dualwrite.StarsSource, 1, 2)}
	for _, work := range more {
		hook, pool := hooked(t, db, dualwrite.StarsSource)
		hooks = append(hooks, hook)
		running.Go(func() {
			if err := work(stop, pool, &statements); err != nil {
				errs <- err
			}
		})
	}
	_, err := m.Start(ctx, transition)
	require.NoError(t, err)
	hooks = append(hooks, employ("name", dualwrite.StarsTarget, 3, 4))

	for _, act := range []func() (migrator.Position, error){
		func() (migrator.Position, error) { return m.Run(ctx, transition.Name, migrator.RunOptions{}) },
		func() (migrator.Position, error) { return m.Rollback(ctx, transition.Name, migrator.RollbackOptions{}) },
		func() (migrator.Position, error) { return m.Run(ctx, transition.Name, migrator.RunOptions{}) },
		func() (migrator.Position, error) { return m.Contract(ctx, transition.Name, withoutSnapshot) },
	} {
		p, err := act()
		require.NoError(t, err, p)
	}
	cancel()
	running.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	for _, hook := range hooks {
		require.Zero(t, hook.Stats().Stale, "a soft drain fails nobody")
	}
	conn := audit(t, db)
	left := "name"
	if transition.Change != nil && transition.Change.KeepName {
		left = "full_name"
	}
	require.Zero(t, scan[int](t, conn, `select count(*) from users where `+left+` is null`))
	return conn
}

// hooked opens a pool with the hook, closed at cleanup.
func hooked(t *testing.T, db *pgtest.DB, stars dualwrite.Stars) (*dualwrite.Hook, *pgxpool.Pool) {
	t.Helper()
	hook, err := dualwrite.New(dualwrite.Config{Stars: stars, RecycleWithin: -1})
	require.NoError(t, err)
	config, err := pgxpool.ParseConfig(db.URL)
	require.NoError(t, err)
	config.MaxConns = 3
	pool, err := hook.NewPool(ctx, config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	follow(t, hook)
	return hook, pool
}

// follow runs a hook until cleanup.
func follow(t *testing.T, hook *dualwrite.Hook) {
	t.Helper()
	following, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = hook.Run(following) // ends with following
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

// worker reads and writes one row, and nobody else does.
type worker struct {
	pool       *pgxpool.Pool
	column     string
	row        int
	statements *atomic.Int64
}

func (w *worker) work(ctx context.Context) error {
	var last string
	read := fmt.Sprintf(`select %s from users where id = $1`, w.column)
	if err := w.pool.QueryRow(ctx, read, w.row).Scan(&last); err != nil {
		return err
	}
	for n := 0; ctx.Err() == nil; n++ {
		// What has begun is finished: a cancelled write would have an unknown outcome.
		ctx := context.WithoutCancel(ctx)
		next := fmt.Sprintf("%d of row %d", n, w.row)
		var err error
		switch n % 3 {
		case 0:
			_, err = w.pool.Exec(ctx, fmt.Sprintf(`update users set %s = $1 where id = $2`, w.column), next, w.row)
		case 1:
			err = pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
				for _, sql := range []string{
					`update users set %[1]s = $1 where id = $2`,
					`update users set %[1]s = %[1]s || '' where %[1]s = $1 and id = $2`,
				} {
					if tag, err := tx.Exec(ctx, fmt.Sprintf(sql, w.column), next, w.row); err != nil || tag.RowsAffected() != 1 {
						return fmt.Errorf("%s: %s, %w", sql, tag, err)
					}
				}
				return nil
			})
		case 2:
			next = last
			_, err = w.pool.Exec(ctx, fmt.Sprintf(`insert into users (%s, email) values ($1, $2)`, w.column),
				next, fmt.Sprintf("%s, %d", next, n))
		}
		if err != nil {
			return fmt.Errorf("write %q: %w", next, err)
		}
		last = next
		var got string
		if err := w.pool.QueryRow(ctx, read, w.row).Scan(&got); err != nil || got != last {
			return fmt.Errorf("row %d: wrote %q, read %q: %w", w.row, last, got, err)
		}
		w.statements.Add(2)
	}
	return nil
}
