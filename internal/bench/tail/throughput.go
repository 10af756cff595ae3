package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/postgres"
	"github.com/pgcrossfade/crossfade/logical"
)

// throughput writes first and reads after, so that the writer takes no part.
func (b *bench) throughput(ctx context.Context, o options) error {
	nothing := func(context.Context, pgx.Tx, logical.Batch) error { return nil }
	repair := func(ctx context.Context, tx pgx.Tx, batch logical.Batch) error {
		keys := batch.Keys(logical.Table{Name: "tail_item"})
		if keys == nil {
			return nil
		}
		_, err := tx.Exec(ctx, `update tail_item set note = upper(body)
			where id = any($1::text[]::bigint[]) and note is distinct from upper(body)`, keys[0])
		return err
	}
	idle, dropIdle, err := b.tailer(ctx, "tail_nothing", nothing)
	if err != nil {
		return err
	}
	defer dropIdle()
	busy, dropBusy, err := b.tailer(ctx, "tail_repair", repair)
	if err != nil {
		return err
	}
	defer dropBusy()
	if _, err := b.conn.Exec(ctx, `select pg_create_logical_replication_slot('tail_recvlogical', 'pgoutput')`); err != nil {
		return err
	}
	defer func() {
		_, _ = b.conn.Exec(context.WithoutCancel(ctx), `select pg_drop_replication_slot('tail_recvlogical')`)
	}()

	_, err = b.conn.Exec(ctx, fmt.Sprintf(`do $$ begin
		for i in 1..%d loop
			insert into tail_item select 10 * i + n, 'body' from generate_series(0, 9) n;
			commit;
		end loop; end $$`, o.rows/10))
	if err != nil {
		return err
	}
	var end string
	if err := b.conn.QueryRow(ctx, `select pg_current_wal_insert_lsn()::text`).Scan(&end); err != nil {
		return err
	}
	fmt.Fprintf(b.out, "%d changes, ten in a transaction\tchanges/s\tof pg_recvlogical\n", o.rows)
	var base float64
	took, err := recvlogical(ctx, b.url, end)
	switch {
	case errors.Is(err, os.ErrNotExist):
		fmt.Fprintln(b.out, "pg_recvlogical\tnot beside the server\t")
	case err != nil:
		return err
	default:
		base = rate(o.rows, took)
		fmt.Fprintf(b.out, "pg_recvlogical\t%.0f\t\n", base)
	}
	for _, c := range []struct {
		name   string
		tailer *logical.Tailer
	}{{"logical, apply nothing", idle}, {"logical, apply a repair", busy}} {
		start := time.Now()
		err := follow(ctx, c.tailer, func() error {
			_, err := c.tailer.Barrier(ctx)
			return err
		})
		if err != nil {
			return err
		}
		got := rate(o.rows, time.Since(start))
		compared := ""
		if base > 0 {
			compared = fmt.Sprintf("%.2f", got/base)
		}
		fmt.Fprintf(b.out, "%s\t%.0f\t%s\n", c.name, got, compared)
	}
	return nil
}

func rate(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }

// recvlogical reads a slot up to end.
func recvlogical(ctx context.Context, url, end string) (time.Duration, error) {
	program, err := findProgram("pg_recvlogical")
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, program, "-d", url, "-S", "tail_recvlogical", "--start", "-f", "/dev/null",
		"-o", "proto_version=1", "-o", "publication_names=tail_bench", "-E", end, "-n")
	cmd.Stderr = os.Stderr
	start := time.Now()
	err = cmd.Run()
	return time.Since(start), err
}

func findProgram(name string) (string, error) {
	dirs := []string{os.Getenv(postgres.EnvBinDir), "/usr/lib/postgresql/15/bin"}
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); dir != "" && err == nil {
			return path, nil
		}
	}
	return "", os.ErrNotExist
}
