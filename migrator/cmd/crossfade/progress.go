package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// progress is the Observer for people: it logs what is done, and is the View of
// what is going on.
type progress struct {
	live    *console.Live
	verbose bool

	mu       sync.Mutex // guards what follows: Observe and the View run in two goroutines
	position migrator.Position
	step     string // empty between steps
	undo     bool
	began    time.Time
	drain    *migrator.Drain
	job      *migrator.JobProgress
	meter    console.Meter
	waiting  migrator.StatementEvent // a statement that did not get its lock yet
}

func newProgress(verbose bool) *progress { return &progress{verbose: verbose} }

// shownSessions is how many sessions of a drain are listed; one line is for the
// rest of them.
const shownSessions = 5

func (p *progress) Observe(event migrator.Event) {
	for _, line := range p.note(event) {
		p.live.Log(line)
	}
}

// note keeps what the event tells, and returns what stays on the screen.
func (p *progress) note(event migrator.Event) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case migrator.StepEvent:
		p.position = e.Position
		if !e.Done {
			p.step, p.undo, p.began = e.Name, e.Undo, time.Now()
			return nil
		}
		lines := []string{p.stepLine(e)}
		if p.job != nil && p.job.Finished && p.job.Forecast != nil {
			lines = append(lines, "         "+outcomeText(*p.job))
		}
		p.step, p.drain, p.job, p.meter, p.waiting = "", nil, nil, console.Meter{}, migrator.StatementEvent{}
		return lines
	case migrator.RequestEvent:
		return []string{requestLine(e)}
	case migrator.StepBackEvent:
		return []string{fmt.Sprintf("%s: reads have gone back to the source: %s", e.Transition, e.Why)}
	case migrator.BatchEvent:
		job := e.Progress
		p.job = &job
		p.meter.Add(time.Now(), job.RowsScanned)
	case migrator.DrainEvent:
		first := p.drain == nil || len(p.drain.Fenced) == 0
		drain := e.Drain
		if drain.To != "" {
			p.position.Phase = drain.To // the move comes before its drain
		}
		if p.drain = &drain; e.Done {
			p.drain = nil
		}
		if first && len(drain.Fenced) > 0 {
			return fencedLines(drain)
		}
	case migrator.StatementEvent:
		p.waiting = migrator.StatementEvent{}
		if e.Retry > 0 && !e.Done {
			p.waiting = e
		}
		if p.verbose && e.Done && e.Err == nil {
			return []string{"    " + oneLine(e.SQL) + "  -- " + console.Duration(e.Elapsed)}
		}
	}
	return nil
}

// stepLine says how a step ended. Why it failed is said once, at the end.
func (p *progress) stepLine(e migrator.StepEvent) string {
	outcome, took := "done", "in "+console.Duration(e.Elapsed)
	if e.Err != nil {
		outcome, took = "stopped", "after "+console.Duration(e.Elapsed)
	}
	line := fmt.Sprintf("%-7s  %-24s  %s", outcome, stepName(e.Name, e.Undo), took)
	if p.job != nil {
		line += fmt.Sprintf(", %s rows", console.Count(p.job.RowsScanned))
		if p.job.Job != "verify" && p.job.Job != "watch" {
			line += fmt.Sprintf(", %s changed", console.Count(p.job.RowsChanged))
		}
	}
	return line
}

// requestLine says what a flag asks for, and what it waits for.
func requestLine(e migrator.RequestEvent) string {
	asked := migrator.RequestStatus{Phase: e.Requested, Ramp: e.Ramp}.Stage()
	if asked == "" {
		asked = "nothing that is known"
	}
	line := fmt.Sprintf("%s: requested %s, in force %s", e.Transition, asked, e.Effective)
	if e.HeldBy != "" {
		line += ", held by " + e.HeldBy + ": " + e.Held
	}
	return line
}

func fencedLines(d migrator.Drain) []string {
	lines := []string{"fenced " + console.Plural(len(d.Fenced), "idle session") + " that stay in the old phase; what they send next is refused, to be retried:"}
	for _, s := range d.Fenced {
		lines = append(lines, "  "+s.String())
	}
	return lines
}

// Lines is the block on a terminal.
func (p *progress) Lines(width int, s console.Style) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.step == "" {
		return nil
	}
	phase := ""
	if p.position.Phase != "" {
		phase = "  phase " + s.Accent(string(p.position.Phase))
	}
	head := s.Bold(p.position.Name) + phase + "  step " + p.doing() +
		"  " + s.Dim(console.Duration(time.Since(p.began)))
	lines := []string{head}
	if p.job != nil {
		lines = append(lines, "  "+p.task().Line(width-2, s))
		if p.verbose {
			lines = append(lines, signalLines(p.job.Signals, s, "    ")...)
		}
	}
	if p.waiting.SQL != "" {
		lines = append(lines, "  "+s.Warn(p.lockText())+oneLine(p.waiting.SQL))
		for _, blocker := range p.waiting.Blockers[:min(shownSessions, len(p.waiting.Blockers))] {
			lines = append(lines, "    "+blocker)
		}
	}
	if p.drain != nil {
		lines = append(lines, "  "+drainText(*p.drain, s))
		for i, session := range p.drain.Waiting {
			if i == shownSessions {
				lines = append(lines, fmt.Sprintf("    and %d more", len(p.drain.Waiting)-i))
				break
			}
			lines = append(lines, "    "+sessionText(session))
		}
	}
	return lines
}

// Status is the block in a line, for a log.
func (p *progress) Status() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var parts []string
	switch {
	case p.step == "":
		return ""
	case p.job != nil:
		t := p.task()
		if t.Label == p.step {
			t.Label = ""
		}
		parts = append(parts, t.Status())
	case p.drain != nil:
		parts = append(parts, drainText(*p.drain, console.Style{}))
		for i, session := range p.drain.Waiting {
			if i == shownSessions {
				parts = append(parts, fmt.Sprintf("and %d more", len(p.drain.Waiting)-i))
				break
			}
			parts = append(parts, session.String())
		}
	case p.waiting.SQL != "":
		parts = append(parts, p.lockText()+oneLine(p.waiting.SQL))
		parts = append(parts, p.waiting.Blockers...)
	default:
		parts = append(parts, "for "+console.Duration(time.Since(p.began)))
	}
	return fmt.Sprintf("%-7s  %-24s  %s", "working", p.doing(), strings.Join(parts, "\n    "))
}

func (p *progress) lockText() string {
	return fmt.Sprintf("no %s lock yet, attempt %d: ", p.waiting.Lock, p.waiting.Retry+1)
}

func (p *progress) doing() string { return stepName(p.step, p.undo) }

func stepName(name string, undo bool) string {
	if undo {
		return "undo " + name
	}
	return name
}

func (p *progress) task() console.Task {
	t := console.Task{Label: p.job.Job, Done: p.job.RowsScanned, Total: max(p.job.Estimate, p.job.RowsScanned), Unit: "rows", Rate: p.job.Rate}
	if rate, known := p.meter.Rate(); known {
		t.Rate = rate
	}
	if left, known := p.meter.Left(t.Total); known {
		t.Left = left
	}
	switch {
	case p.job.Waiting != "":
		t.Note = p.job.Waiting
	case p.job.RateLimit > 0:
		t.Note = rateText(p.job.RateLimit)
	case p.job.Mismatches > 0:
		t.Note = console.Count(p.job.Mismatches) + " differ"
	}
	return t
}
