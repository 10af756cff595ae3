package logical_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/logical"
)

// A column is kept up to date from what anybody writes, from the row as it is.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	config, err := pgx.ParseConfig(os.Getenv("DATABASE_URL"))
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
	fmt.Println(upper) // BODY

	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
	if err := tailer.Drop(ctx); err != nil {
		log.Fatal(err)
	}
}

// TestExample runs the example, which has no testing.T to find a server with.
func TestExample(t *testing.T) {
	db := pgtest.NewFrom(t, `create table item (id int primary key, body text, upper text)`)
	t.Setenv("DATABASE_URL", db.URL)
	Example()
	var upper string
	if err := db.Conn(t).QueryRow(t.Context(), `select upper from item`).Scan(&upper); err != nil || upper != "BODY" {
		t.Fatal(upper, err)
	}
}
