package logical_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/logical"
)

// A column is kept up to date from what anybody writes, from the row as it is.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	config, err := pgx.ParseConfig(exampleDatabase())
	if err != nil {
		log.Fatal(err)
	}
	item := logical.Table{Name: "item"}
	tailer, err := logical.New(logical.Config{
		Conn:   config,
		Slot:   "upper_body",
		Tables: []logical.Table{item},
		Apply: func(ctx context.Context, tx pgx.Tx, batch logical.Batch) error {
			keys := batch.Keys(item)
			if keys == nil {
				return nil
			}
			_, err := tx.Exec(ctx, `update item set upper = upper(body)
				where id = any($1::text[]::int[]) and upper is distinct from upper(body)`, keys[0])
			return err
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	// From here on nothing is missed. Rows of before are for the caller to copy.
	if err := tailer.Setup(ctx); err != nil {
		log.Fatal(err)
	}
	runCtx, stop := context.WithCancel(ctx)
	done := make(chan error)
	go func() { done <- tailer.Run(runCtx) }()

	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, `insert into item (id, body) values (1, 'body')`); err != nil {
		log.Fatal(err)
	}
	if _, err := tailer.Barrier(ctx); err != nil {
		log.Fatal(err)
	}
	var upper string
	if err := conn.QueryRow(ctx, `select upper from item`).Scan(&upper); err != nil {
		log.Fatal(err)
	}
	fmt.Println(upper)

	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
	if err := tailer.Drop(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: BODY
}

// Whether the server allows it is asked before anything is made.
func ExampleTailer_Check() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	config, err := pgx.ParseConfig(exampleDatabase())
	if err != nil {
		log.Fatal(err)
	}
	tailer, err := logical.New(logical.Config{
		Conn: config, Slot: "check", Tables: []logical.Table{{Name: "log"}},
		Apply: func(context.Context, pgx.Tx, logical.Batch) error { return nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	if refusal, ok := logical.AsRefusal(tailer.Check(ctx)); ok {
		fmt.Println(refusal.Code)
		fmt.Println(refusal.Message)
	}
	// Output:
	// no-identity
	// publishing log would make its UPDATE and DELETE fail: it has no replica identity
}

// exampleDatabase is the URL of a database with two tables, one of them without a
// key.
func exampleDatabase() string {
	return pgtest.Example(`create table item (id int primary key, body text, upper text); create table log (line text)`)
}
