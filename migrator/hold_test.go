package migrator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// counters is a table whose column becomes wider and keeps its name.
const counters = `
	create table users (
		id bigint primary key,
		visits int not null default 7,
		email text not null);
	create index users_visits_idx on users (visits);
	create index users_lower_idx on users (lower(email), visits);
	alter table users add constraint users_email_visits_key unique (email, visits);
	insert into users (id, visits, email) select i, i, i || '@example.org' from generate_series(1, 300) i;
	analyze users`

var keeping = migrator.Transition{
	Name: "wide", Table: "users", IgnoreApplications: []string{auditor},
	Change: &migrator.Change{From: "visits", To: "visits_big", Type: "bigint", KeepName: true},
}

// kept is the table counters in the end.
var kept = []string{
	`CREATE INDEX users_lower_idx ON public.users USING btree (lower(email), visits)`,
	`CREATE INDEX users_visits_idx ON public.users USING btree (visits)`,
	`CREATE UNIQUE INDEX users_email_visits_key ON public.users USING btree (email, visits)`,
	`CREATE UNIQUE INDEX users_pkey ON public.users USING btree (id)`,
	`column email text not null`,
	`column id bigint not null`,
	`column visits bigint not null default '7'::bigint`,
	`constraint users_email_visits_key UNIQUE (email, visits)`,
	`constraint users_pkey PRIMARY KEY (id)`,
}

// completed is the table counters in phase complete.
func completed(t *testing.T) *pgtest.DB {
	t.Helper()
	db, m := begun(t, counters)
	_, err := m.Start(ctx, keeping)
	require.NoError(t, err)
	_, err = m.Run(ctx, keeping.Name, migrator.RunOptions{})
	require.NoError(t, err)
	return db
}

// events lists the details of the history's events of one kind.
func events(t *testing.T, m *migrator.Migrator, kind string) (list []migrator.HistoryEvent) {
	t.Helper()
	status, err := m.Status(ctx, migrator.StatusOptions{Name: keeping.Name, Events: 1000})
	require.NoError(t, err)
	for _, e := range status[0].History {
		if e.Event == kind {
			list = append(list, e)
		}
	}
	return list
}

// TestKeepName: the target takes the source's name, and so do its indexes and its
// constraint. Both names work until the transition is removed, also where the
// statement names the constraint.
func TestKeepName(t *testing.T) {
	t.Parallel()
	db := completed(t)
	m := newMigrator(t, db, migrator.Config{})
	_, pool := hooked(t, db, dualwrite.StarsSource)
	for _, kept := range []bool{false, true} {
		if kept {
			p, err := m.Contract(ctx, keeping.Name, withoutSnapshot)
			require.NoError(t, err)
			require.Equal(t, migrator.Named, p.Phase)
			require.Equal(t, "name", p.Step)
		}
		for _, name := range []string{"visits", "visits_big"} {
			for _, constraint := range []string{"users_email_visits_key", "users_email_visits_big_key"} {
				tag, err := pool.Exec(ctx, `insert into users (id, `+name+`, email) values (1000, 1, '1@example.org')
					on conflict on constraint `+constraint+` do update set `+name+` = excluded.`+name+` + 0`)
				require.NoError(t, err, constraint)
				require.EqualValues(t, 1, tag.RowsAffected())
			}
		}
		rows, err := pool.Query(ctx, `select * from users where visits = 5 and visits_big = 5`)
		require.NoError(t, err)
		require.Equal(t, "id visits email", fields(rows), "the column stands where it stood")
		rows.Close()
		_, err = pool.Exec(ctx, `update users set visits = $1 where id = 9`, int64(3_000_000_000))
		require.Equal(t, kept, err == nil, "a parameter is of the target's type now: %v", err)
	}
	conn := audit(t, db)
	require.Equal(t, kept, shape(t, conn))
	require.Len(t, tokens(t, conn), 1)
	require.Len(t, events(t, m, "hold"), 1)

	p, err := m.Contract(ctx, keeping.Name, withoutSnapshot)
	require.NoError(t, err, "what is done can be repeated")
	require.Equal(t, migrator.Named, p.Phase)
	_, err = m.Rollback(ctx, keeping.Name, migrator.RollbackOptions{})
	require.ErrorIs(t, err, migrator.ErrPointOfNoReturn)
	require.NoError(t, m.Remove(ctx, keeping.Name))
	require.Empty(t, tokens(t, conn))
	_, err = pool.Exec(ctx, `select visits_big from users`)
	require.ErrorContains(t, err, "42703")
}

