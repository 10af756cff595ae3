package lockstep

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Finding is a history that ended in a difference, made as short as it goes.
type Finding struct {
	Kind  string
	Seed  uint64
	Steps []Step
	Difference
	// Rewritten is what the statements of the last step were rewritten to; empty
	// where that is not known.
	Rewritten []string
	// Fleeting: it did not come again when the history was run again.
	Fleeting bool
}

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

func spellings(step Step, s Spelling) (list []string) {
	for _, n := range step.Statements {
		list = append(list, n.Spell(s).SQL)
	}
	return list
}

// shrink finds a short history that ends in the same aspect.
func (w *World) shrink(ctx context.Context, steps []Step, d Difference) (Finding, error) {
	f := Finding{Kind: w.Kind.Name, Difference: d}
	sides := []*Side{d.Side}
	var broken error
	fails := func(steps []Step) bool {
		if broken != nil {
			return false
		}
		last, err := w.replay(ctx, steps, sides)
		if err != nil {
			broken = err
			return false
		}
		if last == nil || !last.like(d) {
			return false
		}
		f.Difference = *last
		return true
	}
	last := len(steps) - 1
	f.Steps = steps
	if !fails(steps) {
		f.Fleeting = true
		return f, broken
	}
	if fails(steps[last:]) {
		steps = steps[last:]
	}
	for i := len(steps) - 2; i >= 0; i-- {
		if without := slices.Delete(slices.Clone(steps), i, i+1); fails(without) {
			steps = without
		}
	}
	final := &steps[len(steps)-1]
	for _, manner := range []Manner{Alone, Transaction} {
		was := final.Manner
		if final.Manner = manner; was == manner || fails(steps) {
			break
		}
		final.Manner = was
	}
	for i := len(final.Statements) - 1; i >= 0 && len(final.Statements) > 1; i-- {
		was := final.Statements
		if final.Statements = slices.Delete(slices.Clone(was), i, i+1); !fails(steps) {
			final.Statements = was
		}
	}
	for _, step := range slices.Backward(steps) {
		for _, root := range step.Statements {
			Shrink(root, func() bool { return fails(steps) })
		}
	}
	f.Steps, f.Fleeting = steps, !fails(steps)
	return f, broken
}

// kindOf is a message without the names in it.
func kindOf(message string) string {
	first, _, _ := strings.Cut(message, `"`)
	return first
}

// Shows tells whether the finding shows in this world too, on the side of the
// same name.
func (w *World) Shows(ctx context.Context, f Finding) (bool, error) {
	for _, side := range w.Expanded {
		if side.Name == f.Side.Name {
			d, err := w.replay(ctx, f.Steps, []*Side{side})
			return d != nil, err
		}
	}
	return false, fmt.Errorf("no side is named %q", f.Side.Name)
}

// replay runs a history from the beginning, and gives the difference after the
// last step; nil also when there is one before.
func (w *World) replay(ctx context.Context, steps []Step, sides []*Side) (*Difference, error) {
	if err := w.Restore(ctx, sides); err != nil {
		return nil, err
	}
	for i, step := range steps {
		_, found, err := w.Step(ctx, step, sides)
		if err != nil {
			return nil, err
		}
		switch {
		case len(found) == 0:
		case i == len(steps)-1:
			return &found[0], nil
		case found[0].Aspect != Refused:
			return nil, nil
		}
	}
	return nil, nil
}

func (f *Finding) explain() {
	for _, sql := range spellings(f.Steps[len(f.Steps)-1], Expanded) {
		f.Rewritten = append(f.Rewritten, f.Side.Explain(sql))
	}
}

// Signature is the same for findings that are probably the same.
func (f Finding) Signature() string {
	return string(f.Aspect) + " " + strings.Join(spellings(f.Steps[len(f.Steps)-1], Expanded), "; ")
}

// String says everything that is needed to see the finding again.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s differs: kind %q, phase %q, seed %d\n", f.Aspect, f.Kind, f.Side.Name, f.Seed)
	if f.Fleeting {
		b.WriteString("it did not come again: is the outcome of a statement open?\n")
	}
	for i, step := range f.Steps {
		fmt.Fprintf(&b, "%d. %s:\n", i+1, step.Manner)
		for _, n := range step.Statements {
			expanded, original := n.Spell(Expanded), n.Spell(Original)
			fmt.Fprintf(&b, "   %s%s\n", expanded.SQL, arguments(expanded.Args))
			if original.SQL != expanded.SQL {
				fmt.Fprintf(&b, "   on the original: %s\n", original.SQL)
			}
		}
	}
	for _, sql := range f.Rewritten {
		fmt.Fprintf(&b, "rewritten: %s\n", sql)
	}
	fmt.Fprintf(&b, "original:\n%s\nexpanded:\n%s\n", indent(f.Want), indent(f.Got))
	fmt.Fprintf(&b, "again: go test ./internal/lockstep -run 'TestKinds/%s/histories' -lockstep.seed=%d -lockstep.n=1 -lockstep.all\n",
		strings.ReplaceAll(f.Kind, " ", "_"), f.Seed)
	return b.String()
}

func arguments(args [][]byte) string {
	var list []string
	for i, a := range args {
		if a == nil {
			list = append(list, fmt.Sprintf("$%d = null", i+1))
			continue
		}
		list = append(list, fmt.Sprintf("$%d = %q", i+1, a))
	}
	if list == nil {
		return ""
	}
	return "  -- " + strings.Join(list, ", ")
}

func indent(s string) string { return "   " + strings.ReplaceAll(s, "\n", "\n   ") }
