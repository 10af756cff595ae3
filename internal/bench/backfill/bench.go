package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/sweep"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// bench is a server with the table item, and a transition of it.
type bench struct {
	url  string
	conn *pgx.Conn
	more *pgx.Conn // of a second worker
	rows int
	to   ledger.Transition
}

type method struct {
	name string
	run  func(context.Context) error
}

func open(ctx context.Context, url string, rows int) (*bench, error) {
	b := &bench{url: url, rows: rows}
	var err error
	if b.conn, err = pgx.Connect(ctx, url); err != nil {
		return nil, err
	}
	if b.more, err = pgx.Connect(ctx, url); err != nil {
		return nil, err
	}
	if err := ledger.Migrate(ctx, b.conn, nil); err != nil {
		return nil, err
	}
	b.to = ledger.Transition{Name: "move", Schema: "public", Table: "item",
		Definition: ledger.Definition{Move: transform.Renamed(transform.Column{Name: "src"}, "dst"), Key: []string{"id"}}}
	event := ledger.Event{Actor: "bench", Event: "register"}
	if err := ledger.Register(ctx, b.conn, &b.to, event); err != nil {
		return nil, err
	}
	if err := ledger.Move(ctx, b.conn, &b.to, phase.DualWrite, event); err != nil {
		return nil, err
	}
	return b, b.exec(ctx, `update crossfade.transition set draining = null`)
}

func (b *bench) close(ctx context.Context) {
	_ = b.conn.Close(ctx)
	_ = b.more.Close(ctx)
}

func (b *bench) exec(ctx context.Context, sql ...string) error {
	for _, s := range sql {
		if _, err := b.conn.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// fresh makes the table anew, as one that has been in use for a while.
func (b *bench) fresh(ctx context.Context) error {
	return b.exec(ctx, `delete from crossfade.progress`, `drop table if exists item`,
		`create table item (id bigint primary key, src text, email text, created_at timestamptz, dst text)`,
		fmt.Sprintf(`insert into item select i, 'Name of number ' || i, 'user' || i || '@example.com', now()
			from generate_series(1, %d) i`, b.rows), `vacuum analyze item`, `checkpoint`)
}

// check requires that every row is filled.
func (b *bench) check(ctx context.Context) error {
	var left int
	err := b.conn.QueryRow(ctx, `select count(*) from item where dst is distinct from src`).Scan(&left)
	if err == nil && left > 0 {
		err = fmt.Errorf("%d rows are not filled", left)
	}
	return err
}

// methods are what is compared; the first is the measure.
func (b *bench) methods() []method {
	return []method{
		{"one UPDATE", func(ctx context.Context) error {
			return b.exec(ctx, `update item set dst = src where dst is distinct from src`)
		}},
		{"DO block, 10,000 rows each", func(ctx context.Context) error {
			return b.exec(ctx, `do $$ declare low bigint := 0; high bigint; begin
				select max(id) into high from item;
				while low < high loop
					update item set dst = src where id > low and id <= low + 10000 and dst is distinct from src;
					commit;
					low := low + 10000;
				end loop;
			end $$`)
		}},
		{"crossfade, 1 worker", func(ctx context.Context) error { return b.copy(ctx, nil) }},
		{"crossfade, 2 workers", func(ctx context.Context) error { return b.copy(ctx, []*pgx.Conn{b.more}) }},
	}
}

func (b *bench) copy(ctx context.Context, helpers []*pgx.Conn) error {
	token, err := ledger.Allow(ctx, b.conn, b.to, ledger.Backfill)
	if err != nil {
		return err
	}
	_, err = sweep.Copy(ctx, b.conn, sweep.Options{Transition: b.to, Job: ledger.Backfill, Token: token, Helpers: helpers, Signals: []sweep.Signal{}})
	return err
}

// verify compares a verification, by one worker and by two, with a count of the
// rows that goes through the table too: the best of three each, in turn.
func (b *bench) verify(ctx context.Context) error {
	runs := []method{
		{"count(*)", func(ctx context.Context) error {
			return b.exec(ctx, `begin`, `set local enable_indexonlyscan = off`, `set local max_parallel_workers_per_gather = 0`,
				`select count(*) from item`, `commit`)
		}},
		{"verify", func(ctx context.Context) error { return b.compare(ctx, nil) }},
		{"verify by 2 workers", func(ctx context.Context) error { return b.compare(ctx, []*pgx.Conn{b.more}) }},
	}
	best := make([]result, len(runs))
	for round := range 3 {
		for i, run := range runs {
			if err := b.exec(ctx, `delete from crossfade.progress`); err != nil {
				return err
			}
			r, err := b.beside(ctx, 0, run.run)
			if err != nil {
				return err
			}
			if round == 0 {
				best[i] = r
			}
			best[i].took, best[i].cpu = min(best[i].took, r.took), min(best[i].cpu, r.cpu)
		}
	}
	for i, r := range best {
		fmt.Printf("%s: %.2f s (%.1f times), of the server's CPU %.2f s (%.1f times)\n", runs[i].name,
			r.took.Seconds(), r.took.Seconds()/best[0].took.Seconds(), r.cpu, r.cpu/best[0].cpu)
	}
	return nil
}

func (b *bench) compare(ctx context.Context, helpers []*pgx.Conn) error {
	p, err := sweep.Compare(ctx, b.conn, sweep.Options{Transition: b.to, Job: ledger.Verify, Helpers: helpers, Signals: []sweep.Signal{}})
	if err == nil && p.Mismatches > 0 {
		err = fmt.Errorf("%d rows differ", p.Mismatches)
	}
	return err
}
