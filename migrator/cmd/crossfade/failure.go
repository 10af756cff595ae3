package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/migrator"
)

// usageError: the command line or a file named there is wrong.
type usageError struct {
	cause   error
	command string // whose help helps; empty when none does
}

func (e *usageError) Error() string { return e.cause.Error() }
func (e *usageError) Unwrap() error { return e.cause }

// refusal is a plain refusal whose details have been printed already.
type refusal struct{ message, hint string }

func (e *refusal) Error() string { return e.message }

// failure is an error as a user sees it.
type failure struct {
	Code    int    `json:"exit_code"`
	Kind    string `json:"kind"`
	Message string `json:"error"`
	Hint    string `json:"hint,omitempty"`
	// What the error knows beyond its message.
	Findings []migrator.Finding `json:"findings,omitempty"`
	Drain    *migrator.Drain    `json:"drain,omitempty"`
	Gate     string             `json:"gate,omitempty"`
}

// describe finds the exit code of an error, and what to do about it.
func describe(ctx context.Context, err error) (f failure) {
	f = failure{Code: exitError, Message: err.Error()}
	defer func() { f.Kind = exitName(f.Code) }()
	var (
		usage    *usageError
		refused  *migrator.RefusedError
		gate     *migrator.GateError
		drain    *migrator.DrainError
		mismatch *migrator.MismatchError
		back     *migrator.StepBackError
		tail     *migrator.TailError
		violated *migrator.ViolationError
		blocked  *ddl.BlockedError
		plain    *refusal
		wait     *unready
		connect  *pgconn.ConnectError
	)
	is := func(targets ...error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
	switch {
	case ctx.Err() != nil: // whatever it broke off
		f.set(exitInterrupted, "nothing is lost: run the command again, it continues where it stopped")
		f.Message = "interrupted"
	case is(migrator.ErrUnknownOutcome):
		f.set(exitConnection, "")
	case errors.As(err, &connect): // before fs.ErrNotExist: a socket is a file too
		f.set(exitConnection, "check --database-url, $CROSSFADE_DATABASE_URL, $DATABASE_URL or libpq's variables ($PGHOST ...)")
	case is(fs.ErrNotExist, migrator.ErrNoLedger):
		f.set(exitNotFound, "")
	case is(migrator.ErrNotFound):
		f.set(exitNotFound, "`crossfade status` lists the transitions; `crossfade start FILE` begins one")
	case errors.As(err, &usage):
		f.set(exitUsage, usage.hint())
	case errors.As(err, &refused):
		f.set(exitRefused, "take care of each finding, or list its code under accept in the transition file where it says so")
		f.Message, f.Findings = refusedMessage(refused), refused.Findings
	case errors.As(err, &gate):
		f.set(exitRefused, gateHint(gate))
		f.Message, f.Gate = gateMessage(gate), gate.Gate
	case is(migrator.ErrNothingToHelp):
		f.set(exitNotFound, "run, advance, rollback and verify begin one; `crossfade status` shows how far they are")
	case is(migrator.ErrNoSnapshot):
		f.set(exitUsage, "--snapshot ID names a backup or snapshot, --no-snapshot goes on without one")
	case is(migrator.ErrSameDatabase):
		f.set(exitUsage, "restore a backup elsewhere, and name that with --on")
	case is(migrator.ErrForce):
		f.set(exitUsage, "")
	case errors.As(err, &wait):
		f.set(wait.code, wait.hint())
	case errors.As(err, &plain):
		f.set(exitRefused, plain.hint)
	case is(migrator.ErrPointOfNoReturn):
		f.set(exitRefused, "to move the column back, start another transition the other way round")
	case is(migrator.ErrActive):
		f.set(exitRefused, "")
	case errors.As(err, &back):
		f.set(exitMismatch, back.Hint())
		f.Message = fmt.Sprintf("transition %q: reads have gone back to the source: %s", back.Transition, back.Why)
	case errors.As(err, &drain):
		f.set(exitWaiting, drain.Hint()+"; then run the command again, it continues")
		f.Message, f.Drain = drainMessage(drain.Drain), &drain.Drain
	case errors.As(err, &tail):
		f.set(exitRefused, tail.Hint())
		f.Message = fmt.Sprintf("transition %q: the log is not followed any more: %v", tail.Transition, tail.Err)
	case errors.As(err, &blocked):
		f.set(exitWaiting, "")
	case errors.As(err, &mismatch):
		f.set(exitMismatch, "look for a writer without the hook, a trigger or a job that sets only one of the columns; then `crossfade repair "+mismatch.Transition+" --dry-run`")
		f.Message = mismatchMessage(mismatch.Verification)
	case errors.As(err, &violated):
		f.set(exitMismatch, "put these rows right and run again, or roll back; they are those where "+violated.Condition)
		f.Message = fmt.Sprintf("transition %q: %d of %d rows stand in the way%s", violated.Transition, violated.Violations, violated.Rows,
			keysText(violated.Key, violated.Samples))
	case is(migrator.ErrAnotherMigrator):
		f.set(exitBusy, "wait for it to end, or end its session with pg_terminate_backend(pid)")
	case is(migrator.ErrMoved):
		f.set(exitBusy, "`crossfade status` shows where it stands; run the command again")
	}
	return f
}

func (f *failure) set(code int, hint string) { f.Code, f.Hint = code, hint }

func (e *usageError) hint() string {
	if e.command == "" {
		return ""
	}
	return "see `" + e.command + " --help`"
}

func refusedMessage(e *migrator.RefusedError) string {
	var b strings.Builder
	fmt.Fprintf(&b, "transition %q is refused", e.Transition)
	for _, f := range e.Findings {
		if f.Refuses {
			b.WriteString("\n" + findingText(console.Style{}, f, "  "))
		}
	}
	return b.String()
}

func gateMessage(e *migrator.GateError) string {
	if e.Gate == "" {
		return fmt.Sprintf("transition %q, step %s: %s", e.Transition, e.Step, e.Why)
	}
	return fmt.Sprintf("transition %q, gate %s: %s", e.Transition, e.Gate, e.Why)
}

func gateHint(e *migrator.GateError) string {
	if e.Forcible {
		return e.Hint + "; or accept it: --force " + e.Gate + " --reason '...'"
	}
	return e.Hint
}

func drainMessage(d migrator.Drain) string {
	var b strings.Builder
	fmt.Fprintf(&b, "transition %q, %s: after %s still waiting for", d.Transition, d.Name(), d.Elapsed.Round(10*time.Millisecond))
	for _, s := range d.Waiting {
		b.WriteString("\n  " + s.String())
	}
	return b.String()
}

func mismatchMessage(v migrator.Verification) string {
	message := fmt.Sprintf("transition %q: %s and %s differ in %d of %d rows", v.Transition, names(v.Sources), names(v.Targets), v.Mismatches, v.Rows)
	return message + keysText(v.Key, v.Samples)
}

// keysText lists the first rows of many by their keys.
func keysText(key []string, samples [][]string) string {
	if len(samples) == 0 {
		return ""
	}
	keys := make([]string, len(samples))
	for i, values := range samples {
		keys[i] = "(" + strings.Join(values, ", ") + ")"
	}
	return fmt.Sprintf("; the first of them by (%s): %s", strings.Join(key, ", "), strings.Join(keys, " "))
}
