// Written by hand as sqlc v1.31.1 generates it from sqlc.query.sql.

package sqlcstd

import (
	"context"

	"github.com/lib/pq"
)

const createUser = `-- name: CreateUser :one
insert into users (full_name, email) values ($1, $2) returning id
`

type CreateUserParams struct {
	FullName string
	Email    string
}

func (q *Queries) CreateUser(ctx context.Context, arg CreateUserParams) (int64, error) {
	row := q.db.QueryRowContext(ctx, createUser, arg.FullName, arg.Email)
	var id int64
	err := row.Scan(&id)
	return id, err
}

const getUser = `-- name: GetUser :one
select id, full_name, email, visits from users where id = $1
`

func (q *Queries) GetUser(ctx context.Context, id int64) (User, error) {
	row := q.db.QueryRowContext(ctx, getUser, id)
	var i User
	err := row.Scan(
		&i.ID,
		&i.FullName,
		&i.Email,
		&i.Visits,
	)
	return i, err
}

const listNamed = `-- name: ListNamed :many
select id, full_name, email, visits from users where full_name = any($1::text[]) order by full_name collate "C"
`

func (q *Queries) ListNamed(ctx context.Context, dollar_1 []string) ([]User, error) {
	rows, err := q.db.QueryContext(ctx, listNamed, pq.Array(dollar_1))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []User
	for rows.Next() {
		var i User
		if err := rows.Scan(
			&i.ID,
			&i.FullName,
			&i.Email,
			&i.Visits,
		); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return items, nil
}

const countNamed = `-- name: CountNamed :one
select count(*) from users where full_name = $1
`

func (q *Queries) CountNamed(ctx context.Context, fullName string) (int64, error) {
	row := q.db.QueryRowContext(ctx, countNamed, fullName)
	var count int64
	err := row.Scan(&count)
	return count, err
}

const renameUser = `-- name: RenameUser :exec
update users set full_name = $2 where id = $1
`

type RenameUserParams struct {
	ID       int64
	FullName string
}

func (q *Queries) RenameUser(ctx context.Context, arg RenameUserParams) error {
	_, err := q.db.ExecContext(ctx, renameUser, arg.ID, arg.FullName)
	return err
}

const importUser = `-- name: ImportUser :exec
insert into users (full_name, email) values ($1, $2)
on conflict (email) do update set full_name = excluded.full_name
`

type ImportUserParams struct {
	FullName string
	Email    string
}

func (q *Queries) ImportUser(ctx context.Context, arg ImportUserParams) error {
	_, err := q.db.ExecContext(ctx, importUser, arg.FullName, arg.Email)
	return err
}

const addOrder = `-- name: AddOrder :exec
insert into orders (user_id, cents) values ($1, $2)
`

type AddOrderParams struct {
	UserID int64
	Cents  int32
}

func (q *Queries) AddOrder(ctx context.Context, arg AddOrderParams) error {
	_, err := q.db.ExecContext(ctx, addOrder, arg.UserID, arg.Cents)
	return err
}

const countVisit = `-- name: CountVisit :exec
update users set visits = visits + 1 where id = $1
`

func (q *Queries) CountVisit(ctx context.Context, id int64) error {
	_, err := q.db.ExecContext(ctx, countVisit, id)
	return err
}

const listSpent = `-- name: ListSpent :many
select u.full_name, count(*) as orders, max(o.cents)::int as dearest, sum(o.cents)::bigint as cents
from users u join orders o on o.user_id = u.id
where u.full_name = $1 group by u.id, u.full_name order by u.full_name
`

type ListSpentRow struct {
	FullName string
	Orders   int64
	Dearest  int32
	Cents    int64
}

func (q *Queries) ListSpent(ctx context.Context, fullName string) ([]ListSpentRow, error) {
	rows, err := q.db.QueryContext(ctx, listSpent, fullName)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []ListSpentRow
	for rows.Next() {
		var i ListSpentRow
		if err := rows.Scan(
			&i.FullName,
			&i.Orders,
			&i.Dearest,
			&i.Cents,
		); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return items, nil
}

const deleteUser = `-- name: DeleteUser :exec
delete from users where id = $1
`

func (q *Queries) DeleteUser(ctx context.Context, id int64) error {
	_, err := q.db.ExecContext(ctx, deleteUser, id)
	return err
}
