package migrator_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
)

// TestStartRefuses: each refusal leaves nothing behind, and Plan says the same.
func TestStartRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, extra string
		change      func(*migrator.Transition)
		object      string // what a finding that refuses is about
	}{
		{name: "no table", change: func(tr *migrator.Transition) { tr.Table = "nobody" }, object: "nobody"},
		{name: "no column", change: func(tr *migrator.Transition) { tr.Rename = &migrator.Rename{From: "nickname", To: "name"} }, object: "nickname"},
		{name: "target of another type", extra: `alter table users add column name int`, object: "name"},
		{name: "no primary key", extra: `alter table users drop constraint users_pkey`, object: "users"},
		{name: "view of whole rows", extra: `create view people as select u from users u`, object: "people"},
		{name: "materialized view", extra: `create materialized view people as select full_name from users`, object: "people"},
		{name: "generated column", extra: `alter table users add column upper_name text generated always as (upper(full_name)) stored`, object: "upper_name"},
		{name: "trigger", extra: `create function f() returns trigger language plpgsql as 'begin new.full_name := 1; return new; end';
			create trigger touch before update on users for each row execute function f()`, object: "touch"},
		{name: "foreign key", extra: `alter table users add unique (full_name); create table pet (owner text) partition by list (owner);
			create table pet_rest partition of pet default; alter table pet_rest add foreign key (owner) references users (full_name)`, object: "pet_rest"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewFrom(t, users+";"+c.extra)
			m := newMigrator(t, db, migrator.Config{})
			require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
			conn := audit(t, db)
			before := shape(t, conn)
			transition := rename
			if c.change != nil {
				c.change(&transition)
			}
			_, err := m.Start(ctx, transition)
			var refused *migrator.RefusedError
			require.ErrorAs(t, err, &refused)
			require.NotEmpty(t, refused.Findings)
			require.ErrorContains(t, err, c.object)
			for _, f := range refused.Findings {
				require.True(t, f.Refuses)
				require.NotEmpty(t, f.Message, f.Code)
			}
			plan, err := m.Plan(ctx, transition)
			require.NoError(t, err)
			require.True(t, plan.Refused())

			require.Equal(t, before, shape(t, conn))
			require.Zero(t, scan[int](t, conn, `select count(*) from crossfade.transition`))
			require.Empty(t, tokens(t, conn))
			status, err := m.Status(ctx, migrator.StatusOptions{})
			require.NoError(t, err)
			require.Empty(t, status)
		})
	}
}

func TestActiveAlready(t *testing.T) {
	t.Parallel()
	db, m := started(t, users, migrator.Config{})
	conn := audit(t, db)
	_, err := m.Start(ctx, rename)
	require.ErrorIs(t, err, migrator.ErrActive)
	other := rename
	other.Name, other.Rename = "another", &migrator.Rename{From: "email", To: "mail"}
	_, err = m.Start(ctx, other)
	require.ErrorContains(t, err, rename.Name, "the other transition is named")
	require.Len(t, tokens(t, conn), 1)
	_, err = m.Run(ctx, "unknown", migrator.RunOptions{})
	require.ErrorIs(t, err, migrator.ErrNotFound)
	_, err = m.Status(ctx, migrator.StatusOptions{Name: "unknown"})
	require.ErrorIs(t, err, migrator.ErrNotFound)
}

// everyCall is each method that needs a ledger.
var everyCall = map[string]func(*migrator.Migrator) error{
	"start":   func(m *migrator.Migrator) error { _, err := m.Start(ctx, rename); return err },
	"advance": func(m *migrator.Migrator) error { _, err := m.Advance(ctx, "x", migrator.AdvanceOptions{}); return err },
	"run":     func(m *migrator.Migrator) error { _, err := m.Run(ctx, "x", migrator.RunOptions{}); return err },
	"rollback": func(m *migrator.Migrator) error {
		_, err := m.Rollback(ctx, "x", migrator.RollbackOptions{})
		return err
	},
	"contract": func(m *migrator.Migrator) error { _, err := m.Contract(ctx, "x", withoutSnapshot); return err },
	"verify":   func(m *migrator.Migrator) error { _, err := m.Verify(ctx, "x"); return err },
	"remove":   func(m *migrator.Migrator) error { return m.Remove(ctx, "x") },
	"status":   func(m *migrator.Migrator) error { _, err := m.Status(ctx, migrator.StatusOptions{}); return err },
}

