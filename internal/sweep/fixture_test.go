package sweep_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/sweep"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var ctx = context.Background()

// fixture is a database with the table item (key ..., src, dst) and a
// transition of it in phase dualwrite.
type fixture struct {
	testing.TB
	db         *pgtest.DB
	conn       *pgx.Conn
	transition ledger.Transition
	token      string
}

// intTable has the rows 1 to 200, to copy from src.
const intTable = `create table item (id int primary key, src text, dst text);
	insert into item select i, 'value ' || i from generate_series(1, 200) i`

func newFixture(t testing.TB, ddl string, key ...string) *fixture {
	t.Helper()
	if key == nil {
		key = []string{"id"}
	}
	f := &fixture{TB: t, db: pgtest.NewFrom(t, ddl)}
	f.conn = f.db.Conn(t)
	require.NoError(t, ledger.Migrate(ctx, f.conn, nil))
	f.transition = ledger.Transition{
		Name: "move", Schema: "public", Table: "item",
		Definition: ledger.Definition{Move: transform.Renamed(transform.Column{Name: "src"}, "dst"), Key: key},
	}
	require.NoError(t, ledger.Register(ctx, f.conn, &f.transition, ledger.Event{Actor: "test", Event: "register"}))
	f.move(phase.DualWrite)
	var err error
	f.token, err = ledger.Allow(ctx, f.conn, f.transition, ledger.Backfill)
	require.NoError(t, err)
	return f
}

// rebuild replaces the table, for a case that needs no database of its own.
func (f *fixture) rebuild(ddl string, key ...string) {
	f.Helper()
	f.exec(`drop table if exists item; delete from crossfade.progress; ` + ddl)
	f.transition.Definition.Key = key
}

// move takes the transition to a neighbour, and drains.
func (f *fixture) move(to phase.Phase) {
	f.Helper()
	event := ledger.Event{Actor: "test", Event: "move"}
	require.NoError(f, ledger.Move(ctx, f.conn, &f.transition, to, event))
	require.NoError(f, pgx.BeginFunc(ctx, f.conn, func(tx pgx.Tx) error {
		return ledger.Drained(ctx, tx, &f.transition, event)
	}))
	f.transition.Draining = ""
}

// options are those of a job in batches of 20 rows, however long those take and
// whatever else the machine does.
func (f *fixture) options(job ledger.Job) sweep.Options {
	return sweep.Options{Transition: f.transition, Job: job, Token: f.token, MaxBatch: 20,
		BatchTarget: time.Minute, Signals: []sweep.Signal{}}
}

// query returns the only value that a query returns.
func query[T any](f *fixture, sql string, args ...any) T {
	f.Helper()
	conn := f.db.Conn(f.TB)
	rows, err := conn.Query(ctx, sql, args...)
	require.NoError(f, err)
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	require.NoError(f, err)
	require.NoError(f, conn.Close(ctx))
	return value
}

func (f *fixture) exec(sql string, args ...any) pgconn.CommandTag {
	f.Helper()
	return f.db.Exec(f.TB, sql, args...)
}

// different counts the rows in which the columns are not the same text.
func (f *fixture) different() int64 {
	f.Helper()
	return query[int64](f, `select count(*) from item where src::text is distinct from dst::text`)
}

// forget starts all over: nothing copied, no progress.
func (f *fixture) forget() {
	f.Helper()
	f.exec(`update item set dst = null`)
	require.NoError(f, ledger.ForgetProgress(ctx, f.db.Conn(f.TB), f.transition.ID, ledger.Backfill))
}

// waitBlocked waits until the session of conn waits for a lock.
func (f *fixture) waitBlocked(pid uint32) {
	f.Helper()
	conn := f.db.Conn(f.TB)
	pgtest.WaitFor(f, "a session to be blocked", func() bool {
		var blocked bool
		err := conn.QueryRow(ctx, `select cardinality(pg_blocking_pids($1)) > 0`, pid).Scan(&blocked)
		require.NoError(f, err)
		return blocked
	})
}
