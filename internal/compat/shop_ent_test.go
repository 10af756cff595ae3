package compat

import (
	"context"
	"database/sql"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/pgcrossfade/crossfade/internal/compat/ent"
	"github.com/pgcrossfade/crossfade/internal/compat/ent/order"
	"github.com/pgcrossfade/crossfade/internal/compat/ent/user"
)

// entShop uses the client that ent has generated from ent/schema.
type entShop struct{ client *ent.Client }

func openEnt(_ *testing.T, db *sql.DB) shop {
	return entShop{ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, db)))}
}

func entUser(u *ent.User) User { return User{u.ID, u.FullName, u.Email, u.Visits} }

func (s entShop) Create(ctx context.Context, fullName, email string) (int64, error) {
	u, err := s.client.User.Create().SetFullName(fullName).SetEmail(email).Save(ctx)
	if err != nil {
		return 0, err
	}
	return u.ID, nil
}

func (s entShop) User(ctx context.Context, id int64) (User, error) {
	u, err := s.client.User.Get(ctx, id)
	if err != nil {
		return User{}, err
	}
	return entUser(u), nil
}

func (s entShop) Named(ctx context.Context, names ...string) (users []User, err error) {
	found, err := s.client.User.Query().Where(user.FullNameIn(names...)).
		Order(func(s *entsql.Selector) { s.OrderExpr(entsql.Expr(s.C(user.FieldFullName) + ` collate "C"`)) }).All(ctx)
	for _, u := range found {
		users = append(users, entUser(u))
	}
	return users, err
}

func (s entShop) Count(ctx context.Context, fullName string) (int64, error) {
	n, err := s.client.User.Query().Where(user.FullName(fullName)).Count(ctx)
	return int64(n), err
}

func (s entShop) Rename(ctx context.Context, id int64, fullName string) error {
	return s.client.User.UpdateOneID(id).SetFullName(fullName).Exec(ctx) // in a transaction, with a read
}

func (s entShop) Import(ctx context.Context, fullName, email string) error {
	return s.client.User.Create().SetFullName(fullName).SetEmail(email).
		OnConflictColumns(user.FieldEmail).Update(func(u *ent.UserUpsert) { u.UpdateFullName() }).Exec(ctx)
}

func (s entShop) Buy(ctx context.Context, userID int64, cents int32) error {
	tx, err := s.client.Tx(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := tx.Order.Create().SetUserID(userID).SetCents(cents).Exec(ctx); err != nil {
		return err
	}
	if err := tx.User.UpdateOneID(userID).AddVisits(1).Exec(ctx); err != nil {
		return err
	}
	return tx.Commit()
}

func (s entShop) Spent(ctx context.Context, fullName string) (bills []Bill, err error) {
	var found []struct {
		FullName string `sql:"full_name"`
		Orders   int64  `sql:"orders"`
		Dearest  int32  `sql:"dearest"`
		Cents    int64  `sql:"cents"`
	}
	err = s.client.User.Query().Where(user.FullName(fullName)).Modify(func(s *entsql.Selector) {
		o := entsql.Table(order.Table)
		s.Join(o).On(s.C(user.FieldID), o.C(order.FieldUserID)).
			Select(s.C(user.FieldFullName), entsql.As(entsql.Count("*"), "orders"),
				entsql.As(entsql.Max(o.C(order.FieldCents)), "dearest"), entsql.As(entsql.Sum(o.C(order.FieldCents)), "cents")).
			GroupBy(s.C(user.FieldID), s.C(user.FieldFullName))
	}).Scan(ctx, &found)
	for _, b := range found {
		bills = append(bills, Bill(b))
	}
	return bills, err
}

func (s entShop) Delete(ctx context.Context, id int64) error {
	return s.client.User.DeleteOneID(id).Exec(ctx)
}
