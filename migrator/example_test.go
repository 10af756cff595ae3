package migrator_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/migrator"
)

// A whole migration, from a file to the point where the source is not written
// any more. Contract, later, drops it.
func Example() {
	ctx := context.Background()
	conn, err := pgx.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	m, err := migrator.New(conn, migrator.Config{DrainTimeout: 10 * time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	transition, err := migrator.LoadTransition("users-full-name.yaml")
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Init(ctx, migrator.InitOptions{GrantTo: []string{"app"}}); err != nil {
		log.Fatal(err)
	}
	_, err = m.Start(ctx, transition)
	var refused *migrator.RefusedError
	if errors.As(err, &refused) {
		for _, finding := range refused.Findings {
			fmt.Println(finding)
		}
	}
	if err != nil {
		log.Fatal(err)
	}
	position, err := m.Run(ctx, transition.Name, migrator.RunOptions{})
	var drain *migrator.DrainError
	if errors.As(err, &drain) {
		fmt.Println("still waiting for", drain.Waiting, "- call Run again to continue")
	}
	fmt.Println("now in phase", position.Phase)
}
