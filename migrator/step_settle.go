package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// settleStep gives the targets the defaults and their sequences, for the time when
// nobody supplies them any more, and takes the sources out of the column lists of
// triggers.
var settleStep = step{
	name: "settle", phase: Complete, contract: true, temporary: true,
	summary: "give the targets the defaults of the sources, and leave these out of triggers",
	do: func(ctx context.Context, w *work) error {
		d := w.t.Definition
		if err := w.ownSequences(ctx, targetSide); err != nil {
			return err
		}
		for i, target := range d.Targets {
			if err := w.ensureDefault(ctx, target.Name, d.TargetDefaults[i]); err != nil {
				return err
			}
		}
		return w.carry(ctx)
	},
	undo: func(ctx context.Context, w *work) error {
		if err := w.carryBack(ctx); err != nil {
			return err
		}
		for _, target := range w.t.Definition.Targets {
			if err := w.ensureDefault(ctx, target.Name, ""); err != nil {
				return err
			}
		}
		return w.ownSequences(ctx, sourceSide)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		do = sequenceStatements(t, isOwned, func(s ledger.Sequence, name ddl.Name) ddl.Statement {
			return ddl.OwnSequence(tableOf(t), name, s.Target)
		})
		for i, target := range t.Definition.Targets {
			if expression := t.Definition.TargetDefaults[i]; expression != "" {
				do = append(do, ddl.SetDefault(tableOf(t), target.Name, expression))
				undo = append(undo, ddl.DropDefault(tableOf(t), target.Name))
			}
		}
		carried, back := carryStatements(t, "settle")
		undo = append(back, undo...)
		return append(do, carried...), append(undo, sequenceStatements(t, isOwned, func(s ledger.Sequence, name ddl.Name) ddl.Statement {
			return ddl.OwnSequence(tableOf(t), name, s.Source)
		})...)
	},
}
