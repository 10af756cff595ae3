package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/examples/internal/database"
	"github.com/pgcrossfade/crossfade/migrator"
)

const schema = `
	create table orders (id int generated always as identity primary key, customer text not null);
	create table lines (order_id int not null references orders on delete cascade, n int not null, primary key (order_id, n));
	insert into orders (customer) select 'customer ' || i from generate_series(1, 20000) i;
	insert into lines select id, 1 from orders;
	analyze orders`

var widen = migrator.Transition{
	Name: "orders-id", Table: "orders",
	Change: &migrator.Change{From: "id", To: "id_big", Type: "bigint"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv("CROSSFADE_EXAMPLE_URL"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "key:", err)
		os.Exit(1)
	}
}

// run is the whole of it. url is an existing server to use, or empty.
func run(ctx context.Context, url string, out io.Writer) (err error) {
	d, err := database.Open(ctx, database.Config{Name: "key", URL: url, Connections: 40, Fill: func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, schema)
		return err
	}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.End(ctx, false)) }()
	s, err := openShop(ctx, d.URL())
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	s.open(ctx, "id")
	if err := migrate(ctx, d.URL(), s, out); err != nil {
		return errors.Join(err, s.close())
	}
	if err := s.close(); err != nil {
		return err
	}
	return database.WithConn(ctx, d.URL(), func(conn *pgx.Conn) error { return audit(ctx, conn, s, out) })
}

// migrate goes there, back, and there again.
func migrate(ctx context.Context, url string, s *shop, out io.Writer) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	m, err := migrator.New(config, migrator.Config{Actor: "examples/key", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if err := m.Init(ctx, migrator.InitOptions{}); err != nil {
		return err
	}
	if _, err := m.Start(ctx, widen); err != nil {
		return err
	}
	s.open(ctx, "id_big") // once it is registered, both names work
	for _, act := range []func() (migrator.Position, error){
		func() (migrator.Position, error) { return m.Run(ctx, widen.Name, migrator.RunOptions{}) },
		func() (migrator.Position, error) { return m.Rollback(ctx, widen.Name, migrator.RollbackOptions{}) },
		func() (migrator.Position, error) { return m.Run(ctx, widen.Name, migrator.RunOptions{}) },
		func() (migrator.Position, error) {
			return m.Contract(ctx, widen.Name, migrator.ContractOptions{Snapshot: migrator.NoSnapshot})
		},
	} {
		p, err := act()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-10s after step %-9s %6d orders placed\n", p.Phase, p.Step, s.placed())
	}
	return nil
}

// audit compares what the shop knows with what the tables hold, and draws a
// number that no int can hold.
func audit(ctx context.Context, conn *pgx.Conn, s *shop, out io.Writer) error {
	var orders, lines, big int64
	err := conn.QueryRow(ctx, `select (select count(*) from orders), (select count(*) from lines join orders on order_id = id_big)`).Scan(&orders, &lines)
	if err != nil {
		return err
	}
	if want := 20000 + s.placed(); orders != want || lines != want {
		return fmt.Errorf("%d orders were placed, there are %d with %d lines", want, orders, lines)
	}
	if _, err := conn.Exec(ctx, `select setval('orders_id_seq', 3000000000)`); err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, `insert into orders (customer) values ('late') returning id_big`).Scan(&big); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d orders, each with its line, no number twice; the next one is %d\n", orders, big)
	return nil
}
