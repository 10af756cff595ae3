package lockstep

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

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
		if shorter := slices.Delete(slices.Clone(steps), i, i+1); fails(shorter) {
			steps = shorter
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
