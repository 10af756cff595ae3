package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

func newPause(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "pause NAME",
		Short: "Make the backfill of a transition stand still, from another session",
		Long: `Makes the backfills and verifications of a transition stand still until resume:
one that is at work, in whatever process, within a second and between two batches,
and later ones from their beginning. The table has no lock of theirs then, and no
transaction is open. Other steps go on.

Nothing is lost, and the migrator that waits may be stopped and started again.
History keeps who paused, and when.`,
		Example: `  crossfade pause users-name
  crossfade status users-name
  crossfade resume users-name`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.control(cmd.Context(), args[0], func(ctx context.Context, m *migrator.Migrator) (migrator.Control, error) {
				return m.Pause(ctx, args[0])
			})
		},
	}
}
