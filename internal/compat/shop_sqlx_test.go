package compat

import (
	"context"
	"database/sql"
	"testing"

	"github.com/jmoiron/sqlx"
)

// sqlxShop has `select *`, named parameters, In and a prepared statement.
type sqlxShop struct{ db *sqlx.DB }

func openSqlx(_ *testing.T, db *sql.DB) shop { return sqlxShop{sqlx.NewDb(db, "pgx")} }

func (s sqlxShop) Create(ctx context.Context, fullName, email string) (id int64, err error) {
	err = s.db.GetContext(ctx, &id, `insert into users (full_name, email) values ($1, $2) returning id`, fullName, email)
	return id, err
}

func (s sqlxShop) User(ctx context.Context, id int64) (u User, err error) {
	err = s.db.GetContext(ctx, &u, `select * from users where id = $1`, id)
	return u, err
}

func (s sqlxShop) Named(ctx context.Context, names ...string) (users []User, err error) {
	query, args, err := sqlx.In(`select * from users where full_name in (?) order by full_name collate "C"`, names)
	if err != nil {
		return nil, err
	}
	err = s.db.SelectContext(ctx, &users, s.db.Rebind(query), args...)
	return users, err
}

func (s sqlxShop) Count(ctx context.Context, fullName string) (n int64, err error) {
	prepared, err := s.db.PreparexContext(ctx, `select count(*) from users where full_name = $1`)
	if err != nil {
		return 0, err
	}
	defer func() { _ = prepared.Close() }()
	err = prepared.GetContext(ctx, &n, fullName)
	return n, err
}

func (s sqlxShop) Rename(ctx context.Context, id int64, fullName string) error {
	_, err := s.db.NamedExecContext(ctx, `update users set full_name = :full_name where id = :id`, User{ID: id, FullName: fullName})
	return err
}

func (s sqlxShop) Import(ctx context.Context, fullName, email string) error {
	_, err := s.db.NamedExecContext(ctx, `insert into users (full_name, email) values (:full_name, :email)
		on conflict (email) do update set full_name = excluded.full_name`, []User{{FullName: fullName, Email: email}})
	return err
}

func (s sqlxShop) Buy(ctx context.Context, userID int64, cents int32) error {
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.NamedExecContext(ctx, `insert into orders (user_id, cents) values (:user_id, :cents)`,
		Order{UserID: userID, Cents: cents}); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `update users set visits = visits + 1 where id = $1`, userID); err != nil {
		return err
	}
	return tx.Commit()
}

func (s sqlxShop) Spent(ctx context.Context, fullName string) (bills []Bill, err error) {
	err = s.db.SelectContext(ctx, &bills, `
		select u.full_name, count(*) as orders, max(o.cents) as dearest, sum(o.cents) as cents
		from users u join orders o on o.user_id = u.id
		where u.full_name = $1 group by u.id, u.full_name order by u.full_name`, fullName)
	return bills, err
}

func (s sqlxShop) Delete(ctx context.Context, id int64) error {
	_, err := s.db.ExecContext(ctx, `delete from users where id = $1`, id)
	return err
}
