package statuspage

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// hold is something that a transition waits for, or that is wrong with it.
type hold struct {
	// Mood is moodBad where somebody has to act, moodHeld where it waits, moodRest
	// where it will matter only later.
	Mood string
	// What names it, Why says more, Hint what to do about it.
	What, Why, Hint string
}

// holdsOf lists what is in the way of a transition.
func holdsOf(s migrator.Status) []hold {
	var holds []hold
	add := func(mood, what, why, hint string) { holds = append(holds, hold{mood, what, why, hint}) }
	for _, j := range s.Jobs {
		if j.Compares() && j.Finished && j.Mismatches > 0 {
			add(moodBad, "rows differ", fmt.Sprintf("%s found %s in which source and target differ, of %s%s", j.Job,
				console.Plural(int(j.Mismatches), "row"), console.Count(j.RowsScanned), keys(j)),
				"crossfade repair "+s.Name+" --dry-run")
		}
	}
	if s.SteppedBack != "" && s.Phase == migrator.Live {
		add(moodBad, "reads stepped back", s.SteppedBack, "crossfade mismatches "+s.Name+"; then crossfade ramp "+s.Name+" PERCENT")
	}
	if r := refusedNow(s); r != nil {
		add(moodBad, "statements are refused", fmt.Sprintf("the last one %s ago, of %s: %s", console.Duration(r.Ago), cmp.Or(r.Application, r.Instance), r.Message),
			strings.TrimSpace(r.Hint+" See crossfade explain -t "+s.Name+" 'STATEMENT'"))
	}
	if t := s.Tail; t != nil && t.Slot != "" {
		switch {
		case t.WALStatus == "lost" || t.WALStatus == "missing":
			add(moodBad, "slot "+t.WALStatus, "the replication slot "+t.Slot+" is "+t.WALStatus+": writers without the hook are not followed any more",
				"crossfade tail "+s.Name+" --renew")
		case t.Active == nil:
			add(moodHeld, "nobody follows the log", fmt.Sprintf("slot %s keeps %s of it on the server's disk meanwhile", t.Slot, console.Size(float64(t.Held))),
				"crossfade tail "+s.Name)
		}
	}
	if s.Underway != "" && !s.AtWork {
		add(moodBad, "stopped half way", "step "+s.Underway+" was not finished, and no migrator is at work", "crossfade run "+s.Name+" continues it; crossfade rollback "+s.Name+" undoes it")
	}
	if d := s.Drain; d != nil && len(d.Waiting) > 0 {
		add(moodHeld, "drain", d.Name()+" waits for "+console.Plural(len(d.Waiting), "session"), d.Hint())
	}
	if c := s.Control; c.Paused {
		add(moodHeld, "paused", "scans are paused by "+c.Actor+" since "+moment(c.ChangedAt), "crossfade resume "+s.Name)
	}
	for _, j := range s.Jobs {
		if held(j, s.Control) && !s.Control.Paused {
			add(moodHeld, j.Job+" stands still", j.Waiting, "")
		}
	}
	if r := s.Request; r != nil && r.HeldBy != "" {
		held, _, _ := strings.Cut(r.Held, "\n") // what follows names sessions, which are shown elsewhere
		add(moodHeld, "request held", requestText(*r)+", held by "+r.HeldBy+": "+held, "")
	}
	for _, g := range s.Gates {
		if g.State != migrator.GateClosed {
			continue
		}
		mood := moodRest
		if s.Underway == g.Step || s.Request != nil && s.Phase.Before(s.Request.Phase) {
			mood = moodHeld
		}
		hint := g.Hint
		if g.Forcible {
			hint += "; or --force " + g.Gate + " --reason '...'"
		}
		add(mood, "gate "+g.Gate, "before "+g.Step+": "+g.Why, hint)
	}
	return holds
}

// requestText says who asks for what.
func requestText(r migrator.RequestStatus) string {
	who := r.Actor
	if r.Flag != "" {
		who = "flag " + r.Flag
		if r.Provider != "" {
			who += " of " + r.Provider
		}
	}
	if r.Phase == "" {
		return who + " asks for nothing that is known"
	}
	return who + " asks for " + r.Stage()
}

// keys names the first of the rows that differ.
func keys(j migrator.JobProgress) string {
	const most = 5
	if len(j.Samples) == 0 {
		return ""
	}
	text := "; the first by (" + strings.Join(j.Key, ", ") + "):"
	for i, values := range j.Samples {
		if i == most {
			return text + " ..."
		}
		text += " (" + strings.Join(values, ", ") + ")"
	}
	return text
}
