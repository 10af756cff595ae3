package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// settings begin a transaction, in one round trip. Apart from the limits:
//
// The planner knows little of a range of keys between two parameters, and may
// prefer to read or sort the whole table; there is always an index to go by.
// Rows that policies would hide are an error instead. Key values are written
// as text that reads the same in every session. A session whose program has
// stopped must not keep its locks.
const settings = `begin isolation level read committed read write;
set local lock_timeout = %d;
set local statement_timeout = %d;
set local idle_in_transaction_session_timeout = '3s';
set local enable_seqscan = off;
set local enable_sort = off;
set local enable_incremental_sort = off;
set local max_parallel_workers_per_gather = 0;
set local jit = off;
set local plan_cache_mode = force_generic_plan;
set local row_security = off;
set local datestyle = 'ISO';
set local intervalstyle = 'postgres';
set local extra_float_digits = 1;
set local bytea_output = 'hex'`

func (w *walk) transaction(ctx context.Context, lock, statement time.Duration, fn func(pgx.Tx) error) error {
	begin := fmt.Sprintf(settings, max(lock.Milliseconds(), 1), max(statement.Milliseconds(), 1))
	return pgx.BeginTxFunc(ctx, w.conn, pgx.TxOptions{BeginQuery: begin}, fn)
}

// busy tells whether a batch was rolled back for a reason that may have gone
// the next time, or does not hold for a smaller batch.
func busy(err error) bool {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return false
	}
	switch pgErr.Code {
	case "55P03", // lock_not_available
		"40P01", // deadlock_detected
		"40001", // serialization_failure
		"57014": // query_canceled: statement_timeout
		return true
	}
	return false
}

// grace is how long a statement may take once the caller has lost patience.
const grace = 10 * time.Second

// patient returns a context that outlives ctx by grace.
func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return lasting, func() {
		stop()
		cancel()
	}
}
