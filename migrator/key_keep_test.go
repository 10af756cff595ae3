package migrator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
)

// TestKeyKeepsItsName: the id of a table becomes a bigint and is called id in the
// end, key, identity and foreign keys included.
func TestKeyKeepsItsName(t *testing.T) {
	t.Parallel()
	db, m := begunWith(t, orders)
	conn := audit(t, db)
	wider := widen
	change := *widen.Change
	change.KeepName = true
	wider.Change = &change
	_, err := m.Start(ctx, wider)
	require.NoError(t, err)
	_, pool := hooked(t, db, dualwrite.StarsSource)
	_, err = m.Run(ctx, wider.Name, untilContracted)
	require.NoError(t, err)
	for _, name := range []string{"id", "id_big"} {
		_, err = pool.Exec(ctx, `insert into orders (`+name+`, customer_id) values (5, 1) on conflict on constraint orders_pkey do update set note = $1`, name)
		require.NoError(t, err)
		var id int64
		require.NoError(t, pool.QueryRow(ctx, `insert into orders (customer_id, parent_id) values (1, 5) returning `+name).Scan(&id))
		require.Greater(t, id, int64(300))
	}
	require.NoError(t, m.Remove(ctx, wider.Name))
	shape := outline(t, conn)
	for _, line := range shape {
		require.NotContains(t, line, "id_big")
		require.NotContains(t, line, "crossfade_")
	}
	require.Contains(t, shape, "orders orders_pkey PRIMARY KEY (id)")
	require.Contains(t, shape, "orders.id bigint not null always")
	require.Equal(t, 302, scan[int](t, conn, `select count(*) from orders`))
}
