package logical

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// The server sends a transaction when its commit is on the disk, and makes it
// visible after that: under synchronous replication a round trip later. What
// reads the current row must wait until then, or it reads the row of before and
// nothing ever comes again.

// snapshot is what pg_current_snapshot() says: which transactions have ended.
type snapshot struct {
	xmin, xmax uint64          // all below xmin have ended; none from xmax on has
	running    map[uint64]bool // in between
}

// parseSnapshot reads "xmin:xmax:xip,xip".
func parseSnapshot(text string) (s snapshot, err error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return s, fmt.Errorf("snapshot %q has no three parts", text)
	}
	if s.xmin, err = strconv.ParseUint(parts[0], 10, 64); err != nil {
		return s, fmt.Errorf("snapshot %q: %w", text, err)
	}
	if s.xmax, err = strconv.ParseUint(parts[1], 10, 64); err != nil {
		return s, fmt.Errorf("snapshot %q: %w", text, err)
	}
	s.running = map[uint64]bool{}
	for xip := range strings.SplitSeq(parts[2], ",") {
		if xip == "" {
			continue
		}
		xid, err := strconv.ParseUint(xip, 10, 64)
		if err != nil {
			return s, fmt.Errorf("snapshot %q: %w", text, err)
		}
		s.running[xid] = true
	}
	return s, nil
}

// full adds the epoch to an id from the log. Ids in use at one time are less
// than 2^31 apart, so it is the nearest to the snapshot's.
func (s snapshot) full(xid uint32) uint64 {
	return s.xmax + uint64(int64(int32(xid-uint32(s.xmax))))
}

// sees tells whether a transaction that has committed is visible.
func (s snapshot) sees(xid uint32) bool {
	full := s.full(xid)
	return full < s.xmin || full < s.xmax && !s.running[full]
}

// waitVisible returns when a new snapshot of conn sees every transaction of the
// batch.
func waitVisible(ctx context.Context, conn *pgx.Conn, changes []Change, log *slog.Logger) error {
	const patience = 10 * time.Second
	pause := time.Millisecond
	start := time.Now()
	warned := false
	for {
		var text string
		if err := conn.QueryRow(ctx, `select pg_catalog.pg_current_snapshot()::text`).Scan(&text); err != nil {
			return fmt.Errorf("wait for visibility: %w", err)
		}
		s, err := parseSnapshot(text)
		if err != nil {
			return fmt.Errorf("wait for visibility: %w", err)
		}
		changes = unseen(s, changes)
		if len(changes) == 0 {
			return nil
		}
		if !warned && time.Since(start) > patience {
			warned = true
			log.WarnContext(ctx, "a transaction has been logged and is not visible yet: its commit may wait for a synchronous standby",
				logXID, changes[0].Transaction.XID)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// unseen cuts off the changes that come before the first one that s does not
// see.
func unseen(s snapshot, changes []Change) []Change {
	for i, c := range changes {
		if !s.sees(c.Transaction.XID) {
			return changes[i:]
		}
	}
	return nil
}
