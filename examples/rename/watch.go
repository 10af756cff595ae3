package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/pgcrossfade/crossfade/migrator"
)

// watch is an observer of the migrator: what it does now, for the view, and
// what it has done, for the report.
type watch struct {
	mu    sync.Mutex // guards what follows
	phase migrator.Phase
	step  string
	drain *migrator.DrainEvent     // the one that is under way
	job   *migrator.JobProgress    // likewise
	lock  *migrator.StatementEvent // a statement that is tried again and again
	flips map[int]time.Duration    // how long each drain took, by its epoch
	first time.Duration            // the drain of those who did not know the transition
	jobs  []*migrator.JobProgress  // all of them
	lines []string                 // to be logged
	log   func(format string, args ...any)

	// barrier is closed when the migrator waits for sessions without the hook.
	barrier   chan struct{}
	atBarrier sync.Once
}

func newWatch(log func(format string, args ...any)) *watch {
	return &watch{flips: map[int]time.Duration{}, log: log, barrier: make(chan struct{})}
}

// Observe takes an event of the migrator.
func (w *watch) Observe(event migrator.Event) {
	for _, line := range w.take(event) { // unlocked: the log shows the view, which locks
		w.log("%s", line)
	}
}

// take notes an event, and returns what is to be logged.
func (w *watch) take(event migrator.Event) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = nil
	switch e := event.(type) {
	case migrator.StepEvent:
		w.stepped(e)
	case migrator.DrainEvent:
		w.drained(e)
	case migrator.StatementEvent:
		w.lock = nil
		if e.Retry > 0 && !e.Done {
			w.lock = &e
		}
	case migrator.BatchEvent:
		w.job = &e.Progress
		if n := len(w.jobs); n == 0 || w.jobs[n-1].Job != e.Progress.Job || !w.jobs[n-1].StartedAt.Equal(e.Progress.StartedAt) {
			w.jobs = append(w.jobs, nil)
		}
		w.jobs[len(w.jobs)-1] = &e.Progress
	}
	return w.lines
}

func (w *watch) say(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

func (w *watch) stepped(e migrator.StepEvent) {
	w.phase, w.step, w.job = e.Phase, e.Name, nil
	if e.Undo {
		w.step = "undo " + e.Name
	}
	if e.Done && e.Err == nil {
		w.say("  %-16s %8d ms", w.step, e.Elapsed.Milliseconds())
	}
	if e.Done {
		w.step = ""
	}
}

func (w *watch) drained(e migrator.DrainEvent) {
	if e.To != "" {
		w.phase = e.To
	}
	w.drain = &e
	if !e.Done {
		if e.From == e.To && len(e.Waiting) > 0 {
			w.atBarrier.Do(func() { close(w.barrier) })
		}
		return
	}
	w.drain = nil
	if len(e.Fenced) > 0 {
		w.say("  %d idle laggards are fenced off, such as %s", len(e.Fenced), e.Fenced[0])
	}
	switch {
	case e.From == e.To: // the barrier behind the sessions without the hook
	case e.From == "":
		w.first = max(w.first, e.Elapsed)
	case e.To != "":
		w.flips[e.Epoch] = max(w.flips[e.Epoch], e.Elapsed)
	}
}

func (w *watch) slowestDrain() time.Duration {
	var slowest time.Duration
	for _, took := range w.flips {
		slowest = max(slowest, took)
	}
	return slowest
}

// scanned sums up all scans of one kind: how many rows they looked at and
// changed, and in what time.
func (w *watch) scanned(job string) (rows, changed int64, took time.Duration) {
	for _, j := range w.jobs {
		if j.Job == job {
			rows += j.RowsScanned
			changed += j.RowsChanged
			took += j.Elapsed
		}
	}
	return rows, changed, took
}

// blockedBy says in a few words what a statement cannot get its lock from.
func blockedBy(e *migrator.StatementEvent) string {
	who := "somebody"
	if len(e.Blockers) > 0 {
		who = e.Blockers[0]
	}
	return fmt.Sprintf("%s: attempt %d, its lock is held by %s", e.SQL, e.Retry+1, who)
}

// waitsFor says in a few words what a drain waits for.
func waitsFor(d *migrator.DrainEvent) string {
	leaving := "all sessions to know the transition"
	if d.From != "" {
		leaving = fmt.Sprintf("%s -> %s", d.From, d.To)
	}
	return fmt.Sprintf("%s: waiting for %d sessions since %s", leaving, len(d.Waiting), d.Elapsed.Round(10*time.Millisecond))
}
