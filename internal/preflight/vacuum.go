package preflight

import (
	"context"
	"fmt"
)

// checkVacuum: DDL waits for a vacuum of the table. An autovacuum gives way to
// it, unless it prevents the wraparound of transaction ids.
func checkVacuum(ctx context.Context, in *inspection) error {
	vacuums, err := query[struct {
		PID          int
		Phase, Query string
	}](ctx, in, `
		select p.pid, p.phase, coalesce(a.query, '') from pg_stat_progress_vacuum p
		left join pg_stat_activity a on a.pid = p.pid
		where p.relid = any($1) and p.datname = current_database()`, in.tree())
	if err != nil {
		return fmt.Errorf("read vacuums: %w", err)
	}
	for _, v := range vacuums {
		in.warn("vacuum-running", fmt.Sprintf("pid %d", v.PID), fmt.Sprintf("it vacuums the table (%s): %s", v.Phase, v.Query),
			"wait for it to end: DDL on the table cannot get its lock until then, unless it is an autovacuum that gives way")
	}
	return nil
}