func fields(rows pgx.Rows) string {
	var names []string
	for _, f := range rows.FieldDescriptions() {
		names = append(names, f.Name)
	}
	return strings.Join(names, " ")
}

// when calls fn, once, when a step begins, or a transaction of the ledger.
func when(what string, fn func()) observer {
	called := false
	return func(e migrator.Event) {
		step, _ := e.(migrator.StepEvent)
		statement, _ := e.(migrator.StatementEvent)
		if called || step.Name != what && statement.SQL != "-- "+what || step.Done || statement.Done {
			return
		}
		called = true
		fn()
	}
}

const holding = "hold those who join"

// TestHoldIsGivenUp: a transaction goes on longer than joins may be held. Nothing
// happens to it; others are held no longer than that; later the flip succeeds.
func TestHoldIsGivenUp(t *testing.T) {
	t.Parallel()
	db := completed(t)
	_, pool := hooked(t, db, dualwrite.StarsSource)
	_, other := hooked(t, db, dualwrite.StarsTarget)
	const most = 300 * time.Millisecond
	var long pgx.Tx
	m := newMigrator(t, db, migrator.Config{HoldTimeout: most, Observer: when(holding, func() {
		var err error // young when the hold begins
		long, err = pool.Begin(ctx)
		require.NoError(t, err)
		_, err = long.Exec(ctx, `update users set visits = visits + 1 where id = 1`)
		require.NoError(t, err)
	})})
	done := make(chan error, 1)
	go func() {
		_, err := m.Contract(ctx, keeping.Name, withoutSnapshot)
		done <- err
	}()
	pgtest.WaitFor(t, "a hold", func() bool { return len(events(t, m, "hold")) == 1 })
	other.Reset()
	began := time.Now()
	_, err := other.Exec(ctx, `update users set visits_big = 2 where id = 2`)
	require.NoError(t, err)
	require.Less(t, time.Since(began), most+500*time.Millisecond)
	pgtest.WaitFor(t, "the hold to be given up", func() bool { return len(events(t, m, "hold given up")) == 1 })
	require.Contains(t, fmt.Sprint(events(t, m, "hold given up")[0].Evidence), fmt.Sprint("pid ", long.Conn().PgConn().PID()))

	// It is waited for without a hold from now on: whoever opens a connection joins
	// at once, and in contracted.
	other.Reset()
	_, err = other.Exec(ctx, `update users set visits_big = visits_big + 1 where id = 2`)
	require.NoError(t, err)
	_, err = long.Exec(ctx, `update users set visits = visits + 1 where id = 1`)
	require.NoError(t, err)
	require.Len(t, events(t, m, "hold"), 1)
	require.NoError(t, long.Commit(ctx))
	require.NoError(t, <-done)
	require.Len(t, events(t, m, "hold"), 2)
	conn := audit(t, db)
	require.Equal(t, kept, shape(t, conn))
	require.Equal(t, []int{3, 3}, list[int](t, conn, `select visits::int from users where id <= 2 order by id`))
}

// TestNoHoldInVain: for a transaction that is old already nobody is held. It is
// named in the end, or ended where the policy says so.
func TestNoHoldInVain(t *testing.T) {
	t.Parallel()
	for _, policy := range []migrator.LaggardPolicy{migrator.LaggardsFence, migrator.LaggardsTerminate} {
		for _, hooks := range []bool{true, false} {
			t.Run(fmt.Sprint(policy, ", hooked: ", hooks), func(t *testing.T) {
				t.Parallel()
				db := completed(t)
				_, pool := hooked(t, db, dualwrite.StarsSource)
				ignored := connect(t, db, auditor) // but what it has locked is not
				var tx pgx.Tx
				config := migrator.Config{HoldTimeout: 50 * time.Millisecond, Grace: time.Nanosecond, DrainTimeout: 5 * time.Second}
				config.Observer = when("name", func() {
					var err error
					if hooks {
						tx, err = pool.Begin(ctx)
					} else {
						tx, err = ignored.Begin(ctx)
					}
					require.NoError(t, err)
					_, err = tx.Exec(ctx, `select count(*), pg_sleep(0.1) from users`) // for its age
					require.NoError(t, err)
				})
				m := newMigrator(t, db, with(config, policy))
				p, err := m.Contract(ctx, keeping.Name, withoutSnapshot)
				if hooks && policy == migrator.LaggardsTerminate {
					require.NoError(t, err)
					require.Error(t, tx.Commit(ctx))
				} else {
					drain := hangs(t, err, tx.Conn())
					require.Equal(t, migrator.Named, drain.To)
					require.ErrorContains(t, err, "held flip contracted -> named")
					require.Equal(t, migrator.Contracted, p.Phase)
					require.Empty(t, events(t, m, "hold"))
					require.NoError(t, tx.Commit(ctx))
					_, err = newMigrator(t, db, migrator.Config{}).Contract(ctx, keeping.Name, withoutSnapshot)
					require.NoError(t, err)
				}
				require.Equal(t, kept, shape(t, audit(t, db)))
			})
		}
	}
}

