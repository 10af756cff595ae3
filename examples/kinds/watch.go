package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// watch is an observer of the migrator. It shows what is going on, on a terminal
// as a line for each transition, and counts for the report.
type watch struct {
	traffic *traffic
	began   time.Time
	speed   console.Meter

	mu     sync.Mutex // guards what follows
	now    map[string]state
	drains map[int]time.Duration // how long each flip took to drain, by its epoch
	scans  map[scan]migrator.JobProgress
}

// state is what one transition is about.
type state struct {
	phase migrator.Phase
	step  string
	job   *migrator.JobProgress
	drain *migrator.DrainEvent
}

// scan is one way over the table.
type scan struct {
	transition, job string
	began           time.Time
}

func newWatch(t *traffic) *watch {
	return &watch{
		traffic: t, began: time.Now(),
		now: map[string]state{}, drains: map[int]time.Duration{}, scans: map[scan]migrator.JobProgress{},
	}
}

// Observe takes an event of the migrator.
func (w *watch) Observe(event migrator.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case migrator.StepEvent:
		s := state{phase: e.Phase, step: e.Name}
		if e.Undo {
			s.step = "undo " + e.Name
		}
		if e.Done {
			s.step = ""
		}
		w.now[e.Position.Name] = s
		w.traffic.held.Store(e.Name == "name" && !e.Done)
	case migrator.DrainEvent:
		s := w.now[e.Transition]
		s.drain = &e
		if e.Done {
			s.drain = nil
			if e.From != "" && e.To != "" { // a flip, not the first drain
				w.drains[e.Epoch] = max(w.drains[e.Epoch], e.Elapsed)
			}
		}
		if e.To != "" {
			s.phase = e.To
		}
		w.now[e.Transition] = s
	case migrator.BatchEvent:
		s := w.now[e.Transition]
		s.job = &e.Progress
		w.now[e.Transition] = s
		w.scans[scan{e.Transition, e.Progress.Job, e.Progress.StartedAt}] = e.Progress
	}
}

// scanned sums up all scans of one kind: rows that were looked at, and changed.
func (w *watch) scanned(job string) (rows, changed int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s, p := range w.scans {
		if s.job == job {
			rows, changed = rows+p.RowsScanned, changed+p.RowsChanged
		}
	}
	return rows, changed
}

// slowestDrain is how long the slowest flip waited for connections to be replaced.
func (w *watch) slowestDrain() (flips int, slowest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, took := range w.drains {
		slowest = max(slowest, took)
	}
	return len(w.drains), slowest
}

// Lines is the block on a terminal.
func (w *watch) Lines(width int, s console.Style) []string {
	lines := []string{""}
	w.mu.Lock()
	for _, move := range moves {
		now := w.now[move.Name]
		line := s.Bold(console.Pad(move.Name, 8)) + s.Accent(console.Pad(string(now.phase), 12))
		switch {
		case now.drain != nil:
			line += s.Warn(fmt.Sprintf("waiting for %d sessions", len(now.drain.Waiting)))
		case now.job != nil:
			task := console.Task{Label: now.step, LabelWidth: 10, Done: now.job.RowsScanned, Total: now.job.Estimate, Unit: "rows"}
			line += task.Line(width-console.Visible(line), s)
		default:
			line += s.Dim(now.step)
		}
		lines = append(lines, line)
	}
	w.mu.Unlock()
	return append(lines, s.Bold(console.Pad("traffic", 8))+w.Status())
}

// Status is the traffic in one plain line.
func (w *watch) Status() string {
	sum := w.traffic.sum()
	w.speed.Add(time.Now(), sum.Statements)
	rate, known := w.speed.Rate()
	if !known {
		rate = float64(sum.Statements) / time.Since(w.began).Seconds()
	}
	return fmt.Sprintf("%s statements/s, %s in all, %d errors, %d wrong reads",
		console.Count(int64(rate)), console.Count(sum.Statements), sum.Errors, sum.WrongReads)
}

// phases are where the transitions stand.
func (w *watch) phases() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	phases := map[string]string{}
	for _, move := range moves {
		phases[move.Name] = string(w.now[move.Name].phase)
	}
	return phases
}
