package ledger_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var ctx = context.Background()

func newLedger(t *testing.T) (*pgtest.DB, *pgx.Conn) {
	db := pgtest.New(t)
	conn := db.Conn(t)
	require.NoError(t, ledger.Migrate(ctx, conn, nil))
	return db, conn
}

func register(t *testing.T, conn *pgx.Conn, name, table string) ledger.Transition {
	tr := ledger.Transition{Name: name, Schema: "public", Table: table,
		Definition: ledger.Definition{Move: transform.Renamed(transform.Column{Name: "full_name", Type: "text", BaseType: "text", Position: 2}, "name")}}
	require.NoError(t, ledger.Register(ctx, conn, &tr, ledger.Event{Actor: "test", Event: "register"}))
	return tr
}

func tokens(t *testing.T, conn *pgx.Conn) []string {
	rows, err := conn.Query(ctx, `select relname::text from pg_class
		where relnamespace = 'crossfade'::regnamespace and relname ~ '^t[0-9]+_' and relkind = 'r' order by oid`)
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return names
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn(t)
	require.ErrorIs(t, ledger.Check(ctx, conn), ledger.ErrNoLedger)
	for range 2 { // it can be repeated
		require.NoError(t, ledger.Migrate(ctx, conn, nil))
	}
	require.NoError(t, ledger.Check(ctx, conn))

	_, err := conn.Exec(ctx, `insert into crossfade.schema_version values ($1)`, ledger.LatestVersion()+1)
	require.NoError(t, err)
	require.ErrorIs(t, ledger.Check(ctx, conn), ledger.ErrNewerLedger)
	require.ErrorIs(t, ledger.Migrate(ctx, conn, nil), ledger.ErrNewerLedger)
}

