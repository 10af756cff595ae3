package compat

import (
	"context"
	"testing"

	"github.com/georgysavva/scany/v2/pgxscan"
	"github.com/jackc/pgx/v5/pgxpool"
)

// scanyShop reads with scany and writes with pgx.
type scanyShop struct {
	pgxShop
	pool *pgxpool.Pool
}

func openScany(_ *testing.T, pool *pgxpool.Pool) shop { return scanyShop{pgxShop{pool}, pool} }

func (s scanyShop) User(ctx context.Context, id int64) (u User, err error) {
	err = pgxscan.Get(ctx, s.pool, &u, `select * from users where id = $1`, id)
	return u, err
}

func (s scanyShop) Named(ctx context.Context, names ...string) (users []User, err error) {
	err = pgxscan.Select(ctx, s.pool, &users, `select * from users where full_name = any($1) order by full_name collate "C"`, names)
	return users, err
}

func (s scanyShop) Count(ctx context.Context, fullName string) (n int64, err error) {
	err = pgxscan.Get(ctx, s.pool, &n, `select count(*) from users where full_name = $1`, fullName)
	return n, err
}

func (s scanyShop) Spent(ctx context.Context, fullName string) (bills []Bill, err error) {
	err = pgxscan.Select(ctx, s.pool, &bills, `
		select u.full_name, count(*) as orders, max(o.cents) as dearest, sum(o.cents) as cents
		from users u join orders o on o.user_id = u.id
		where u.full_name = $1 group by u.id, u.full_name order by u.full_name`, fullName)
	return bills, err
}
