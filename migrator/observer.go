package migrator

import (
	"time"
)

// Observer is told what a Migrator does. Observe is called by the goroutine
// that does the work, between two statements: it must not block for long and
// must not call the Migrator. While a statement is being tried again another
// goroutine may call, but never two at a time. More kinds of events may come with later
// versions; ignore those you do not know.
type Observer interface {
	// Observe takes an event. It has no error to return: it cannot stop what goes on.
	Observe(Event)
}

// Event is one of StepEvent, StatementEvent, DrainEvent, BatchEvent, RequestEvent,
// StepBackEvent.
type Event interface{ event() }

// StepEvent tells that a step began or ended.
type StepEvent struct {
	Position
	// Name is the step.
	Name string `json:"step_name"`
	// Undo is true on the way back.
	Undo bool `json:"undo,omitempty"`
	// Done is false at the beginning, true at the end; Err is why it did not
	// succeed.
	Done    bool          `json:"done"`
	Err     error         `json:"-"`
	Elapsed time.Duration `json:"elapsed_ns"`
}

// StatementEvent tells that a statement or a transaction of the ledger began
// or ended.
type StatementEvent struct {
	Transition string `json:"transition"`
	Step       string `json:"step"`
	// SQL is the statement; for a transaction of the ledger a comment that says
	// what it does.
	SQL string `json:"sql"`
	// Lock is the lock that it takes on the table; empty for the ledger's.
	Lock string `json:"lock,omitempty"`
	// Retry is how often it was tried before without getting its lock.
	Retry int `json:"retry,omitempty"`
	// Blockers are those who stand in its way, one line each.
	Blockers []string      `json:"blockers,omitempty"`
	Done     bool          `json:"done"`
	Err      error         `json:"-"`
	Elapsed  time.Duration `json:"elapsed_ns"`
}

// DrainEvent tells whom a drain waits for, each time it has looked.
type DrainEvent struct {
	Drain
	// Done is true when the old phase has ended.
	Done bool `json:"done"`
}

// BatchEvent tells how far a backfill, a refill or a verification has come,
// after each batch.
type BatchEvent struct {
	Transition string      `json:"transition"`
	Step       string      `json:"step"`
	Progress   JobProgress `json:"progress"`
}

// RequestEvent tells what a feature flag asks for, each time that this or what
// becomes of it has changed. Its fields are those of the feature_flag attributes of
// OpenTelemetry.
type RequestEvent struct {
	Transition string `json:"transition"`
	// Key is the flag; Value, Variant, Reason and Provider are what was said of it.
	// Key and Value are empty where Request was called without a flag.
	Key      string `json:"flag,omitempty"`
	Value    string `json:"value,omitempty"`
	Variant  string `json:"variant,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Provider string `json:"provider,omitempty"`
	// Requested is the phase that was last asked for and settled; empty when none
	// was. Ramp is how many of 100 connections it wants to read the targets; nil when
	// it leaves that alone. Effective is the phase in force.
	Requested Phase `json:"requested,omitempty"`
	Ramp      *int  `json:"ramp,omitempty"`
	Effective Phase `json:"effective"`
	// Granted: the requested phase came into force.
	Granted bool `json:"granted"`
	// HeldBy names what the request waits for: a gate, "drain", "settling",
	// "unknown-variant" ...; Held says more. Empty: it is granted or on its way.
	HeldBy string `json:"held_by,omitempty"`
	Held   string `json:"held,omitempty"`
}

// StepBackEvent tells that reads have gone back to the source by themselves: the ramp
// was Ramp and is 0.
type StepBackEvent struct {
	Transition string `json:"transition"`
	Ramp       int    `json:"ramp"`
	// Why says which of the RampLimits was passed, with the numbers.
	Why string `json:"why"`
}

func (StepBackEvent) event()  {}
func (StepEvent) event()      {}
func (StatementEvent) event() {}
func (DrainEvent) event()     {}
func (BatchEvent) event()     {}
func (RequestEvent) event()   {}
