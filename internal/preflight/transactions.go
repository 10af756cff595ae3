package preflight

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

const longTransaction = 5 * time.Minute

// checkTransactions lists those that flips and index builds will wait for.
func checkTransactions(ctx context.Context, in *inspection) error {
	long, err := query[struct {
		PID                                    int
		User, Application, State, Query, Since string
	}](ctx, in, `
		select pid, coalesce(usename, ''), coalesce(application_name, ''), coalesce(state, backend_type),
			left(coalesce(query, ''), 200), date_trunc('second', clock_timestamp() - xact_start)::text
		from pg_stat_activity
		where datname = current_database() and pid <> pg_backend_pid() and xact_start < clock_timestamp() - $1::interval
			and backend_type <> 'autovacuum worker'
		order by xact_start`, cmp.Or(in.LongTransaction, longTransaction))
	if err != nil {
		return fmt.Errorf("read transactions: %w", err)
	}
	for _, t := range long {
		in.warn("long-transaction", fmt.Sprintf("pid %d", t.PID),
			fmt.Sprintf("role %s, application %q, %s, transaction %s old: %s", t.User, t.Application, t.State, t.Since, t.Query),
			"let it end first: index builds wait for it, and a flip does if it uses the table")
	}
	prepared, err := query[struct{ Name, Owner, Since string }](ctx, in, `
		select gid, owner::text, date_trunc('second', clock_timestamp() - prepared)::text
		from pg_prepared_xacts where database = current_database() order by prepared`)
	if err != nil {
		return fmt.Errorf("read prepared transactions: %w", err)
	}
	for _, p := range prepared {
		in.warn("prepared-transaction", fmt.Sprintf("prepared transaction %q", p.Name),
			fmt.Sprintf("of role %s, %s old; it keeps its locks until somebody ends it", p.Owner, p.Since),
			"commit or roll it back (commit prepared, rollback prepared)")
	}
	return nil
}
