package preflight_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// keyed is a table with a key, what refers to it and what it refers to.
const keyed = `
	create schema app;
	create table app.customers (id int primary key);
	create table app.orders (
		id int generated always as identity primary key, number serial, customer_id int references app.customers, code text unique, spare int);
	create table app.lines (id int primary key, order_id int constraint of_order references app.orders on delete cascade deferrable);
	insert into app.customers values (1); insert into app.orders (customer_id) values (1), (1);`

func orders(m transform.Move) preflight.Request {
	return preflight.Request{Name: "move", Schema: "app", Table: "orders", Move: m}
}

func TestKeyInTheDefinition(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, keyed).Conn(t)
	report := check(t, conn, orders(change("id", "id_big", "bigint", "", "")))
	require.False(t, report.Refused(), report.Findings)
	d := report.Definition
	require.Equal(t, []string{"id"}, d.Key)
	require.Equal(t, []string{"id_big"}, d.TargetKey())
	require.Equal(t, []string{"bigint"}, d.TargetKeyTypes())
	require.Equal(t, &ledger.PrimaryKey{
		Constraint: "orders_pkey",
		Target:     "orders_pkey_id_big", Create: `CREATE UNIQUE INDEX CONCURRENTLY "orders_pkey_id_big" ON app.orders USING btree (id_big)`,
		Source: "orders_pkey_id", Restore: `CREATE UNIQUE INDEX CONCURRENTLY "orders_pkey_id" ON app.orders USING btree (id)`,
	}, d.PrimaryKey)
	require.Equal(t, []ledger.Sequence{{Schema: "app", Name: "orders_id_seq", Source: "id", Target: "id_big", Type: "integer",
		TargetType: "bigint", Owned: true, Identity: "always"}}, d.Sequences)
	require.Equal(t, []ledger.ForeignKey{{Schema: "app", Table: "lines", Name: "of_order", Columns: []string{"order_id"},
		References: []string{"id"}, TargetColumns: []string{"order_id"}, TargetReferences: []string{"id_big"},
		ToSchema: "app", ToTable: "orders", Options: "on delete cascade deferrable", Validated: true}}, d.ForeignKeys)
	require.Equal(t, []string{"nextval('app.orders_id_seq'::regclass)"}, d.TargetDefaults)
	require.Equal(t, "nextval('app.orders_id_seq'::regclass)", d.Sources[0].Default)
	requireOne(t, report, preflight.Warn, "identity-becomes-default", "app.orders.id")

	report = check(t, conn, orders(moving("number", "no")))
	require.False(t, report.Refused(), report.Findings)
	require.Equal(t, []ledger.Sequence{{Schema: "app", Name: "orders_number_seq", Source: "number", Target: "no", Type: "integer",
		TargetType: "integer", Owned: true}}, report.Definition.Sequences)

	report = check(t, conn, orders(change("customer_id", "customer", "bigint", "", "")))
	require.False(t, report.Refused(), report.Findings)
	require.Equal(t, []string{"customer"}, report.Definition.ForeignKeys[0].TargetColumns)
	require.Equal(t, []string{"id"}, report.Definition.ForeignKeys[0].TargetReferences)
}

// TestKeyRefusals has a row for each key, sequence and foreign key that cannot
// move.
func TestKeyRefusals(t *testing.T) {
	t.Parallel()
	wide := change("id", "id_big", "bigint", "", "")
	conn := pgtest.New(t).Conn(t)
	for _, c := range []struct {
		name, setup           string
		move                  transform.Move
		code, object, message string
	}{
		{"split of a key", "", transform.Move{Kind: transform.Split,
			Sources: []transform.Column{{Name: "id", Value: "a * 10 + b"}},
			Targets: []transform.Column{{Name: "a", Type: "int", Value: "id / 10", NotNull: true}, {Name: "b", Type: "int", Value: "id % 10", NotNull: true}}},
			"source-in-primary-key", "app.orders.id", "split or merge"},
		{"key of other values", "drop table app.lines; alter table app.orders alter id drop identity", change("id", "id_text", "text", "'o' || id", "substr(id_text, 2)::int"),
			"source-in-primary-key", "app.orders.id", "not known that different values stay different"},
		{"deferrable key", "drop table app.lines; alter table app.orders drop constraint orders_pkey, add primary key (id) deferrable", wide,
			"deferrable-unique", "index app.orders_pkey", "deferrable"},
		{"replica identity", "alter table app.orders replica identity using index orders_pkey", wide,
			"replica-identity", "index app.orders_pkey", "replica identity"},
		{"published", "create publication p for table app.orders", wide, "key-published", "publication p", "replica identity moves"},
		{"identity of other values", "drop table app.lines; alter table app.orders drop constraint orders_pkey, add primary key (number)",
			change("id", "id_text", "text", "id::text", "id_text::int"), "source-identity", "app.orders.id", "identity"},
		{"serial of other values", "", change("number", "no", "text", "number::text", "no::int"), "source-serial", "app.orders_number_seq", "owns it"},
		{"child that is a partition", "create table app.parts (order_id int) partition by list (order_id); create table app.part partition of app.parts (foreign key (order_id) references app.orders) default", wide,
			"foreign-key-partitioned", "on table app.part", "belongs to a partition alone"},
		{"set null of the source", "alter table app.orders add foreign key (spare) references app.customers on delete set null", moving("spare", "reserve"),
			"foreign-key-action", "orders_spare_fkey", "PostgreSQL itself writes"},
		{"on update of the source", "alter table app.orders add foreign key (spare) references app.customers on update cascade", moving("spare", "reserve"),
			"foreign-key-action", "orders_spare_fkey", "PostgreSQL itself writes"},
		{"foreign key of other values", "", change("customer_id", "customer", "bigint", "customer_id + 1", "(customer - 1)::int"),
			"foreign-key-depends", "orders_customer_id_fkey", "equal values"},
		{"foreign key of a split", "", transform.Move{Kind: transform.Split,
			Sources: []transform.Column{{Name: "customer_id", Value: "a * 10 + b"}},
			Targets: []transform.Column{{Name: "a", Type: "int", Value: "customer_id / 10"}, {Name: "b", Type: "int", Value: "customer_id % 10"}}},
			"foreign-key-depends", "orders_customer_id_fkey", "split or merge"},
		{"domain not null", "create domain app.d as int not null; alter table app.orders alter spare type app.d", moving("spare", "reserve"),
			"domain-constraint", "app.orders.spare", "app.d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "domain not null" {
				c.setup = "delete from app.orders; " + c.setup
			}
			_, err := conn.Exec(t.Context(), reset+keyed+c.setup)
			require.NoError(t, err)
			report := check(t, conn, orders(c.move))
			require.Equal(t, c.code != "", report.Refused(), report.Findings)
			if c.code != "" {
				require.Contains(t, requireOne(t, report, preflight.Refuse, c.code, c.object).Message, c.message)
			}
		})
	}
}

// TestKeyPublishedWithFullIdentity: subscribers find rows by whatever key they
// have.
func TestKeyPublishedWithFullIdentity(t *testing.T) {
	t.Parallel()
	conn := pgtest.NewFrom(t, keyed+"create publication p for table app.orders; alter table app.orders replica identity full").Conn(t)
	report := check(t, conn, orders(change("id", "id_big", "bigint", "", "")))
	require.False(t, report.Refused(), report.Findings)
}
