package sweep

import (
	"context"
	"fmt"
)

// ActiveSessions holds while more than Max other sessions of clients are at
// work on the server, in any database: running, or waiting for a lock. It needs
// pg_read_all_stats.
type ActiveSessions struct {
	// Max is the number that is tolerated. Zero is a quarter of
	// max_connections, and at least 16: PostgreSQL does not tell how many
	// processors it has.
	Max int
}

// Read implements Signal.
func (s *ActiveSessions) Read(ctx context.Context, v View) (Reading, error) {
	r := Reading{Signal: "active-sessions", Limit: float64(s.Max), Unit: Sessions}
	var usual float64
	err := v.Conn.QueryRow(ctx, `
		select count(*)::float8, greatest(current_setting('max_connections')::int / 4, 16)::float8
		from pg_catalog.pg_stat_activity
		where backend_type = 'client backend' and state in ('active', 'fastpath function call')
			and pid <> pg_backend_pid()`).Scan(&r.Value, &usual)
	if err != nil {
		return r, err
	}
	if s.Max == 0 {
		r.Limit = usual
	}
	if r.Holds = r.Value > r.Limit; r.Holds {
		r.Reason = fmt.Sprintf("%.0f sessions are active, more than %.0f", r.Value, r.Limit)
	}
	return r, nil
}
