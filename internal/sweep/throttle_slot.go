package sweep

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// SlotLag holds while a replication slot, physical or logical and whether
// somebody reads it or not, keeps more than MaxBytes of WAL on the disk.
type SlotLag struct {
	// MaxBytes is the lag that is tolerated; zero is 1 GiB.
	MaxBytes int64
}

// Read implements Signal.
func (s *SlotLag) Read(ctx context.Context, v View) (Reading, error) {
	r := Reading{Signal: "slot-lag", Limit: float64(s.MaxBytes), Unit: Bytes}
	if s.MaxBytes == 0 {
		r.Limit = 1 << 30
	}
	var name string
	var active bool
	err := v.Conn.QueryRow(ctx, `
		select slot_name, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8
		from pg_catalog.pg_replication_slots
		where restart_lsn is not null and wal_status is distinct from 'lost'
		order by 3 desc
		limit 1`).Scan(&name, &active, &r.Value)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return r, err
	}
	if r.Holds = r.Value > r.Limit; r.Holds {
		hint := "until its consumer has caught up"
		if !active {
			hint = "nobody reads it: start its consumer, or drop the slot"
		}
		r.Reason = fmt.Sprintf("slot %q holds back %s of WAL, more than %s (%s)", name, mib(r.Value), mib(r.Limit), hint)
	}
	return r, nil
}
