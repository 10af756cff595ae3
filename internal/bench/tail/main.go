// Command tail measures how the log is followed, each figure beside its baseline in
// one run, in about two minutes:
//
//   - throughput of package logical in changes per second, and of pg_recvlogical,
//     which reads the same log from a slot of its own and throws it away;
//   - how long a row that somebody without the hook has written stays half written
//     under crossfade tail, at fixed rates, and how long after the last one none is
//     left: by the server's times of commits;
//   - the memory that one transaction of many rows takes.
//
// It starts a server, or uses $CROSSFADE_DATABASE_URL, which needs
// track_commit_timestamp.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/postgres"
	"github.com/pgcrossfade/crossfade/logical"
)

type options struct {
	rows, large int
	duration    time.Duration
}

func main() {
	var o options
	flag.IntVar(&o.rows, "rows", 200_000, "changes of the throughput run, in transactions of ten")
	flag.IntVar(&o.large, "large", 1_000_000, "rows of the large transaction")
	flag.DurationVar(&o.duration, "duration", 5*time.Second, "of each rate")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, o options) (err error) {
	server, err := postgres.Start(ctx, postgres.Config{Log: os.Stderr, Parameters: map[string]string{
		"shared_buffers": "128MB", "max_wal_size": "8GB", "synchronous_commit": "off", "track_commit_timestamp": "on",
	}})
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop() }()
	b, err := newBench(ctx, server)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "PostgreSQL %s\n\n", server.Version())
	for _, measure := range []func(context.Context, options) error{b.throughput, b.rates, b.memory} {
		if err := measure(ctx, o); err != nil {
			return err
		}
		fmt.Fprintln(b.out)
		if err := b.out.Flush(); err != nil {
			return err
		}
	}
	return b.conn.Close(ctx)
}

// bench is a database with a table to follow.
type bench struct {
	url  string
	conn *pgx.Conn
	out  *tabwriter.Writer
}

func newBench(ctx context.Context, server *postgres.Server) (*bench, error) {
	url := server.URL("")
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = "bench"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, `drop table if exists tail_item; create table tail_item (id bigint primary key, body text, note text)`)
	return &bench{url: url, conn: conn, out: tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)}, err
}

// tailer makes one with a slot of its own, and returns what removes it.
func (b *bench) tailer(ctx context.Context, slot string, apply func(context.Context, pgx.Tx, logical.Batch) error) (*logical.Tailer, func(), error) {
	config, err := pgx.ParseConfig(b.url)
	if err != nil {
		return nil, nil, err
	}
	tailer, err := logical.New(logical.Config{
		Conn: config, Slot: slot, Publication: "tail_bench", Tables: []logical.Table{{Name: "tail_item"}}, Apply: apply,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		return nil, nil, err
	}
	if err := tailer.Setup(ctx); err != nil {
		return nil, nil, err
	}
	return tailer, func() {
		if err := tailer.Drop(context.WithoutCancel(ctx)); err != nil {
			log.Print(err)
		}
	}, nil
}

// follow runs the tailer while fn runs.
func follow(ctx context.Context, tailer *logical.Tailer, fn func() error) error {
	run, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- tailer.Run(run) }()
	err := fn()
	cancel()
	if runErr := <-done; err == nil && ctx.Err() == nil && run.Err() == nil {
		err = runErr
	}
	return err
}
