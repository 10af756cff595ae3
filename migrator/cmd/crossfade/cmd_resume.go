package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

func newResume(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "resume NAME",
		Short: "Let a paused backfill go on",
		Long: `Ends what pause began. A migrator that waits goes on within a second, from where it
stood; where none is at work, run or advance does. A limit set by rate stays.`,
		Example: `  crossfade resume users-name
  crossfade resume users-name --output json`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.control(cmd.Context(), args[0], func(ctx context.Context, m *migrator.Migrator) (migrator.Control, error) {
				return m.Resume(ctx, args[0])
			})
		},
	}
}
