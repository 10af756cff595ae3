package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// The legacy process is a program that nobody wants to change: it has database/sql,
// SQL on full_name, and no hook. -sync says what is done about it.

// connectPlain opens its pool, without the hook.
func (a *app) connectPlain() (func(), error) {
	config, err := pgx.ParseConfig(a.settings.URL)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = fmt.Sprintf("app %d (legacy)", a.settings.Index+1)
	config.Tracer = a.tally
	a.db = stdlib.OpenDB(*config)
	a.db.SetMaxOpenConns(3)
	return func() { _ = a.db.Close() }, nil
}

// legacy is what each worker of that process does.
var legacy = []operation{
	{"legacy: read by key", 6, sqlRead},
	{"legacy: update", 5, sqlUpdate},
	{"legacy: transaction", 2, sqlTransaction},
	{"legacy: increment", 3, sqlIncrement},
	{"legacy: insert", 3, sqlInsert},
	{"legacy: insert the default", 1, sqlInsertDefault},
	{"legacy: delete", 1, sqlRemove},
}

func sqlInsert(w *worker, ctx context.Context) error {
	email, name := w.newEmail(), w.newName()
	r, err := w.journal.insert(email, name, func() (id int64, err error) {
		err = w.db.QueryRowContext(ctx, w.queries.insert, email, name, "NO").Scan(&id)
		return id, err
	})
	return w.inserted(r, err, name)
}

func sqlInsertDefault(w *worker, ctx context.Context) error {
	email, got := w.newEmail(), ""
	r, err := w.journal.insert(email, defaultName, func() (id int64, err error) {
		err = w.db.QueryRowContext(ctx, w.queries.insertDefault, email, "DE").Scan(&id, &got)
		return id, err
	})
	return w.inserted(r, err, got)
}

func sqlRemove(w *worker, ctx context.Context) error {
	r := w.journal.pick(w.random)
	if len(r.May) != 1 || len(w.journal.alive) < 20 {
		return nil
	}
	want := r.May[0]
	return w.write(func() error {
		got, err := readState(w.db.QueryRowContext(ctx, w.queries.delete, r.ID))
		if err == nil {
			w.same("delete returning", r, got, want)
		}
		return err
	}, change{r, state{}})
}
