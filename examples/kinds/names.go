package main

import (
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// client is the shop's code: its SQL, and how its rows become an order. There
// are two, of the days before and after the migration. Neither knows of the
// other, or in which phase anything is.
type client struct {
	names string // for messages
	// Each takes the id first, if any.
	read, insert, insertShort, replace, raise, correct, remove string
	// cheapest takes a least price, and gives ten orders; costing takes a price;
	// list takes nothing, and gives all.
	cheapest, costing, list string
	// all are the columns in the order that insert and replace have them.
	all func(order) []any
	// corrected says what correct does: it sets one column only of those that are
	// split or merged.
	corrected func(o order, text string) order
	orders    func(pgx.Rows) ([]order, error)
}

// before is written against full_name, area_code, number, cents and note.
var before = client{
	names:       "old names",
	read:        `select * from orders where id = $1`, // the columns that it knows, in their places
	insert:      `insert into orders (full_name, area_code, number, cents, note) values ($1, $2, $3, $4, $5) returning *`,
	insertShort: `insert into orders (full_name, area_code, number, cents) values ($1, $2, $3, $4) returning *`,
	replace:     `update orders set full_name = $2, area_code = $3, number = $4, cents = $5, note = $6 where id = $1 returning *`,
	raise:       `update orders set cents = cents + $2, note = upper(note) where id = $1 returning *`,
	correct:     `update orders set area_code = $2 where id = $1 returning *`,
	remove:      `delete from orders where id = $1 returning *`,
	cheapest:    `select * from orders where cents >= $1 order by cents limit 10`,
	costing:     `select * from orders where cents = $1`,
	list:        `select * from orders`,
	all:         func(o order) []any { return []any{o.fullName(), o.Area, o.Number, o.Cents, o.Note} },
	corrected:   func(o order, text string) order { o.Area = text; return o },
	orders:      collect[rowBefore],
}

// after is written against first_name, last_name, phone, amount and remark, which
// do not exist when it begins to work.
var after = client{
	names:       "new names",
	read:        `select ` + columns + ` from orders where id = $1`,
	insert:      `insert into orders (first_name, last_name, phone, amount, remark) values ($1, $2, $3, $4, $5) returning ` + columns,
	insertShort: `insert into orders (first_name, last_name, phone, amount) values ($1, $2, $3, $4) returning ` + columns,
	replace: `update orders set first_name = $2, last_name = $3, phone = $4, amount = $5, remark = $6
		where id = $1 returning ` + columns,
	raise:     `update orders set amount = amount + $2, remark = upper(remark) where id = $1 returning ` + columns,
	correct:   `update orders set last_name = $2 where id = $1 returning ` + columns,
	remove:    `delete from orders where id = $1 returning ` + columns,
	cheapest:  `select ` + columns + ` from orders where amount >= $1 order by amount limit 10`,
	costing:   `select ` + columns + ` from orders where amount = $1`,
	list:      `select ` + columns + ` from orders`,
	all:       func(o order) []any { return []any{o.First, o.Last, o.phone(), o.Cents, o.Note} },
	corrected: func(o order, text string) order { o.Last = text; return o },
	orders:    collect[rowAfter],
}

const columns = `id, first_name, last_name, phone, amount, remark`

// rowBefore is a row by the old names, in full; by name, so that a column more
// or less is an error.
type rowBefore struct {
	ID       int64
	FullName string
	AreaCode string
	Number   string
	Cents    int32
	Note     string
	PlacedAt time.Time
}

func (r rowBefore) order() order {
	first, last, _ := strings.Cut(r.FullName, " ")
	return order{ID: r.ID, First: first, Last: last, Area: r.AreaCode, Number: r.Number, Cents: int64(r.Cents), Note: r.Note}
}

// rowAfter is a row by the new names.
type rowAfter struct {
	ID        int64
	FirstName string
	LastName  string
	Phone     string
	Amount    int64
	Remark    string
}

func (r rowAfter) order() order {
	area, number, _ := strings.Cut(r.Phone, "-")
	return order{ID: r.ID, First: r.FirstName, Last: r.LastName, Area: area, Number: number, Cents: r.Amount, Note: r.Remark}
}

func collect[R interface{ order() order }](rows pgx.Rows) ([]order, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (order, error) {
		r, err := pgx.RowToStructByName[R](row)
		return r.order(), err
	})
}

func (o order) fullName() string { return strings.TrimRight(o.First+" "+o.Last, " ") }
func (o order) phone() string    { return o.Area + "-" + o.Number }
