package compat

import (
	"context"
	"database/sql"
)

// sqlShop uses database/sql as it is.
type sqlShop struct{ db *sql.DB }

func (s sqlShop) Create(ctx context.Context, fullName, email string) (id int64, err error) {
	err = s.db.QueryRowContext(ctx, `insert into users (full_name, email) values ($1, $2) returning id`, fullName, email).Scan(&id)
	return id, err
}

func (s sqlShop) User(ctx context.Context, id int64) (u User, err error) {
	err = s.db.QueryRowContext(ctx, `select * from users where id = $1`, id).Scan(&u.ID, &u.FullName, &u.Email, &u.Visits)
	return u, err
}

func (s sqlShop) Named(ctx context.Context, names ...string) (users []User, err error) {
	rows, err := s.db.QueryContext(ctx, `select id, full_name, email, visits from users
		where full_name = any($1) order by full_name collate "C"`, names)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var u User
		if err := rows.Scan(&u.ID, &u.FullName, &u.Email, &u.Visits); err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, rows.Err()
}

func (s sqlShop) Count(ctx context.Context, fullName string) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, `select count(*) from users where full_name = $1`, fullName).Scan(&n)
	return n, err
}

func (s sqlShop) Rename(ctx context.Context, id int64, fullName string) error {
	_, err := s.db.ExecContext(ctx, `update users set full_name = $2 where id = $1`, id, fullName)
	return err
}

func (s sqlShop) Import(ctx context.Context, fullName, email string) error {
	_, err := s.db.ExecContext(ctx, `insert into users (full_name, email) values ($1, $2)
		on conflict (email) do update set full_name = excluded.full_name`, fullName, email)
	return err
}

func (s sqlShop) Buy(ctx context.Context, userID int64, cents int32) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	add, err := tx.PrepareContext(ctx, `insert into orders (user_id, cents) values ($1, $2)`)
	if err != nil {
		return err
	}
	defer func() { _ = add.Close() }()
	if _, err := add.ExecContext(ctx, userID, cents); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `update users set visits = visits + 1 where id = $1`, userID); err != nil {
		return err
	}
	return tx.Commit()
}

func (s sqlShop) Spent(ctx context.Context, fullName string) (bills []Bill, err error) {
	rows, err := s.db.QueryContext(ctx, `
		select u.full_name, count(*), max(o.cents), sum(o.cents)
		from users u join orders o on o.user_id = u.id
		where u.full_name = $1 group by u.id, u.full_name order by u.full_name`, fullName)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var b Bill
		if err := rows.Scan(&b.FullName, &b.Orders, &b.Dearest, &b.Cents); err != nil {
			return nil, err
		}
		bills = append(bills, b)
	}
	return bills, rows.Err()
}

func (s sqlShop) Delete(ctx context.Context, id int64) error {
	_, err := s.db.ExecContext(ctx, `delete from users where id = $1`, id)
	return err
}
