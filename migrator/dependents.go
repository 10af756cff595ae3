package migrator

import (
	"context"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/dependents"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// carry does what this step has to do about what hangs on the sources.
func (w *work) carry(ctx context.Context) error {
	sources, targets, err := w.hanging(ctx)
	if err != nil {
		return err
	}
	for _, d := range w.t.Definition.Dependents {
		change, planned := d.Changes[w.step.name]
		if !planned {
			continue
		}
		if d.Counterpart == "" {
			// It goes over itself: what has gone is let go, what has gone over already
			// may be as somebody has made it since.
			now, found := dependents.Find(sources, d)
			_, over := dependents.Find(targets, d)
			if !found && !over || !found && w.step.name != dependents.StepSettle {
				continue
			}
			if found && !over && now.Definition != d.Definition {
				return w.changed(d, now)
			}
		}
		if err := w.runChange(ctx, change.Do); err != nil {
			return err
		}
	}
	return nil
}

// carryBack takes back what this step did about what hung on the sources.
func (w *work) carryBack(ctx context.Context) error {
	_, targets, err := w.hanging(ctx)
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(w.t.Definition.Dependents) {
		change, planned := d.Changes[w.step.name]
		if !planned {
			continue
		}
		if _, over := dependents.Find(targets, d); d.Counterpart == "" && !over {
			continue
		}
		if err := w.runChange(ctx, change.Undo); err != nil {
			return err
		}
	}
	return nil
}

// hanging lists what hangs on the sources and on the targets at this moment.
func (w *work) hanging(ctx context.Context) (sources, targets []ledger.Dependent, err error) {
	if len(w.t.Definition.Dependents) == 0 {
		return nil, nil, nil
	}
	sources, err = dependents.List(ctx, w.conn, dependents.Columns{Table: w.table(), Names: w.t.Definition.SourceNames()})
	if err == nil {
		targets, err = dependents.List(ctx, w.conn, dependents.Columns{Table: w.table(), Names: w.t.Definition.TargetNames()})
	}
	return sources, targets, err
}

func (w *work) runChange(ctx context.Context, statements []ledger.Statement) error {
	for _, s := range statements {
		needless, err := w.hasConstraint(ctx, s.Unless)
		switch {
		case err != nil || needless:
		case s.Validates != "":
			err = w.validate(ctx, s.Validates)
		default:
			err = w.run(ctx, dependents.Statement(s))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// changed is the error for a dependent that is not what the plan was made for.
func (w *work) changed(d, now ledger.Dependent) error {
	return w.closed("make it what it was, or roll back to off and begin anew, so that the plan takes it in",
		"%s was changed after the transition began: it was %s, and is %s", d, flat(d.Definition), flat(now.Definition))
}

func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// carryStatements are those of a step, for a plan.
func carryStatements(t ledger.Transition, step string) (do, undo []ddl.Statement) {
	for _, d := range t.Definition.Dependents {
		for _, s := range d.Changes[step].Do {
			do = append(do, dependents.Statement(s))
		}
	}
	for _, d := range slices.Backward(t.Definition.Dependents) {
		for _, s := range d.Changes[step].Undo {
			undo = append(undo, dependents.Statement(s))
		}
	}
	return do, undo
}

// fates says what becomes of the dependents of a transition, indexes left out.
func fates(t ledger.Transition) []DependentStatus {
	var list []DependentStatus
	for _, d := range t.Definition.Dependents {
		if d.Kind != dependents.Index {
			list = append(list, DependentStatus{Object: d.String(), Fate: d.Fate()})
		}
	}
	return list
}
