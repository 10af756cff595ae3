package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// requests is what most workers do: short requests, in autocommit and in short
// transactions.
var requests = []operation{
	{"read by key", 20, readByKey},
	{"read by key, simple protocol", 3, readByKeySimply},
	{"read by name", 10, readByName},
	{"read an expression", 3, readExpression},
	{"list with select *", 6, list},
	{"page in order of names", 4, page},
	{"join with orders", 6, joinOrders},

	{"rename", 8, rename},
	{"update with expression", 8, extend},
	{"update from values", 3, updateBoth},
	{"update several columns", 3, updateSeveral},
	{"insert", 3, insert},
	{"insert with default", 2, insertDefault},
	{"insert without columns", 2, insertRow},
	{"insert from select", 2, insertCopy},
	{"upsert", 4, upsert},
	{"delete", 4, remove},
	{"add an order", 2, addOrder},

	{"increment", 5, increment},
	{"read, then write", 3, readThenWrite},
	{"upsert a shared row", 3, visit},
	{"read a shared row", 5, readCounter},

	{"batch", 4, batch},
	{"prepared statement", 3, prepared},
}

func readByKey(w *worker, ctx context.Context) error {
	r := w.journal.pick(w.random)
	return w.retry(func() error {
		got, err := readState(w.pool.QueryRow(ctx, w.queries.byKey, r.ID))
		if err == nil {
			w.expect("read by key", r, got)
		}
		return err
	})
}

func readByKeySimply(w *worker, ctx context.Context) error {
	r := w.journal.pick(w.random)
	return w.retry(func() error {
		got, err := readState(w.pool.QueryRow(ctx, w.queries.byKey, pgx.QueryExecModeSimpleProtocol, r.ID))
		if err == nil {
			w.expect("read by key", r, got)
		}
		return err
	})
}

func readExpression(w *worker, ctx context.Context) error {
	r := w.journal.pick(w.random)
	if len(r.May) != 1 {
		return nil
	}
	return w.retry(func() error {
		got, err := readState(w.pool.QueryRow(ctx, w.queries.shout, r.ID))
		if err == nil {
			w.same("upper", r, got, named(strings.ToUpper(r.May[0].Name)))
		}
		return err
	})
}

// readByName finds a row by its name: the row must be among the results, and
// what else is found and belongs to this worker must have that name.
func readByName(w *worker, ctx context.Context) error {
	r := w.journal.pick(w.random)
	if len(r.May) != 1 {
		return nil
	}
	return w.retry(func() error {
		rows, err := w.pool.Query(ctx, w.queries.byName, r.May[0].Name)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		for _, id := range ids {
			if other := w.journal.mine(id); other != nil {
				w.expect("read by name", other, r.May[0])
			}
		}
		if !slices.Contains(ids, r.ID) {
			w.wrong("read by name %q does not find user %d", r.May[0], r.ID)
		}
		return nil
	})
}

// user is what `select *` gives. The fields stand in the order of the table
// that the application knows.
type user struct {
	ID                   int64
	Email, Name, Country string
	Visits               int32
	CreatedAt            time.Time
}

// list reads neighbours with `select *`: their columns must be those of the
// table that this program was written for, and no own row may be missing.
func list(w *worker, ctx context.Context) error {
	const length = 30
	from := w.journal.pick(w.random).ID
	return w.retry(func() error {
		rows, err := w.pool.Query(ctx, w.queries.list, from, from+length)
		if err != nil {
			return err
		}
		w.checkColumns(rows)
		users, err := pgx.CollectRows(rows, pgx.RowToStructByPos[user])
		if err != nil {
			return err
		}
		found := map[int64]string{}
		for _, u := range users {
			found[u.ID] = u.Name
		}
		for id := from; id <= from+length; id++ {
			if r := w.journal.mine(id); r != nil {
				name, ok := found[id]
				w.expect("list", r, state{Exists: ok, Name: name})
			}
		}
		return nil
	})
}

func (w *worker) checkColumns(rows pgx.Rows) {
	var columns []string
	for _, f := range rows.FieldDescriptions() {
		columns = append(columns, f.Name)
	}
	want := slices.Clone(userColumns)
	want[slices.Index(want, "")] = w.queries.column
	w.tally.checked()
	if !slices.Equal(columns, want) && rows.Err() == nil && len(columns) > 0 {
		w.wrong("select * gives the columns %q instead of %q", columns, want)
	}
}

// page reads on in the order of names, by way of an index.
func page(w *worker, ctx context.Context) error {
	r := w.journal.pick(w.random)
	from := strings.Fields(seedName(r.ID))[0]
	return w.retry(func() error {
		users, err := w.readNames(ctx, w.queries.page, seedCountry(r.ID), from)
		if err != nil {
			return err
		}
		last := from
		for _, u := range users {
			if mine := w.journal.mine(u.ID); mine != nil {
				w.expect("page", mine, named(u.Name))
			}
			if u.Name < last {
				w.wrong("page: %q comes after %q", u.Name, last)
			}
			last = u.Name
		}
		return nil
	})
}

type idName struct {
	ID   int64
	Name string
}

func (w *worker) readNames(ctx context.Context, sql string, args ...any) ([]idName, error) {
	rows, err := w.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[idName])
}

func joinOrders(w *worker, ctx context.Context) error {
	r := w.journal.pick(w.random)
	return w.retry(func() error {
		var name string
		var orders int
		if err := w.pool.QueryRow(ctx, w.queries.orders, r.ID).Scan(&name, &orders); err != nil {
			return err
		}
		w.expect("join", r, named(name))
		return nil
	})
}
