package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Vacuum holds while a vacuum or autovacuum of the table, or of a partition of
// it, is at work, so that the space it frees is used by the batches to come. A
// vacuum is waited for once and not longer than MaxWait: a throttled one may
// take hours. It needs pg_read_all_stats.
type Vacuum struct {
	// MaxWait is how long to wait for one vacuum; zero is 15 minutes.
	MaxWait time.Duration

	key  string // of the vacuum that was met last
	seen time.Time
}

// Read implements Signal. The value is how long the vacuum has been waited for.
func (s *Vacuum) Read(ctx context.Context, v View) (Reading, error) {
	limit := s.MaxWait
	if limit == 0 {
		limit = 15 * time.Minute
	}
	r := Reading{Signal: "vacuum", Limit: limit.Seconds(), Unit: Seconds}
	var pid int
	var key, phase string
	err := v.Conn.QueryRow(ctx, `
		select p.pid, p.pid || ' ' || a.query_start, p.phase
		from pg_catalog.pg_stat_progress_vacuum p join pg_catalog.pg_stat_activity a on a.pid = p.pid
		where p.datname = current_database() and p.relid in (
			select to_regclass($1)::oid union all select relid from pg_catalog.pg_partition_tree(to_regclass($1)))
		order by a.query_start desc
		limit 1`, v.Table).Scan(&pid, &key, &phase)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if key != s.key {
		s.key, s.seen = key, time.Now()
	}
	waited := time.Since(s.seen)
	r.Value = waited.Seconds()
	if r.Holds = waited < limit; r.Holds {
		r.Reason = fmt.Sprintf("pid %d vacuums the table (%s), to be waited for up to %s", pid, phase, limit)
	}
	return r, nil
}
