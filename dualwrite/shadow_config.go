package dualwrite

import (
	"fmt"
	"time"
)

// Shadow says which reads are compared while a transition is in phase shadow or
// live: a sample of those that are rewritten is run once more, off the
// application's path, in the form that reads the source and in the one that reads
// the target. Run does it, on connections of its own, which come from the same
// configuration as the application's. The zero value compares nothing.
type Shadow struct {
	// Rate is the share of reads that are sampled, from 0 to 1. Zero means none.
	Rate float64

	// Concurrency is how many comparisons run at a time, each on a connection of its
	// own. Zero means 1.
	Concurrency int

	// StatementsPerSecond bounds the load: how many statements are sent for
	// comparisons, two for each. What is sampled beyond that is dropped, and counted.
	// Zero means 20; a negative value means no bound.
	StatementsPerSecond float64

	// Timeout bounds each statement. A drain waits for the one under way. Zero means
	// 1 second.
	Timeout time.Duration

	// MaxRows is how many rows of a result are compared at most. Of one that has more
	// nothing is said. Zero means 1000.
	MaxRows int

	// KeepValues lets the ledger keep the constants and parameters of the statements
	// whose results differed; by default it gets neither.
	KeepValues bool
}

func (s Shadow) withDefaults() (Shadow, error) {
	if s.Rate < 0 || s.Rate > 1 || s.Rate != s.Rate {
		return s, fmt.Errorf("dualwrite: Shadow.Rate is %v, must be from 0 to 1", s.Rate)
	}
	if s.Concurrency < 0 || s.Timeout < 0 || s.MaxRows < 0 {
		return s, fmt.Errorf("dualwrite: a limit of Shadow is negative")
	}
	if s.Concurrency == 0 {
		s.Concurrency = 1
	}
	if s.StatementsPerSecond == 0 {
		s.StatementsPerSecond = 20
	}
	if s.Timeout == 0 {
		s.Timeout = time.Second
	}
	if s.MaxRows == 0 {
		s.MaxRows = 1000
	}
	return s, nil
}
