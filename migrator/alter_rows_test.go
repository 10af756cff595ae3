package migrator_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/migrator"
)

// begin starts an alteration and does its steps up to one.
func begin(t *testing.T, m *migrator.Migrator, operation, step string) {
	t.Helper()
	p, err := m.Start(ctx, altering(t, operation))
	for err == nil && p.Step != step {
		p, err = m.Advance(ctx, "alter", migrator.AdvanceOptions{})
	}
	require.NoError(t, err)
}

// finish runs an alteration to its end.
func finish(t *testing.T, m *migrator.Migrator) {
	t.Helper()
	p, err := m.Run(ctx, "alter", migrator.RunOptions{})
	require.NoError(t, err)
	require.True(t, p.Ended)
	require.NoError(t, m.Remove(ctx, "alter"))
}

// What an application writes while rows are filled stays, and what it inserts has
// its value.
func TestFillUnderTraffic(t *testing.T) {
	t.Parallel()
	db, m := prepared(t, accounts)
	begin(t, m, "add_column: {name: domain, type: text, value: \"split_part(email, '@', 2)\", default: \"'new'\", not_null: true}", "add")
	db.Exec(t, `insert into users (full_name, email) select 'more', i || '@example.org' from generate_series(1, 20000) i`)
	db.Exec(t, `alter table users alter column domain drop default; update users set domain = null where id > 300;
		alter table users alter column domain set default 'new'`)

	writer := audit(t, db)
	running, cancel := context.WithCancel(ctx)
	written := make(chan int, 1)
	go func() {
		n := 0
		for running.Err() == nil {
			n++
			_, err := writer.Exec(ctx, `with added as (insert into users (full_name, email) values ('late', 'x@late') returning id)
				update users set domain = 'mine' where id = $1`, 20*n%20000+1)
			if err != nil {
				written <- -1
				return
			}
		}
		written <- n
	}()
	p, err := m.Run(ctx, "alter", migrator.RunOptions{})
	cancel()
	n := <-written
	require.NoError(t, err)
	require.True(t, p.Ended)
	require.Positive(t, n)
	conn := audit(t, db)
	require.Zero(t, scan[int](t, conn, `select count(*) from users where domain is null
		or full_name = 'late' and domain <> 'new' or full_name = 'more' and domain not in ('example.org', 'mine')`))
	require.Equal(t, min(n, 1000), scan[int](t, conn, `select count(*) from users where domain = 'mine'`))
}

// A row without a value keeps the column from being NOT NULL, and no write from
// being made, at whatever moment it comes.
func TestRowsWithoutValue(t *testing.T) {
	t.Parallel()
	const operation = "accept: [new-rows-unfilled]\nadd_column: {name: domain, type: text, value: \"split_part(email, '@', 2)\", not_null: true}"
	const late = `insert into users (full_name, email) values ('late', 'x@late')`
	for step, want := range map[string]string{"fill": "1 of 301 rows stand in the way, with the keys (id) (301)", "count": "none does any more"} {
		t.Run("after "+step, func(t *testing.T) {
			t.Parallel()
			db, m := prepared(t, accounts)
			begin(t, m, operation, step)
			db.Exec(t, late)
			_, err := m.Run(ctx, "alter", migrator.RunOptions{})
			require.ErrorContains(t, err, want)
			db.Exec(t, `update users set visits = 1 where id = 301`) // no CHECK is in the way
			finish(t, m)
			require.Equal(t, "late", scan[string](t, audit(t, db), `select domain from users where id = 301`))
		})
	}
}

