package migrator

import (
	"context"
	"slices"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// indexStep gives the target the indexes of the source. It comes after the
// backfill, which would have to maintain them, and before the phase live,
// whose reads need them.
var indexStep = step{
	name: "index", phase: DualWrite,
	summary: "build the indexes and statistics of the source on the target, and let the planner know them",
	do: func(ctx context.Context, w *work) error {
		if err := w.settleTail(ctx); err != nil {
			return err
		}
		for _, index := range indexesOf(*w.t) {
			if err := w.ensureIndex(ctx, index); err != nil {
				return err
			}
		}
		if err := w.carry(ctx); err != nil {
			return err
		}
		return w.run(ctx, analyze(*w.t))
	},
	undo: func(ctx context.Context, w *work) error {
		for _, index := range indexesOf(*w.t) {
			if err := w.dropIndex(ctx, index); err != nil {
				return err
			}
		}
		return w.carryBack(ctx)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		for _, index := range indexesOf(t) {
			create, drop := indexStatements(t, index)
			do, undo = append(do, create...), append(undo, drop)
		}
		carried, back := carryStatements(t, "index")
		return append(append(do, carried...), analyze(t)), append(undo, back...)
	},
}

// indexesOf are the indexes of the sources, that of the primary key among them.
func indexesOf(t ledger.Transition) []ledger.Index {
	return slices.Concat(keyIndexes(t), t.Definition.Indexes)
}

// indexStatements build an index, with its constraint, and drop it again.
func indexStatements(t ledger.Transition, index ledger.Index) (create []ddl.Statement, drop ddl.Statement) {
	if t.Definition.Partitioned {
		return treeIndex(t, index).Plan()
	}
	create = []ddl.Statement{ddl.CreateIndexConcurrently(tableOf(t), index.Create)}
	if index.TargetConstraint == "" {
		return create, ddl.DropIndexConcurrently(tableOf(t), index.Target)
	}
	return append(create, ddl.AddUniqueUsingIndex(tableOf(t), index.TargetConstraint, index.Target)),
		ddl.DropConstraint(tableOf(t), index.TargetConstraint)
}

func (w *work) ensureIndex(ctx context.Context, index ledger.Index) error {
	if w.t.Definition.Partitioned {
		return treeIndex(*w.t, index).Ensure(ctx, w.conn, w.statement)
	}
	constrained, err := w.hasConstraint(ctx, index.TargetConstraint)
	if err != nil || constrained {
		return err // the constraint carries its index, under its own name
	}
	create := ddl.CreateIndexConcurrently(w.table(), index.Create)
	err = w.statement(create, func(r ddl.Runner) error {
		return r.EnsureIndex(ctx, w.conn, w.table(), index.Target, index.Create)
	})
	if err != nil || index.TargetConstraint == "" {
		return err
	}
	return w.run(ctx, ddl.AddUniqueUsingIndex(w.table(), index.TargetConstraint, index.Target))
}

func (w *work) dropIndex(ctx context.Context, index ledger.Index) error {
	if w.t.Definition.Partitioned {
		return treeIndex(*w.t, index).Drop(ctx, w.conn, w.statement)
	}
	constrained, err := w.hasConstraint(ctx, index.TargetConstraint)
	if err != nil {
		return err
	}
	if constrained {
		return w.run(ctx, ddl.DropConstraint(w.table(), index.TargetConstraint))
	}
	state, err := ddl.ReadIndex(ctx, w.conn, w.table(), index.Target)
	if err != nil || state == ddl.IndexMissing {
		return err
	}
	return w.run(ctx, ddl.DropIndexConcurrently(w.table(), index.Target))
}

func (w *work) hasConstraint(ctx context.Context, name string) (bool, error) {
	if name == "" {
		return false, nil
	}
	constraint, err := ddl.ReadConstraint(ctx, w.conn, w.table(), name)
	return constraint.Exists, err
}
