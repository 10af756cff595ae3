package migrator_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestKeyUnderTraffic widens the key of orders, forward, back to off, forward
// again and to the end, while old code uses the source's name and new code the
// target's: orders with their lines are inserted, upserted, grouped and deleted.
func TestKeyUnderTraffic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, setup string }{
		{"identity", orders},
		{"serial", serialOrders},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			keyUnderTraffic(t, c.setup)
		})
	}
}

// serialOrders is the same with a sequence and a DEFAULT.
const serialOrders = `
	create table customers (id int primary key);
	create table orders (id serial primary key, parent_id int references orders, customer_id int not null references customers, note text not null default '');
	create table lines (order_id int not null references orders on delete cascade, n int not null, primary key (order_id, n));
	insert into customers select generate_series(1, 10);
	insert into orders (customer_id) select 1 + i % 10 from generate_series(1, 300) i;
	insert into lines select id, 1 from orders;
	analyze orders`

func keyUnderTraffic(t *testing.T, setup string) {
	db := pgtest.NewFrom(t, setup)
	var turns atomic.Int64
	m := newMigrator(t, db, migrator.Config{Observer: observer(func(e migrator.Event) {
		if step, ok := e.(migrator.StepEvent); ok && step.Done {
			before := turns.Load()
			pgtest.WaitFor(t, "traffic after "+step.Name, func() bool { return turns.Load() > before+10 })
		}
	})})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	errs := make(chan error, 10)
	seen := &sync.Map{}
	kept := &atomic.Int64{}
	employ := func(column string, stars dualwrite.Stars) *dualwrite.Hook {
		hook, pool := hooked(t, db, stars)
		running.Go(func() {
			w := &clerk{pool: pool, id: column, seen: seen, kept: kept}
			for n := 0; stop.Err() == nil; n++ {
				if err := w.turn(n); err != nil {
					errs <- fmt.Errorf("%s: %w", column, err)
					return
				}
				turns.Add(1)
			}
		})
		return hook
	}
	hooks := []*dualwrite.Hook{employ("id", dualwrite.StarsSource), employ("id", dualwrite.StarsSource)}
	_, err := m.Start(ctx, widen)
	require.NoError(t, err)
	hooks = append(hooks, employ("id_big", dualwrite.StarsTarget))
	acts := []func() (migrator.Position, error){
		func() (migrator.Position, error) { return m.Run(ctx, widen.Name, migrator.RunOptions{}) },
		func() (migrator.Position, error) { return m.Rollback(ctx, widen.Name, migrator.RollbackOptions{}) },
		func() (migrator.Position, error) { return m.Run(ctx, widen.Name, migrator.RunOptions{}) },
		func() (migrator.Position, error) { return m.Contract(ctx, widen.Name, withoutSnapshot) },
	}
	for _, act := range acts {
		if p, err := act(); err != nil {
			t.Fatalf("%v: %v; traffic: %v", p, err, drained(errs))
		}
	}
	cancel()
	running.Wait()
	for _, err := range drained(errs) {
		t.Error(err)
	}
	for _, hook := range hooks {
		require.Zero(t, hook.Stats().Stale, "a soft drain fails nobody")
	}
	conn := audit(t, db)
	require.EqualValues(t, 300+kept.Load(), scan[int64](t, conn, `select count(*) from orders`))
	require.Zero(t, scan[int](t, conn, `select count(*) from lines where order_id not in (select id_big from orders)`))
	last := scan[int64](t, conn, `select max(id_big) from orders`)
	require.Greater(t, scan[int64](t, conn, `select nextval('orders_id_seq')`), last)

	// What the move was for.
	_, pool := hooked(t, db, dualwrite.StarsTarget)
	db.Exec(t, `select setval('orders_id_seq', 3000000000)`)
	require.EqualValues(t, 3000000001, insert(t, pool))
	require.NoError(t, m.Remove(ctx, widen.Name))
	require.EqualValues(t, 3000000002, insert(t, pool))
	require.EqualValues(t, 3000000003, scan[int64](t, conn, `insert into orders (customer_id) values (1) returning id_big`))
	require.Equal(t, "public.orders_id_seq", scan[string](t, conn, `select pg_get_serial_sequence('orders', 'id_big')`))
}