func TestRowsThatBreakAConstraint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation, breaks, fixes string
		kept                     bool // the constraint, not valid
	}{
		"check": {"add_check: {name: rule, check: visits >= 0}", `update users set visits = -1 where id = 5`, `update users set visits = 1 where id = 5`, false},
		"foreign key": {"add_foreign_key: {name: rule, columns: [team], references: {table: teams, columns: [id]}}",
			`update users set team = 99 where id = 5`, `update users set team = null where id = 5`, true},
		"not null": {"set_not_null: {column: team}", `update users set team = null where id = 5`, `update users set team = 1 where id = 5`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, m := prepared(t, accounts)
			conn := audit(t, db)
			begin(t, m, c.operation, "count")
			db.Exec(t, c.breaks)
			_, err := m.Run(ctx, "alter", migrator.RunOptions{})
			var violation *migrator.ViolationError
			require.ErrorAs(t, err, &violation)
			require.Equal(t, [][]string{{"5"}}, violation.Samples)
			require.EqualValues(t, 1, violation.Violations)
			require.EqualValues(t, 300, violation.Rows)
			kept := scan[int](t, conn, `select count(*) from pg_constraint where conrelid = 'users'::regclass and not convalidated`)
			require.Equal(t, map[bool]int{true: 1}[c.kept], kept)
			db.Exec(t, `update users set nick = 'x' where id = 5`) // what is not about the rule is let through

			// A plan and a start look at some rows too.
			_, err = m.Rollback(ctx, "alter", migrator.RollbackOptions{})
			require.NoError(t, err)
			require.NoError(t, m.Remove(ctx, "alter"))
			_, err = m.Start(ctx, altering(t, c.operation))
			require.ErrorContains(t, err, "1 of 300 rows stand in the way, with the keys (id) (5)")

			db.Exec(t, c.fixes)
			_, err = m.Start(ctx, altering(t, c.operation))
			require.NoError(t, err)
			finish(t, m)
			require.Zero(t, scan[int](t, conn, `select count(*) from pg_constraint where conrelid = 'users'::regclass and not convalidated`))
		})
	}
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	const operation = "add_unique: {name: users_email_key, columns: [email]}"
	const indexes = `select count(*) from pg_class where relname = 'users_email_key'`
	db, m := prepared(t, accounts)
	conn := audit(t, db)
	begin(t, m, operation, "register")
	db.Exec(t, `update users set email = 'same' where id in (3, 4)`)
	_, err := m.Run(ctx, "alter", migrator.RunOptions{})
	var gate *migrator.GateError
	require.ErrorAs(t, err, &gate)
	require.Contains(t, gate.Why, "duplicates of (email) (2 rows share 1 values)")
	require.NotContains(t, err.Error(), "same", "no values of rows")
	require.Contains(t, gate.Hint, `group by email having count(*) > 1`)
	require.Zero(t, scan[int](t, conn, indexes), "no INVALID index is left")
	_, err = m.Rollback(ctx, "alter", migrator.RollbackOptions{})
	require.NoError(t, err)
	require.NoError(t, m.Remove(ctx, "alter"))
	_, err = m.Start(ctx, altering(t, operation))
	require.ErrorContains(t, err, "2 rows share 1 values of (email)")

	// An INVALID leftover of somebody makes way.
	_, err = conn.Exec(ctx, `create unique index concurrently users_email_key on users (email)`)
	require.Error(t, err)
	require.Equal(t, 1, scan[int](t, conn, indexes))
	db.Exec(t, `update users set email = id::text where email = 'same'`)
	_, err = m.Start(ctx, altering(t, operation))
	require.NoError(t, err)
	finish(t, m)
	require.True(t, scan[bool](t, conn, `select indisvalid from pg_index where indexrelid = 'users_email_key'::regclass`))
}

// A dropped column comes back with all that it had; rows inserted meanwhile are
// for somebody to fill.
func TestDroppedColumnComesBack(t *testing.T) {
	t.Parallel()
	db, m := prepared(t, accounts)
	conn := audit(t, db)
	original := shape(t, conn)
	begin(t, m, "drop_column: {name: full_name}", "hide")
	db.Exec(t, `insert into users (email) values ('new')`)
	p, err := m.Rollback(ctx, "alter", migrator.RollbackOptions{})
	require.ErrorContains(t, err, "the column has its name back, but rows that were inserted without it")
	require.ErrorContains(t, err, "(301)")
	require.Equal(t, "relax", p.Underway)
	db.Exec(t, `update users set full_name = 'now' where full_name is null`)
	_, err = m.Rollback(ctx, "alter", migrator.RollbackOptions{})
	require.NoError(t, err)
	require.Equal(t, original, shape(t, conn))
}

// Nobody waits longer behind a statement of ours than lock_timeout, however long
// somebody keeps it from its lock.
func TestBlockedAlteration(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ operation, step, blocker, probe string }{
		"column":      {"add_column: {name: plan, type: text}", "register", `select from users`, `select count(*) from users where id = 1`},
		"check":       {"add_check: {name: rule, check: visits >= 0}", "count", `select from users`, `select count(*) from users where id = 1`},
		"foreign key": {"add_foreign_key: {name: rule, columns: [team], references: {table: teams}}", "count", `update teams set code = 'x' where id = 1`, `update users set visits = visits where id = 1`},
		"drop":        {"drop_column: {name: nick}", "register", `select from users`, `select count(*) from users where id = 1`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, m := prepared(t, accounts)
			begin(t, m, c.operation, c.step)
			blocker := audit(t, db)
			_, err := blocker.Exec(ctx, `begin; `+c.blocker)
			require.NoError(t, err)

			const patience = 4 * time.Second
			hasty := newMigrator(t, db, migrator.Config{LockTimeout: 50 * time.Millisecond, DDLMaxWait: patience})
			probe := audit(t, db)
			running, cancel := context.WithCancel(ctx)
			var longest atomic.Int64
			done := make(chan error, 1)
			go func() {
				for running.Err() == nil {
					began := time.Now()
					if _, err := probe.Exec(ctx, c.probe); err != nil {
						done <- err
						return
					}
					longest.Store(max(longest.Load(), int64(time.Since(began))))
				}
				done <- nil
			}()
			_, err = hasty.Run(ctx, "alter", migrator.RunOptions{})
			cancel()
			require.NoError(t, <-done)
			var blocked *migrator.BlockedError
			require.ErrorAs(t, err, &blocked)
			require.NotEmpty(t, blocked.Blockers)
			require.Equal(t, auditor, blocked.Blockers[0].Application)
			require.Greater(t, blocked.Attempts, 1)
			require.Less(t, time.Duration(longest.Load()), patience/2, "a probe queued up behind it")

			_, err = blocker.Exec(ctx, `commit`)
			require.NoError(t, err)
			_, err = m.Run(ctx, "alter", migrator.RunOptions{})
			require.NoError(t, err)
		})
	}
}

