package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/migrator"
)

// schema is the shop's tables as they were.
const schema = `
create table customers (id bigint primary key, name text not null);
create table orders (
    id       bigint generated always as identity primary key,
    customer bigint,
    number   text not null,
    email    text not null,
    amount   bigint not null default 0,
    team     int,
    note     text not null default 'none'
);
insert into customers select i, 'customer ' || i from generate_series(1, 100) i;
`

const fill = `insert into orders (customer, number, email, team)
	select 1 + i % 100, 'n' || i, i || '@example.org', nullif(i % 5, 0) from generate_series(1, $1::int) i`

func createTables(ctx context.Context, conn *pgx.Conn, rows int) error {
	if _, err := conn.Exec(ctx, schema); err != nil {
		return fmt.Errorf("create tables: %w", err)
	}
	if _, err := conn.Exec(ctx, fill, rows); err != nil {
		return fmt.Errorf("fill orders: %w", err)
	}
	_, err := conn.Exec(ctx, `analyze`)
	return err
}

// operations are what is to be done. The command reads the same from files, as in
//
//	name: plan
//	table: orders
//	add_column: {name: plan, type: text, default: "'free'", not_null: true}
var operations = []migrator.Transition{
	// A constant is the value of every row at once.
	{Name: "plan", AddColumn: &migrator.AddColumn{Name: "plan", Type: "text", Default: `'free'`, NotNull: true}},
	// What depends on the row is filled in batches; new rows have the default.
	{Name: "domain", AddColumn: &migrator.AddColumn{Name: "domain", Type: "text", Default: `''`, Value: `split_part(email, '@', 2)`, NotNull: true}},
	// So is what is another value each time.
	{Name: "token", AddColumn: &migrator.AddColumn{Name: "token", Type: "uuid", Default: `gen_random_uuid()`, NotNull: true}},
	{Name: "team", SetNotNull: &migrator.SetNotNull{Column: "team", Value: `0`}},
	{Name: "domain-index", AddIndex: &migrator.AddIndex{Name: "orders_domain_idx", On: `(domain, amount) where plan = 'free'`}},
	{Name: "number-key", AddUnique: &migrator.AddUnique{Name: "orders_number_key", Columns: []string{"number"}}},
	{Name: "amount-check", AddCheck: &migrator.AddCheck{Name: "orders_amount_check", Check: `amount >= 0`}},
	{Name: "customer-fkey", AddForeignKey: &migrator.AddForeignKey{
		Name: "orders_customer_fkey", Columns: []string{"customer"}, References: migrator.References{Table: "customers"}, OnDelete: "set null",
	}},
	// Hidden at first; what cannot be taken back is an act of its own.
	{Name: "note", DropColumn: &migrator.DropColumn{Name: "note"}},
}

// altered is what must be true in the end.
const altered = `
	select (select count(*) from pg_index where indrelid = 'orders'::regclass and indisvalid) = 3
		and not exists (select from pg_index where indrelid = 'orders'::regclass and not indisvalid)
		and (select array_agg(attname::text order by attname) from pg_attribute
			where attrelid = 'orders'::regclass and attnum > 0 and not attisdropped and attnotnull)
			= array['amount', 'domain', 'email', 'id', 'number', 'plan', 'team', 'token']
		and (select array_agg(conname::text order by conname) from pg_constraint
			where conrelid = 'orders'::regclass and convalidated and contype in ('c', 'f', 'u'))
			= array['orders_amount_check', 'orders_customer_fkey', 'orders_number_key']
		and not exists (select from pg_attribute where attrelid = 'orders'::regclass and attname like 'note%')
		and (select bool_and(domain in (split_part(email, '@', 2), '')) and count(distinct token) = count(*) from orders)`
