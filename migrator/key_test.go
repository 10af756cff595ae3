package migrator_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// orders is a table with a key that is about to be too small, what refers to it,
// and what it refers to.
const orders = `
	create table customers (id int primary key);
	create table orders (
		id int generated always as identity primary key,
		parent_id int references orders,
		customer_id int not null references customers on delete cascade,
		note text not null default '');
	create table lines (
		order_id int not null constraint of_order references orders on delete cascade on update cascade deferrable initially deferred,
		n int not null, primary key (order_id, n));
	create table hints (order_id int references orders on delete set null);
	insert into customers select generate_series(1, 10);
	insert into orders (customer_id, parent_id) select 1 + i % 10, nullif(i - 1, 0) from generate_series(1, 300) i;
	insert into lines select id, 1 from orders;
	insert into hints select id from orders where id % 10 = 0;
	analyze orders`

// widen is the move that everybody fears.
var widen = migrator.Transition{
	Name: "orders-id", Table: "orders", IgnoreApplications: []string{auditor},
	Change: &migrator.Change{From: "id", To: "id_big", Type: "bigint"},
}

// outline describes all tables of the schema as far as a transition touches them:
// columns, identities, constraints, indexes and sequences.
func outline(t testing.TB, conn *pgx.Conn) []string {
	t.Helper()
	return list[string](t, conn, `
		select c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
			|| case when a.attnotnull then ' not null' else '' end
			|| case a.attidentity when 'a' then ' always' when 'd' then ' by default' else '' end
			|| coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
		from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
		left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
		where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
		union all
		select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
		where connamespace = 'public'::regnamespace and contype <> 'n'
		union all
		select indexdef from pg_indexes where schemaname = 'public'
		union all
		select 'sequence ' || c.relname || ' ' || format_type(s.seqtypid, null) || ' up to ' || s.seqmax || coalesce(' of ' || a.attname, '')
		from pg_sequence s join pg_class c on c.oid = s.seqrelid and c.relnamespace = 'public'::regnamespace
		left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
		left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
		order by 1`)
}

// begunWith returns a database with a ledger.
func begunWith(t *testing.T, setup string) (*pgtest.DB, *migrator.Migrator) {
	t.Helper()
	db := pgtest.NewFrom(t, setup)
	m := newMigrator(t, db, migrator.Config{})
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	return db, m
}

// widened is what becomes of the outline of orders.
var widened = []string{
	"CREATE UNIQUE INDEX customers_pkey ON public.customers USING btree (id)",
	"CREATE UNIQUE INDEX lines_pkey ON public.lines USING btree (order_id, n)",
	"CREATE UNIQUE INDEX orders_pkey ON public.orders USING btree (id_big)",
	"customers customers_pkey PRIMARY KEY (id)",
	"customers.id integer not null",
	"hints hints_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id_big) ON DELETE SET NULL",
	"hints.order_id integer",
	"lines lines_pkey PRIMARY KEY (order_id, n)",
	"lines of_order FOREIGN KEY (order_id) REFERENCES orders(id_big) ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
	"lines.n integer not null",
	"lines.order_id integer not null",
	"orders orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE CASCADE",
	"orders orders_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES orders(id_big)",
	"orders orders_pkey PRIMARY KEY (id_big)",
	"orders.customer_id integer not null",
	"orders.id_big bigint not null always",
	"orders.note text not null default ''::text",
	"orders.parent_id integer",
	"sequence orders_id_seq bigint up to 9223372036854775807 of id_big",
}

// TestWidenKey goes all the way, after a return to off from each step.
func TestWidenKey(t *testing.T) {
	t.Parallel()
	for n, name := range []string{
		"register", "expand", "dualwrite", "backfill", "index", "constrain", "verify", "enforce", "shadow", "live", "rampdown",
		"release", "complete",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, m := begunWith(t, orders)
			conn := audit(t, db)
			original := outline(t, conn)
			_, err := m.Start(ctx, widen)
			require.NoError(t, err)
			for range n {
				p, err := m.Advance(ctx, widen.Name, migrator.AdvanceOptions{})
				require.NoError(t, err, p)
			}
			if name == "complete" {
				db.Exec(t, `insert into orders (id_big, customer_id) values (nextval('orders_id_seq'), 1)`)
			}
			_, err = m.Rollback(ctx, widen.Name, migrator.RollbackOptions{})
			require.NoError(t, err)
			require.Equal(t, original, outline(t, conn))
			p, err := m.Run(ctx, widen.Name, untilContracted)
			require.NoError(t, err, p)
			require.NoError(t, m.Remove(ctx, widen.Name))
			require.Equal(t, widened, outline(t, conn))
		})
	}
}
