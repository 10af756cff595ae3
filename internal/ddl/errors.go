package ddl

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// BlockedError: a statement could not get its lock in time.
type BlockedError struct {
	Statement Statement
	Attempts  int
	Waited    time.Duration
	// Blockers are those who stood in the way when last seen.
	Blockers []Blocker
	// Err is the server's error of the last attempt.
	Err error
}

func (e *BlockedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "run %s: no %s lock on %s in %s (%d attempts): %v",
		e.Statement.SQL, e.Statement.Lock, e.Statement.On, e.Waited.Round(time.Millisecond), e.Attempts, e.Err)
	for _, blocker := range e.Blockers {
		b.WriteString("\n  blocked by " + blocker.String())
	}
	b.WriteString("\n  hint: " + e.hint())
	return b.String()
}

// Unwrap gives the server's error.
func (e *BlockedError) Unwrap() error { return e.Err }

func (e *BlockedError) hint() string {
	for _, blocker := range e.Blockers {
		if blocker.Autovacuum {
			return "this autovacuum does not give way, perhaps because it prevents the wraparound of transaction ids, " +
				"or deadlock_timeout is long: wait for it to end, or cancel it"
		}
	}
	if len(e.Blockers) == 0 {
		return "nobody stood in the way when it was looked up: try again"
	}
	return "wait for these transactions to end, or end them (select pg_terminate_backend(pid)), and try again"
}

// isLockFailure: lock_not_available or deadlock_detected. Neither did anything.
func isLockFailure(err error) bool {
	return hasCode(err, "55P03") || hasCode(err, "40P01")
}

func hasCode(err error, code string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == code
}
