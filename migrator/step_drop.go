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
			exists, err := ddl.ColumnExists(ctx, w.conn, w.table(), source)
			if err == nil && exists {
				err = w.run(ctx, ddl.DropColumn(w.table(), source))
			}
			if err != nil {
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
