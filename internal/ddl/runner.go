package ddl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// DefaultLockTimeout is how long a statement may wait for a lock, and so stop
// those who queue up behind it.
const DefaultLockTimeout = 100 * time.Millisecond

// DefaultConcurrentTimeout is how long a statement CONCURRENTLY may wait for
// other transactions. It stops nobody but vacuum and other DDL meanwhile, and
// giving up throws a build away that may have taken hours.
const DefaultConcurrentTimeout = 6 * time.Hour

// DefaultMaxWait is how long a statement is tried before it is given up.
const DefaultMaxWait = time.Minute

// The pause between two attempts doubles from firstPause to lastPause. It is
// never shorter than the lock timeout: traffic that queued up has to pass.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
)

// vacuumTimeout is how long an attempt after the first waits for an autovacuum,
// which gives way only to a waiter of more than deadlock_timeout (1s).
const vacuumTimeout = 3 * time.Second

// Runner runs statements. The zero value works; a Runner may be copied and
// used by several goroutines.
type Runner struct {
	// LockTimeout bounds each wait of a statement for a lock, unless the
	// statement brings its own; 0 means DefaultLockTimeout.
	LockTimeout time.Duration
	// ConcurrentTimeout takes its place for statements CONCURRENTLY; 0 means
	// DefaultConcurrentTimeout.
	ConcurrentTimeout time.Duration
	// MaxWait is how long a statement is tried before it is given up with a
	// BlockedError; 0 means DefaultMaxWait.
	MaxWait time.Duration
	// OnRetry, when set, is told of each attempt that failed for a lock, and
	// from time to time of whom a statement CONCURRENTLY waits for. Calls may
	// come from another goroutine, one at a time, and end before Run returns.
	OnRetry func(Retry)
}

// Retry is a wait that goes on.
type Retry struct {
	Statement Statement
	// Attempt counts from 1.
	Attempt int
	// Waited is the time since Run began.
	Waited time.Duration
	// Pause is the time until the next attempt; 0 while a statement
	// CONCURRENTLY goes on waiting.
	Pause    time.Duration
	Blockers []Blocker
}

// Resolve returns the statement with the timeouts that Run would give it, for
// a plan.
func (r Runner) Resolve(s Statement) Statement {
	if s.LockTimeout == 0 && s.Alone {
		s.LockTimeout = cmp.Or(r.ConcurrentTimeout, DefaultConcurrentTimeout)
	}
	if s.LockTimeout == 0 {
		s.LockTimeout = cmp.Or(r.LockTimeout, DefaultLockTimeout)
		if s.Also != "" && !s.Pair {
			s.LockTimeout /= 2 // while it waits for the second it has the first
		}
	}
	if s.StatementTimeout > 0 {
		s.StatementTimeout = max(s.StatementTimeout, s.LockTimeout+quickTimeout)
	}
	return s
}

// Run executes a statement on a connection that is in no transaction, and
// returns once it has been committed. When it cannot get its lock it tries
// again until MaxWait is over, then returns a *BlockedError; nothing has been
// done in that case, except that CREATE INDEX CONCURRENTLY may leave an
// INVALID index behind (see EnsureIndex). After a lost connection the outcome
// is unknown: read the state back.
func (r Runner) Run(ctx context.Context, conn *pgx.Conn, s Statement) error {
	if conn.PgConn().TxStatus() != 'I' {
		return fmt.Errorf("run %s: the connection is in a transaction, or closed", s.SQL)
	}
	s = r.Resolve(s)
	if s.Alone {
		return r.runAlone(ctx, conn, s)
	}
	tables, err := locked(ctx, conn, s)
	if err != nil {
		return err
	}
	patience := newPatience(r, s)
	for {
		began := time.Now()
		err := runOnce(ctx, conn, s, tables, patience.attempts)
		if err == nil {
			return nil
		}
		late := tables.several && hasCode(err, "57014") && time.Since(began) < s.StatementTimeout && ctx.Err() == nil
		if !isLockFailure(err) && !late {
			return describe(conn, s, err)
		}
		blockers, lookErr := holders(ctx, conn, s)
		if lookErr != nil {
			return errors.Join(describe(conn, s, err), lookErr)
		}
		if err := patience.pause(ctx, err, blockers); err != nil {
			return err
		}
	}
}

func describe(conn *pgx.Conn, s Statement, err error) error {
	if conn.IsClosed() {
		return fmt.Errorf("run %s: the connection was lost, so the outcome is unknown: %w", s.SQL, err)
	}
	if hasCode(err, "57014") && s.StatementTimeout > 0 {
		return fmt.Errorf("run %s: it took longer than %s and was rolled back: %w", s.SQL, s.StatementTimeout, err)
	}
	return fmt.Errorf("run %s: %w", s.SQL, err)
}

// patience counts the attempts of one statement and the time they took.
type patience struct {
	runner    Runner
	statement Statement
	began     time.Time
	attempts  int
	blockers  []Blocker // when last seen
}

func newPatience(r Runner, s Statement) *patience {
	r.MaxWait = cmp.Or(r.MaxWait, DefaultMaxWait)
	return &patience{runner: r, statement: s, began: time.Now()}
}

// pause waits until the next attempt, or gives up with an error.
func (p *patience) pause(ctx context.Context, cause error, blockers []Blocker) error {
	p.attempts++
	if len(blockers) > 0 {
		p.blockers = blockers
	}
	waited := time.Since(p.began)
	pause := min(max(firstPause<<min(p.attempts-1, 10), min(p.statement.LockTimeout, lastPause)), lastPause)
	pause = pause/2 + rand.N(pause) // apart from others who try the same
	if waited+pause > p.runner.MaxWait {
		return p.giveUp(cause)
	}
	p.report(waited, pause)
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.giveUp(cause))
	}
}

func (p *patience) report(waited, pause time.Duration) {
	if p.runner.OnRetry == nil {
		return
	}
	p.runner.OnRetry(Retry{Statement: p.statement, Attempt: p.attempts, Waited: waited, Pause: pause, Blockers: p.blockers})
}

func (p *patience) giveUp(cause error) error {
	return &BlockedError{
		Statement: p.statement, Attempts: p.attempts, Waited: time.Since(p.began), Blockers: p.blockers, Err: cause,
	}
}
