package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newVerify(a *app) *cobra.Command {
	var o migrator.WatchOptions
	cmd := &cobra.Command{
		Use:   "verify NAME",
		Short: "Compare source with target in every row",
		Long: `Compares source with target in every row of the table, in chunks by primary key,
while the application keeps running: both stand in one row version, so there is
nothing to lock and nothing to race with. It needs a phase that writes both, and
a finished backfill. One that was interrupted goes on where it stood.

Differences are listed by key and end with exit code 5; repair puts them right. The
step that leads to phase live does the same by itself.

With --every it compares again and again, beside the steps of other migrators, and
ends with exit code 5 at the first difference, which closes the gate of phase live;
or with 0 in phase complete, from which on the two differ as they should.`,
		Example: `  crossfade verify users-name
  crossfade verify users-name --workers 4 --output json
  crossfade verify users-name --every 1h --rate 1000`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("every") {
				return a.watch(cmd.Context(), args[0], o)
			}
			if o.Rate != 0 {
				return &usageError{command: cmd.CommandPath(), cause: errors.New("--rate goes with --every; for a single one: crossfade rate " + args[0] + " ROWS_PER_SECOND")}
			}
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
	cmd.Flags().DurationVar(&o.Every, "every", time.Hour, "compare again and again, with this pause between")
	cmd.Flags().IntVar(&o.Rate, "rate", 0, "with --every: at most so many rows per second (default no limit)")
	a.workFlags(cmd)
	return cmd
}

// watch compares until something differs, or nothing is left to compare.
func (a *app) watch(ctx context.Context, name string, o migrator.WatchOptions) error {
	if o.Every <= 0 || o.Rate < 0 {
		return &usageError{command: "crossfade verify", cause: errors.New("--every and --rate are above zero")}
	}
	err := a.work(ctx, func(ctx context.Context, m *migrator.Migrator) error { return m.Watch(ctx, name, o) })
	var mismatch *migrator.MismatchError
	if errors.As(err, &mismatch) && a.output == outputJSON {
		return errors.Join(a.result(mismatch.Verification, nil), err)
	}
	if err != nil {
		return err
	}
	document := struct {
		Transition string `json:"transition"`
		Ended      string `json:"ended"`
	}{name, "nothing is left to compare: the source is not written any more"}
	return a.result(document, func(out *console.Output) error {
		_, err := fmt.Fprintf(out, "%s: %s\n", out.Style().Bold(name), document.Ended)
		return err
	})
}
