package main

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestDeployment(t *testing.T) {
	t.Parallel()
	require.NoError(t, run(t.Context(), pgtest.New(t).URL))
}

// TestGooseBesideATransition: goose goes on changing the table while one of its
// columns is in transition and an application is at work, in one phase after the
// other.
func TestGooseBesideATransition(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), pgtest.New(t)
	m, err := migrator.New(db.Config(t), migrator.Config{})
	require.NoError(t, err)
	require.NoError(t, gooseUp(ctx, db.Config(t), 1))
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	require.ErrorContains(t, mayRollOut(ctx, m, migrator.Off), "missing")

	hook, err := dualwrite.New(dualwrite.Config{})
	require.NoError(t, err)
	config, err := pgxpool.ParseConfig(db.URL)
	require.NoError(t, err)
	pool, err := hook.NewPool(ctx, config)
	require.NoError(t, err)
	defer pool.Close()
	followed := make(chan error, 1)
	runCtx, stop := context.WithCancel(ctx)
	go func() { followed <- hook.Run(runCtx) }()
	defer func() { stop(); <-followed }()

	work := func() { // the old version and the new one
		for _, sql := range []string{
			"update users set full_name = full_name || '!' where id = 1", "update users set name = name || '?' where id = 2",
			"insert into users (name, email) values ('new', gen_random_uuid())", "insert into users (full_name, email) values ('old', gen_random_uuid())",
		} {
			_, err := pool.Exec(ctx, sql)
			require.NoError(t, err, sql)
		}
	}
	file, err := transition()
	require.NoError(t, err)
	_, err = m.Start(ctx, file)
	require.NoError(t, err)
	require.NoError(t, mayRollOut(ctx, m, migrator.Off), "from here on both names work")
	work()
	require.ErrorContains(t, mayRollOut(ctx, m, migrator.DualWrite), "before dualwrite")

	_, err = m.Run(ctx, file.Name, migrator.RunOptions{Until: migrator.DualWrite})
	require.NoError(t, err)
	require.NoError(t, gooseUp(ctx, db.Config(t), 2), "a column more")
	work()
	_, err = m.Run(ctx, file.Name, migrator.RunOptions{Until: migrator.Live})
	require.NoError(t, err)
	require.NoError(t, gooseUp(ctx, db.Config(t), 3), "an index more")
	work()
	require.NoError(t, migrate(ctx, db.Config(t), m, 3), "a deployment may be repeated")
	require.NoError(t, mayRollOut(ctx, m, migrator.Complete))
	work()
	_, err = m.Contract(ctx, file.Name, migrator.ContractOptions{Snapshot: migrator.NoSnapshot})
	require.NoError(t, err)
	work()

	var first, second, plan string
	var rows int
	require.NoError(t, pool.QueryRow(ctx, "select (select name from users where id = 1), (select full_name from users where id = 2), count(*), coalesce(max(plan), '') from users").
		Scan(&first, &second, &rows, &plan))
	require.Equal(t, []any{"user 1!!!!!", "user 2?????", 1010}, []any{first, second, rows})
}
