package compat

import (
	"context"
	"database/sql"
	"testing"

	"github.com/pgcrossfade/crossfade/internal/compat/sqlcstd"
)

// sqlcSQLShop calls what sqlc generates for database/sql.
type sqlcSQLShop struct {
	db      *sql.DB
	queries *sqlcstd.Queries
}

func openSqlcSQL(_ *testing.T, db *sql.DB) shop { return sqlcSQLShop{db, sqlcstd.New(db)} }

func (s sqlcSQLShop) Create(ctx context.Context, fullName, email string) (int64, error) {
	return s.queries.CreateUser(ctx, sqlcstd.CreateUserParams{FullName: fullName, Email: email})
}

func (s sqlcSQLShop) User(ctx context.Context, id int64) (User, error) {
	u, err := s.queries.GetUser(ctx, id)
	return User(u), err
}

func (s sqlcSQLShop) Named(ctx context.Context, names ...string) (users []User, err error) {
	found, err := s.queries.ListNamed(ctx, names)
	for _, u := range found {
		users = append(users, User(u))
	}
	return users, err
}

func (s sqlcSQLShop) Count(ctx context.Context, fullName string) (int64, error) {
	return s.queries.CountNamed(ctx, fullName)
}

func (s sqlcSQLShop) Rename(ctx context.Context, id int64, fullName string) error {
	return s.queries.RenameUser(ctx, sqlcstd.RenameUserParams{ID: id, FullName: fullName})
}

func (s sqlcSQLShop) Import(ctx context.Context, fullName, email string) error {
	return s.queries.ImportUser(ctx, sqlcstd.ImportUserParams{FullName: fullName, Email: email})
}

func (s sqlcSQLShop) Buy(ctx context.Context, userID int64, cents int32) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	queries := s.queries.WithTx(tx)
	if err := queries.AddOrder(ctx, sqlcstd.AddOrderParams{UserID: userID, Cents: cents}); err != nil {
		return err
	}
	if err := queries.CountVisit(ctx, userID); err != nil {
		return err
	}
	return tx.Commit()
}

func (s sqlcSQLShop) Spent(ctx context.Context, fullName string) (bills []Bill, err error) {
	found, err := s.queries.ListSpent(ctx, fullName)
	for _, b := range found {
		bills = append(bills, Bill(b))
	}
	return bills, err
}

func (s sqlcSQLShop) Delete(ctx context.Context, id int64) error {
	return s.queries.DeleteUser(ctx, id)
}
