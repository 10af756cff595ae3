package fence_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var ctx = context.Background()

// observer is a connection of Crossfade's own to a new database with a ledger.
func observer(t *testing.T) (*pgtest.DB, *pgx.Conn) {
	db := pgtest.New(t)
	conn := db.Conn(t)
	require.NoError(t, ledger.Migrate(ctx, conn, nil))
	require.NoError(t, fence.Own(ctx, conn))
	return db, conn
}

func connect(t *testing.T, url string) *pgconn.PgConn {
	conn, err := pgconn.Connect(ctx, url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(ctx) })
	return conn
}

func register(t *testing.T, conn *pgx.Conn) ledger.Transition {
	tr := ledger.Transition{Name: "users", Schema: "public", Table: "users",
		Definition: ledger.Definition{Move: transform.Renamed(transform.Column{Name: "full_name", Type: "text", BaseType: "text", Position: 2}, "name")}}
	tr.Definition.KeepName = true
	require.NoError(t, ledger.Register(ctx, conn, &tr, ledger.Event{Event: "register"}))
	return tr
}

func TestJoin(t *testing.T) {
	t.Parallel()
	db, conn := observer(t)
	tr := register(t, conn)

	app := connect(t, db.URL)
	view, err := fence.Join(ctx, app)
	require.NoError(t, err)
	require.Equal(t, tr.Epoch, view.Epoch)
	require.Equal(t, []string{"pg_catalog", "public"}, view.SearchPath)
	require.Len(t, view.Transitions, 1)
	require.Equal(t, phase.Off, view.Transitions[0].Phase)
	require.Equal(t, tr.Token, view.Transitions[0].Token)
	require.Equal(t, tr.Definition, view.Transitions[0].Definition)
	require.EqualValues(t, 'I', app.TxStatus(), "a join leaves no transaction open")

	older, err := fence.Older(ctx, conn, tr.Epoch)
	require.NoError(t, err)
	require.Empty(t, older)
	older, err = fence.Older(ctx, conn, tr.Epoch+1)
	require.NoError(t, err)
	require.Len(t, older, 1)
	require.EqualValues(t, app.PID(), older[0].PID)
	require.Equal(t, tr.Epoch, older[0].Epoch)
	require.False(t, older[0].InTx)
}

// TestJoinUnderOddDefaults: under a serializable default, or in a read-only
// session, the join still reads what is committed.
func TestJoinUnderOddDefaults(t *testing.T) {
	t.Parallel()
	db, conn := observer(t)
	tr := register(t, conn)
	for _, options := range []string{"-c default_transaction_isolation=serializable", "-c default_transaction_read_only=on",
		"-c statement_timeout=1", "-c search_path=nowhere"} {
		config, err := pgconn.ParseConfig(db.URL)
		require.NoError(t, err)
		config.RuntimeParams["options"] = options
		var app *pgconn.PgConn
		var view fence.View
		// The BEGIN and the SET before the reads are under the session's own timeout.
		for range 20 {
			app, err = pgconn.ConnectConfig(ctx, config)
			require.NoError(t, err)
			if view, err = fence.Join(ctx, app); !isCancelled(err) {
				break
			}
			require.NoError(t, app.Close(ctx))
		}
		require.NoError(t, err, options)
		require.Equal(t, tr.Epoch, view.Epoch, options)
		require.NoError(t, app.Close(ctx))
	}
}

func isCancelled(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == "57014"
}

func TestJoinWithoutLedger(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	app := connect(t, db.URL)
	view, err := fence.Join(ctx, app)
	require.NoError(t, err)
	require.Zero(t, view.Epoch)
	require.Empty(t, view.Transitions)
	require.EqualValues(t, 'I', app.TxStatus())

	conn := db.Conn(t)
	require.NoError(t, ledger.Migrate(ctx, conn, nil))
	older, err := fence.Older(ctx, conn, 1)
	require.NoError(t, err)
	require.Len(t, older, 1, "it must leave before the first transition begins")
	require.Zero(t, older[0].Epoch)
}

