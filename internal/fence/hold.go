package fence

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// outlast waits until a held flip is over: done, given up, expired, or left
// behind by a migrator that has died. The session keeps its epoch's lock
// meanwhile, by which the migrator sees that it does not act by an older one. It
// tells whether the epoch has stayed, so that the view holds.
func outlast(ctx context.Context, conn *pgconn.PgConn, view View) (same bool, err error) {
	_, err = query(ctx, conn, fmt.Sprintf(`begin isolation level read committed;
		set local statement_timeout = 0;
		set local lock_timeout = %d;
		select pg_advisory_xact_lock_shared(%d, 0);
		commit`, max(view.held.Milliseconds(), 1), HoldClass))
	after := ""
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "55P03" {
		after, err = "rollback; ", nil // expired: the migrator has stopped
	}
	if err != nil {
		return false, err
	}
	rows, err := query(ctx, conn, after+limits+`select epoch from crossfade.join_v1; commit`)
	if err != nil {
		return false, err
	}
	if len(rows) != 1 || len(rows[0]) != 1 {
		return false, errors.New("read the epoch: unexpected answer")
	}
	epoch, err := strconv.Atoi(string(rows[0][0]))
	if err != nil {
		return false, fmt.Errorf("read the epoch: %w", err)
	}
	return epoch == view.Epoch, nil
}

// BeginHold comes before a held flip is announced: from then on those who join
// wait, until EndHold or the end of this session. It waits a moment for those
// that the last hold has kept.
func BeginHold(ctx context.Context, conn Row) error {
	if _, err := conn.Exec(ctx, `select pg_advisory_lock($1, 0)`, HoldClass); err != nil {
		return fmt.Errorf("hold those who join: %w", err)
	}
	return nil
}

// EndHold lets those who join go on.
func EndHold(ctx context.Context, conn Row) error {
	if _, err := conn.Exec(ctx, `select pg_advisory_unlock($1, 0)`, HoldClass); err != nil {
		return fmt.Errorf("let those who join go on: %w", err)
	}
	return nil
}
