package compat

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcrossfade/crossfade/internal/compat/sqlcpgx"
)

// sqlcPgxShop calls what sqlc generates for pgx/v5.
type sqlcPgxShop struct {
	db      *pgxpool.Pool
	queries *sqlcpgx.Queries
}

func openSqlcPgx(_ *testing.T, db *pgxpool.Pool) shop { return sqlcPgxShop{db, sqlcpgx.New(db)} }

func (s sqlcPgxShop) Create(ctx context.Context, fullName, email string) (int64, error) {
	return s.queries.CreateUser(ctx, sqlcpgx.CreateUserParams{FullName: fullName, Email: email})
}

func (s sqlcPgxShop) User(ctx context.Context, id int64) (User, error) {
	u, err := s.queries.GetUser(ctx, id)
	return User(u), err
}

func (s sqlcPgxShop) Named(ctx context.Context, names ...string) (users []User, err error) {
	found, err := s.queries.ListNamed(ctx, names)
	for _, u := range found {
		users = append(users, User(u))
	}
	return users, err
}

func (s sqlcPgxShop) Count(ctx context.Context, fullName string) (int64, error) {
	return s.queries.CountNamed(ctx, fullName)
}

func (s sqlcPgxShop) Rename(ctx context.Context, id int64, fullName string) error {
	return s.queries.RenameUser(ctx, sqlcpgx.RenameUserParams{ID: id, FullName: fullName})
}

func (s sqlcPgxShop) Import(ctx context.Context, fullName, email string) error {
	return s.queries.ImportUser(ctx, sqlcpgx.ImportUserParams{FullName: fullName, Email: email})
}

func (s sqlcPgxShop) Buy(ctx context.Context, userID int64, cents int32) error {
	return pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		queries := s.queries.WithTx(tx)
		if err := queries.AddOrder(ctx, sqlcpgx.AddOrderParams{UserID: userID, Cents: cents}); err != nil {
			return err
		}
		return queries.CountVisit(ctx, userID)
	})
}

func (s sqlcPgxShop) Spent(ctx context.Context, fullName string) (bills []Bill, err error) {
	found, err := s.queries.ListSpent(ctx, fullName)
	for _, b := range found {
		bills = append(bills, Bill(b))
	}
	return bills, err
}

func (s sqlcPgxShop) Delete(ctx context.Context, id int64) error {
	return s.queries.DeleteUser(ctx, id)
}
