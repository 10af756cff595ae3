package logical

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.MainWithExamples(m) }

// schema has a table to follow, and one in which apply keeps what it was given.
const schema = `
	create table item (id int primary key, body text, note text);
	create table seen (n bigserial primary key, kind text, name text, key text, old text, commit bigint, xid bigint);`

// testConfig follows the table item of a database with its own slot.
func testConfig(t testing.TB, url, slot string) Config {
	t.Helper()
	conn, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	return Config{
		Conn: conn, Slot: slot, Tables: []Table{{Name: "item"}},
		Apply:          record,
		StatusInterval: 100 * time.Millisecond, StandbyInterval: 20 * time.Millisecond, MaxBackoff: 200 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// newDB makes a database and a configuration for it.
func newDB(t testing.TB, setup string) (*pgtest.DB, Config) {
	t.Helper()
	db := pgtest.NewFrom(t, setup)
	return db, testConfig(t, db.URL, strings.ToLower(db.Name))
}

// record is an Apply that writes what it is given, in the same transaction.
func record(ctx context.Context, tx pgx.Tx, b Batch) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"seen"}, []string{"kind", "name", "key", "old", "commit", "xid"},
		pgx.CopyFromSlice(len(b.Changes), func(i int) ([]any, error) {
			c := b.Changes[i]
			name := c.Prefix
			if c.Relation != nil {
				name = c.Relation.Name
			}
			return []any{string(c.Kind), name, strings.Join(c.Key, ","), strings.Join(c.Old, ","), int64(c.Transaction.Commit), int64(c.Transaction.XID)}, nil
		}))
	return err
}

func newTailer(t testing.TB, config Config) *Tailer {
	t.Helper()
	tailer, err := New(config)
	require.NoError(t, err)
	return tailer
}

func setUp(t testing.TB, config Config) *Tailer {
	t.Helper()
	tailer := newTailer(t, config)
	require.NoError(t, tailer.Setup(t.Context()))
	return tailer
}

// running is a Run in its goroutine.
type running struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // after done
}

// start runs the tailer until the test ends, or stop.
func start(t testing.TB, tailer *Tailer) *running {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = tailer.Run(ctx)
		if ctx.Err() == nil {
			tailer.config.Logger.Error("Run ended", logError, r.err)
		}
	}()
	t.Cleanup(func() { cancel(); <-r.done })
	return r
}

// stop ends Run, which must have gone well until now.
func (r *running) stop(t testing.TB) {
	t.Helper()
	r.cancel()
	<-r.done
	require.ErrorIs(t, r.err, context.Canceled)
}

// wait returns the error with which Run ends by itself.
func (r *running) wait(t testing.TB) error {
	t.Helper()
	select {
	case <-r.done:
		return r.err
	case <-time.After(time.Minute):
		t.Fatal("Run did not end")
		return nil
	}
}

// barrier waits until everything is applied.
func barrier(t testing.TB, tailer *Tailer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := tailer.Barrier(ctx)
	require.NoError(t, err)
}

// seen reads what was recorded, without messages.
func seen(t testing.TB, db *pgtest.DB) []string {
	t.Helper()
	return strs(t, db.Conn(t), `select concat_ws(' ', kind, name, nullif(key, ''), '<' || nullif(old, '')) from seen where kind <> 'message' order by n`)
}

func strs(t testing.TB, conn *pgx.Conn, sql string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	require.NoError(t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return list
}

func one[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) (v T) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), sql, args...).Scan(&v))
	return v
}

// batches collects what Apply is given.
type batches struct {
	mu   sync.Mutex
	list []Batch
}

func (b *batches) apply(_ context.Context, _ pgx.Tx, batch Batch) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, batch)
	return nil
}

func (b *batches) all() []Batch {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Batch(nil), b.list...)
}

func requireLost(t testing.TB, err error, reason Reason) {
	t.Helper()
	lost, ok := AsSlotLost(err)
	require.True(t, ok, "want a SlotLost, got %v", err)
	require.Equal(t, reason, lost.Reason, err)
	require.Contains(t, err.Error(), "verify every row")
}

// requireRefused returns the hint.
func requireRefused(t testing.TB, err error, code Code) string {
	t.Helper()
	r, ok := AsRefusal(err)
	require.True(t, ok, "want a Refusal, got %v", err)
	require.Equal(t, code, r.Code, err)
	require.NotEmpty(t, r.Hint)
	return r.Hint
}

var errTest = errors.New("test")

func major(t testing.TB, conn *pgx.Conn) int {
	return one[int](t, conn, `select current_setting('server_version_num')::int / 10000`)
}

func numbered(kind string, from, to int) (list []string) {
	for i := from; i <= to; i++ {
		list = append(list, fmt.Sprintf("%s item %d", kind, i))
	}
	return list
}
