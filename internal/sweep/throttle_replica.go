package sweep

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ReplicaLag holds while a standby or subscriber that is connected has not yet
// replayed the last MaxBytes of WAL. Bytes rather than time: a standby that
// stands still reports no growing delay. It needs pg_read_all_stats.
type ReplicaLag struct {
	// MaxBytes is the lag that is tolerated; zero is 256 MiB.
	MaxBytes int64
}

// Read implements Signal.
func (s *ReplicaLag) Read(ctx context.Context, v View) (Reading, error) {
	r := Reading{Signal: "replica-lag", Limit: float64(s.MaxBytes), Unit: Bytes}
	if s.MaxBytes == 0 {
		r.Limit = 256 << 20
	}
	var name string
	err := v.Conn.QueryRow(ctx, `
		select coalesce(application_name, ''), pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8
		from pg_catalog.pg_stat_replication
		where replay_lsn is not null
		order by 2 desc
		limit 1`).Scan(&name, &r.Value)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return r, err
	}
	if r.Holds = r.Value > r.Limit; r.Holds {
		r.Reason = fmt.Sprintf("replica %q has %s of WAL to replay, more than %s", name, mib(r.Value), mib(r.Limit))
	}
	return r, nil
}
