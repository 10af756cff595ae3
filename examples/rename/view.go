package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// view is what a terminal shows while the example runs; elsewhere it is a line
// every few seconds. The numbers come from the watch and the fleet.
type view struct {
	watch *watch
	fleet *fleet
	began time.Time
	speed console.Meter
}

// Lines is the block on a terminal.
func (v *view) Lines(width int, s console.Style) []string {
	now, sum := time.Now(), v.fleet.totals()
	v.speed.Add(now, sum.Statements)
	v.watch.mu.Lock()
	defer v.watch.mu.Unlock()
	lines := []string{
		"",
		s.Bold("users.full_name -> users.name") + "  " + s.Dim(console.Duration(now.Sub(v.began))),
		v.path(s),
		v.doing(width, s),
	}
	if v.watch.lock != nil {
		lines = append(lines, s.Warn("lock")+"        "+blockedBy(v.watch.lock))
	}
	lines = append(lines, v.laggards(s)...)
	return append(lines, v.traffic(sum, s))
}

// path shows all phases, the one in force among them.
func (v *view) path(s console.Style) string {
	arrow := " > "
	if s.Unicode {
		arrow = " → "
	}
	var names []string
	for _, p := range migrator.Phases() {
		if p == v.watch.phase {
			names = append(names, s.Bold(s.Accent("["+string(p)+"]")))
		} else {
			names = append(names, s.Dim(string(p)))
		}
	}
	return strings.Join(names, s.Dim(arrow))
}

// doing shows the step, with a bar for a scan over the table.
func (v *view) doing(width int, s console.Style) string {
	step := v.watch.step
	if step == "" {
		step = "(soak)"
	}
	if j := v.watch.job; j != nil {
		return console.Task{
			Label: step, LabelWidth: 10, Done: j.RowsScanned, Total: j.Estimate, Unit: "rows", Rate: j.Rate, Left: j.Left,
		}.Line(width, s)
	}
	return s.Bold(console.Pad(step, 10))
}

// laggards names who a drain waits for.
func (v *view) laggards(s console.Style) []string {
	d := v.watch.drain
	if d == nil {
		return nil
	}
	const most = 4
	lines := []string{s.Warn("drain") + "       " + waitsFor(d)}
	for i, session := range d.Waiting {
		if i == most {
			lines = append(lines, s.Dim(fmt.Sprintf("            and %d more", len(d.Waiting)-most)))
			break
		}
		lines = append(lines, s.Dim(fmt.Sprintf("            %s, pid %d, %s for %s: %s", session.Application, session.PID,
			session.State, console.Duration(session.Age), strings.Join(strings.Fields(session.Query), " "))))
	}
	return lines
}

func (v *view) traffic(sum totals, s console.Style) string {
	line := s.Bold("traffic") + "     "
	if rate, ok := v.speed.Rate(); ok {
		line += console.Count(int64(rate)) + " statements/s, "
	}
	line += fmt.Sprintf("%s in all, slowest %d ms, ", console.Count(sum.Statements), sum.LongestStall.Milliseconds())
	bad := fmt.Sprintf("%d errors, %d wrong reads", sum.Errors, sum.WrongReads)
	if sum.Errors+sum.WrongReads > 0 {
		return line + s.Bad(bad)
	}
	return line + s.Good(bad)
}

// Status is the same in one plain line.
func (v *view) Status() string {
	sum := v.fleet.totals()
	v.speed.Add(time.Now(), sum.Statements)
	rate, known := v.speed.Rate()
	if !known {
		rate = float64(sum.Statements) / time.Since(v.began).Seconds()
	}
	v.watch.mu.Lock()
	defer v.watch.mu.Unlock()
	doing := v.watch.step
	switch {
	case v.watch.drain != nil:
		doing = waitsFor(v.watch.drain)
	case v.watch.lock != nil:
		doing = blockedBy(v.watch.lock)
	case v.watch.job != nil:
		doing = fmt.Sprintf("%s, %s of about %s rows", doing, console.Count(v.watch.job.RowsScanned), console.Count(v.watch.job.Estimate))
	case doing == "":
		doing = "traffic"
	}
	return fmt.Sprintf("  ... %s statements/s, %d errors, %d wrong reads; %s", console.Count(int64(rate)), sum.Errors, sum.WrongReads, doing)
}
