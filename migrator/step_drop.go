package migrator

import (
	"context"

	"github.com/pgcrossfade/crossfade/internal/ddl"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// dropStep drops the sources. It comes after the point of no return, so all that
// could make it fail is a gate of the flip before it. Then foreign keys get their
// names back, and identities become identities again.
var dropStep = step{
	name: "drop", phase: Contracted, contract: true,
	summary: "drop the source columns",
	do: func(ctx context.Context, w *work) error {
		for _, source := range w.t.Definition.SourceNames() {
			if err := w.dropSource(ctx, source); err != nil {
				return err
			}
		}
		if err := w.nameForeignKeys(ctx); err != nil {
			return err
		}
		return w.targetIdentities(ctx)
	},
	plan: func(t ledger.Transition) (do, undo []ddl.Statement) {
		for _, source := range t.Definition.SourceNames() {
			do = append(do, ddl.DropColumn(tableOf(t), source))
		}
		do = append(do, namingStatements(t)...)
		return append(do, sequenceStatements(t, isIdentity, func(s ledger.Sequence, name ddl.Name) ddl.Statement {
			return ddl.AddIdentity(tableOf(t), name, s.Target, identityByDefault)
		})...), nil
	},
}

// dropSource drops a source. A column of that name behind the target is none: when
// the step was broken off, somebody has added it since.
func (w *work) dropSource(ctx context.Context, name string) error {
	source, err := ddl.ReadColumn(ctx, w.conn, w.table(), name)
	if err != nil || !source.Exists {
		return err
	}
	target, err := ddl.ReadColumn(ctx, w.conn, w.table(), w.t.Definition.Targets[0].Name)
	switch {
	case err != nil:
		return err
	case !target.Exists:
		return w.closed("bring it back", "column %q does not exist any more: somebody has renamed or dropped it", w.t.Definition.Targets[0].Name)
	case source.Number > target.Number:
		return nil
	}
	return w.run(ctx, ddl.DropColumn(w.table(), name))
}
