package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newVerify(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify NAME",
		Short: "Compare source with target in every row",
		Long: `Compares source with target in every row of the table, in chunks by primary key,
while the application keeps running: both stand in one row version, so there is
nothing to lock and nothing to race with. It needs a phase that writes both, and
a finished backfill.

Differences are listed by key and end with exit code 5. The step that leads to
phase live does the same by itself.`,
		Example: `  crossfade verify users-name
  crossfade verify users-name --output json`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			var v migrator.Verification
			err := a.work(cmd.Context(), func(ctx context.Context, m *migrator.Migrator) (err error) {
				v, err = m.Verify(ctx, args[0])
				return err
			})
			var mismatch *migrator.MismatchError
			if errors.As(err, &mismatch) && a.output == outputJSON {
				return errors.Join(a.result(mismatch.Verification, nil), err)
			}
			if err != nil {
				return err
			}
			return a.result(v, func(out *console.Output) error {
				_, err := fmt.Fprintf(out, "%s: %s and %s are %s in all %s rows\n", out.Style().Bold(v.Transition),
					names(v.Sources), names(v.Targets), out.Style().Good("equal"), console.Count(v.Rows))
				return err
			})
		},
	}
	a.workFlags(cmd)
	return cmd
}
