package console

import (
	"fmt"
	"strings"
	"time"
)

// Task is one line of progress.
type Task struct {
	// Label stands before the bar, padded to LabelWidth.
	Label      string
	LabelWidth int
	Done       int64
	// Total is the whole; 0 when it is not known, and no bar is drawn then.
	Total int64
	// Unit is what is counted: "rows".
	Unit string
	// Rate is per second; 0 when it is not known. So is Left.
	Rate float64
	Left time.Duration
	// Note stands at the end.
	Note string
}

const (
	maxBar = 40
	minBar = 8
)

// Line draws the task in width columns. What does not fit goes, the bar last.
func (t Task) Line(width int, s Style) string {
	label := s.Bold(Pad(t.Label, t.LabelWidth)) + "  "
	facts := t.facts()
	if t.Total <= 0 {
		return Fit(label+strings.Join(facts, "  "), width)
	}
	percent := fmt.Sprintf("%3.0f%%", 100*t.fraction())
	for {
		tail := "  " + strings.Join(append([]string{percent}, facts...), "  ")
		bar := min(maxBar, width-Visible(label)-Visible(tail))
		if bar >= minBar || len(facts) == 0 {
			return Fit(label+s.Bar(t.fraction(), max(bar, 0))+tail, width)
		}
		facts = facts[:len(facts)-1]
	}
}

// Status is the task in one plain line; without a Label just what is to say.
func (t Task) Status() string {
	parts := t.facts()
	if t.Total > 0 {
		parts = append([]string{fmt.Sprintf("%.0f%%", 100*t.fraction())}, parts...)
	}
	status := strings.Join(parts, ", ")
	if t.Label == "" {
		return status
	}
	return t.Label + ": " + status
}

// facts are what there is to say, the most telling first.
func (t Task) facts() []string {
	var facts []string
	switch {
	case t.Total > 0:
		facts = append(facts, fmt.Sprintf("%s of %s %s", Count(t.Done), Count(t.Total), t.Unit))
	case t.Done > 0:
		facts = append(facts, Count(t.Done)+" "+t.Unit)
	}
	if t.Rate > 0 {
		facts = append(facts, Count(int64(t.Rate))+"/s")
	}
	if left := t.Left.Round(time.Second); left > 0 {
		facts = append(facts, Duration(left)+" left")
	}
	if t.Note != "" {
		facts = append(facts, t.Note)
	}
	return facts
}

// fraction is what is done of the whole. A total is often an estimate, so the
// task is finished when its owner says so, not when the count gets there.
func (t Task) fraction() float64 {
	if t.Total <= 0 {
		return 0
	}
	return min(1, float64(t.Done)/float64(t.Total))
}