func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		conn := db.Conn(t)
		all.Go(func() { errs[i] = ledger.Migrate(ctx, conn, nil) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

func TestRegisterRefusesASecondOne(t *testing.T) {
	t.Parallel()
	_, conn := newLedger(t)
	first := ledger.Transition{Name: "one", Schema: "public", Table: "users", Definition: moving([]string{"full_name"}, "name")}
	require.NoError(t, ledger.Register(ctx, conn, &first, ledger.Event{Event: "register"}))
	require.Equal(t, 2, first.Epoch)
	require.Equal(t, []string{first.Token}, tokens(t, conn))

	for _, c := range []struct {
		second ledger.Transition
		why    string
	}{
		{ledger.Transition{Name: "one", Schema: "public", Table: "others"}, "of this name"},
		{ledger.Transition{Name: "two", Definition: moving([]string{"id", "full_name"}, "label")}, "is a source of"},
		{ledger.Transition{Name: "two", Definition: moving([]string{"name"}, "label")}, "is still on its way"},
		{ledger.Transition{Name: "two", Definition: moving([]string{"nick"}, "name")}, "is a target of"},
		{ledger.Transition{Name: "two", Definition: moving([]string{"nick"}, "full_name")}, "bears the name of a source of"},
	} {
		if c.second.Table == "" {
			c.second.Schema, c.second.Table = "public", "users"
		}
		err := ledger.Register(ctx, conn, &c.second, ledger.Event{Event: "register"})
		require.ErrorIs(t, err, ledger.ErrActive)
		require.ErrorContains(t, err, c.why)
	}
	require.Equal(t, []string{first.Token}, tokens(t, conn), "a refused transition leaves nothing behind")
}

// TestSeveralOnOneTable: other columns, and a chain behind what is contracted.
func TestSeveralOnOneTable(t *testing.T) {
	t.Parallel()
	_, conn := newLedger(t)
	event := ledger.Event{Event: "register"}
	one := ledger.Transition{Name: "one", Schema: "public", Table: "users", Definition: moving([]string{"full_name"}, "name")}
	require.NoError(t, ledger.Register(ctx, conn, &one, event))
	two := ledger.Transition{Name: "two", Schema: "public", Table: "users", Definition: moving([]string{"age", "born"}, "years")}
	require.NoError(t, ledger.Register(ctx, conn, &two, event))
	for one.Phase != phase.Contracted {
		require.NoError(t, ledger.Move(ctx, conn, &one, mustNext(one.Phase), event))
		drained(t, conn, &one)
		one.Draining = ""
	}
	back := ledger.Transition{Name: "back", Schema: "public", Table: "users", Definition: moving([]string{"name"}, "full_name")}
	require.ErrorIs(t, ledger.Register(ctx, conn, &back, event), ledger.ErrActive)
	chain := ledger.Transition{Name: "chain", Schema: "public", Table: "users", Definition: moving([]string{"name"}, "label")}
	require.NoError(t, ledger.Register(ctx, conn, &chain, event))
}

// TestChainBehindAKeptName: what is to be called otherwise cannot be moved on
// yet. Then the name that it had is taken, and the one that it has can move on.
func TestChainBehindAKeptName(t *testing.T) {
	t.Parallel()
	one := ledger.Transition{ID: 1, Schema: "public", Table: "users", Definition: moving([]string{"age"}, "age_big")}
	one.Definition.KeepName = true
	chain := func(source, target string) *ledger.OverlapError {
		return ledger.Overlap(ledger.Transition{Schema: "public", Table: "users", Definition: moving([]string{source}, target)}, one)
	}
	one.Phase = phase.Contracted
	require.ErrorContains(t, chain("age_big", "years"), "still on its way")
	one.Phase = phase.Named
	require.ErrorContains(t, chain("age_big", "years"), "is a source of")
	require.ErrorContains(t, chain("years", "age_big"), "bears the name of a source of")
	require.Nil(t, chain("age", "years"))
	one.Definition.KeepName, one.Phase = false, phase.Contracted
	require.Nil(t, chain("age_big", "years"))
	// What the source of the first one reads back would be of the second one's type.
	keeping := ledger.Transition{Schema: "public", Table: "users", Definition: moving([]string{"age_big"}, "years")}
	keeping.Definition.KeepName = true
	require.ErrorContains(t, ledger.Overlap(keeping, one), "can only keep its name")
}

// TestRegisterAtOnce: of two that want the same column one gets it.
func TestRegisterAtOnce(t *testing.T) {
	t.Parallel()
	db, conn := newLedger(t)
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		conn := db.Conn(t)
		tr := ledger.Transition{Name: string(rune('a' + i)), Schema: "public", Table: "users",
			Definition: moving([]string{"full_name"}, "name_"+string(rune('a'+i)))}
		all.Go(func() { errs[i] = ledger.Register(ctx, conn, &tr, ledger.Event{Event: "register"}) })
	}
	all.Wait()
	var registered int
	for _, err := range errs {
		if err == nil {
			registered++
			continue
		}
		require.ErrorIs(t, err, ledger.ErrActive)
	}
	require.Equal(t, 1, registered)
	require.Len(t, tokens(t, conn), 1)
}

func moving(sources []string, targets ...string) ledger.Definition {
	var d ledger.Definition
	for _, name := range sources {
		d.Sources = append(d.Sources, transform.Column{Name: name})
	}
	for _, name := range targets {
		d.Targets = append(d.Targets, transform.Column{Name: name})
	}
	return d
}

// TestMoves walks forward and back and looks at the invariant all along: one
// or two tokens exist, those of the phase in force and of the one being left.
func TestMoves(t *testing.T) {
	t.Parallel()
	_, conn := newLedger(t)
	tr := register(t, conn, "one", "users")
	path := []phase.Phase{phase.DualWrite, phase.Shadow, phase.Live, phase.RampDown, phase.Complete, phase.RampDown,
		phase.Live, phase.Shadow, phase.DualWrite, phase.Off, phase.DualWrite}
	seen := map[string]bool{tr.Token: true}
	for _, to := range path {
		old := tr.Token
		require.NoError(t, ledger.Move(ctx, conn, &tr, to, ledger.Event{Event: "move"}))
		require.False(t, seen[tr.Token], "a token's name is never used twice: %s", tr.Token)
		seen[tr.Token] = true
		require.Equal(t, []string{old, tr.Token}, tokens(t, conn))

		stored, err := ledger.Get(ctx, conn, "one")
		require.NoError(t, err)
		require.Equal(t, tr.Phase, stored.Phase)
		require.Equal(t, old, stored.Draining)

		next := tr
		require.ErrorIs(t, ledger.Move(ctx, conn, &next, mustNext(to), ledger.Event{Event: "move"}), ledger.ErrMoved,
			"no move before the previous one has drained")
		drained(t, conn, &tr)
		require.Equal(t, []string{tr.Token}, tokens(t, conn))
	}
	history, err := ledger.History(ctx, conn, tr.ID)
	require.NoError(t, err)
	require.Len(t, history, 1+2*len(path))
}

func mustNext(p phase.Phase) phase.Phase { q, _ := p.Next(); return q }

func drained(t *testing.T, conn *pgx.Conn, tr *ledger.Transition) {
	require.NoError(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		return ledger.Drained(ctx, tx, tr, ledger.Event{Event: "drained"})
	}))
	tr.Draining = ""
}