func TestLedgerIsMissingOrNewer(t *testing.T) {
	t.Parallel()
	db := pgtest.NewFrom(t, users)
	m := newMigrator(t, db, migrator.Config{})
	for name, call := range everyCall {
		require.ErrorIs(t, call(m), migrator.ErrNoLedger, name)
	}
	require.NoError(t, m.Init(ctx, migrator.InitOptions{}))
	db.Exec(t, `insert into crossfade.schema_version (version) values (1000)`)
	for name, call := range everyCall {
		require.ErrorIs(t, call(m), migrator.ErrNewerLedger, name)
	}
	require.ErrorIs(t, m.Init(ctx, migrator.InitOptions{}), migrator.ErrNewerLedger)
}

func TestOneMigratorAtATime(t *testing.T) {
	t.Parallel()
	db, _ := started(t, users, migrator.Config{})
	leader := connect(t, db, "crossfade migrator")
	require.NoError(t, fence.Own(ctx, leader))
	require.NoError(t, fence.Lead(ctx, leader))
	m := newMigrator(t, db, migrator.Config{LeaderWait: time.Millisecond})
	for name, call := range everyCall {
		if name == "status" {
			require.NoError(t, call(m), "reading is always allowed")
			continue
		}
		require.ErrorIs(t, call(m), migrator.ErrAnotherMigrator, name)
	}
	require.ErrorContains(t, everyCall["run"](m), `application "crossfade migrator"`)
	require.NoError(t, leader.Close(ctx))
	_, err := newMigrator(t, db, migrator.Config{}).Run(ctx, rename.Name, migrator.RunOptions{})
	require.NoError(t, err)
}

// TestLockTimeout: each DDL statement gives up for a transaction that uses the
// table, names it, lets others pass meanwhile, and succeeds when it is gone.
func TestLockTimeout(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"expand", "constrain", "release", "settle", "contracted", "drop"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			db, m := started(t, users, migrator.Config{})
			stopped := step
			if step == "drop" {
				stopped = "contracted"
			}
			reader := audit(t, db)
			var tx pgx.Tx
			// The transaction opens when the step begins.
			hasty := newMigrator(t, db, migrator.Config{DDLMaxWait: 20 * time.Millisecond, Observer: observer(func(e migrator.Event) {
				begun, isStep := e.(migrator.StepEvent)
				if !isStep || begun.Name != step || begun.Done || tx != nil {
					return
				}
				var err error
				tx, err = reader.Begin(ctx)
				require.NoError(t, err)
				_, err = tx.Exec(ctx, `select from users`)
				require.NoError(t, err)
			})})
			p, err := hasty.Run(ctx, rename.Name, untilContracted)
			var blocked *migrator.BlockedError
			require.ErrorAs(t, err, &blocked)
			require.ErrorContains(t, err, `application "auditor"`)
			require.ErrorContains(t, err, "idle in transaction")
			if step == "drop" {
				require.Equal(t, stopped, p.Step)
			}
			require.Equal(t, step, p.Underway)
			_, err = tx.Exec(ctx, `select from users`)
			require.NoError(t, err)
			require.NoError(t, tx.Commit(ctx))
			_, err = m.Run(ctx, rename.Name, untilContracted)
			require.NoError(t, err)
			require.Equal(t, contractedShape, shape(t, reader))
		})
	}
}

// TestContractGate: what came to the source meanwhile is found before the
// point of no return, and there is still a way back.
func TestContractGate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ make, object, drop string }{
		"view":  {`create view people as select full_name from users`, "people", `drop view people`},
		"index": {`create index late on users (full_name, visits)`, "late", `drop index late`},
		"check": {`alter table users add constraint short check (length(full_name) < 100)`, "short", `alter table users drop constraint short`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, m := started(t, users, migrator.Config{})
			conn := audit(t, db)
			original := shape(t, conn)
			_, err := m.Run(ctx, rename.Name, migrator.RunOptions{})
			require.NoError(t, err)
			db.Exec(t, c.make)
			_, err = m.Contract(ctx, rename.Name, withoutSnapshot)
			var gate *migrator.GateError
			require.ErrorAs(t, err, &gate)
			require.ErrorContains(t, err, c.object)
			require.Equal(t, "contracted", gate.Step)
			equalSource := `select count(*) from users where full_name is not null`
			require.Equal(t, 300, scan[int](t, conn, equalSource), "the rehearsal has dropped nothing")

			db.Exec(t, c.drop)
			_, err = m.Rollback(ctx, rename.Name, migrator.RollbackOptions{})
			require.NoError(t, err)
			require.Equal(t, original, shape(t, conn))
			_, err = m.Run(ctx, rename.Name, untilContracted)
			require.NoError(t, err)
			require.Equal(t, contractedShape, shape(t, conn))
		})
	}
}
