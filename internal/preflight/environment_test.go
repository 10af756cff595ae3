package preflight_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
)

// application connects under an application_name.
func application(t *testing.T, db *pgtest.DB, name string) *pgx.Conn {
	t.Helper()
	config := db.Config(t)
	config.RuntimeParams["application_name"] = name
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	_, err = conn.Exec(t.Context(), "select 42")
	require.NoError(t, err)
	return conn
}

func TestSessionsWithoutTheHook(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	application(t, db, "shop")
	application(t, db, "shop")
	application(t, db, "psql")
	dump := application(t, db, "pg_dump")
	hooked := application(t, db, "hooked")
	_, err := fence.Join(t.Context(), hooked.PgConn())
	require.NoError(t, err)
	require.NoError(t, fence.Own(t.Context(), application(t, db, "crossfade")))
	conn := db.Conn(t)

	r := rename()
	r.IgnoreApplications = []string{"psql"}
	report := check(t, conn, r)
	found := requireOne(t, report, preflight.Warn, "session-without-hook", `application "shop"`)
	require.Contains(t, found.Message, "select 42")
	requireOne(t, report, preflight.Warn, "pg-dump-running", "pg_dump")

	require.NoError(t, dump.Close(t.Context()))
	pgtest.WaitFor(t, "pg_dump to go", func() bool { return len(find(check(t, conn, r), "pg-dump-running")) == 0 })
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	r := rename()
	r.LongTransaction = time.Millisecond
	conn := db.Conn(t)
	tx, err := application(t, db, "report").Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "update app.users set age = 1 where id = 1")
	require.NoError(t, err)
	var found []preflight.Finding
	pgtest.WaitFor(t, "the transaction to age", func() bool {
		found = find(check(t, conn, r), "long-transaction")
		return len(found) == 1
	})
	require.Contains(t, found[0].Message, `application "report"`)
	require.Empty(t, find(check(t, conn, rename()), "long-transaction"))

	_, err = tx.Exec(t.Context(), "prepare transaction 'half done "+db.Name+"'")
	require.NoError(t, err)
	requireOne(t, check(t, conn, r), preflight.Warn, "prepared-transaction", "half done")
}

func TestVacuum(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup+"update app.users set full_name = repeat('x', 1500); delete from app.users where id % 2 = 0")
	slow := db.Conn(t)
	_, err := slow.Exec(t.Context(), "set vacuum_cost_delay = 100; set vacuum_cost_limit = 1")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := slow.Exec(ctx, "vacuum (index_cleanup off) app.users")
		done <- err
	}()
	conn := db.Conn(t)
	var found []preflight.Finding
	pgtest.WaitFor(t, "the vacuum to begin", func() bool {
		found = find(check(t, conn, rename()), "vacuum-running")
		return len(found) == 1
	})
	require.Equal(t, preflight.Warn, found[0].Severity)
	cancel()
	if err := <-done; err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	<-slow.PgConn().CleanupDone()
}

func TestThingsThatRunBelowTheHook(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup+trigger+`
		create trigger always before update on app.users for each row execute function app.touch();
		create trigger sometimes before update of email on app.users for each row execute function app.touch();
		create trigger never before update on app.users for each row execute function app.touch();
		alter table app.users disable trigger never;
		create function app.f() returns void language plpgsql as 'begin insert into app.users (id) values (0); end';
		create function app.g() returns event_trigger language plpgsql as 'begin end';
		create event trigger watch on ddl_command_end execute function app.g();
		alter table app.users alter full_name set (n_distinct = 100)`)
	report := check(t, db.Conn(t), rename())
	require.False(t, report.Refused())
	requireOne(t, report, preflight.Warn, "trigger-on-update", "trigger always")
	requireOne(t, report, preflight.Warn, "function-names-table", "app.f()")
	requireOne(t, report, preflight.Warn, "event-trigger", "watch")
	requireOne(t, report, preflight.Info, "carried", "settings of column full_name")
}

func TestPublications(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup+"create publication everything for all tables")
	report := check(t, db.Conn(t), rename())
	requireOne(t, report, preflight.Warn, "publication-all-tables", "everything")
	requireOne(t, report, preflight.Warn, "table-published", "everything")
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	// The rows that `create subscription` would write after connecting.
	db.Exec(t, `create subscription s connection 'dbname=nowhere' publication p with (connect = false);
		insert into pg_subscription_rel select oid, 'app.users'::regclass, 'r', null from pg_subscription where subname = 's'
			and subdbid = (select oid from pg_database where datname = current_database())`)
	t.Cleanup(func() { db.Exec(t, "alter subscription s set (slot_name = none)"); db.Exec(t, "drop subscription s") })
	requireOne(t, check(t, db.Conn(t), rename()), preflight.Refuse, "subscription-writes", "subscription s")
}

func TestActiveTransition(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup)
	conn := db.Conn(t)
	initLedger(t, conn)
	require.Empty(t, find(check(t, conn, rename()), "no-ledger"))
	first := ledger.Transition{Name: "another", Schema: "app", Table: "users", Definition: ledger.Definition{Move: moving("email", "address")}}
	require.NoError(t, ledger.Register(t.Context(), conn, &first, ledger.Event{Event: "register"}))
	require.False(t, check(t, conn, rename()).Refused(), "other columns of the table")

	r := rename()
	r.Move = moving("address", "mail")
	found := requireOne(t, check(t, conn, r), preflight.Refuse, "transition-active", `"another"`)
	require.Contains(t, found.Message, "phase off")
	db.Exec(t, "create index users_both on app.users (full_name, email)")
	requireOne(t, check(t, conn, rename()), preflight.Refuse, "index-shared", "users_both")
	db.Exec(t, "drop index app.users_both")

	r = rename()
	r.Name, r.Table = "another", "orders"
	requireOne(t, check(t, conn, r), preflight.Refuse, "transition-active", `"another"`)
	r.Name = "third"
	require.False(t, check(t, conn, r).Refused())

	db.Exec(t, "insert into crossfade.schema_version (version) values (9999)")
	requireOne(t, check(t, conn, r), preflight.Refuse, "newer-ledger", "crossfade")
}

func TestSizeAndBloat(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, setup+"create index users_full_name_idx on app.users (full_name); analyze app.users")
	report := check(t, db.Conn(t), rename())
	require.EqualValues(t, 100, report.Size.Rows)
	require.Positive(t, report.Size.TableBytes)
	require.Positive(t, report.Size.NewIndexBytes)
	require.Greater(t, report.Size.GrowthBytes, report.Size.TableBytes)
	require.Greater(t, report.Size.WALBytes, report.Size.GrowthBytes)
	for _, code := range []string{"size", "forecast", "fillfactor"} {
		requireOne(t, report, preflight.Info, code, "app.users")
	}
	db.Exec(t, "alter table app.users set (fillfactor = 90, autovacuum_enabled = off); update app.users set full_name = 'x'; analyze app.users")
	conn := db.Conn(t)
	pgtest.WaitFor(t, "the statistics to arrive", func() bool { return len(find(check(t, conn, rename()), "bloat")) == 1 })
	require.Empty(t, find(check(t, conn, rename()), "fillfactor"))
}
