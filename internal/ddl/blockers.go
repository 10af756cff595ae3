package ddl

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Blocker is a session, or a prepared transaction (PID 0), that stands in the
// way of a statement.
type Blocker struct {
	PID         int           `json:"pid"`
	User        string        `json:"user"`
	Application string        `json:"application"`
	State       string        `json:"state"`
	Query       string        `json:"query"` // empty when hidden
	Prepared    string        `json:"prepared,omitempty"`
	Age         time.Duration `json:"age_ns"` // of its transaction
	Autovacuum  bool          `json:"autovacuum,omitempty"`
}

// String names the blocker in one line for an operator.
func (b Blocker) String() string {
	age := b.Age.Round(time.Millisecond)
	if b.PID == 0 {
		return fmt.Sprintf("prepared transaction %q of role %s, %s old: commit or roll it back", b.Prepared, b.User, age)
	}
	query := strings.Join(strings.Fields(b.Query), " ")
	if query == "" {
		query = "(hidden: grant pg_read_all_stats)"
	}
	return fmt.Sprintf("pid %d, role %s, application %q, %s, transaction %s old: %s",
		b.PID, b.User, b.Application, b.State, age, query)
}

const blockerColumns = `select coalesce(b.pid, 0), coalesce(a.usename, p.owner, ''), coalesce(a.application_name, ''),
	coalesce(a.state, a.backend_type, 'prepared'), left(coalesce(a.query, ''), 200), coalesce(p.gid, ''),
	coalesce(extract(epoch from clock_timestamp() - coalesce(a.xact_start, p.prepared, a.state_change)), 0)::float8,
	coalesce(a.backend_type = 'autovacuum worker', false)`

// holders lists who has, or waits for, a lock on the statement's tables, or a
// partition of them, that conflicts with the lock it wants. A prepared transaction is found by the lock
// on its own id, under the virtual id that all its locks share.
func holders(ctx context.Context, conn *pgx.Conn, s Statement) ([]Blocker, error) {
	rows, err := conn.Query(ctx, `
		with recursive tree (oid) as (
			select to_regclass($1)::oid
			union all
			select i.inhrelid from tree t join pg_inherits i on i.inhparent = t.oid where not $3
		), also (oid) as (
			select to_regclass(nullif($4, ''))::oid
			union all
			select i.inhrelid from also t join pg_inherits i on i.inhparent = t.oid
		) `+blockerColumns+`
		from (
			select pid, virtualtransaction, bool_or(granted) as granted from pg_locks
			where locktype = 'relation' and (mode = any($2) and relation in (select oid from tree) or mode = any($5) and relation in (select oid from also))
				and database = (select oid from pg_database where datname = current_database())
				and pid is distinct from pg_backend_pid()
			group by 1, 2) b
		left join pg_stat_activity a on a.pid = b.pid
		left join pg_locks x on b.pid is null and x.pid is null and x.locktype = 'transactionid' and x.granted
			and x.virtualtransaction = b.virtualtransaction
		left join pg_prepared_xacts p on p.transaction = x.transactionid
		order by b.granted desc, 7 desc`, s.On, conflicts(s.Lock), s.Only, s.Also, conflicts(s.alsoLock()))
	if err != nil {
		return nil, fmt.Errorf("list sessions in the way of %s: %w", s.On, err)
	}
	return collectBlockers(rows)
}

// blockersOf lists whom a backend waits for at this moment.
func blockersOf(ctx context.Context, conn *pgx.Conn, pid uint32) ([]Blocker, error) {
	// pg_blocking_pids has 0 for each prepared transaction and does not say
	// which, so all of this database are listed then.
	rows, err := conn.Query(ctx, blockerColumns+`
		from (select distinct unnest(pg_blocking_pids($1)) as pid) b
		left join pg_stat_activity a on a.pid = b.pid
		left join pg_prepared_xacts p on b.pid = 0 and p.database = current_database()
		order by 7 desc`, int32(pid))
	if err != nil {
		return nil, fmt.Errorf("list sessions in the way of pid %d: %w", pid, err)
	}
	return collectBlockers(rows)
}

func collectBlockers(rows pgx.Rows) ([]Blocker, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Blocker, error) {
		var b Blocker
		var age float64
		err := row.Scan(&b.PID, &b.User, &b.Application, &b.State, &b.Query, &b.Prepared, &age, &b.Autovacuum)
		b.Age = time.Duration(age * float64(time.Second))
		return b, err
	})
}

// conflicts lists the modes, as pg_locks names them, that a lock level
// conflicts with.
func conflicts(level string) []string {
	gentle := []string{"ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}
	switch level {
	case ShareUpdateExclusive:
		return gentle
	case Share, ShareRowExclusive:
		return append(gentle, "RowExclusiveLock")
	case AccessShare:
		return gentle[len(gentle)-1:]
	}
	return append(gentle, "AccessShareLock", "RowShareLock", "RowExclusiveLock")
}
