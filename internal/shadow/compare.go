package shadow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgcrossfade/crossfade/internal/fence"
)

// Read is a read of the application in its two forms, with the parameters that it
// was sent with.
type Read struct {
	Source, Target string
	Formats        []int16
	Params         [][]byte
	// TargetFirst: the one that comes second finds the pages in memory.
	TargetFirst bool
}

// Limits bound one comparison.
type Limits struct {
	// Rows is how many rows are compared at most.
	Rows int
	// Timeout bounds each of the two statements.
	Timeout time.Duration
}

// The ways in which results differ.
const (
	KindRows    = "rows"
	KindOrder   = "order"
	KindColumns = "columns"
	KindError   = "error"
	KindTimeout = "timeout"
)

// Difference says how the results of the two forms differ.
type Difference struct {
	Kind string
	// Code is the SQLSTATE of an error.
	Code   string
	Detail string
	// Message is the server's, which can name values.
	Message string
}

// fails is the difference where only one side does.
func fails(side string, e *pgconn.PgError) *Difference {
	return &Difference{Kind: KindError, Code: e.Code, Detail: "only the read of the " + side + " fails", Message: e.Message}
}

// Outcome is what came of a comparison.
type Outcome struct {
	// Reason says why nothing was compared; empty when something was.
	Reason     Reason
	Difference *Difference
	// Source and Target are how long the two forms took, at least where one was given
	// up after its timeout or for a lock; 0 where one failed.
	Source, Target time.Duration
	// SourceFailed and TargetFailed: the server has rejected it.
	SourceFailed, TargetFailed bool
}

// Prepare sets up a session for comparisons, which is Crossfade's own: one that is forgotten between two
// statements ends by itself, and holds up no drain for longer than that.
func Prepare(ctx context.Context, pc *pgconn.PgConn, l Limits) error {
	settings := fmt.Sprintf(`set statement_timeout = %d; set lock_timeout = %d; set idle_in_transaction_session_timeout = %d`,
		l.Timeout.Milliseconds(), min(lockTimeout, l.Timeout).Milliseconds(), (l.Timeout + idleTimeout).Milliseconds())
	if _, err := pc.Exec(ctx, settings).ReadAll(); err != nil {
		return fmt.Errorf("prepare a session for comparisons: %w", err)
	}
	return nil
}

const (
	// lockTimeout: a read waits for DDL only, behind which others queue up.
	lockTimeout = 100 * time.Millisecond
	idleTimeout = 2 * time.Second
	// maxBytes bounds what one of the statements may send.
	maxBytes = 16 << 20
)

// ErrTooMuch: a read sends more than a comparison may cost.
var ErrTooMuch = errors.New("its rows are too long to be compared")

// Compare runs a read in both forms, in one snapshot. After an error the
// connection is of no use.
func Compare(ctx context.Context, pc *pgconn.PgConn, r Read, v Verdict, l Limits) (Outcome, error) {
	var o Outcome
	if v.Reason != "" || v.Difference != nil {
		return Outcome{Reason: v.Reason, Difference: v.Difference, TargetFailed: v.Difference != nil && v.Difference.Kind == KindError}, nil
	}
	if err := begin(ctx, pc); err != nil {
		return o, err
	}
	texts := [2]string{r.Source, r.Target}
	var sides [2]answer
	order := [2]int{0, 1}
	if r.TargetFirst {
		order = [2]int{1, 0}
	}
	for i, side := range order {
		a, err := run(ctx, pc, texts[side], r, v.Types, l)
		if err != nil {
			return o, err
		}
		if sides[side] = a; a.failure != nil && i == 0 {
			// The transaction is over. What the other one does in a snapshot of its
			// own still tells whether it fails too.
			if err := again(ctx, pc); err != nil {
				return o, err
			}
		}
	}
	if err := end(ctx, pc); err != nil {
		return o, err
	}
	return outcome(sides[0], sides[1], v.Ordered), nil
}

func begin(ctx context.Context, pc *pgconn.PgConn) error {
	if _, err := pc.Exec(ctx, `begin isolation level repeatable read, read only`).ReadAll(); err != nil {
		return fmt.Errorf("begin a comparison: %w", err)
	}
	return nil
}

func again(ctx context.Context, pc *pgconn.PgConn) error {
	if err := end(ctx, pc); err != nil {
		return err
	}
	return begin(ctx, pc)
}

// leave ends a transaction, and what outlives it: a function that claims to do nothing
// may have taken a lock of the session. The mark of the session is taken again.
var leave = fmt.Sprintf(`rollback; select pg_catalog.pg_advisory_unlock_all(); select pg_catalog.pg_advisory_lock_shared(%d, 0)`, fence.OwnClass)

