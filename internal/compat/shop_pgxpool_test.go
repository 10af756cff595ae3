package compat

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgxDB is what a *pgxpool.Pool has, and a *pgx.Conn.
type pgxDB interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Begin(ctx context.Context) (pgx.Tx, error)
}

// pgxShop uses pgx as its own documentation does.
type pgxShop struct{ db pgxDB }

func (s pgxShop) Create(ctx context.Context, fullName, email string) (id int64, err error) {
	err = s.db.QueryRow(ctx, `insert into users (full_name, email) values ($1, $2) returning id`, fullName, email).Scan(&id)
	return id, err
}

func (s pgxShop) User(ctx context.Context, id int64) (User, error) {
	rows, _ := s.db.Query(ctx, `select * from users where id = $1`, id)
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[User])
}

func (s pgxShop) Named(ctx context.Context, names ...string) ([]User, error) {
	rows, _ := s.db.Query(ctx, `select id, full_name, email, visits from users
		where full_name = any(@names) order by full_name collate "C"`, pgx.NamedArgs{"names": names})
	return pgx.CollectRows(rows, pgx.RowToStructByPos[User])
}

func (s pgxShop) Count(ctx context.Context, fullName string) (n int64, err error) {
	err = s.db.QueryRow(ctx, `select count(*) from users where full_name = $1`, fullName).Scan(&n)
	return n, err
}

func (s pgxShop) Rename(ctx context.Context, id int64, fullName string) error {
	_, err := s.db.Exec(ctx, `update users set full_name = $2 where id = $1`, id, fullName)
	return err
}

func (s pgxShop) Import(ctx context.Context, fullName, email string) error {
	_, err := s.db.Exec(ctx, `insert into users (full_name, email) values (@full_name, @email)
		on conflict (email) do update set full_name = excluded.full_name`,
		pgx.StrictNamedArgs{"full_name": fullName, "email": email})
	return err
}

func (s pgxShop) Buy(ctx context.Context, userID int64, cents int32) error {
	return pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`insert into orders (user_id, cents) values ($1, $2)`, userID, cents)
		batch.Queue(`update users set visits = visits + 1 where id = $1`, userID)
		return tx.SendBatch(ctx, batch).Close()
	})
}

func (s pgxShop) Spent(ctx context.Context, fullName string) ([]Bill, error) {
	rows, _ := s.db.Query(ctx, `
		select u.full_name, count(*) as orders, max(o.cents) as dearest, sum(o.cents) as cents
		from users u join orders o on o.user_id = u.id
		where u.full_name = $1 group by u.id, u.full_name order by u.full_name`, fullName)
	return pgx.CollectRows(rows, pgx.RowToStructByNameLax[Bill])
}

func (s pgxShop) Delete(ctx context.Context, id int64) error {
	_, err := s.db.Exec(ctx, `delete from users where id = $1`, id)
	return err
}
