package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

func newStart(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "start FILE",
		Short: "Register a transition in phase off",
		Long: `Checks the transition as plan does, registers it in phase off, and waits until
every session that embeds the hook knows it and no other session is left. From
then on the application may use either name of the column. Nothing in the table
has changed.

It is refused, with exit code 3, when a finding stands in the way. When it is
stopped or gives up the drain, the transition is registered: start with the same
file, advance and run all continue.`,
		Example: `  crossfade start users-name.yaml
  crossfade start users-name.yaml --drain-timeout 2m`,
		Args:              exactly("FILE"),
		ValidArgsFunction: completeFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := loadTransition(args[0])
			if err != nil {
				return err
			}
			return a.move(cmd.Context(), func(ctx context.Context, m *migrator.Migrator) (migrator.Position, error) {
				return m.Start(ctx, t)
			})
		},
	}
	a.workFlags(cmd)
	return cmd
}
