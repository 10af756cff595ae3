package compat

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/migrator"
)

// connShop does each piece of work on a *pgx.Conn of its own.
type connShop struct{ pool *pgxpool.Pool }

func openConn(_ *testing.T, pool *pgxpool.Pool) shop { return connShop{pool} }

// onConn borrows a connection for one piece of work.
func onConn[T any](ctx context.Context, s connShop, work func(shop) (T, error)) (result T, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return result, err
	}
	defer conn.Release()
	return work(pgxShop{conn.Conn()})
}

func doOnConn(ctx context.Context, s connShop, work func(shop) error) error {
	_, err := onConn(ctx, s, func(s shop) (struct{}, error) { return struct{}{}, work(s) })
	return err
}

func (s connShop) Create(ctx context.Context, fullName, email string) (int64, error) {
	return onConn(ctx, s, func(s shop) (int64, error) { return s.Create(ctx, fullName, email) })
}

func (s connShop) User(ctx context.Context, id int64) (User, error) {
	return onConn(ctx, s, func(s shop) (User, error) { return s.User(ctx, id) })
}

func (s connShop) Named(ctx context.Context, names ...string) ([]User, error) {
	return onConn(ctx, s, func(s shop) ([]User, error) { return s.Named(ctx, names...) })
}

func (s connShop) Count(ctx context.Context, fullName string) (int64, error) {
	return onConn(ctx, s, func(s shop) (int64, error) { return s.Count(ctx, fullName) })
}

func (s connShop) Rename(ctx context.Context, id int64, fullName string) error {
	return doOnConn(ctx, s, func(s shop) error { return s.Rename(ctx, id, fullName) })
}

func (s connShop) Import(ctx context.Context, fullName, email string) error {
	return doOnConn(ctx, s, func(s shop) error { return s.Import(ctx, fullName, email) })
}

func (s connShop) Buy(ctx context.Context, userID int64, cents int32) error {
	return doOnConn(ctx, s, func(s shop) error { return s.Buy(ctx, userID, cents) })
}

func (s connShop) Spent(ctx context.Context, fullName string) ([]Bill, error) {
	return onConn(ctx, s, func(s shop) ([]Bill, error) { return s.Spent(ctx, fullName) })
}

func (s connShop) Delete(ctx context.Context, id int64) error {
	return doOnConn(ctx, s, func(s shop) error { return s.Delete(ctx, id) })
}

// keptConn: a connection that is kept through a flip is waited for, then it is
// fenced, and says so instead of acting by the phase that has ended.
func keptConn(t *testing.T) outcome {
	j := newJourney(t, "")
	j.follow()
	j.begin()
	conn, err := j.hook.Connect(t.Context(), j.Config(t))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	kept := pgxShop{conn}
	id, err := kept.Create(t.Context(), "Ada", "ada@example.com")
	require.NoError(t, err)
	j.to(migrator.DualWrite)
	_, err = kept.User(t.Context(), id)
	require.True(t, dualwrite.IsStalePhase(err), "%v", err)
	_, err = kept.Named(t.Context(), "Ada")
	require.True(t, dualwrite.IsStalePhase(err), "%v", err)
	var one int
	require.NoError(t, conn.QueryRow(t.Context(), `select 1`).Scan(&one))
	return outcome{worksWith, "`hook.Connect`, and again after `dualwrite.IsStalePhase(err)`: a connection outside of a pool is waited for and, " +
		"when it is idle, fenced after the migrator's `--grace`"}
}
