package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

func newAdvance(a *app) *cobra.Command {
	var o migrator.AdvanceOptions
	cmd := &cobra.Command{
		Use:   "advance NAME",
		Short: "Do the next step of a transition",
		Long: `Does the next step and returns when it is wholly done; with --to, all steps up to
a phase. A flip to the next phase is done when nobody acts by the old one any
more; status and the progress name those it waits for.

It never goes beyond phase complete: contract does.`,
		Example: `  crossfade advance users-name
  crossfade advance users-name --to shadow`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.move(cmd.Context(), func(ctx context.Context, m *migrator.Migrator) (migrator.Position, error) {
				return m.Advance(ctx, args[0], o)
			})
		},
	}
	addPhase(cmd, &o.To, "to", "go on to this phase (default one step)",
		migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown, migrator.Complete)
	forceFlags(cmd, &o.Force)
	a.workFlags(cmd)
	return cmd
}
