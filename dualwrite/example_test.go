package dualwrite_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// What an application does, once. The pool stays a plain *pgxpool.Pool, for
// everything that takes one.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
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
	config, err := pgxpool.ParseConfig(exampleDatabase(migrator.Live))
	if err != nil {
		log.Fatal(err)
	}
	pool, err := hook.NewPool(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = hook.Run(ctx) }) // hears of flips

	// The database is moving full_name to name. Both are written, name is read.
	var name string
	err = pool.QueryRow(ctx, `update users set full_name = $1 where id = $2 returning full_name`, "Ada", 1).Scan(&name)
	fmt.Println(name, err)

	stop()
	running.Wait()
	pool.Close()
	// Output: Ada <nil>
}

// A pool of pgx.
func ExampleHook_NewPool() {
	ctx := context.Background()
	hook, err := dualwrite.New(dualwrite.Config{})
	if err != nil {
		log.Fatal(err)
	}
	config, err := pgxpool.ParseConfig(exampleDatabase(migrator.Complete))
	if err != nil {
		log.Fatal(err)
	}
	pool, err := hook.NewPool(ctx, config) // instead of pgxpool.NewWithConfig
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	var id int
	err = pool.QueryRow(ctx, `select id from users where full_name = $1`, "user 7").Scan(&id)
	fmt.Println(id, err)
	// Output: 7 <nil>
}

// A *sql.DB, for GORM, bun, ent, sqlx and sqlc.
func ExampleHook_OpenDB() {
	hook, err := dualwrite.New(dualwrite.Config{})
	if err != nil {
		log.Fatal(err)
	}
	config, err := pgx.ParseConfig(exampleDatabase(migrator.Complete))
	if err != nil {
		log.Fatal(err)
	}
	db, err := hook.OpenDB(*config) // instead of stdlib.OpenDB
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var id int
	err = db.QueryRow(`select id from users where full_name = $1`, "user 7").Scan(&id)
	fmt.Println(id, err)
	// Output: 7 <nil>
}

// A connection of its own, for a job.
func ExampleHook_Connect() {
	ctx := context.Background()
	hook, err := dualwrite.New(dualwrite.Config{})
	if err != nil {
		log.Fatal(err)
	}
	config, err := pgx.ParseConfig(exampleDatabase(migrator.Complete))
	if err != nil {
		log.Fatal(err)
	}
	conn, err := hook.Connect(ctx, config) // instead of pgx.ConnectConfig
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var id int
	err = conn.QueryRow(ctx, `select id from users where full_name = $1`, "user 7").Scan(&id)
	fmt.Println(id, err)
	// Output: 7 <nil>
}

// What cannot be rewritten is refused: nothing of it was executed.
func ExampleAsRefusal() {
	ctx := context.Background()
	pool := examplePool(exampleDatabase(migrator.DualWrite))
	defer pool.Close()
	rows := pgx.CopyFromRows([][]any{{101, "Grace"}})
	_, err := pool.CopyFrom(ctx, pgx.Identifier{"users"}, []string{"id", "full_name"}, rows)
	if refusal, ok := dualwrite.AsRefusal(err); ok {
		fmt.Println(refusal.Message)
	}
	// Output: crossfade: COPY into public.users (its column full_name is in transition to name) fills one of the two columns only
}

// A transaction of a connection that has slept through a flip is tried again, as
// after a serialization failure.
func ExampleIsStalePhase() {
	ctx := context.Background()
	pool := examplePool(exampleDatabase(migrator.DualWrite))
	defer pool.Close()
	var err error
	for try := 0; try == 0 || try < 3 && dualwrite.IsStalePhase(err); try++ {
		err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `update users set full_name = $1 where id = $2`, "Ada", 1)
			return err
		})
	}
	fmt.Println(err)
	// Output: <nil>
}

func examplePool(url string) *pgxpool.Pool {
	hook, err := dualwrite.New(dualwrite.Config{})
	if err != nil {
		log.Fatal(err)
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		log.Fatal(err)
	}
	pool, err := hook.NewPool(context.Background(), config)
	if err != nil {
		log.Fatal(err)
	}
	return pool
}

// exampleDatabase is the URL of a database in which users.full_name is on its way to
// name, in that phase.
func exampleDatabase(phase migrator.Phase) string {
	ctx := context.Background()
	url := pgtest.Example(`create table users (id bigint primary key, full_name text not null);
		insert into users (id, full_name) select i, 'user ' || i from generate_series(1, 100) i`)
	conn, err := pgx.ParseConfig(url)
	if err != nil {
		log.Fatal(err)
	}
	m, err := migrator.New(conn, migrator.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	rename := migrator.Transition{Name: "users-name", Table: "users", Rename: &migrator.Rename{From: "full_name", To: "name"}}
	if err := m.Init(ctx, migrator.InitOptions{}); err != nil {
		log.Fatal(err)
	}
	if _, err := m.Start(ctx, rename); err != nil {
		log.Fatal(err)
	}
	if _, err := m.Run(ctx, rename.Name, migrator.RunOptions{Until: phase}); err != nil {
		log.Fatal(err)
	}
	return url
}