// TestHoldAndReader: a reader without the hook, whom no drain waits for, keeps the
// table from being renamed. The hold ends at once, and is tried again.
func TestHoldAndReader(t *testing.T) {
	t.Parallel()
	db := completed(t)
	reader := connect(t, db, auditor)
	var tx pgx.Tx
	m := newMigrator(t, db, migrator.Config{HoldTimeout: 2 * time.Second, Observer: when(holding, func() {
		var err error
		tx, err = reader.Begin(ctx)
		require.NoError(t, err)
		_, err = tx.Exec(ctx, `select from users`)
		require.NoError(t, err)
	})})
	done := make(chan error, 1)
	go func() {
		_, err := m.Contract(ctx, keeping.Name, withoutSnapshot)
		done <- err
	}()
	pgtest.WaitFor(t, "the hold to be given up", func() bool { return len(events(t, m, "hold given up")) > 0 })
	given := events(t, m, "hold given up")[0]
	require.Contains(t, fmt.Sprint(given.Evidence["waiting"]), "select from users")
	require.Less(t, given.Evidence["ms"], 1500.0, "a lock that is not to be had is not waited for")
	require.NoError(t, tx.Rollback(ctx))
	require.NoError(t, <-done)
	require.Equal(t, kept, shape(t, audit(t, db)))
}

// TestNeverBack: a connection that never comes back is fenced after the grace. When
// it does come, it finds its phase ended.
func TestNeverBack(t *testing.T) {
	t.Parallel()
	db := completed(t)
	var app *pgx.Conn
	var view fence.View
	config := migrator.Config{HoldTimeout: 50 * time.Millisecond, Grace: 200 * time.Millisecond, DrainTimeout: 2 * time.Second}
	config.Observer = when("name", func() { app, view = join(t, db) })
	waiting := newMigrator(t, db, with(config, migrator.LaggardsWait))
	_, err := waiting.Contract(ctx, keeping.Name, withoutSnapshot)
	hangs(t, err, app)
	require.Len(t, events(t, waiting, "hold given up"), 1, "it is held up only once for one laggard")

	old := `with cf as (select from crossfade.` + view.Transitions[0].Token + `) select visits_big from users`
	_, err = app.Exec(ctx, old)
	require.NoError(t, err)
	m := newMigrator(t, db, migrator.Config{HoldTimeout: time.Second, Grace: time.Nanosecond})
	_, err = m.Contract(ctx, keeping.Name, withoutSnapshot)
	require.NoError(t, err)
	_, err = app.Exec(ctx, old)
	require.ErrorContains(t, err, "42P01")
	moves := events(t, m, "move")
	require.Contains(t, moves[len(moves)-1].Evidence, "fenced")
}

// TestSecondConnection: an application that opens a connection inside of a
// transaction waits for itself while it is held, and not for ever.
func TestSecondConnection(t *testing.T) {
	t.Parallel()
	db := completed(t)
	_, pool := hooked(t, db, dualwrite.StarsSource)
	ready := make(chan struct{})
	m := newMigrator(t, db, migrator.Config{HoldTimeout: 200 * time.Millisecond, Observer: when(holding, func() {
		ready <- struct{}{}
		<-ready
	})})
	done := make(chan error, 1)
	go func() {
		_, err := m.Contract(ctx, keeping.Name, withoutSnapshot)
		done <- err
	}()
	<-ready
	require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `update users set visits = 5 where id = 1`); err != nil {
			return err
		}
		close(ready)
		pgtest.WaitFor(t, "a hold", func() bool { return len(events(t, m, "hold")) > 0 })
		_, err := pool.Exec(ctx, `update users set visits = 6 where id = 2`)
		return err
	}))
	require.NoError(t, <-done)
	require.Equal(t, []int{5, 6}, list[int](t, audit(t, db), `select visits::int from users where id <= 2 order by id`))
}
