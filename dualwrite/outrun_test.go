package dualwrite_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
)

// A column is dropped, or renamed: who has said * gets an error to try again for,
// and the next connection knows, although no look at the catalog is due.
func TestColumnOfAStarGoes(t *testing.T) {
	for _, change := range []string{`alter table users drop column age`, `alter table users rename age to "Age ""x"""`} {
		f := moving(t)
		hook := f.hook(slow)
		pool := f.pool(hook)
		ctx := t.Context()
		read := func(sql string) error {
			rows, err := pool.Query(ctx, sql)
			if err != nil {
				return err
			}
			rows.Close()
			return rows.Err()
		}
		const star = `select u.* from users u where id = 1`
		require.NoError(t, read(star))
		f.exec(change)
		err := read(star)
		require.True(t, dualwrite.IsStalePhase(err), "%v", err)
		var e *pgconn.PgError
		require.ErrorAs(t, err, &e)
		require.Contains(t, e.Message, "has changed since")
		require.Contains(t, e.Detail, "42703")
		require.NoError(t, read(star))
		require.Equal(t, 1, f.seen(dualwrite.CatalogChanged))
		require.Equal(t, 1, f.seen(dualwrite.Stale))
	}
}

// A doubt that a look at the catalog has not confirmed is not raised again: an error
// to try again for must not come for ever.
func TestColumnOfAStarComesBack(t *testing.T) {
	f := moving(t)
	pool := f.pool(f.hook(slow))
	ctx := t.Context()
	const star = `select * from users where id = 1`
	away, back := `alter table users rename age to old_age`, `alter table users rename old_age to age`
	_, err := pool.Exec(ctx, star)
	require.NoError(t, err)
	f.exec(away)
	_, err = pool.Exec(ctx, star)
	require.True(t, dualwrite.IsStalePhase(err), "%v", err)
	f.exec(back)
	_, err = pool.Exec(ctx, star)
	require.NoError(t, err)
	f.exec(away)
	_, err = pool.Exec(ctx, star)
	require.False(t, dualwrite.IsStalePhase(err))
	require.ErrorContains(t, err, "42703")
	require.Zero(t, f.seen(dualwrite.CatalogChanged))
}

// A column that the application names is its own business, and so is one that has
// never been there.
func TestColumnOfTheApplicationIsMissing(t *testing.T) {
	f := moving(t)
	pool := f.pool(f.hook(slow))
	ctx := t.Context()
	for _, sql := range []string{`select *, nonsense from users`, `update users set full_name = nonsense`, `select id, age from users`} {
		if sql == `select id, age from users` {
			f.exec(`alter table users rename age to old_age`)
		}
		_, err := pool.Exec(ctx, sql)
		var e *pgconn.PgError
		require.ErrorAs(t, err, &e)
		require.Equal(t, "42703", e.Code, sql)
	}
	require.Zero(t, f.seen(dualwrite.CatalogChanged))
	require.Zero(t, f.seen(dualwrite.Stale))
}
