package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// settleStep gives the targets what else the sources have, for the time when
// nobody supplies it any more: the default and its sequence, and where one column becomes one
// also the comment and the settings.
var settleStep = step{
	name: "settle", phase: Complete, contract: true, temporary: true,
	summary: "give the targets the defaults and the settings of the sources",
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
		if len(d.Sources) != 1 || len(d.Targets) != 1 {
			return nil
		}
		source, err := ddl.ReadColumn(ctx, w.conn, w.table(), d.Sources[0].Name)
		if err != nil || !source.Exists { // the gate that follows says so
			return err
		}
		if !d.Identity() {
			source.Storage = source.TypeStorage // is the business of the other type
		}
		return w.runAll(ctx, ddl.CopySettings(w.table(), d.Targets[0].Name, source))
	},
	// The other settings do no harm: a rollback to off drops the columns.
	undo: func(ctx context.Context, w *work) error {
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
		return do, append(undo, sequenceStatements(t, isOwned, func(s ledger.Sequence, name ddl.Name) ddl.Statement {
			return ddl.OwnSequence(tableOf(t), name, s.Source)
		})...)
	},
}
