package migrator

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// Errors that callers may branch on, with errors.Is.
var (
	// ErrNoLedger: Init has not been run in this database.
	ErrNoLedger = ledger.ErrNoLedger
	// ErrNewerLedger: a later version of Crossfade has migrated the ledger.
	ErrNewerLedger = ledger.ErrNewerLedger
	// ErrNotFound: no active transition has that name.
	ErrNotFound = ledger.ErrNotFound
	// ErrActive: the name, or one of the columns, has an active transition already.
	ErrActive = ledger.ErrActive
	// ErrMoved: somebody else moved the transition in the meantime.
	ErrMoved = ledger.ErrMoved
	// ErrAnotherMigrator: another migrator is at work in this database.
	ErrAnotherMigrator = fence.ErrAnotherMigrator
	// ErrPointOfNoReturn: the transition is contracted, so there is no way back.
	ErrPointOfNoReturn = errors.New("the transition is past the point of no return: its source is given up")
	// ErrForce: the gate that was to be forced is not known, or protects rows.
	ErrForce = errors.New("this cannot be forced")
	// ErrUnknownOutcome: the connection was lost while a statement was at work.
	// It may have taken effect or not.
	ErrUnknownOutcome = errors.New("the connection to the database was lost, so the outcome of the last statement is unknown: " +
		"run the command again, it reads the ledger and continues from what is there")
	// ErrStandby: the server is a standby, which cannot be migrated.
	ErrStandby = errors.New("this server is a standby: connect the migrator to the primary")
	// ErrPooler: a connection pooler sits between the migrator and PostgreSQL.
	ErrPooler = errors.New("a connection pooler sits between the migrator and PostgreSQL, " +
		"so locks of its session would stay behind in connections of others: connect it to PostgreSQL directly")
)

// BlockedError: a DDL statement did not get its lock within Config.DDLMaxWait. It
// has the Statement, how often it was tried (Attempts) and for how long (Waited), and
// the sessions in the way (Blockers). Nothing has been changed by the statement.
type BlockedError = ddl.BlockedError

// RefusedError: preflight found something that stands in the way. Nothing has
// been changed.
type RefusedError struct {
	Transition string
	Findings   []Finding
}

func (e *RefusedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "transition %q is refused:", e.Transition)
	for _, f := range e.Findings {
		if f.Refuses {
			fmt.Fprintf(&b, "\n  %s", f)
		}
	}
	return b.String()
}

// GateError: a step may not begin yet. Nothing has been changed by it.
type GateError struct {
	Transition string `json:"transition"`
	// Step is the step that may not begin.
	Step string `json:"step"`
	// Gate is the name of the gate that is closed; empty for what a step of its
	// own accord waits for. Forcible: Force may name it.
	Gate     string `json:"gate,omitempty"`
	Forcible bool   `json:"forcible,omitempty"`
	// Why says what does not hold, Hint what to do about it.
	Why  string `json:"why"`
	Hint string `json:"hint"`
}

func (e *GateError) Error() string {
	at := "step " + e.Step
	if e.Gate != "" {
		at += ", gate " + e.Gate
	}
	return fmt.Sprintf("transition %q, %s: %s (hint: %s)", e.Transition, at, e.Why, e.Hint)
}

// DrainError: sessions are still in the old phase after Config.DrainTimeout.
// Both phases stay allowed, and nothing is wrong: the next call continues.
type DrainError struct {
	Drain
}

func (e *DrainError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "transition %q, %s: still waiting after %s for", e.Transition, e.Name(), e.Elapsed.Round(10*time.Millisecond))
	for _, s := range e.Waiting {
		fmt.Fprintf(&b, "\n  %s", s)
	}
	fmt.Fprintf(&b, "\nhint: %s; then run the command again, it continues", e.Hint())
	return b.String()
}

// MismatchError: rows in which sources and targets differ.
type MismatchError struct {
	Verification
}

func (e *MismatchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "transition %q: %s and %s differ in %d of %d rows, with the keys (%s)", e.Transition,
		strings.Join(e.Sources, ", "), strings.Join(e.Targets, ", "), e.Mismatches, e.Rows, strings.Join(e.Key, ", "))
	for i, key := range e.Samples {
		if i == 5 {
			b.WriteString(" ...")
			break
		}
		fmt.Fprintf(&b, " (%s)", strings.Join(key, ", "))
	}
	b.WriteString(" (hint: look for a writer without the hook, a trigger or a job that sets only one side)")
	return b.String()
}

// ViolationError: rows stand in the way of a constraint. It is not in force.
type ViolationError struct {
	Transition string `json:"transition"`
	// Condition is true of those rows, of the table as t.
	Condition  string `json:"condition"`
	Rows       int64  `json:"rows"`
	Violations int64  `json:"violations"`
	// Key names the columns of the primary key, and Samples are the keys of the
	// first such rows.
	Key     []string   `json:"key"`
	Samples [][]string `json:"samples,omitempty"`
}

func (e *ViolationError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "transition %q: %d of %d rows stand in the way, with the keys (%s)", e.Transition, e.Violations, e.Rows, strings.Join(e.Key, ", "))
	for i, key := range e.Samples {
		if i == 5 {
			b.WriteString(" ...")
			break
		}
		fmt.Fprintf(&b, " (%s)", strings.Join(key, ", "))
	}
	b.WriteString(" (hint: put them right and run again; they are those where " + e.Condition + ")")
	return b.String()
}

func asViolation(err error) (*ViolationError, bool) {
	var violation *ViolationError
	return violation, errors.As(err, &violation)
}

// unknownOutcome marks an error after which nobody can know what the server did.
type unknownOutcome struct{ cause error }

func (e *unknownOutcome) Error() string   { return ErrUnknownOutcome.Error() + ": " + e.cause.Error() }
func (e *unknownOutcome) Unwrap() []error { return []error{ErrUnknownOutcome, e.cause} }

func sqlState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

// dependentsIn is the server's list of what depends on an object.
func dependentsIn(err error) string {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return ""
	}
	return strings.ReplaceAll(pgErr.Detail, "\n", "; ")
}

// StepBackError: reads of the target have passed a limit and have gone back to the
// source, where they stay until the ramp is set again.
type StepBackError struct{ StepBackEvent }

func (e *StepBackError) Error() string {
	return fmt.Sprintf("transition %q: reads have gone back to the source: %s (hint: %s)", e.Transition, e.Why, e.Hint())
}

// Hint says what to do about it.
func (e *StepBackError) Hint() string {
	return fmt.Sprintf("find out why, with crossfade mismatches %s; then: crossfade ramp %s PERCENT", e.Transition, e.Transition)
}
