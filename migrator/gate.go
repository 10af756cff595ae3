package migrator

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// edge is a flip in one direction.
type edge struct{ from, to Phase }

// gates say what must hold before the token of a phase is created. The steps
// before a flip see to it; the gate looks whether it is still so, since hours
// may lie between. Edges without a gate need nothing but the drain before.
var gates = map[edge][]func(context.Context, *work) error{
	{Off, DualWrite}:       {targetIsOptional},
	{DualWrite, Shadow}:    {backfillIsDone},
	{Shadow, Live}:         {triggerIsThere, verifiedEqual, equalityIsEnforced, targetIsConstrained, targetIsIndexed},
	{RampDown, Complete}:   {sourceMayBeLeftOut},
	{Complete, Contracted}: {nothingNewOnSource, sourceCanBeDropped},
	// Writes of phase off leave the target out.
	{DualWrite, Off}: {targetIsOptional, equalityIsNotEnforced},
}

func (w *work) gate(ctx context.Context, from, to Phase) error {
	for _, gate := range gates[edge{from, to}] {
		if err := gate(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// closed is the error of a gate that does not hold.
func (w *work) closed(hint, why string, args ...any) error {
	return &GateError{Transition: w.t.Name, Step: w.step.name, Why: fmt.Sprintf(why, args...), Hint: hint}
}

// targetIsOptional: writes may leave the targets out, and then they are NULL.
func targetIsOptional(ctx context.Context, w *work) error {
	for _, target := range w.t.Definition.Targets {
		c, err := ddl.ReadColumn(ctx, w.conn, w.table(), target.Name)
		switch {
		case err != nil:
			return err
		case !c.Exists:
			return w.closed("roll back to off, and run again", "column %q does not exist any more", target.Name)
		case c.Type != target.Type:
			return w.closed("roll back to off, and run again", "column %q is of type %s, not %s", target.Name, c.Type, target.Type)
		case c.NotNull:
			return w.closed("somebody has set it: ALTER COLUMN ... DROP NOT NULL", "column %q is NOT NULL", target.Name)
		case c.Default != "":
			return w.closed("somebody has set it: ALTER COLUMN ... DROP DEFAULT", "column %q has a DEFAULT", target.Name)
		}
	}
	return nil
}

func backfillIsDone(ctx context.Context, w *work) error {
	p, _, err := ledger.GetProgress(ctx, w.conn, w.t.ID, ledger.Backfill)
	if err == nil && !p.Finished() {
		err = w.closed("roll back to off, and run again", "the backfill has not finished")
	}
	return err
}

func verifiedEqual(ctx context.Context, w *work) error {
	p, _, err := ledger.GetProgress(ctx, w.conn, w.t.ID, ledger.Verify)
	switch {
	case err != nil:
		return err
	case !p.Finished() || p.Epoch < w.t.RegisteredEpoch:
		return w.closed("verify it again", "the last verification has not finished")
	case p.Mismatches > 0:
		return w.closed("find out who writes one column only; then put the rows right and verify again, or roll back to off and run again",
			"the last verification found %d rows that differ", p.Mismatches)
	}
	return nil
}

// equalityIsEnforced: since the verification no write can have made a row
// inconsistent.
func equalityIsEnforced(ctx context.Context, w *work) error {
	name := equalCheck(*w.t)
	check, err := ddl.ReadConstraint(ctx, w.conn, w.table(), name)
	if err == nil && !check.Validated {
		err = w.closed("roll back to off, and run again",
			"the constraint %q, which holds %s consistent, is gone or not valid", name, w.t.Definition.Move)
	}
	return err
}

// equalityIsNotEnforced: writes may leave one side out.
func equalityIsNotEnforced(ctx context.Context, w *work) error {
	name := equalCheck(*w.t)
	exists, err := w.hasConstraint(ctx, name)
	if err == nil && exists {
		err = w.closed("drop it, and run again", "the constraint %q is there again", name)
	}
	return err
}

func targetIsConstrained(ctx context.Context, w *work) error {
	for _, target := range w.t.Definition.Targets {
		c, err := ddl.ReadColumn(ctx, w.conn, w.table(), target.Name)
		if err == nil && target.NotNull && !c.NotNull {
			err = w.closed("roll back to off, and run again", "column %q is not NOT NULL as it should be", target.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func targetIsIndexed(ctx context.Context, w *work) error {
	for _, index := range w.t.Definition.Indexes {
		constrained, err := w.hasConstraint(ctx, index.TargetConstraint)
		if err != nil {
			return err
		}
		if constrained {
			continue
		}
		state, err := ddl.ReadIndex(ctx, w.conn, w.table(), index.Target)
		if err != nil {
			return err
		}
		if state != ddl.IndexValid || index.TargetConstraint != "" {
			return w.closed("roll back to off, and run again",
				"index %q, the counterpart of %q, is %s", index.Target, index.Name, state)
		}
	}
	return nil
}

// sourceMayBeLeftOut: writes of the targets alone are accepted, or the trigger
// completes them and the table stays as it is.
func sourceMayBeLeftOut(ctx context.Context, w *work) error {
	needs := []func(context.Context, *work) error{sourceIsOptional, sourceIsNotUnique, equalityIsNotEnforced}
	if synced(*w.t) {
		needs = []func(context.Context, *work) error{triggerIsThere, equalityIsEnforced}
	}
	for _, holds := range needs {
		if err := holds(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// sourceIsOptional: writes may leave the sources out.
func sourceIsOptional(ctx context.Context, w *work) error {
	for _, source := range w.t.Definition.SourceNames() {
		c, err := ddl.ReadColumn(ctx, w.conn, w.table(), source)
		if err == nil && (c.NotNull || c.Default != "") {
			err = w.closed("somebody has set it: ALTER COLUMN ... DROP NOT NULL, DROP DEFAULT",
				"column %q has a NOT NULL or a DEFAULT again", source)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
