package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// planRollback is plan --rollback.
func (a *app) planRollback(ctx context.Context, argument string) error {
	var t migrator.Transition
	if isFile(argument) {
		var err error
		if t, err = loadTransition(argument); err != nil {
			return err
		}
	}
	m, err := a.migrator()
	if err != nil {
		return err
	}
	var p migrator.RollbackPlan
	if t.Name != "" {
		p, err = m.PlanRollback(ctx, t)
	} else {
		p, err = m.RollbackPlan(ctx, argument)
	}
	if err != nil {
		return err
	}
	if t.Name != "" && len(p.Steps) == 0 {
		return &refusal{fmt.Sprintf("start would refuse transition %q", t.Name), "see what stands in the way: crossfade plan " + argument}
	}
	return a.result(p, func(out *console.Output) error { return printRollback(out, out.Style(), p) })
}

// printRollback writes the way back as text, by phase.
func printRollback(w io.Writer, s console.Style, p migrator.RollbackPlan) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: the way back%s\n", s.Bold(p.Transition), standsText(p.Position))
	switch {
	case p.Past:
		fmt.Fprintf(&b, "\n%s it is past step %s: there is no way back\n", s.Bad("point of no return:"), p.NoReturn)
	case p.NoReturn != "":
		fmt.Fprintf(&b, "\n%s step %s, which contract does; until then every step can be undone\n", s.Warn("point of no return:"), p.NoReturn)
	default:
		fmt.Fprintf(&b, "\n%s none; every step can be undone until the transition is removed\n", s.Good("point of no return:"))
	}
	if p.Past {
		_, err := io.WriteString(w, b.String())
		return err
	}
	phase, first := migrator.Phase(""), true
	for _, step := range p.Steps {
		if step.Phase != phase || first {
			phase, first = step.Phase, false
			if phase != "" {
				fmt.Fprintf(&b, "\n%s\n", s.Accent("from phase "+string(phase)))
			}
		}
		printUndo(&b, s, step, p.Position != nil)
	}
	fmt.Fprintf(&b, "\n%s %s\n", s.Bold("in all:"), rollbackTime(p))
	_, err := io.WriteString(w, b.String())
	return err
}

func printUndo(b *strings.Builder, s console.Style, step migrator.RollbackStep, started bool) {
	name := "undo " + step.Name
	if started && !step.Reached {
		name += "  (it has not come so far)"
	}
	fmt.Fprintf(b, "\n  %s\n", s.Bold(name))
	fmt.Fprintf(b, "    time: %s\n", step.Time)
	if scan := step.Scan; scan != nil {
		fmt.Fprintf(b, "    looks at about %s rows, and writes those that differ: WAL up to %s\n", console.Count(scan.Rows), console.Size(float64(scan.WALBytes)))
	}
	for _, lost := range step.Lost {
		fmt.Fprintf(b, "    %s %s\n", s.Warn("lost:"), lost)
	}
	for _, stops := range step.Stops {
		fmt.Fprintf(b, "    %s %s\n", s.Warn("stops at:"), stops)
	}
	for _, statement := range step.Statements {
		printStatement(b, s, statement)
	}
}

// rollbackTime adds up what is known of the steps that a rollback now undoes; of
// a file, of all.
func rollbackTime(p migrator.RollbackPlan) string {
	var known time.Duration
	var unknown []string
	steps := 0
	for _, step := range p.Steps {
		if p.Position != nil && !step.Reached {
			continue
		}
		steps++
		known += step.Duration
		if step.Duration == 0 {
			unknown = append(unknown, step.Name)
		}
	}
	switch {
	case steps == 0:
		return "nothing is to be undone"
	case len(unknown) == 0:
		return "about " + console.Duration(known)
	}
	return fmt.Sprintf("about %s, and what is not known of: %s", console.Duration(known), names(unknown))
}

func standsText(p *migrator.Position) string {
	switch {
	case p == nil:
		return ", before it has begun"
	case p.Phase == "":
		return ", from after step " + dash(p.Step)
	}
	return ", from phase " + string(p.Phase) + afterStep(*p)
}
