package migrator_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// A whole migration, from the text of a file to the point of no return.
func Example() {
	ctx := context.Background()
	conn, err := pgx.ParseConfig(exampleDatabase())
	if err != nil {
		log.Fatal(err)
	}
	m, err := migrator.New(conn, migrator.Config{DrainTimeout: 10 * time.Minute, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Init(ctx, migrator.InitOptions{}); err != nil {
		log.Fatal(err)
	}
	transition, err := migrator.ParseTransition([]byte(`
name: users-name
table: users
rename: {from: full_name, to: name}
`))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := m.Start(ctx, transition); err != nil {
		log.Fatal(err) // a *RefusedError says what stands in the way
	}
	position, err := m.Run(ctx, transition.Name, migrator.RunOptions{})
	var drain *migrator.DrainError
	if errors.As(err, &drain) {
		log.Fatal("still waiting for ", drain.Waiting, ": call Run again to continue")
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(position.Phase)

	// Days later, when nobody would go back any more.
	position, err = m.Contract(ctx, transition.Name, migrator.ContractOptions{Snapshot: "nightly of 2026-11-25"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(position.Phase)
	// Output:
	// complete
	// contracted
}

// A plan is data, made before anything runs. It needs no ledger.
func ExampleMigrator_Plan() {
	m := exampleMigrator()
	plan, err := m.Plan(context.Background(), renameUsers)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("refused:", plan.Refused())
	for _, step := range plan.Steps {
		for _, s := range step.Statements {
			if step.Name == "expand" {
				fmt.Println(s.SQL, "--", s.Lock, s.LockTimeout)
			}
		}
	}
	// Output:
	// refused: false
	// alter table "public"."users" add column "name" text -- ACCESS EXCLUSIVE 100ms
}

// Run does what is left to do, wherever the transition stands.
func ExampleMigrator_Run() {
	ctx, m := context.Background(), exampleMigrator()
	if _, err := m.Start(ctx, renameUsers); err != nil {
		log.Fatal(err)
	}
	for _, until := range []migrator.Phase{migrator.Shadow, migrator.Complete} {
		position, err := m.Run(ctx, renameUsers.Name, migrator.RunOptions{Until: until})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(position.Phase)
	}
	// Output:
	// shadow
	// complete
}

// Advance makes one step, for those who want to look after each.
func ExampleMigrator_Advance() {
	ctx, m := context.Background(), exampleMigrator()
	position, err := m.Start(ctx, renameUsers)
	if err != nil {
		log.Fatal(err)
	}
	for position.Phase != migrator.Complete {
		position, err = m.Advance(ctx, renameUsers.Name, migrator.AdvanceOptions{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(position.Phase, position.Step)
	}
	// Output:
	// off expand
	// dualwrite dualwrite
	// dualwrite backfill
	// dualwrite index
	// dualwrite constrain
	// dualwrite verify
	// dualwrite enforce
	// shadow shadow
	// live live
	// rampdown rampdown
	// rampdown release
	// complete complete
}

// A rollback leads back from every phase before contracted, with what was written
// in the meantime.
func ExampleMigrator_Rollback() {
	ctx, m := context.Background(), exampleMigrator()
	if _, err := m.Start(ctx, renameUsers); err != nil {
		log.Fatal(err)
	}
	if _, err := m.Run(ctx, renameUsers.Name, migrator.RunOptions{}); err != nil {
		log.Fatal(err)
	}
	position, err := m.Rollback(ctx, renameUsers.Name, migrator.RollbackOptions{To: migrator.Live})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(position.Phase)
	position, err = m.Rollback(ctx, renameUsers.Name, migrator.RollbackOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(position.Phase)
	// Output:
	// live
	// off
}

// Status may be read while somebody else migrates.
func ExampleMigrator_Status() {
	ctx, m := context.Background(), exampleMigrator()
	if _, err := m.Start(ctx, renameUsers); err != nil {
		log.Fatal(err)
	}
	list, err := m.Status(ctx, migrator.StatusOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range list {
		fmt.Printf("%s of %s: %s, in phase %s\n", s.Name, s.Table, s.Does, s.Phase)
		if s.Drain != nil {
			fmt.Println("waiting for", s.Drain.Waiting)
		}
	}
	// Output:
	// users-name of public.users: full_name -> name, in phase off
}

// Verify compares every row, at any time, in a phase that keeps both sides.
func ExampleMigrator_Verify() {
	ctx, m := context.Background(), exampleMigrator()
	if _, err := m.Start(ctx, renameUsers); err != nil {
		log.Fatal(err)
	}
	if _, err := m.Run(ctx, renameUsers.Name, migrator.RunOptions{Until: migrator.Live}); err != nil {
		log.Fatal(err)
	}
	v, err := m.Verify(ctx, renameUsers.Name)
	var mismatch *migrator.MismatchError
	if err != nil && !errors.As(err, &mismatch) {
		log.Fatal(err)
	}
	fmt.Println(v.Rows, "rows,", v.Mismatches, "differ")
	// Output:
	// 100 rows, 0 differ
}

// Follow leads transitions where feature flags ask for, here to dualwrite.
func ExampleMigrator_Follow() {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	arrived := func(e migrator.Event) {
		if flip, ok := e.(migrator.StepEvent); ok && flip.Done && flip.Phase == migrator.DualWrite {
			fmt.Println("in phase", flip.Phase)
			stop()
		}
	}
	m := exampleMigratorWith(migrator.Config{Observer: observerFunc(arrived)})
	if _, err := m.Start(ctx, renameUsers); err != nil {
		log.Fatal(err)
	}
	err := m.Follow(ctx, migrator.FollowOptions{Source: constantFlag("dualwrite"), Settle: time.Millisecond})
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// in phase dualwrite
	// true
}

// constantFlag is a Source. In a program of yours it is a FileFlags, or one of
// package migrator/openfeature.
type constantFlag string

func (f constantFlag) Variant(context.Context, string) (migrator.Answer, error) {
	return migrator.Answer{Value: string(f), Reason: "STATIC", Provider: "constant"}, nil
}

func (f constantFlag) Changed() <-chan struct{} { return nil }

type observerFunc func(migrator.Event)

func (f observerFunc) Observe(e migrator.Event) { f(e) }

var renameUsers = migrator.Transition{Name: "users-name", Table: "users", Rename: &migrator.Rename{From: "full_name", To: "name"}}

// exampleDatabase is the URL of a database with a table users of 100 rows.
func exampleDatabase() string {
	return pgtest.Example(`create table users (id bigint generated always as identity primary key, full_name text not null);
		insert into users (full_name) select 'user ' || i from generate_series(1, 100) i`)
}

// exampleMigrator is what New makes, on a database with a ledger.
func exampleMigrator() *migrator.Migrator { return exampleMigratorWith(migrator.Config{}) }

func exampleMigratorWith(c migrator.Config) *migrator.Migrator {
	conn, err := pgx.ParseConfig(exampleDatabase())
	if err != nil {
		log.Fatal(err)
	}
	c.Logger = slog.New(slog.DiscardHandler)
	m, err := migrator.New(conn, c)
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Init(context.Background(), migrator.InitOptions{}); err != nil {
		log.Fatal(err)
	}
	return m
}