func TestJoinWithoutPrivilege(t *testing.T) {
	t.Parallel()
	db, conn := observer(t)
	for _, sql := range []string{`revoke usage on schema crossfade from public`} {
		_, err := conn.Exec(ctx, sql)
		require.NoError(t, err)
	}
	role := "joiner_" + db.Name
	db.Exec(t, `create role `+role+` login`)
	t.Cleanup(func() { db.Exec(t, `drop role `+role) })
	config, err := pgconn.ParseConfig(db.URL)
	require.NoError(t, err)
	config.User = role
	app, err := pgconn.ConnectConfig(ctx, config)
	require.NoError(t, err)
	defer func() { _ = app.Close(ctx) }()
	_, err = fence.Join(ctx, app)
	require.ErrorIs(t, err, fence.ErrPrivilege)
	var pgErr *pgconn.PgError
	require.ErrorAs(t, err, &pgErr)
}

func TestOlderSeesWhoHasNoHook(t *testing.T) {
	t.Parallel()
	db, conn := observer(t)
	tr := register(t, conn)
	config := db.Config(t)
	config.RuntimeParams["application_name"] = "cron"
	bare, err := pgx.ConnectConfig(ctx, config)
	require.NoError(t, err)
	defer func() { _ = bare.Close(ctx) }()
	tx, err := bare.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `select 42`)
	require.NoError(t, err)

	older, err := fence.Older(ctx, conn, tr.Epoch)
	require.NoError(t, err)
	require.Len(t, older, 1)
	require.False(t, older[0].Hooked())
	require.True(t, older[0].InTx)
	require.Equal(t, "cron", older[0].Application)
	line := older[0].String()
	require.Contains(t, line, "no hook")
	require.Contains(t, line, "idle in transaction")
	require.Contains(t, line, "select 42")
}

func TestHolders(t *testing.T) {
	t.Parallel()
	db, conn := observer(t)
	tr := register(t, conn)
	holds := func(pid int) bool {
		holders, err := fence.Holders(ctx, conn, tr.Token)
		require.NoError(t, err)
		for _, h := range holders {
			if h.PID == pid {
				return true
			}
		}
		return false
	}
	app := db.Conn(t)
	tx, err := app.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `with _crossfade as (select from crossfade.`+tr.Token+`) select 1`)
	require.NoError(t, err)
	require.True(t, holds(int(app.PgConn().PID())))

	_, err = tx.Exec(ctx, `prepare transaction 'p1'`)
	require.NoError(t, err)
	_ = tx.Rollback(ctx)
	require.False(t, holds(int(app.PgConn().PID())))
	require.True(t, holds(0), "a prepared transaction holds it without a session")
	holders, err := fence.Holders(ctx, conn, tr.Token)
	require.NoError(t, err)
	require.Equal(t, "p1", holders[0].Prepared)
	require.Contains(t, holders[0].String(), `prepared transaction "p1"`)
	db.Exec(t, `rollback prepared 'p1'`)
	require.False(t, holds(0))
}

// TestOlderWithoutPrivilege: PostgreSQL hides what other roles' sessions are,
// so they count as clients.
func TestOlderWithoutPrivilege(t *testing.T) {
	t.Parallel()
	db, conn := observer(t)
	tr := register(t, conn)
	role := "watcher_" + db.Name
	db.Exec(t, `create role `+role+` login`)
	t.Cleanup(func() { db.Exec(t, `drop role `+role) })
	config := db.Config(t)
	config.User = role
	watcher, err := pgx.ConnectConfig(ctx, config)
	require.NoError(t, err)
	defer func() { _ = watcher.Close(ctx) }()
	bare := db.Conn(t)
	sees := func() bool {
		older, err := fence.Older(ctx, watcher, tr.Epoch)
		require.NoError(t, err)
		return slices.ContainsFunc(older, func(s fence.Session) bool {
			return s.PID == int(bare.PgConn().PID()) && s.InTx && !s.Hooked()
		})
	}
	require.True(t, sees())
	_, err = fence.Join(ctx, bare.PgConn())
	require.NoError(t, err)
	require.False(t, sees(), "locks are not hidden")
}

