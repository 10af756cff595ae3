package sweep

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// HorizonAge holds while somebody keeps a snapshot that many transactions old:
// nothing that was replaced since then can be cleaned up, so the table and every
// other one in the database grow. It needs pg_read_all_stats.
type HorizonAge struct {
	// Max is the number of transactions that is tolerated; zero is 5 million.
	Max int64
}

// Read implements Signal.
func (s *HorizonAge) Read(ctx context.Context, v View) (Reading, error) {
	r := Reading{Signal: "horizon-age", Limit: float64(s.Max), Unit: Transactions}
	if s.Max == 0 {
		r.Limit = 5_000_000
	}
	var who string
	// A vacuum's own snapshot holds nothing back. Of a walsender it is what its
	// standby asks for.
	err := v.Conn.QueryRow(ctx, `
		select who, age::float8 from (
			select format('pid %s (%s, %s)', pid, application_name, coalesce(state, backend_type)),
				greatest(age(backend_xmin), age(backend_xid))
			from pg_catalog.pg_stat_activity a
			where pid <> pg_backend_pid() and (datname = current_database() or backend_type = 'walsender')
				and not exists (select from pg_catalog.pg_stat_progress_vacuum p where p.pid = a.pid)
			union all
			select format('replication slot %I', slot_name), age(xmin) from pg_catalog.pg_replication_slots
			union all
			select format('prepared transaction %L', gid), age(transaction) from pg_catalog.pg_prepared_xacts
			where database = current_database()) holders (who, age)
		where age is not null
		order by 2 desc
		limit 1`).Scan(&who, &r.Value)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return r, err
	}
	if r.Holds = r.Value > r.Limit; r.Holds {
		r.Reason = fmt.Sprintf("%s keeps a snapshot %.0f transactions old, so nothing newer is cleaned up: end it", who, r.Value)
	}
	return r, nil
}
