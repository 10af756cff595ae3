package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/postgres"
	"github.com/pgcrossfade/crossfade/migrator"
)

// operation is what a transition file asks for, and what a person would write.
type operation struct {
	name, file, hand string
}

var operations = []operation{
	{"rename", `rename: {from: full_name, to: name}`, `alter table users rename full_name to name`},
	{"change", `change: {from: visits, to: visits_big, type: bigint}`, `alter table users alter visits type bigint`},
	{"primary key", `change: {from: id, to: id_big, type: bigint}`, `alter table users alter id type bigint`},
	{"add a column", `add_column: {name: token, type: text, default: "md5(random()::text)", not_null: true}`,
		`alter table users add token text not null default md5(random()::text)`},
	{"set not null", `set_not_null: {column: full_name}`, `alter table users alter full_name set not null`},
	{"add an index", `add_index: {name: users_visits_name_idx, on: "(visits, full_name)"}`, `create index users_visits_name_idx on users (visits, full_name)`},
	{"add unique", `add_unique: {name: users_key, columns: [full_name, email]}`, `alter table users add constraint users_key unique (full_name, email)`},
	{"add check", `add_check: {name: users_check, check: "visits >= 0 and full_name ~ 'user'"}`,
		`alter table users add constraint users_check check (visits >= 0 and full_name ~ 'user')`},
	{"add a foreign key", `add_foreign_key: {name: users_team_fkey, columns: [team], references: {table: teams}}`,
		`alter table users add constraint users_team_fkey foreign key (team) references teams`},
	{"drop a column", `drop_column: {name: full_name}`, `alter table users drop full_name`},
}

const setup = `
	drop schema if exists crossfade cascade;
	drop table if exists users, teams;
	create table teams (id int primary key);
	insert into teams select generate_series(1, 1000);
	create table users (id int generated always as identity primary key, full_name text, email text not null,
		visits int not null, team int, note text not null default '');
	insert into users (full_name, email, visits, team) select 'user ' || i, 'user' || i || '@example.org', i, 1 + i %% 1000 from generate_series(1, %d) i;
	create unique index users_email_idx on users (email);
	create index users_visits_idx on users (visits)`

func email(row int) string { return fmt.Sprintf("user%d@example.org", row) }

type bench struct {
	url  string
	rows int
}

func open(ctx context.Context, server *postgres.Server, rows int) (*bench, error) {
	b := &bench{url: server.URL("bench"), rows: max(rows, 1000)}
	return b, exec(ctx, server.URL(""), `create database bench`)
}

// fresh makes the tables anew, with nothing left to do for a vacuum.
func (b *bench) fresh(ctx context.Context) error {
	for _, sql := range []string{fmt.Sprintf(setup, b.rows), `vacuum analyze users`, `checkpoint`} {
		if err := exec(ctx, b.url, sql); err != nil {
			return err
		}
	}
	return nil
}

func exec(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return err
}

func byHand(ctx context.Context, b *bench, o operation, _ *probe) ([]span, error) {
	s := span{name: o.hand, begin: time.Now()}
	err := exec(ctx, b.url, o.hand)
	s.end = time.Now()
	s.lock = s.end.Sub(s.begin)
	if err == nil {
		time.Sleep(10 * time.Millisecond) // let those who waited be seen
	}
	return []span{s}, err
}

func ours(ctx context.Context, b *bench, o operation, _ *probe) ([]span, error) {
	tr, err := migrator.ParseTransition([]byte("name: bench\ntable: users\n" + o.file))
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(b.url)
	if err != nil {
		return nil, err
	}
	steps := &steps{}
	m, err := migrator.New(config, migrator.Config{Observer: steps, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		PollInterval: 5 * time.Millisecond, IgnoreApplications: []string{"probe"}, Throttle: migrator.ThrottleOff})
	if err != nil {
		return nil, err
	}
	if err := m.Init(ctx, migrator.InitOptions{}); err != nil {
		return nil, err
	}
	if _, err := m.Start(ctx, tr); err != nil {
		return nil, err
	}
	_, err = m.Run(ctx, tr.Name, migrator.RunOptions{})
	if err == nil && (tr.DropColumn != nil || tr.Rename != nil || tr.Change != nil) {
		_, err = m.Contract(ctx, tr.Name, migrator.ContractOptions{Snapshot: migrator.NoSnapshot})
	}
	time.Sleep(10 * time.Millisecond)
	return steps.done, err
}

// steps is an Observer that takes the time of each step.
type steps struct {
	done []span
	now  span
}

func (s *steps) Observe(e migrator.Event) {
	switch e := e.(type) {
	case migrator.StepEvent:
		if !e.Done {
			s.now = span{name: e.Name, begin: time.Now()}
			return
		}
		s.now.end = time.Now()
		s.done = append(s.done, s.now)
	case migrator.StatementEvent:
		stops := e.Lock == ddl.AccessExclusive || e.Lock == ddl.ShareRowExclusive || e.Lock == ddl.Share
		if stops && e.Done {
			s.now.lock = max(s.now.lock, e.Elapsed)
		}
	}
}
