package openfeature_test

import (
	"context"
	"log"
	"os"
	"os/signal"

	"github.com/jackc/pgx/v5"
	"github.com/open-feature/go-sdk/openfeature/isolated"
	"github.com/open-feature/go-sdk/openfeature/memprovider"

	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/openfeature"
)

// A whole program that follows the flags of a provider.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	provider := memprovider.NewInMemoryProvider(nil) // yours
	api := isolated.NewAPI()
	if err := api.SetProviderAndWait(ctx, provider); err != nil {
		log.Print(err) // nothing moves until it recovers; some never do, and are to be set anew
	}
	source := openfeature.New(api.NewClient(), openfeature.Config{})
	defer source.Close()

	conn, err := pgx.ParseConfig(os.Getenv("CROSSFADE_DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	m, err := migrator.New(conn, migrator.Config{})
	if err != nil {
		log.Fatal(err)
	}
	log.Print(m.Follow(ctx, migrator.FollowOptions{Source: source}))
}
