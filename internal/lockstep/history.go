package lockstep

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Report is what a run has seen.
type Report struct {
	// Statements counts the executions of statements on expanded sides, Rejected
	// those that PostgreSQL rejects on the original too.
	Statements, Rejected int
	// Refusals counts the refusals of statements that the original accepts, and
	// Rejections what PostgreSQL says of those that it rejects.
	Refusals, Rejections map[string]int
	Findings             []Finding
}

// NewReport makes an empty report.
func NewReport() Report {
	return Report{Refusals: map[string]int{}, Rejections: map[string]int{}}
}

// Options say how long to go on.
type Options struct {
	// Steps is the length of a history.
	Steps int
	// Accept tells whether a refusal is justified.
	Accept func(message string) bool
}

// History runs the history of a seed: from the same beginning, random steps on
// the original and all expanded sides. It ends early at a difference, which goes
// into the report, or when a refusal has made the sides differ.
func (w *World) History(ctx context.Context, seed uint64, o Options, r *Report) error {
	if err := w.Restore(ctx, w.Expanded); err != nil {
		return err
	}
	g := NewGenerator(w.Kind, seed)
	var steps []Step
	for range o.Steps {
		step := g.Step()
		steps = append(steps, step)
		want, found, err := w.Step(ctx, step, w.Expanded)
		if err != nil {
			return fmt.Errorf("seed %d, step %d, %v: %w", seed, len(steps), spellings(step, Expanded), err)
		}
		for _, a := range want.Answers {
			r.Statements += len(w.Expanded)
			if a.failed() {
				r.Rejected += len(w.Expanded)
				r.Rejections[a.Code+" "+kindOf(a.Message)]++
			}
		}
		apart := false
		for _, d := range found {
			if d.Aspect != Refused || !o.Accept(d.Got) {
				f, err := w.shrink(ctx, steps, d)
				if err != nil {
					return err
				}
				f.Seed = seed
				f.explain()
				r.Findings = append(r.Findings, f)
				return nil
			}
			r.Refusals[d.Got]++
			apart = apart || writes(step)
		}
		if apart {
			return nil
		}
	}
	return nil
}

// writes tells whether a step may have changed something.
func writes(step Step) bool {
	return slices.ContainsFunc(step.Statements, func(n *Node) bool {
		sql := strings.ToLower(n.Spell(Original).SQL)
		for _, word := range []string{"insert into", "update ", "delete from", "merge into"} {
			if strings.Contains(sql, word) && !strings.HasPrefix(sql, "select") {
				return true
			}
		}
		return false
	})
}
