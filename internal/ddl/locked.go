package ddl

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// lockedTables are the tables that a statement locks, as LOCK TABLE names
// them.
type lockedTables struct {
	names []string
	modes []string // of each
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
	t.names, t.modes = []string{cmp.Or(s.Of, s.On)}, []string{s.Lock}
	if s.Only {
		t.names[0] = "only " + t.names[0]
	}
	pair := s.Pair && lockable
	if pair {
		t.names, t.modes = append(t.names, s.Also), append(t.modes, s.alsoLock())
	}
	t.several = pair || tree && (s.Lock == AccessExclusive || s.Lock == ShareRowExclusive) && !s.Only
	return t, nil
}

func (s Statement) alsoLock() string { return cmp.Or(s.AlsoLock, s.Lock) }

// inOrder are the statements with which an attempt locks the tables. Whoever writes
// both tables of a foreign key has one of them and waits for the other behind us: an
// attempt that takes them the other way round can only fail. Most write the
// referenced table first, but who writes the referencing one alone looks at the other
// after it, so attempts take turns.
func (t lockedTables) inOrder(attempt int, within time.Duration) string {
	names, modes := slices.Clone(t.names), slices.Clone(t.modes)
	if attempt%2 == 0 {
		slices.Reverse(names)
		slices.Reverse(modes)
	}
	if len(slices.Compact(slices.Clone(modes))) == 1 {
		names, modes = []string{strings.Join(names, ", ")}, modes[:1]
	}
	timeout := max((within / time.Duration(len(names))).Milliseconds(), 1)
	sql := fmt.Sprintf("set local lock_timeout = %[1]d; set local statement_timeout = %[1]d; ", timeout)
	for i, name := range names {
		sql += fmt.Sprintf("lock table %s in %s mode; ", name, modes[i])
	}
	return sql
}

// runOnce sends one message with several statements, which PostgreSQL runs as
// one transaction: the lock is not held for a round trip more, and an error
// leaves nothing behind.
//
// After a failure it first takes the lock that keeps vacuum out, and waits for
// it longer: reads and writes pass by such a waiter, an autovacuum gives way.
func runOnce(ctx context.Context, conn *pgx.Conn, s Statement, tables lockedTables, attempts int) error {
	var sql strings.Builder
	if attempts > 0 {
		fmt.Fprintf(&sql, "set local lock_timeout = %d; lock table %s in share update exclusive mode; ",
			max(s.LockTimeout, vacuumTimeout).Milliseconds(), strings.Join(tables.names, ", "))
	}
	if tables.several {
		sql.WriteString(tables.inOrder(attempts, s.LockTimeout))
	}
	fmt.Fprintf(&sql, "set local lock_timeout = %d; set local statement_timeout = %d; %s",
		s.LockTimeout.Milliseconds(), s.StatementTimeout.Milliseconds(), s.SQL)
	if s.Then != "" {
		sql.WriteString("; " + s.Then)
	}
	_, err := conn.Exec(ctx, sql.String(), pgx.QueryExecModeSimpleProtocol)
	return err
}