func TestMoveRefusesWhatIsNotNext(t *testing.T) {
	t.Parallel()
	_, conn := newLedger(t)
	tr := register(t, conn, "one", "users")
	jump := tr
	require.ErrorContains(t, ledger.Move(ctx, conn, &jump, phase.Live, ledger.Event{}), "cannot follow")

	stale := tr
	require.NoError(t, ledger.Move(ctx, conn, &tr, phase.DualWrite, ledger.Event{Event: "move"}))
	drained(t, conn, &tr)
	require.ErrorIs(t, ledger.Move(ctx, conn, &stale, phase.DualWrite, ledger.Event{Event: "move"}), ledger.ErrMoved)
}

// TestTokenIsTheBarrier: a transaction that named the token holds the drop up;
// afterwards a statement of that phase fails before it does anything. That
// holds for cached plans, custom and generic, and for prepared transactions.
func TestTokenIsTheBarrier(t *testing.T) {
	t.Parallel()
	db, conn := newLedger(t)
	db.Exec(t, `create table users (id int primary key, full_name text)`)
	tr := register(t, conn, "one", "users")
	app := db.Conn(t)
	write := `with _crossfade as (select from crossfade.` + tr.Token + `) insert into users values ($1, 'x')`
	for i := range 10 { // past the five executions after which a plan may become generic
		_, err := app.Exec(ctx, write, i)
		require.NoError(t, err)
	}
	tx, err := app.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, write, 100)
	require.NoError(t, err)

	require.NoError(t, ledger.Move(ctx, conn, &tr, phase.DualWrite, ledger.Event{Event: "move"}))
	require.Equal(t, "55P03", sqlState(tryDrain(conn, &tr)), "held by an open transaction")
	_, err = tx.Exec(ctx, `prepare transaction 'held'`)
	require.NoError(t, err)
	_ = tx.Rollback(ctx)
	require.Equal(t, "55P03", sqlState(tryDrain(conn, &tr)), "held by a prepared transaction")
	db.Exec(t, `commit prepared 'held'`)
	require.NoError(t, tryDrain(conn, &tr))

	_, err = app.Exec(ctx, write, 101)
	require.Equal(t, "42P01", sqlState(err), "a cached plan of the phase that has ended")
	var count int
	require.NoError(t, conn.QueryRow(ctx, `select count(*) from users where id >= 100`).Scan(&count))
	require.Equal(t, 1, count)
}

