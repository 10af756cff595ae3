package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

func newRollback(a *app) *cobra.Command {
	var o migrator.RollbackOptions
	cmd := &cobra.Command{
		Use:   "rollback NAME",
		Short: "Undo the steps of a transition, last one first",
		Long: `Goes back to phase off, with the table as it was before, or to --to. It works
from every phase up to complete, while the application keeps running; from
complete the source is filled again before reads return to it. After contract
there is no way back.

A transition that was rolled back stays registered: run tries it again, remove
ends it.`,
		Example: `  crossfade rollback users-name
  crossfade rollback users-name --to dualwrite`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.move(cmd.Context(), func(ctx context.Context, m *migrator.Migrator) (migrator.Position, error) {
				return m.Rollback(ctx, args[0], o)
			})
		},
	}
	addPhase(cmd, &o.To, "to", "return to this phase (default off)",
		migrator.Off, migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown)
	a.workFlags(cmd)
	return cmd
}
