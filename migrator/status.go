package migrator

import (
	"context"
	"time"
)

// Status is where a transition stands, and who is where.
type Status struct {
	Position
	Table  string `json:"table"`
	Source string `json:"source"`
	Target string `json:"target"`
	// Removed is true for a transition whose removal has not drained yet.
	Removed   bool      `json:"removed,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	// Drain is the drain that has not ended; nil when there is none. Its
	// Elapsed is not known.
	Drain *Drain `json:"drain,omitempty"`
	// Jobs are the scans over the whole table that have begun.
	Jobs []JobProgress `json:"jobs,omitempty"`
	// Sessions counts the sessions of the database by the epoch they joined in.
	Sessions []EpochSessions `json:"sessions"`
	// History are the last events, oldest first.
	History []HistoryEvent `json:"history"`
}

// EpochSessions counts the sessions that joined under one epoch.
type EpochSessions struct {
	// Epoch is -1 for sessions without the hook.
	Epoch int `json:"epoch"`
	Count int `json:"count"`
}

// JobProgress is how far a scan over the whole table has come.
type JobProgress struct {
	// Job is "backfill", "refill" or "verify".
	Job         string `json:"job"`
	RowsScanned int64  `json:"rows_scanned"`
	RowsChanged int64  `json:"rows_changed"`
	Mismatches  int64  `json:"mismatches"`
	// Estimate is the number of rows as the planner thinks; it may be off.
	Estimate  int64     `json:"estimate"`
	StartedAt time.Time `json:"started_at"`
	Finished  bool      `json:"finished"`
	// Elapsed is the time from the start to the last batch.
	Elapsed time.Duration `json:"elapsed"`
	// Rate is in rows per second, over the whole job; 0 when not known yet.
	Rate float64 `json:"rate"`
	// Left is the time left by Estimate and Rate; 0 when not known.
	Left time.Duration `json:"left"`
}

// StatusOptions narrows Status.
type StatusOptions struct {
	// Name is a transition; empty means all of them.
	Name string
	// Events is how many of the last events to return; 0 means 10.
	Events int
}

// Status reads the ledger and the sessions. It may be called while another
// migrator is at work. Without any transition it returns an empty slice.
func (m *Migrator) Status(ctx context.Context, o StatusOptions) ([]Status, error) {
	return nil, errSkeleton
}