func tryDrain(conn *pgx.Conn, tr *ledger.Transition) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local lock_timeout = '50ms'`); err != nil {
			return err
		}
		return ledger.Drained(ctx, tx, tr, ledger.Event{Event: "drained"})
	})
}

func sqlState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

func TestProgress(t *testing.T) {
	t.Parallel()
	_, conn := newLedger(t)
	tr := register(t, conn, "one", "users")
	in := func(fn func(pgx.Tx) error) {
		t.Helper()
		require.NoError(t, pgx.BeginFunc(ctx, conn, fn))
	}
	get := func() (ledger.Progress, bool) {
		t.Helper()
		p, found, err := ledger.GetProgress(ctx, conn, tr.ID, ledger.Backfill)
		require.NoError(t, err)
		return p, found
	}
	_, found := get()
	require.False(t, found)
	require.ErrorIs(t, (&ledger.Worker{Name: "early"}).Join(ctx, conn, tr.ID, ledger.Backfill), ledger.ErrNoJob)

	p := ledger.Progress{Job: ledger.Backfill, Upper: []string{"9", "z"}, Estimate: 9, Epoch: 3,
		Forecast: ledger.Forecast{WALBytes: 70}}
	start := func(tx pgx.Tx) error { return ledger.StartProgress(ctx, tx, tr.ID, p, 100) }
	in(start)
	one, two := ledger.Worker{Name: "one"}, ledger.Worker{Name: "two"}
	require.NoError(t, one.Join(ctx, conn, tr.ID, ledger.Backfill))
	require.NoError(t, two.Join(ctx, conn, tr.ID, ledger.Backfill))
	aside := ledger.Span{Lower: []string{"2", "x"}, Upper: []string{"3", "x"}}
	one = one.After(ledger.Progress{RowsScanned: 4, RowsChanged: 3, Mismatches: 1, Samples: [][]string{{"2", "x"}}}, "", []string{"4", "y"})
	two = two.After(ledger.Progress{RowsScanned: 1, Mismatches: 2, Samples: [][]string{{"5", "x"}, {"6", "x"}}}, "", []string{"6", "y"})
	in(func(tx pgx.Tx) error {
		c, found, err := ledger.FreeChunk(ctx, tx, tr.ID, ledger.Backfill, one.ID)
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, ledger.Span{Upper: p.Upper}, c.Span)
		c.Lower, c.Estimate = []string{"6", "y"}, 4
		require.NoError(t, ledger.SaveChunk(ctx, tx, c))
		require.NoError(t, ledger.AddChunk(ctx, tx, tr.ID, ledger.Backfill, ledger.Chunk{Span: aside, Aside: true}))
		return errors.Join(one.Save(ctx, tx), two.Save(ctx, tx))
	})
	got, _ := get()
	require.False(t, got.Finished())
	require.Nil(t, got.Position)
	require.EqualValues(t, 5, got.RowsScanned)
	require.EqualValues(t, 3, got.RowsChanged)
	require.EqualValues(t, 3, got.Mismatches)
	require.Equal(t, [][]string{{"2", "x"}, {"5", "x"}, {"6", "x"}}, got.Samples)
	require.Equal(t, []ledger.Span{aside}, got.Aside)
	require.False(t, got.FailedOver)

	require.NoError(t, ledger.ForeseeProgress(ctx, conn, tr.ID, ledger.Backfill, 2.5))
	in(func(tx pgx.Tx) error {
		lot, _, err := ledger.LockProgress(ctx, tx, tr.ID, ledger.Backfill)
		require.NoError(t, err)
		require.Equal(t, ledger.Lot{Epoch: 3, Chunks: 2}, lot)
		return errors.Join(ledger.FinishProgress(ctx, tx, tr.ID, ledger.Backfill),
			ledger.MeasureProgress(ctx, tx, tr.ID, ledger.Backfill, 150))
	})
	got, _ = get()
	require.True(t, got.Finished())
	require.Equal(t, p.Upper, got.Position)
	require.Equal(t, ledger.Forecast{Seconds: 2.5, WALBytes: 70}, got.Forecast)
	require.EqualValues(t, 50, got.GrowthBytes)
	require.Positive(t, got.WALBytes)
	_, err := conn.Exec(ctx, `update crossfade.progress set server = '1/00000001'`)
	require.NoError(t, err)
	got, _ = get()
	require.True(t, got.FailedOver)

	in(start)
	got, _ = get()
	require.False(t, got.Finished(), "a job that starts anew starts at the beginning")
	require.Empty(t, got.Aside)
	require.Zero(t, got.RowsScanned)
	require.ErrorIs(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return one.Save(ctx, tx) }), ledger.ErrNoJob)
	require.NoError(t, ledger.ForgetProgress(ctx, conn, tr.ID, ledger.Backfill))
	_, found = get()
	require.False(t, found)
}

// TestFreeChunk: whose turn it is.
func TestFreeChunk(t *testing.T) {
	t.Parallel()
	db, conn := newLedger(t)
	tr := register(t, conn, "one", "users")
	p := ledger.Progress{Job: ledger.Verify, Upper: []string{"9"}, Epoch: 3}
	require.NoError(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return ledger.StartProgress(ctx, tx, tr.ID, p, 100) }))
	other := db.Conn(t)
	mine, theirs := ledger.Worker{Name: "mine"}, ledger.Worker{Name: "theirs"}
	require.NoError(t, mine.Join(ctx, conn, tr.ID, ledger.Verify))
	require.NoError(t, theirs.Join(ctx, other, tr.ID, ledger.Verify))
	free := func(w ledger.Worker) (found bool) {
		t.Helper()
		require.NoError(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
			_, found, err = ledger.FreeChunk(ctx, tx, tr.ID, ledger.Verify, w.ID)
			return err
		}))
		return found
	}
	require.True(t, free(theirs), "nobody has begun it")
	require.True(t, free(theirs), "it is theirs")
	require.False(t, free(mine))
	_, err := conn.Exec(ctx, `update crossfade.chunk set touched_at = touched_at - interval '31 seconds'`)
	require.NoError(t, err)
	require.True(t, free(mine), "they do nothing")
	_, err = conn.Exec(ctx, `update crossfade.chunk set worker = $1`, theirs.ID)
	require.NoError(t, err)
	require.False(t, free(mine))
	require.NoError(t, other.Close(ctx))
	pgtest.WaitFor(t, "the end of their session", func() bool { return free(mine) })
}
