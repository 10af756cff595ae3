package queryplan

import "fmt"

// Severity tells how bad a Finding is.
type Severity string

const (
	// Error: reads should not move to the target before this is taken care of.
	Error Severity = "error"
	// Warning: somebody should look.
	Warning Severity = "warning"
)

// Code names a kind of Finding.
type Code string

const (
	// IndexLost: an index scan of the table becomes a sequential scan.
	IndexLost Code = "index-lost"
	// ConditionLost: an index is still scanned, but a condition that chose the
	// rows in it has become a mere filter. A Warning when other conditions find
	// the rows instead.
	ConditionLost Code = "condition-lost"
	// NotPlanned: PostgreSQL rejects the statement that reads the target.
	NotPlanned Code = "not-planned"
	// Costlier: the estimated cost grows by more than the factor allowed.
	Costlier Code = "costlier"
)

// Finding is one thing that gets worse when a read moves to the target.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     Code     `json:"code"`
	// Alias is the name that the table has at the place in the statement; empty
	// for what concerns all of the statement.
	Alias string `json:"alias,omitempty"`
	// Source and Target are the lines of the two plans that differ, shortened.
	// Target is empty when there is no plan.
	Source string `json:"source"`
	Target string `json:"target,omitempty"`
	// Message says what got worse, Hint what to do.
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// Worst is the severity of the worst finding; empty when there is none.
func Worst(findings []Finding) Severity {
	var worst Severity
	for _, f := range findings {
		if f.Severity == Error {
			return Error
		}
		worst = f.Severity
	}
	return worst
}

// UnplannedError: PostgreSQL rejects the statement that reads the source, so
// there is nothing to compare with.
type UnplannedError struct{ Cause error }

func (e *UnplannedError) Error() string {
	return fmt.Sprintf("plan the statement that reads the source: %v", e.Cause)
}

func (e *UnplannedError) Unwrap() error { return e.Cause }
