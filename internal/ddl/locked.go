package ddl

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// lockedTables are the tables that a statement locks, as LOCK TABLE names
// them.
type lockedTables struct {
	names []string
	// several: more than one lock is taken, one after the other. They are taken
	// before the statement, all within one lock timeout: were each waited for
	// by itself, those who queue up behind the first would wait for the sum.
	several bool
}

// locked looks up what a statement locks: a partitioned table with its
// partitions, or the two tables of a foreign key.
func locked(ctx context.Context, conn *pgx.Conn, s Statement) (t lockedTables, err error) {
	var tree, lockable bool
	// Who may not lock the other table leaves that to the statement, which needs no right for it.
	err = conn.QueryRow(ctx, `select
		coalesce((select relkind = 'p' from pg_catalog.pg_class where oid = to_regclass($1)), false),
		coalesce((select has_table_privilege(oid, 'UPDATE, DELETE, TRUNCATE')
			from pg_catalog.pg_class where oid = to_regclass(nullif($2, ''))), false)`, s.On, s.Also).Scan(&tree, &lockable)
	if err != nil {
		return t, fmt.Errorf("run %s: look at the table: %w", s.SQL, err)
	}
	t.names = []string{cmp.Or(s.Of, s.On)}
	if s.Only {
		t.names[0] = "only " + t.names[0]
	}
	pair := s.Pair && lockable
	if pair {
		t.names = append(t.names, s.Also)
	}
	t.several = pair || tree && s.Lock == AccessExclusive && !s.Only
	return t, nil
}

// inOrder lists the tables as an attempt locks them. Whoever writes both tables
// of a foreign key has one of them and waits for the other behind us: an attempt
// that takes them the other way round can only fail. Most write the referenced
// table first, but who writes the referencing one alone looks at the other
// after it, so attempts take turns.
func (t lockedTables) inOrder(attempt int) string {
	names := slices.Clone(t.names)
	if attempt%2 == 0 {
		slices.Reverse(names)
	}
	return strings.Join(names, ", ")
}

// runOnce sends one message with several statements, which PostgreSQL runs as
// one transaction: the lock is not held for a round trip more, and an error
// leaves nothing behind.
//
// After a failure it first takes the lock that keeps vacuum out, and waits for
// it longer: reads and writes pass by such a waiter, an autovacuum gives way.
func runOnce(ctx context.Context, conn *pgx.Conn, s Statement, tables lockedTables, attempts int) error {
	var sql strings.Builder
	timeout := max(s.LockTimeout.Milliseconds(), 1)
	if attempts > 0 {
		fmt.Fprintf(&sql, "set local lock_timeout = %d; lock table %s in share update exclusive mode; ",
			max(s.LockTimeout, vacuumTimeout).Milliseconds(), strings.Join(tables.names, ", "))
	}
	if tables.several {
		fmt.Fprintf(&sql, "set local lock_timeout = %[1]d; set local statement_timeout = %[1]d; lock table %[2]s in %[3]s mode; ",
			timeout, tables.inOrder(attempts), s.Lock)
	}
	fmt.Fprintf(&sql, "set local lock_timeout = %d; set local statement_timeout = %d; %s",
		s.LockTimeout.Milliseconds(), s.StatementTimeout.Milliseconds(), s.SQL)
	_, err := conn.Exec(ctx, sql.String(), pgx.QueryExecModeSimpleProtocol)
	return err
}
