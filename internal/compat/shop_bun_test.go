package compat

import (
	"context"
	"database/sql"
	"testing"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// bunShop uses bun's builder, which writes the values into the SQL.
type bunShop struct{ db *bun.DB }

// bun wants a tag on the key.
type (
	bunUser struct {
		bun.BaseModel `bun:"table:users,alias:u"`
		ID            int64 `bun:",pk,autoincrement"`
		FullName      string
		Email         string
		Visits        int32
	}
	bunOrder struct {
		bun.BaseModel `bun:"table:orders,alias:o"`
		ID            int64 `bun:",pk,autoincrement"`
		UserID        int64
		Cents         int32
	}
)

func (u bunUser) user() User { return User{u.ID, u.FullName, u.Email, u.Visits} }

func openBun(_ *testing.T, db *sql.DB) shop { return bunShop{bun.NewDB(db, pgdialect.New())} }

func (s bunShop) Create(ctx context.Context, fullName, email string) (int64, error) {
	u := bunUser{FullName: fullName, Email: email}
	_, err := s.db.NewInsert().Model(&u).Exec(ctx) // RETURNING id
	return u.ID, err
}

func (s bunShop) User(ctx context.Context, id int64) (User, error) {
	u := bunUser{ID: id}
	err := s.db.NewSelect().Model(&u).WherePK().Scan(ctx)
	return u.user(), err
}

func (s bunShop) Named(ctx context.Context, names ...string) (users []User, err error) {
	var found []bunUser
	err = s.db.NewSelect().Model(&found).Where("full_name in (?)", bun.In(names)).OrderExpr(`full_name collate "C"`).Scan(ctx)
	for _, u := range found {
		users = append(users, u.user())
	}
	return users, err
}

func (s bunShop) Count(ctx context.Context, fullName string) (int64, error) {
	n, err := s.db.NewSelect().Model((*bunUser)(nil)).Where("u.full_name = ?", fullName).Count(ctx)
	return int64(n), err
}

func (s bunShop) Rename(ctx context.Context, id int64, fullName string) error {
	_, err := s.db.NewUpdate().Model(&bunUser{ID: id, FullName: fullName}).Column("full_name").WherePK().Exec(ctx)
	return err
}

func (s bunShop) Import(ctx context.Context, fullName, email string) error {
	_, err := s.db.NewInsert().Model(&bunUser{FullName: fullName, Email: email}).
		On("conflict (email) do update").Set("full_name = excluded.full_name").Exec(ctx)
	return err
}

func (s bunShop) Buy(ctx context.Context, userID int64, cents int32) error {
	return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&bunOrder{UserID: userID, Cents: cents}).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewUpdate().Model((*bunUser)(nil)).Set("visits = visits + 1").Where("id = ?", userID).Exec(ctx)
		return err
	})
}

func (s bunShop) Spent(ctx context.Context, fullName string) (bills []Bill, err error) {
	err = s.db.NewSelect().Model((*bunUser)(nil)).
		ColumnExpr("u.full_name, count(*) as orders, max(o.cents) as dearest, sum(o.cents) as cents").
		Join("join orders as o on o.user_id = u.id").
		Where("u.full_name = ?", fullName).Group("u.id", "u.full_name").Order("u.full_name").Scan(ctx, &bills)
	return bills, err
}

func (s bunShop) Delete(ctx context.Context, id int64) error {
	_, err := s.db.NewDelete().Model(&bunUser{ID: id}).WherePK().Exec(ctx)
	return err
}
