package migrator

import (
	"context"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/dependents"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// nameStep gives what is left its final names, now that those of the originals
// are free: where the transition keeps the name the target itself and all that is
// called after it, elsewhere the indexes that are not called after a column.
//
// The names of UNIQUE constraints stand in statements (ON CONFLICT ON CONSTRAINT),
// which the hook changes by the phase. So they go along with the column, or else
// stay what they are.
var nameStep = step{
	name: "name", phase: Contracted, contract: true,
	summary: "give the target and its indexes the names of what they took the place of",
	do: func(ctx context.Context, w *work) error {
		if err := w.keepName(ctx); err != nil {
			return err
		}
		active, err := ledger.List(ctx, w.conn)
		if err != nil {
			return err
		}
		for _, index := range renamable(*w.t) {
			if wantedBy(active, *w.t, index) {
				continue
			}
			if err := w.renameIndex(ctx, index); err != nil {
				return err
			}
		}
		return w.renameDependents(ctx)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		if t.Definition.KeepName {
			do = append(do, dropToken(Contracted), createToken(Named))
			do = append(do, nameStatements(t)...)
		}
		for _, index := range renamable(t) {
			do = append(do, ddl.RenameIndex(tableOf(t), index.Target, index.Name))
		}
		for _, d := range t.Definition.Dependents {
			if s, renames := renameDependent(t, d); renames {
				do = append(do, s)
			}
		}
		return do, nil
	},
}

// keepName moves to the phase in which the target bears the source's name.
func (w *work) keepName(ctx context.Context) error {
	if !w.t.Definition.KeepName || w.t.Phase == Named {
		return nil
	}
	forced, err := w.gate(ctx, Contracted, Named)
	if err != nil {
		return err
	}
	flip := heldFlip{work: w, rename: nameStatements(*w.t), move: w.moved(Contracted, Named, forced)}
	return flip.do(ctx)
}

// nameStatements go into the transaction that changes the phase.
func nameStatements(t ledger.Transition) []ddl.Statement {
	d := t.Definition
	statements := []ddl.Statement{ddl.GiveName(tableOf(t), d.Targets[0].Name, d.Sources[0].Name)}
	for _, index := range d.Indexes {
		if index.TargetConstraint != "" {
			statements = append(statements, ddl.RenameConstraint(tableOf(t), index.TargetConstraint, index.Constraint))
		}
	}
	for i := range statements {
		statements[i].LockTimeout = dropLockTimeout
		statements[i].Hazard = "in one transaction with the change of phase, while connections that open are held for at most a second; " +
			statements[i].Hazard
	}
	return statements
}

// renamable are the indexes on the targets whose originals' names say what they
// are, and that stand in no statement.
func renamable(t ledger.Transition) []ledger.Index {
	return slices.DeleteFunc(slices.Clone(t.Definition.Indexes), func(index ledger.Index) bool {
		return index.TargetConstraint != "" || !keepsName(t, index.Name)
	})
}

// keepsName tells whether the counterpart of what has that name gets it in the end:
// unless it is called after a source whose name goes.
func keepsName(t ledger.Transition, name string) bool {
	return t.Definition.KeepName || !slices.ContainsFunc(t.Definition.SourceNames(), func(source string) bool {
		return strings.Contains("_"+name+"_", "_"+source+"_")
	})
}

// renameDependents does the same for CHECK constraints and statistics.
func (w *work) renameDependents(ctx context.Context) error {
	for _, d := range w.t.Definition.Dependents {
		s, renames := renameDependent(*w.t, d)
		if !renames {
			continue
		}
		exists := func(name string) (bool, error) {
			if d.Kind == dependents.Check {
				return w.hasConstraint(ctx, name)
			}
			return ddl.StatisticsExist(ctx, w.conn, ddl.Name{Schema: d.Schema, Table: name})
		}
		is, err := exists(d.Counterpart)
		if err != nil {
			return err
		}
		taken, err := exists(ownName(d))
		if err != nil {
			return err
		}
		if !is || taken {
			continue
		}
		if err := w.run(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func renameDependent(t ledger.Transition, d ledger.Dependent) (s ddl.Statement, renames bool) {
	if d.Counterpart == "" || !keepsName(t, ownName(d)) {
		return s, false
	}
	switch d.Kind {
	case dependents.Check:
		return ddl.RenameConstraint(tableOf(t), d.Counterpart, d.Name), true
	case dependents.Statistics:
		return ddl.RenameStatistics(tableOf(t), ddl.Name{Schema: d.Schema, Table: d.Counterpart}, d.Relation), true
	}
	return s, false
}

// ownName is the name of a dependent: statistics belong to no table by name.
func ownName(d ledger.Dependent) string {
	if d.Kind == dependents.Statistics {
		return d.Relation
	}
	return d.Name
}

// wantedBy tells whether another transition counts on the name of an index.
func wantedBy(active []ledger.Transition, t ledger.Transition, index ledger.Index) bool {
	return slices.ContainsFunc(active, func(other ledger.Transition) bool {
		return other.ID != t.ID && other.Schema == t.Schema && slices.ContainsFunc(other.Definition.Indexes, func(i ledger.Index) bool {
			return i.Name == index.Target || i.Name == index.Name
		})
	})
}

// renameIndex gives a counterpart the original's name, unless somebody else has
// taken that.
func (w *work) renameIndex(ctx context.Context, index ledger.Index) error {
	state, err := ddl.ReadIndex(ctx, w.conn, w.table(), index.Target)
	if err != nil || state == ddl.IndexMissing {
		return err
	}
	free, err := ddl.NameIsFree(ctx, w.conn, w.t.Schema, index.Name)
	if err != nil || !free {
		return err
	}
	return w.run(ctx, ddl.RenameIndex(w.table(), index.Target, index.Name))
}

// nameIsFree: the source is gone, and nothing has taken its names or those of its
// constraints.
func nameIsFree(ctx context.Context, w *work) error {
	d := w.t.Definition
	source, target := d.Sources[0].Name, d.Targets[0].Name
	taken, err := ddl.ColumnExists(ctx, w.conn, w.table(), source)
	if err != nil {
		return err
	}
	if taken {
		return w.closed("rename that column or drop it", "somebody has added a column %q, the name that %q is to take", source, target)
	}
	exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), target)
	if err != nil {
		return err
	}
	if !exists {
		return w.closed("rename it back", "column %q does not exist any more: somebody has renamed or dropped it", target)
	}
	active, err := ledger.List(ctx, w.conn)
	if err != nil {
		return err
	}
	for _, other := range active {
		if other.ID == w.t.ID || other.Schema != w.t.Schema || other.Table != w.t.Table {
			continue
		}
		move := other.Definition.In(other.Phase)
		if names := append(move.SourceNames(), move.TargetNames()...); slices.Contains(names, source) || slices.Contains(names, target) {
			return w.closed("bring that one to its end first, and remove it", "transition %q has a hand on %q or %q", other.Name, source, target)
		}
	}
	for _, index := range d.Indexes {
		if index.TargetConstraint == "" {
			continue
		}
		constrained, err := w.hasConstraint(ctx, index.TargetConstraint)
		if err != nil {
			return err
		}
		free, err := ddl.NameIsFree(ctx, w.conn, w.t.Schema, index.Constraint)
		switch {
		case err != nil:
			return err
		case !constrained:
			return w.closed("make it again", "the constraint %q is gone", index.TargetConstraint)
		case !free:
			return w.closed("rename that one", "somebody has taken the name %q, which the constraint %q is to take", index.Constraint, index.TargetConstraint)
		}
	}
	return nil
}
