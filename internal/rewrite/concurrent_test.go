package rewrite_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/phase"
)

// TestUpdateAfterConcurrentUpdate checks that a value which is evaluated once
// a row is computed from the row's newest version, as READ COMMITTED demands
// of a statement that had to wait for another transaction.
func TestUpdateAfterConcurrentUpdate(t *testing.T) {
	script, err := os.ReadFile("testdata/differential/original.sql")
	require.NoError(t, err)
	tr := testCatalog(phase.DualWrite).Transitions[0]
	expanded := string(script) + expandRenames(state{phase: phase.DualWrite, targets: right, sources: right}) +
		"create schema crossfade; create table crossfade." + tr.Token + "();"
	for name, sql := range map[string]string{
		"function":  "update users set full_name = gen(full_name) where id = 1",
		"operator":  "update users set full_name = full_name || '!' where id = 1",
		"sub-query": "update users set full_name = (select users.full_name || max(p.id) from products p) where id = 1",
		"row":       "update users set (email, full_name) = (select 'x', gen(full_name)) where id = 1",
		"from":      "update users set full_name = gen(users.full_name || o.a) from orders o where o.id = users.id and users.id = 1",
		"conflict":  "insert into users (id, full_name) values (1, 'x') on conflict (id) do update set full_name = gen(users.full_name)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := afterConcurrentUpdate(t, pgtest.NewFrom(t, string(script)), "full_name", sql)
			require.Contains(t, want[0], "New")
			got := afterConcurrentUpdate(t, pgtest.NewFrom(t, expanded), "full_name, name", newRewriter(t, phase.DualWrite).Rewrite(sql).SQL)
			require.Equal(t, []string{want[0], want[0]}, got)
		})
	}
}

// afterConcurrentUpdate runs the statement while another transaction has
// changed the row that it updates, and returns the columns afterwards.
func afterConcurrentUpdate(t *testing.T, db *pgtest.DB, columns, sql string) (values []string) {
	t.Helper()
	ctx := t.Context()
	first, second := db.Conn(t), db.Conn(t)
	set := strings.ReplaceAll(columns, ",", " = 'New',") + " = 'New'"
	_, err := first.Exec(ctx, "begin; update users set "+set+" where id = 1")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := second.Exec(ctx, sql)
		done <- err
	}()
	waiting := func() (yes bool) {
		err := first.QueryRow(ctx, "select cardinality(pg_blocking_pids($1)) > 0", second.PgConn().PID()).Scan(&yes)
		return err == nil && yes
	}
	require.Eventually(t, waiting, time.Minute, 5*time.Millisecond)
	_, err = first.Exec(ctx, "commit")
	require.NoError(t, err)
	require.NoError(t, <-done)
	require.NoError(t, first.QueryRow(ctx, "select array["+columns+"] from users where id = 1").Scan(&values))
	return values
}
