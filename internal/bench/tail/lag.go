package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/migrator"
)

// halfWritten is the transition that is followed.
var halfWritten = migrator.Transition{
	Name: "tail-lag", Table: "tail_lag", Rename: &migrator.Rename{From: "body", To: "note"}, Sync: "logical",
	IgnoreApplications: []string{"bench"},
}

// rates lets somebody without the hook write at fixed rates, in transactions of ten
// rows, each row once, while the migrator's tail follows.
func (b *bench) rates(ctx context.Context, o options) error {
	fmt.Fprintln(b.out, "a row stays half written\tchanges/s\tp50\tp99\tmost\tafter the last write")
	for _, perSecond := range []int{1000, 5000, 20_000} {
		if err := b.rate(ctx, perSecond, o.duration); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) rate(ctx context.Context, perSecond int, duration time.Duration) (err error) {
	rows := int(duration.Seconds() * float64(perSecond))
	_, err = b.conn.Exec(ctx, fmt.Sprintf(`drop table if exists tail_lag;
		create table tail_lag (id bigint primary key, body text, written xid8) with (fillfactor = 50);
		insert into tail_lag select n, 'a' from generate_series(1, %d) n; analyze tail_lag`, rows))
	if err != nil {
		return err
	}
	stop, err := b.followLag(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	start := time.Now()
	for n := 0; n < rows && time.Since(start) < 2*duration; n += 10 {
		time.Sleep(time.Until(start.Add(time.Duration(n) * time.Second / time.Duration(perSecond))))
		_, err := b.conn.Exec(ctx, `update tail_lag set body = 'b' || id, written = pg_current_xact_id() where id between $1 and $2`, n+1, n+10)
		if err != nil {
			return err
		}
	}
	took := time.Since(start)
	for behind := true; behind; {
		time.Sleep(20 * time.Millisecond)
		err := b.conn.QueryRow(ctx, `select exists (select from tail_lag where note is distinct from body)`).Scan(&behind)
		if err != nil {
			return err
		}
	}
	return b.printLag(ctx, perSecond, took)
}

// printLag takes the times from the server, which keeps when each transaction
// committed: that of whoever wrote a row, and that of the tail, which wrote it last.
func (b *bench) printLag(ctx context.Context, perSecond int, took time.Duration) error {
	var written int
	var p50, p99, most, last float64
	err := b.conn.QueryRow(ctx, `
		select count(*), percentile_disc(0.5) within group (order by lag), percentile_disc(0.99) within group (order by lag), max(lag),
			extract(epoch from max(tail) - max(legacy))::float8
		from (
			select tail, legacy, extract(epoch from tail - legacy)::float8 as lag
			from (select pg_xact_commit_timestamp(xmin) as tail, pg_xact_commit_timestamp(written::xid) as legacy
				from tail_lag where written is not null and xmin <> written::xid) times) lags`).Scan(&written, &p50, &p99, &most, &last)
	if err != nil {
		return err
	}
	ms := func(seconds float64) string { return fmt.Sprintf("%.1f ms", 1000*seconds) }
	fmt.Fprintf(b.out, "%d/s wanted\t%.0f\t%s\t%s\t%s\t%s\n", perSecond, rate(written, took), ms(p50), ms(p99), ms(most), ms(last))
	return nil
}

// followLag brings the transition behind its backfill and follows it there; stop
// ends that, and rolls it back.
func (b *bench) followLag(ctx context.Context) (stop func() error, err error) {
	config, err := pgx.ParseConfig(b.url)
	if err != nil {
		return nil, err
	}
	m, err := migrator.New(config, migrator.Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return nil, err
	}
	if err := m.Init(ctx, migrator.InitOptions{}); err != nil {
		return nil, err
	}
	p, err := m.Start(ctx, halfWritten)
	for err == nil && p.Step != "backfill" {
		p, err = m.Advance(ctx, halfWritten.Name, migrator.AdvanceOptions{})
	}
	if err != nil {
		return nil, err
	}
	following, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- m.Tail(following, halfWritten.Name) }()
	stop = func() error {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			return err
		}
		if _, err := m.Rollback(ctx, halfWritten.Name, migrator.RollbackOptions{}); err != nil {
			return err
		}
		return m.Remove(ctx, halfWritten.Name)
	}
	for active := false; !active; time.Sleep(20 * time.Millisecond) {
		err := b.conn.QueryRow(ctx, `select exists (select from pg_replication_slots where database = current_database() and active)`).Scan(&active)
		if err != nil {
			return nil, errors.Join(err, stop())
		}
	}
	return stop, nil
}
