package preflight_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// setup has nothing that stands in the way of moving full_name to name.
const setup = `
	create schema app;
	create table app.users (
		id bigint primary key, full_name text not null default 'nobody', email text, age int);
	insert into app.users select n, 'user ' || n, 'u' || n, n from generate_series(1, 100) n;
	create table app.orders (id bigint primary key, user_id bigint references app.users, full_name text);
	create index users_age_idx on app.users (age);
	create view app.ages as select id, age from app.users;
	alter table app.users add check (age > 0);`

func rename() preflight.Request {
	return preflight.Request{Name: "rename", Schema: "app", Table: "users", Move: moving("full_name", "name")}
}

// moving is the rename of one column.
func moving(source, target string) transform.Move {
	return transform.Renamed(transform.Column{Name: source}, target)
}

func check(t *testing.T, conn *pgx.Conn, r preflight.Request) preflight.Report {
	t.Helper()
	report, err := preflight.Check(t.Context(), conn, r)
	require.NoError(t, err)
	return report
}

// find returns the findings of a code.
func find(report preflight.Report, code string) []preflight.Finding {
	var found []preflight.Finding
	for _, f := range report.Findings {
		if f.Code == code {
			found = append(found, f)
		}
	}
	return found
}

// requireOne wants exactly one finding of a code, with a message and a hint.
func requireOne(t *testing.T, report preflight.Report, severity preflight.Severity, code, object string) preflight.Finding {
	t.Helper()
	found := find(report, code)
	require.Len(t, found, 1, "%s in %v", code, report.Findings)
	require.Equal(t, severity, found[0].Severity)
	require.Contains(t, found[0].Object, object)
	require.NotEmpty(t, found[0].Message)
	if severity != preflight.Info {
		require.NotEmpty(t, found[0].Hint)
	}
	return found[0]
}

// role makes a role for this test, and gives its name.
func role(t *testing.T, db *pgtest.DB) string {
	t.Helper()
	name := "role_of_" + strings.ToLower(db.Name)
	db.Exec(t, "create role "+name+" login")
	t.Cleanup(func() { db.Exec(t, "drop owned by "+name+"; drop role "+name) })
	return name
}

// as connects as a role that is no superuser.
func as(t *testing.T, db *pgtest.DB, role string) *pgx.Conn {
	t.Helper()
	conn := db.Conn(t)
	_, err := conn.Exec(t.Context(), "set role "+role)
	require.NoError(t, err)
	return conn
}

func initLedger(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	require.NoError(t, ledger.Migrate(t.Context(), conn, nil))
}

func connect(t *testing.T, config *pgx.ConnConfig) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
	}
	return conn, err
}
