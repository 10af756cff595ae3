package dualwrite_test

import (
	"context"
	"log"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcrossfade/crossfade/dualwrite"
)

// A pool stays a plain *pgxpool.Pool, for everything that takes one.
func Example() {
	ctx := context.Background()
	hook, err := dualwrite.New(dualwrite.Config{
		OnEvent: func(e dualwrite.Event) {
			if e.Kind == dualwrite.Refused {
				log.Printf("refused: %v: %s", e.Err, e.SQL)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = hook.Run(ctx) }()

	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	pool, err := hook.NewPool(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	_, err = pool.Exec(ctx, `update users set full_name = $1 where id = $2`, "Ada", 1)
	if dualwrite.IsStalePhase(err) {
		log.Print("nothing was executed: try again")
	}
}

// So does a *sql.DB.
func ExampleHook_OpenDB() {
	hook, err := dualwrite.New(dualwrite.Config{})
	if err != nil {
		log.Fatal(err)
	}
	config, err := pgx.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	db, err := hook.OpenDB(*config)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
}