func insert(t *testing.T, pool *pgxpool.Pool) (id int64) {
	t.Helper()
	require.NoError(t, pool.QueryRow(ctx, `insert into orders (customer_id) values (1) returning id_big`).Scan(&id))
	return id
}

func drained(errs chan error) (list []error) {
	for len(errs) > 0 {
		list = append(list, <-errs)
	}
	return list
}

// clerk is an application that names the key by one of its names.
type clerk struct {
	pool *pgxpool.Pool
	id   string
	seen *sync.Map // numbers that have been handed out
	kept *atomic.Int64
}

// turn is the life of an order. What has begun is finished: a cancelled write
// would have an unknown outcome.
func (c *clerk) turn(n int) error {
	id, err := c.order()
	if err != nil {
		return err
	}
	if _, taken := c.seen.LoadOrStore(id, true); taken {
		return fmt.Errorf("number %d was handed out twice", id)
	}
	for i, sql := range []string{
		`insert into orders (%[1]s, customer_id, note) overriding system value values ($1, 1, 'upsert')
			on conflict (%[1]s) do update set note = excluded.note returning orders.note`,
		`insert into orders (%[1]s, customer_id, note) overriding system value values ($1, 1, 'by constraint')
			on conflict on constraint orders_pkey do update set note = excluded.note returning note`,
	} {
		var note string
		if err := c.pool.QueryRow(ctx, fmt.Sprintf(sql, c.id), id).Scan(&note); err != nil || note != []string{"upsert", "by constraint"}[i] {
			return fmt.Errorf("upsert %d: %q, %w", id, note, err)
		}
	}
	for _, key := range []string{"o." + c.id, "1"} {
		var got, lines int64
		var note string
		err := c.pool.QueryRow(ctx, fmt.Sprintf(`select o.%[1]s, o.note, count(*) from orders o join lines l on l.order_id = o.%[1]s
			where o.%[1]s = $1 group by %[2]s`, c.id, key), id).Scan(&got, &note, &lines)
		if err != nil || got != id || note != "by constraint" || lines != 2 {
			return fmt.Errorf("group order %d by %s: %d, %q, %d lines, %w", id, key, got, note, lines, err)
		}
	}
	var missing *pgconn.PgError
	_, err = c.pool.Exec(ctx, `insert into lines values ($1, 1)`, -id)
	if !errors.As(err, &missing) || missing.Code != "23503" {
		return fmt.Errorf("a line of no order: %w", err)
	}
	if n%2 == 0 {
		c.kept.Add(1)
		return nil
	}
	tag, err := c.pool.Exec(ctx, fmt.Sprintf(`delete from orders where %s = $1`, c.id), id)
	if err != nil || tag.RowsAffected() != 1 {
		return fmt.Errorf("delete order %d: %s, %w", id, tag, err)
	}
	var lines int
	if err := c.pool.QueryRow(ctx, `select count(*) from lines where order_id = $1`, id).Scan(&lines); err != nil || lines != 0 {
		return fmt.Errorf("lines of order %d are left: %d, %w", id, lines, err)
	}
	return nil
}

// order inserts an order with two lines.
func (c *clerk) order() (id int64, err error) {
	err = pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, fmt.Sprintf(`insert into orders (customer_id, note) values ($1, $2) returning %s`, c.id), 1, "new").Scan(&id)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `insert into lines select $1, generate_series(1, 2)`, id)
		return err
	})
	if err != nil {
		err = fmt.Errorf("insert an order: %w", err)
	}
	return id, err
}