// Partitioned tables are altered as plain ones where PostgreSQL lets them.
func TestAlterPartitioned(t *testing.T) {
	t.Parallel()
	const parted = `
		create table users (id bigint, full_name text not null, nick text, visits int not null default 0, primary key (id)) partition by range (id);
		create table users_a partition of users for values from (0) to (200);
		create table users_b partition of users for values from (200) to (400);
		insert into users select i, 'user ' || i, 'nick', i from generate_series(1, 300) i`
	db, m := prepared(t, parted)
	conn := audit(t, db)
	for _, operation := range []string{
		"add_column: {name: initial, type: text, value: \"left(full_name, 1)\", default: \"'?'\", not_null: true}",
		"set_not_null: {column: nick}",
		"add_check: {name: rule, check: visits >= 0}",
		"drop_column: {name: full_name}",
	} {
		begin(t, m, operation, "register")
		_, err := m.Run(ctx, "alter", untilContracted)
		require.NoError(t, err, operation)
		require.NoError(t, m.Remove(ctx, "alter"))
	}
	for _, leaf := range []string{"users", "users_a", "users_b"} {
		require.Equal(t, []string{"id", "nick", "visits", "initial"}, list[string](t, conn, `select attname::text from pg_attribute
			where attrelid = $1::regclass and attnum > 0 and not attisdropped and attnotnull order by attnum`, leaf))
		require.Equal(t, []string{"rule"}, list[string](t, conn, `select conname::text from pg_constraint
			where conrelid = $1::regclass and contype = 'c' and convalidated`, leaf))
	}
	require.Zero(t, scan[int](t, conn, `select count(*) from users where initial <> 'u'`))
}

// Two transitions that have a hand on the same column refuse each other, whatever
// their kinds; those that only read it do not.
func TestAlterationsSideBySide(t *testing.T) {
	t.Parallel()
	db, m := prepared(t, accounts)
	named := func(name, operation string) migrator.Transition {
		tr := altering(t, operation)
		tr.Name = name
		return tr
	}
	start := func(tr migrator.Transition) error {
		_, err := m.Start(ctx, tr)
		return err
	}
	require.NoError(t, start(named("a", "add_index: {name: first_idx, on: (full_name)}")))
	require.NoError(t, start(named("b", "add_check: {name: rule, check: full_name <> ''}")))
	require.NoError(t, start(named("c", "add_column: {name: name, type: text}")))
	for _, tr := range []migrator.Transition{
		named("x", "drop_column: {name: full_name}"),
		named("x", "add_index: {name: first_idx, on: (email)}"),
		named("x", "add_column: {name: name, type: int}"),
		named("x", "rename: {from: full_name, to: other}"),
		named("x", "rename: {from: email, to: name}"),
	} {
		require.ErrorContains(t, start(tr), "has not been removed", "%v", tr)
	}
	moving := named("y", "rename: {from: email, to: mail}")
	moving.IgnoreApplications = []string{auditor}
	require.NoError(t, start(moving))
	require.ErrorContains(t, start(named("x", "add_unique: {name: u, columns: [email]}")), `transition "y", which is in phase off`)

	// The hook learns of the move alone.
	conn, view := join(t, db)
	require.Len(t, view.Transitions, 1)
	require.Equal(t, "y", view.Transitions[0].Name)
	_, err := m.Run(ctx, "c", migrator.RunOptions{})
	require.NoError(t, err)
	_, err = conn.Exec(ctx, `select`)
	require.NoError(t, err)
	require.Equal(t, view.Epoch, scan[int](t, conn, `select epoch from crossfade.join_v1`))

	status, err := m.Status(ctx, migrator.StatusOptions{Name: "c"})
	require.NoError(t, err)
	require.Equal(t, "add_column name", status[0].Does)
	require.Empty(t, status[0].Phase)
	require.Nil(t, status[0].Drain)
	_, err = m.Advance(ctx, "c", migrator.AdvanceOptions{})
	require.ErrorContains(t, err, "all of its steps are done")
	_, err = m.Run(ctx, "c", migrator.RunOptions{Until: migrator.Live})
	require.ErrorContains(t, err, "moves no column, so it has no phase live")
	_, err = m.Verify(ctx, "c")
	require.ErrorContains(t, err, "moves no column")
}
