package compat

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

// gormShop leaves the SQL to GORM.
type gormShop struct{ db *gorm.DB }

func openGorm(t *testing.T, db *sql.DB) shop {
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: db}), &gorm.Config{
		PrepareStmt: true,
		Logger:      logger.Discard,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		if prepared, ok := g.ConnPool.(*gorm.PreparedStmtDB); ok {
			prepared.Close()
		}
	})
	return gormShop{g}
}

func (s gormShop) Create(ctx context.Context, fullName, email string) (int64, error) {
	u := User{FullName: fullName, Email: email}
	err := s.db.WithContext(ctx).Create(&u).Error
	return u.ID, err
}

func (s gormShop) User(ctx context.Context, id int64) (u User, err error) {
	err = s.db.WithContext(ctx).First(&u, id).Error
	return u, err
}

func (s gormShop) Named(ctx context.Context, names ...string) (users []User, err error) {
	err = s.db.WithContext(ctx).Where("full_name in ?", names).Order(`full_name collate "C"`).Find(&users).Error
	return users, err
}

func (s gormShop) Count(ctx context.Context, fullName string) (n int64, err error) {
	err = s.db.WithContext(ctx).Model(&User{}).Where(&User{FullName: fullName}).Count(&n).Error
	return n, err
}

func (s gormShop) Rename(ctx context.Context, id int64, fullName string) error {
	return s.db.WithContext(ctx).Model(&User{ID: id}).Update("full_name", fullName).Error
}

func (s gormShop) Import(ctx context.Context, fullName, email string) error {
	return s.db.WithContext(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "email"}},
		DoUpdates: clause.AssignmentColumns([]string{"full_name"}),
	}).Create(&User{FullName: fullName, Email: email}).Error
}

func (s gormShop) Buy(ctx context.Context, userID int64, cents int32) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Create(&Order{UserID: userID, Cents: cents}).Error; err != nil {
			return err
		}
		var u User
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Take(&u, userID).Error; err != nil {
			return err
		}
		u.Visits++
		return tx.Save(&u).Error // writes every column
	})
}

func (s gormShop) Spent(ctx context.Context, fullName string) (bills []Bill, err error) {
	err = s.db.WithContext(ctx).Model(&User{}).
		Select("users.full_name, count(*) as orders, max(orders.cents) as dearest, sum(orders.cents) as cents").
		Joins("join orders on orders.user_id = users.id").
		Where("users.full_name = ?", fullName).
		Group("users.id, users.full_name").Order("users.full_name").Scan(&bills).Error
	return bills, err
}

func (s gormShop) Delete(ctx context.Context, id int64) error {
	return s.db.WithContext(ctx).Delete(&User{}, id).Error
}