func TestPreparedOn(t *testing.T) {
	t.Parallel()
	db, conn := observer(t)
	db.Exec(t, `create table crossfade.t1_off_2 (); create table users (id int)`)
	prepare := func(name, sql string) {
		app := db.Conn(t)
		tx, err := app.Begin(ctx)
		require.NoError(t, err)
		_, err = tx.Exec(ctx, sql)
		require.NoError(t, err)
		prepared, err := fence.PreparedOn(ctx, conn, "public", "users", "t1_off_2")
		require.NoError(t, err)
		require.Empty(t, prepared, "a session is not a prepared transaction")
		_, err = tx.Exec(ctx, `prepare transaction '`+name+`'`)
		require.NoError(t, err)
		_ = tx.Rollback(ctx)
	}
	prepare("permitted", `with t as (select from crossfade.t1_off_2) insert into users values (1)`)
	prepare("bare", `insert into users values (1)`)
	prepared, err := fence.PreparedOn(ctx, conn, "public", "users", "t1_off_2")
	require.NoError(t, err)
	require.Len(t, prepared, 1)
	require.Equal(t, "bare", prepared[0].Prepared)
	db.Exec(t, `rollback prepared 'permitted'`)
	db.Exec(t, `rollback prepared 'bare'`)
}

func TestTerminate(t *testing.T) {
	t.Parallel()
	db, conn := observer(t)
	app := db.Conn(t)
	session := fence.Session{PID: int(app.PgConn().PID()), Epoch: 0}
	ended, err := fence.Terminate(ctx, conn, session)
	require.NoError(t, err)
	require.False(t, ended, "it has no epoch lock, so it is not the session that was seen")
	view, err := fence.Join(ctx, app.PgConn())
	require.NoError(t, err)
	session.Epoch = view.Epoch
	ended, err = fence.Terminate(ctx, conn, session)
	require.NoError(t, err)
	require.True(t, ended)
	require.Error(t, app.Ping(ctx))
}

func TestLead(t *testing.T) {
	t.Parallel()
	db, conn := observer(t)
	require.NoError(t, fence.Lead(ctx, conn))
	other := db.Conn(t)
	err := fence.Lead(ctx, other)
	require.ErrorIs(t, err, fence.ErrAnotherMigrator)
	require.ErrorContains(t, err, "pid ")
	require.NoError(t, conn.Close(ctx))
	pgtest.WaitFor(t, "the leader's session to end", func() bool { return fence.Lead(ctx, other) == nil })
}

// TestNewSessionsCannotHide: whoever connects while a flip is under way either
// joined the new epoch, or is listed.
func TestNewSessionsCannotHide(t *testing.T) {
	t.Parallel()
	db, conn := observer(t)
	tr := register(t, conn)
	app := connect(t, db.URL)
	older, err := fence.Older(ctx, conn, tr.Epoch)
	require.NoError(t, err)
	require.Len(t, older, 1, "connected, not joined yet")
	require.NoError(t, ledger.Move(ctx, conn, &tr, phase.DualWrite, ledger.Event{Event: "move"}))
	view, err := fence.Join(ctx, app)
	require.NoError(t, err)
	require.Equal(t, tr.Epoch, view.Epoch)
	older, err = fence.Older(ctx, conn, tr.Epoch)
	require.NoError(t, err)
	require.Empty(t, older)
}

// TestOlderWithoutStatistics: a role that may not see what others do still
// sees that they are there.
func TestOlderWithoutStatistics(t *testing.T) {
	t.Parallel()
	db, conn := observer(t)
	role := "blind_" + db.Name
	db.Exec(t, `create role `+role+` login`)
	t.Cleanup(func() { db.Exec(t, `drop role `+role) })
	config := db.Config(t)
	config.User = role
	blind, err := pgx.ConnectConfig(ctx, config)
	require.NoError(t, err)
	defer func() { _ = blind.Close(ctx) }()
	bare := db.Conn(t)
	older, err := fence.Older(ctx, blind, 1)
	require.NoError(t, err)
	pids := map[int]bool{}
	for _, s := range older {
		pids[s.PID] = true
	}
	require.True(t, pids[int(bare.PgConn().PID())])
	require.False(t, pids[int(conn.PgConn().PID())], "crossfade's own")
}