func end(ctx context.Context, pc *pgconn.PgConn) error {
	if _, err := pc.Exec(ctx, leave).ReadAll(); err != nil {
		return fmt.Errorf("end a comparison: %w", err)
	}
	return nil
}

// outcome compares two answers.
func outcome(source, target answer, ordered bool) Outcome {
	o := Outcome{SourceFailed: source.failed(), TargetFailed: target.failed()}
	if !o.SourceFailed {
		o.Source = source.took
	}
	if !o.TargetFailed {
		o.Target = target.took
	}
	for _, a := range []answer{source, target} {
		// That nobody could be served says nothing about the target.
		if a.failed() && reasonOf(a.failure) != Failed {
			return Outcome{Reason: reasonOf(a.failure)}
		}
	}
	switch {
	case o.SourceFailed && o.TargetFailed:
		return Outcome{Reason: Failed}
	case o.TargetFailed:
		o.Difference = fails("target", target.failure)
	case o.SourceFailed:
		o.Difference = fails("source", source.failure)
	case source.stalled() && target.stalled():
		return Outcome{Reason: reasonOf(source.failure)}
	case target.stalled() && reasonOf(target.failure) == Timeout && source.took < target.took/2:
		o.Difference = &Difference{Kind: KindTimeout, Code: target.failure.Code, Detail: fmt.Sprintf(
			"the read of the target takes longer than %s, that of the source %s", target.took.Round(time.Millisecond), source.took.Round(time.Millisecond))}
	case target.stalled():
		o.Reason = reasonOf(target.failure)
	case source.stalled():
		o.Reason = reasonOf(source.failure)
	case source.more || target.more:
		return Outcome{Reason: Rows}
	default:
		o.Difference = source.differs(target, ordered)
	}
	return o
}

// reasonOf is the reason that an error is for not comparing; Failed for those that
// are about the statement.
func reasonOf(e *pgconn.PgError) Reason {
	switch e.Code {
	case "42P01": // undefined_table
		if strings.Contains(e.Message, "crossfade.") {
			return Phase
		}
	case "57014": // query_canceled
		return Timeout
	case "55P03": // lock_not_available
		return Locked
	case "25006": // read_only_sql_transaction: something has tried to write
		return "volatile"
	}
	switch e.Code[:min(2, len(e.Code))] {
	case "40", "53", "57", "58": // a conflict, no resources, shut down, the operating system
		return Server
	}
	return Failed
}

// answer is what one of the two forms has given.
type answer struct {
	rows
	took    time.Duration
	failure *pgconn.PgError
	// more: there are more rows than may be compared.
	more bool
}

// stalled tells whether it was given up for the time that it took, or for a lock.
func (a answer) stalled() bool {
	if a.failure == nil {
		return false
	}
	why := reasonOf(a.failure)
	return why == Timeout || why == Locked
}

// failed tells whether the server has rejected it.
func (a answer) failed() bool { return a.failure != nil && !a.stalled() }

// run executes one of the forms and takes as many rows as may be compared.
func run(ctx context.Context, pc *pgconn.PgConn, sql string, r Read, types []uint32, l Limits) (a answer, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("run a read: %w", err)
		}
	}()
	// The server's timeout comes first, unless it does not answer at all.
	ctx, cancel := context.WithTimeout(ctx, l.Timeout+idleTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = pc.Conn().SetDeadline(time.Unix(1, 0)) })()
	began := time.Now()
	f := pc.Frontend()
	f.SendParse(&pgproto3.Parse{Query: sql, ParameterOIDs: types})
	f.SendBind(&pgproto3.Bind{ParameterFormatCodes: r.Formats, Parameters: r.Params})
	f.SendDescribe(&pgproto3.Describe{ObjectType: 'P'})
	f.SendExecute(&pgproto3.Execute{MaxRows: uint32(l.Rows) + 1})
	f.SendSync(&pgproto3.Sync{})
	if err := f.Flush(); err != nil {
		return a, err
	}
	size := 0
	for {
		message, err := pc.ReceiveMessage(context.Background())
		if err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return a, err
		}
		switch m := message.(type) {
		case *pgproto3.RowDescription:
			a.columns(m.Fields)
		case *pgproto3.DataRow:
			if size += a.add(m.Values); size > maxBytes {
				return a, ErrTooMuch
			}
		case *pgproto3.CommandComplete:
			a.took = time.Since(began)
		case *pgproto3.PortalSuspended:
			a.took, a.more = time.Since(began), true
		case *pgproto3.ErrorResponse:
			a.took, a.failure = time.Since(began), pgconn.ErrorResponseToPgError(m)
		case *pgproto3.ReadyForQuery:
			a.more = a.more || a.count > l.Rows
			return a, nil
		}
	}
}
