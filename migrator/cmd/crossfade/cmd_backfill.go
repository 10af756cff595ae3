package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newBackfill(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backfill NAME",
		Short: "Help with a backfill that is under way, from another process or machine",
		Long: `Works at the backfill, refill or verification that run, advance, rollback or verify
has begun, beside it and beside others that help, and ends when nothing is left to
take. Any number of such processes may join, on any machine, and may be killed at
any time: what they had in hand the others take up.

pause, resume and rate apply to all of them together; each is held back by the
throttle. The one that began the scan is also the one that goes on when it is done.`,
		Example: `  crossfade backfill users-name
  crossfade backfill users-name --workers 4`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			var p migrator.JobProgress
			err := a.work(cmd.Context(), func(ctx context.Context, m *migrator.Migrator) (err error) {
				p, err = m.Help(ctx, args[0])
				return err
			})
			if err != nil {
				return err
			}
			return a.result(p, func(out *console.Output) error {
				state := "nothing is left to take; others finish it"
				if p.Finished {
					state = "is finished"
				}
				_, err := fmt.Fprintf(out, "%s: %s %s, %s rows so far\n", out.Style().Bold(args[0]), p.Job, state, console.Count(p.RowsScanned))
				return err
			})
		},
	}
	a.scanFlags(cmd)
	return cmd
}
