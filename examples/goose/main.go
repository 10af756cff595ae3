package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/migrator"
)

func main() {
	url := flag.String("database-url", os.Getenv("DATABASE_URL"), "an empty database")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *url)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "goose:", err)
		os.Exit(1)
	}
	fmt.Println("all migrations are applied, users-name is complete, and the rollout may begin")
}

// run is a deployment up to its rollout.
func run(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	m, err := migrator.New(config, migrator.Config{})
	if err != nil {
		return err
	}
	if err := migrate(ctx, config, m, 3); err != nil {
		return err
	}
	return mayRollOut(ctx, m, migrator.Complete)
}
