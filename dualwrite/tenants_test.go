package dualwrite_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// tenants is a database with the table users in four schemas: in transition to
// name in tenant_1, to title in tenant_3, and not in tenant_2 and public.
func tenants(t testing.TB) *fixture {
	f := bare(t)
	for i := 1; i <= 3; i++ {
		f.exec(fmt.Sprintf(`create schema tenant_%d; create table tenant_%[1]d.users (like users including all);
			insert into tenant_%[1]d.users select * from users`, i))
	}
	require.NoError(t, ledger.Migrate(t.Context(), f.admin, nil))
	f.moveTenant("tenant_1", "name")
	f.moveTenant("tenant_3", "title")
	return f
}

// moveTenant moves full_name of the schema's users to phase dualwrite.
func (f *fixture) moveTenant(schema, target string) {
	ctx := f.t.Context()
	f.move = ledger.Transition{
		Name: schema + ".users.full_name", Schema: schema, Table: "users",
		Definition: ledger.Definition{
			Move: transform.Renamed(transform.Column{
				Name: "full_name", Type: "text", BaseType: "text", Default: "'nobody'::text", NotNull: true, Position: 2,
			}, target),
			Key: []string{"id"}, KeyTypes: []string{"bigint"},
		},
	}
	f.exec(fmt.Sprintf(`alter table %s.users add column %s text`, schema, target))
	require.NoError(f.t, ledger.Register(ctx, f.admin, &f.move, ledger.Event{Actor: "test", Event: "register"}))
	for f.move.Phase != phase.DualWrite {
		f.step(phase.DualWrite)
	}
	require.NoError(f.t, pgx.BeginFunc(ctx, f.admin, func(tx pgx.Tx) error {
		return ledger.Drained(ctx, tx, &f.move, ledger.Event{Actor: "test", Event: "drained"})
	}))
	f.exec(fmt.Sprintf(`update %s.users set %s = full_name`, schema, target))
}

// The columns of each of them say the same, and the writes went to where
// search_path led.
const (
	usersWrite = `update users set full_name = $1 where id = 1 returning (select relnamespace::regnamespace::text from pg_class where oid = users.tableoid)`
	usersRead  = `select (select relnamespace::regnamespace::text from pg_class where oid = users.tableoid) from users where id = 1 and full_name = $1`
)

func (f *fixture) consistent() {
	f.t.Helper()
	for schema, target := range map[string]string{"tenant_1": "name", "tenant_3": "title"} {
		var n int
		require.NoError(f.t, f.admin.QueryRow(f.t.Context(),
			fmt.Sprintf(`select count(*) from %s.users where full_name is distinct from %s`, schema, target)).Scan(&n))
		require.Zero(f.t, n, schema)
	}
}

// session is one connection of an application.
type session struct {
	t     *testing.T
	exec  func(sql string, args ...any) error
	query func(sql string, args ...any) (string, error)
	turns int
}

func pgxSession(t *testing.T, c interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
	QueryRow(context.Context, string, ...any) pgx.Row
}) *session {
	return &session{
		t: t,
		exec: func(sql string, args ...any) error {
			_, err := c.Exec(t.Context(), sql, args...)
			return err
		},
		query: func(sql string, args ...any) (got string, err error) {
			err = c.QueryRow(t.Context(), sql, args...).Scan(&got)
			return got, err
		},
	}
}

func (s *session) do(statements ...string) {
	s.t.Helper()
	for _, sql := range statements {
		require.NoError(s.t, s.exec(sql), sql)
	}
}

// reaches requires that search_path leads to the users of the schema.
func (s *session) reaches(schema string) {
	s.t.Helper()
	s.turns++
	name := fmt.Sprintf("turn %d", s.turns)
	for _, sql := range []string{usersWrite, usersRead} {
		got, err := s.query(sql, name)
		require.NoError(s.t, err)
		require.Equal(s.t, schema, got, sql)
	}
}
