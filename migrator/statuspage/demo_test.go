package statuspage_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/statuspage"
)

const shop = `
	create table users (
		id bigint generated always as identity primary key,
		full_name text not null,
		email text not null);
	create index users_full_name_idx on users (full_name);
	insert into users (full_name, email) select 'user ' || i, i || '@example.org' from generate_series(1, 20000) i;
	create table orders (id bigint primary key, user_id bigint not null, amount int not null, placed timestamptz not null default now());
	insert into orders select i, 1 + i % 20000, i % 900 from generate_series(1, 600000) i;
	create table sessions (id bigint primary key, token text not null);
	insert into sessions select i, md5(i::text) from generate_series(1, 50000) i;
	analyze`

// TestScreenshot takes the picture of docs/status-page.md, with -update: a shop in
// which a backfill runs, a flip waits for a report, and an index was added.
func TestScreenshot(t *testing.T) {
	if !*update {
		t.Skip("only with -update: it takes the picture of the documentation anew")
	}
	b := openBrowser(t)
	tokens := migrator.Transition{Name: "sessions-token-index", Table: "sessions", AddIndex: &migrator.AddIndex{Name: "sessions_token_idx", On: "(token)"}}
	name := rename
	name.IgnoreApplications = []string{"postgres_exporter"}
	wide := migrator.Transition{Name: "orders-amount", Table: "orders",
		Change: &migrator.Change{From: "amount", To: "amount_cents", Type: "bigint"}, IgnoreApplications: []string{"postgres_exporter"}}
	db, m := started(t, shop, name, wide, tokens)
	connect(t, db, "postgres_exporter")
	application(t, db, "checkout-api", 12)
	accounts := application(t, db, "accounts-api", 6)
	run(t, m, wide.Name, migrator.DualWrite)
	run(t, m, name.Name, migrator.Live)
	for range 3 {
		_, err := accounts.Exec(ctx, `select u from users u where email = 'ada@example.org'`)
		require.Error(t, err, "a whole row")
	}
	_, err := m.Run(ctx, tokens.Name, migrator.RunOptions{})
	require.NoError(t, err)
	report := join(t, db, "nightly-report")
	_, err = report.Exec(ctx, "begin; select count(*) from users")
	require.NoError(t, err)
	_, err = m.SetRate(ctx, wide.Name, 4000)
	require.NoError(t, err)
	_, err = newMigrator(t, db, migrator.Config{DrainTimeout: time.Millisecond}).Run(ctx, name.Name, migrator.RunOptions{Until: migrator.RampDown})
	require.Error(t, err, "it waits for the report")
	_, err = m.Request(ctx, name.Name, migrator.Request{Phase: migrator.Complete, Key: "crossfade.users-name", Variant: "complete", Provider: "flagd"})
	require.NoError(t, err)
	background(t, func(ctx context.Context) {
		_, _ = newMigrator(t, db, migrator.Config{Workers: 2}).Run(ctx, wide.Name, migrator.RunOptions{Until: migrator.Shadow})
	})
	s := serve(t, m, statuspage.Config{Interval: 500 * time.Millisecond})
	b.size(1280, 900, "light")
	b.open(s.url + "/")
	b.wait("the backfill", `document.querySelector("#t-orders-amount progress")?.value >= 5`)
	b.wait("the refused statement", `document.querySelector("#t-users-name").textContent.includes("Refused statements")`)
	b.shoot("../../docs/status-page.png", 1280, eval[int](b, `document.documentElement.scrollHeight`))
	for _, look := range []struct {
		scheme        string
		width, height int
	}{{"dark", 1280, 2400}, {"light", 390, 4000}} { // for the eyes of whoever takes it
		b.size(look.width, 900, look.scheme)
		b.shoot(filepath.Join(os.TempDir(), "status-page-"+look.scheme+".png"), look.width, look.height)
	}
	require.Empty(t, b.trouble())
	picture, err := os.Stat("../../docs/status-page.png")
	require.NoError(t, err)
	require.Less(t, picture.Size(), int64(200_000))
}

// application keeps connections with the hook, as a service would.
func application(t *testing.T, db *pgtest.DB, name string, connections int) *pgxpool.Pool {
	t.Helper()
	hook, err := dualwrite.New(dualwrite.Config{})
	require.NoError(t, err)
	config, err := pgxpool.ParseConfig(db.URL)
	require.NoError(t, err)
	config.ConnConfig.RuntimeParams["application_name"] = name
	config.MinConns, config.MaxConns = int32(connections), int32(connections)
	config.HealthCheckPeriod = 500 * time.Millisecond
	pool, err := hook.NewPool(ctx, config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	background(t, func(ctx context.Context) { _ = hook.Run(ctx) })
	require.NoError(t, pool.Ping(ctx))
	return pool
}
