package compat

import (
	"context"
	"testing"

	"github.com/Masterminds/squirrel"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// squirrelShop builds the SQL with squirrel and runs it with pgx.
type squirrelShop struct{ pool *pgxpool.Pool }

func openSquirrel(_ *testing.T, pool *pgxpool.Pool) shop { return squirrelShop{pool} }

// sq writes $1 instead of ?.
var sq = squirrel.StatementBuilder.PlaceholderFormat(squirrel.Dollar)

// run executes what returns no rows.
func (s squirrelShop) run(ctx context.Context, db pgxDB, q squirrel.Sqlizer) error {
	query, args, err := q.ToSql()
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, query, args...)
	return err
}

// squirrelRows collects what does.
func squirrelRows[T any](ctx context.Context, s squirrelShop, q squirrel.Sqlizer, to pgx.RowToFunc[T]) ([]T, error) {
	query, args, err := q.ToSql()
	if err != nil {
		return nil, err
	}
	rows, _ := s.pool.Query(ctx, query, args...)
	return pgx.CollectRows(rows, to)
}

func squirrelRow[T any](ctx context.Context, s squirrelShop, q squirrel.Sqlizer, to pgx.RowToFunc[T]) (one T, err error) {
	all, err := squirrelRows(ctx, s, q, to)
	if err == nil && len(all) == 0 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return one, err
	}
	return all[0], nil
}

func (s squirrelShop) Create(ctx context.Context, fullName, email string) (int64, error) {
	return squirrelRow(ctx, s, sq.Insert("users").Columns("full_name", "email").Values(fullName, email).Suffix("returning id"), pgx.RowTo[int64])
}

func (s squirrelShop) User(ctx context.Context, id int64) (User, error) {
	return squirrelRow(ctx, s, sq.Select("*").From("users").Where(squirrel.Eq{"id": id}), pgx.RowToStructByName[User])
}

func (s squirrelShop) Named(ctx context.Context, names ...string) ([]User, error) {
	return squirrelRows(ctx, s, sq.Select("id", "full_name", "email", "visits").From("users").
		Where(squirrel.Eq{"full_name": names}).OrderBy(`full_name collate "C"`), pgx.RowToStructByName[User])
}

func (s squirrelShop) Count(ctx context.Context, fullName string) (int64, error) {
	return squirrelRow(ctx, s, sq.Select("count(*)").From("users").Where(squirrel.Eq{"full_name": fullName}), pgx.RowTo[int64])
}

func (s squirrelShop) Rename(ctx context.Context, id int64, fullName string) error {
	return s.run(ctx, s.pool, sq.Update("users").Set("full_name", fullName).Where(squirrel.Eq{"id": id}))
}

func (s squirrelShop) Import(ctx context.Context, fullName, email string) error {
	return s.run(ctx, s.pool, sq.Insert("users").SetMap(map[string]any{"full_name": fullName, "email": email}).
		Suffix("on conflict (email) do update set full_name = excluded.full_name"))
}

func (s squirrelShop) Buy(ctx context.Context, userID int64, cents int32) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := s.run(ctx, tx, sq.Insert("orders").Columns("user_id", "cents").Values(userID, cents)); err != nil {
			return err
		}
		return s.run(ctx, tx, sq.Update("users").Set("visits", squirrel.Expr("visits + 1")).Where(squirrel.Eq{"id": userID}))
	})
}

func (s squirrelShop) Spent(ctx context.Context, fullName string) ([]Bill, error) {
	return squirrelRows(ctx, s, sq.Select("u.full_name", "count(*) as orders", "max(o.cents) as dearest", "sum(o.cents) as cents").
		From("users u").Join("orders o on o.user_id = u.id").Where(squirrel.Eq{"u.full_name": fullName}).
		GroupBy("u.id", "u.full_name").OrderBy("u.full_name"), pgx.RowToStructByName[Bill])
}

func (s squirrelShop) Delete(ctx context.Context, id int64) error {
	return s.run(ctx, s.pool, sq.Delete("users").Where(squirrel.Eq{"id": id}))
}
