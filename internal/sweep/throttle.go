package sweep

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Throttle holds a sweep back. It is asked before each batch, on the sweep's
// own connection, outside a transaction.
type Throttle interface {
	// Hold returns why the next batch must wait; it is asked again a little
	// later. Empty: go on.
	Hold(ctx context.Context, conn *pgx.Conn) (reason string, err error)
}

// Unthrottled holds nothing back.
type Unthrottled struct{}

// Hold implements Throttle.
func (Unthrottled) Hold(context.Context, *pgx.Conn) (string, error) { return "", nil }

// ReplicaLag holds a sweep back while a standby or subscriber that is connected
// has not yet replayed the last MaxBytes of WAL. It looks once a second. Bytes
// rather than time: a standby that stands still reports no growing delay.
// Without pg_read_all_stats it sees nothing and holds nothing back.
type ReplicaLag struct {
	// MaxBytes is the lag that is tolerated; zero is 256 MiB.
	MaxBytes int64

	asked  time.Time
	reason string
}

// Hold implements Throttle.
func (r *ReplicaLag) Hold(ctx context.Context, conn *pgx.Conn) (string, error) {
	if now := time.Now(); now.Sub(r.asked) >= time.Second {
		r.asked = now
		var err error
		if r.reason, err = r.look(ctx, conn); err != nil {
			return "", fmt.Errorf("look at the replication lag: %w", err)
		}
	}
	return r.reason, nil
}

func (r *ReplicaLag) look(ctx context.Context, conn *pgx.Conn) (string, error) {
	limit := r.MaxBytes
	if limit <= 0 {
		limit = 256 << 20
	}
	var name *string
	var lag *int64
	err := conn.QueryRow(ctx, `
		select max(application_name), max(lag)
		from (
			select application_name, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint as lag
			from pg_stat_replication
			where replay_lsn is not null
			order by 2 desc
			limit 1) slowest
		where lag > $1`, limit).Scan(&name, &lag)
	if err != nil || lag == nil {
		return "", err
	}
	return fmt.Sprintf("replica %q has %d MiB of WAL to replay", *name, *lag>>20), nil
}
