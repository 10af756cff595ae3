package sweep

import (
	"context"
	"fmt"
	"time"
)

// WALRate keeps the WAL that the whole server writes, on average while the
// sweep works, below a rate: of others and of the sweep together.
type WALRate struct {
	// MaxBytes is the rate per second that is tolerated; zero is 256 MiB.
	MaxBytes int64

	// The rate counts from the last look that held nothing back. While it
	// holds, it so falls to the limit just when the pause is long enough.
	since time.Time
	from  float64
}

// Read implements Signal.
func (s *WALRate) Read(ctx context.Context, v View) (Reading, error) {
	r := Reading{Signal: "wal-rate", Limit: float64(s.MaxBytes), Unit: BytesPerSecond}
	if s.MaxBytes == 0 {
		r.Limit = 256 << 20
	}
	var position float64
	err := v.Conn.QueryRow(ctx, `select (pg_current_wal_lsn() - '0/0')::float8`).Scan(&position)
	if err != nil {
		return r, err
	}
	now := time.Now()
	if !s.since.IsZero() {
		r.Value = (position - s.from) / now.Sub(s.since).Seconds()
	}
	if r.Holds = r.Value > r.Limit; r.Holds {
		r.Reason = fmt.Sprintf("the server writes %s of WAL per second, more than %s", mib(r.Value), mib(r.Limit))
		return r, nil
	}
	s.since, s.from = now, position
	return r, nil
}
