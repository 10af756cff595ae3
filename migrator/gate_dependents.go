package migrator

import (
	"context"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/dependents"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// dependentsAreCarried compares what hangs on the sources with what was written
// down when the transition began, and with what hangs on the targets: before
// reads move, nothing may be missing there.
func dependentsAreCarried(ctx context.Context, w *work) error {
	sources, targets, err := w.listBoth(ctx)
	if err != nil {
		return err
	}
	var differences []string
	for _, now := range sources {
		was, known := dependents.Find(w.t.Definition.Dependents, now)
		switch {
		case !known:
			differences = append(differences, "+ "+now.String()+" came after the transition began: "+flat(now.Definition))
		case was.Definition != now.Definition:
			differences = append(differences, "~ "+now.String()+" was "+flat(was.Definition)+", is "+flat(now.Definition))
		}
	}
	for _, d := range w.t.Definition.Dependents {
		if _, there := dependents.Find(sources, d); there && !dependents.Carried(w.t.Definition.Move, d, targets) {
			differences = append(differences, "- "+d.String()+" has no counterpart on the target: "+d.Counterpart)
		}
	}
	if len(differences) > 0 {
		return w.closed("put it right, or roll back to off and begin anew, so that the plan takes it in",
			"what hangs on the source is not what hangs on the target:\n  %s\n", strings.Join(differences, "\n  "))
	}
	return w.rehearseRelease(ctx)
}

// listBoth lists what hangs on either side.
func (w *work) listBoth(ctx context.Context) (sources, targets []ledger.Dependent, err error) {
	for _, side := range []struct {
		names []string
		list  *[]ledger.Dependent
	}{{w.t.Definition.SourceNames(), &sources}, {w.t.Definition.TargetNames(), &targets}} {
		*side.list, err = dependents.List(ctx, w.conn, dependents.Columns{Table: w.table(), Names: side.names})
		if err != nil {
			return nil, nil, err
		}
	}
	return sources, targets, nil
}

// rehearseRelease lets PostgreSQL say, while there is time, whether what has to go
// over to the targets before complete can: it does that, and rolls it back.
func (w *work) rehearseRelease(ctx context.Context) error {
	sources, _, err := w.hanging(ctx)
	if err != nil {
		return err
	}
	for _, d := range w.t.Definition.Dependents {
		if _, there := dependents.Find(sources, d); !there || d.Counterpart != "" {
			continue
		}
		for _, statement := range d.Changes[dependents.StepRelease].Do {
			s := dependents.Statement(statement)
			s.SQL += rehearsal
			if err := w.run(ctx, s); sqlState(err) != rehearsed {
				return err
			}
		}
	}
	return nil
}

// dependentsAreReleased: nothing reads the sources any more that somebody relies on.
func dependentsAreReleased(ctx context.Context, w *work) error {
	sources, err := dependents.List(ctx, w.conn, dependents.Columns{Table: w.table(), Names: w.t.Definition.SourceNames()})
	if err != nil {
		return err
	}
	var left []string
	for _, now := range sources {
		if was, known := dependents.Find(w.t.Definition.Dependents, now); !known || dependents.Stale(was, now) {
			left = append(left, now.String()+" "+flat(now.Definition))
		}
	}
	slices.Sort(left)
	if len(left) > 0 {
		return w.closed("make each read the target instead, or drop it; `crossfade plan` shows what was found at the start",
			"these read the source, which nobody writes any more in complete:\n  %s\n", strings.Join(left, "\n  "))
	}
	return nil
}
