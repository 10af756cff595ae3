package fence

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Terminate ends a hooked session: its transaction is rolled back, and its
// client gets an error. It returns false when the session has ended by itself;
// its epoch lock makes sure that the pid has not gone to another one.
func Terminate(ctx context.Context, db Row, s Session) (bool, error) {
	var sent bool
	err := db.QueryRow(ctx, `select pg_terminate_backend(pid) from pg_locks
		where locktype = 'advisory' and objsubid = 2 and granted and classid::bigint = $1 and objid::bigint = $2 and pid = $3
			and database = (select oid from pg_database where datname = current_database())`,
		EpochClass, s.Epoch, s.PID).Scan(&sent)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("end session of pid %d: %w", s.PID, err)
	}
	return sent, nil
}
