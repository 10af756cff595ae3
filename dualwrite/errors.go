package dualwrite

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// Why a connection is not hooked, or not opened at all.
var (
	// ErrExecMode: the exec mode writes batches past the hook.
	ErrExecMode = errors.New("dualwrite: QueryExecModeExec sends batches past the hook: " +
		"use QueryExecModeCacheDescribe or QueryExecModeDescribeExec instead")
	// ErrReplication: a replication connection sends no SQL to rewrite.
	ErrReplication = errors.New("dualwrite: a replication connection must not be hooked")
	// ErrNotHooked: another callback replaced the hook's, so that a connection
	// would have sent SQL as it is. The connection was closed.
	ErrNotHooked = errors.New("dualwrite: the connection does not pass through the hook: " +
		"a BeforeConnect, BuildFrontend or AfterConnect of the application has replaced the hook's")
	// ErrHookedTwice: the configuration had the hook in it already.
	ErrHookedTwice = errors.New("dualwrite: the hook is installed twice in this configuration")
	// ErrPooler: a pooler hands out the server's connections by transaction.
	ErrPooler = fence.ErrPooler
	// ErrPrivilege: the role may not read the ledger.
	ErrPrivilege = fence.ErrPrivilege
	// ErrEncoding: the texts of the connection are in an encoding that the hook
	// cannot read as the server does.
	ErrEncoding = errors.New("dualwrite: client_encoding must be UTF8 or SQL_ASCII: add client_encoding=UTF8 to the connection string")
	// ErrRunning: Run was called while another Run of the same Hook runs.
	ErrRunning = errors.New("dualwrite: Run is running already")
)

// The SQLSTATEs of errors that the hook waits for.
const (
	codeSyntaxError = "42601" // of a text that was refused
	codeNoStatement = "26000" // of a prepared statement that was refused
	codeNoTable     = "42P01" // of a token that is gone
	codeNoColumn    = "42703" // of a column that is gone
	codeReadOnly    = "25006" // of LISTEN on a standby
	codeConflict    = "40001" // on a standby: of a statement that replay could not wait for
)

// The SQLSTATEs of the errors that the hook makes.
const (
	codeRefused = "0A000" // feature_not_supported
	codeStale   = "40001" // serialization_failure: what applications retry
)

// An error that the hook made is recognised by its Routine, which is the name
// of a C function in errors of the server itself.
const (
	routineRefused = "crossfade_refused"
	routineStale   = "crossfade_stale_phase"
	routineBypass  = "crossfade_bypassed"
)

// Refusal is a statement that the hook did not send, because it cannot be
// rewritten safely. Nothing of it was executed; an open transaction has failed
// as with any other error.
type Refusal struct {
	// Message says what was refused and why; Hint what to do instead.
	Message, Hint string
	// Position is the character in the application's text, from 1; 0 when the
	// refusal is about no place in particular.
	Position int
}

// Error returns the message.
func (r *Refusal) Error() string { return r.Message }

// AsRefusal tells whether err, or what it wraps, is a refusal by the hook: the
// error of a statement, which is a *pgconn.PgError of SQLSTATE 0A000, or the Err of
// an Event.
func AsRefusal(err error) (*Refusal, bool) {
	var r *Refusal
	if errors.As(err, &r) {
		return r, true
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != codeRefused || e.Routine != routineRefused {
		return nil, false
	}
	return &Refusal{Message: e.Message, Hint: e.Hint, Position: int(e.Position)}, true
}

// IsStalePhase tells whether err, or what it wraps, says that the phase which
// the statement was written for has ended, or that a table has lost a column
// which the hook had written for a star. Nothing of the statement was
// executed: the transaction, or the statement when it was alone, can be
// retried, and will get another connection. The same error is a
// *pgconn.PgError of SQLSTATE 40001 with the server's error in its Detail.
func IsStalePhase(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == codeStale && e.Routine == routineStale
}

// refusalOf is a refusal as the application sees it.
func refusalOf(text string, r *rewrite.Refusal) *Refusal {
	refusal := &Refusal{Message: r.Message, Hint: r.Hint}
	if r.Offset >= 0 {
		refusal.Position = position(text, r.Offset)
	}
	return refusal
}

// refused finishes the error that the server made of a refused text.
func refused(s *statement) *pgproto3.ErrorResponse {
	r := refusalOf(s.original, s.result.Refusal)
	return &pgproto3.ErrorResponse{
		Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: codeRefused,
		Message: r.Message, Hint: r.Hint, Position: int32(r.Position), Routine: routineRefused,
	}
}

// missing explains that the table of a transition did not exist when the
// connection joined.
func missing(e *pgproto3.ErrorResponse) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{
		Severity: e.Severity, SeverityUnlocalized: e.SeverityUnlocalized, Code: codeRefused,
		Message: "crossfade: the statement names a table in transition that did not exist when this connection joined",
		Hint:    "If the table was dropped for good, remove its transition.",
		Routine: routineRefused,
	}
}

// stale explains that a token is gone.
func stale(e *pgproto3.ErrorResponse) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{
		Severity: e.Severity, SeverityUnlocalized: e.SeverityUnlocalized, Code: codeStale,
		Message: "crossfade: the phase that this connection joined under has ended; the statement was not executed",
		Detail:  e.Message + " (SQLSTATE " + e.Code + ")",
		Hint:    "Retry the transaction: it will get a connection of the phase in force.",
		Routine: routineStale,
	}
}

// outrun explains that a column is gone which the application has not named.
func outrun(e *pgproto3.ErrorResponse) *pgproto3.ErrorResponse {
	better := stale(e)
	better.Message = "crossfade: a table in transition has changed since this connection joined; the statement was not executed"
	better.Hint = "Retry the transaction: it will get a connection that knows the table as it is."
	return better
}

// bypassed ends a connection on which somebody wrote past the hook. Severity
// FATAL makes pgconn close it.
func bypassed() *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{
		Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: codeRefused,
		Message: "crossfade: SQL was sent past the hook and may have been executed without being rewritten",
		Hint: "Do not use pgconn.Batch or QueryExecModeExec with SendBatch on this connection: " +
			"use SendBatch in another mode, or a pgconn.Pipeline.",
		Routine: routineBypass,
	}
}
