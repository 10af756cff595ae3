package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

func newContract(a *app) *cobra.Command {
	var c consent
	cmd := &cobra.Command{
		Use:   "contract NAME",
		Short: "Drop the source: the point of no return",
		Long: `Takes a transition from phase complete to contracted and drops the source columns.
Until here rollback leads back from every phase; from here on nothing does. Let
phase complete soak for as long as you would want to go back.

Of the operations that move no column only drop_column has something to contract.

Where the file says keep_name, the target takes the source's name then (phase
named). For that, connections that open are held for at most --hold-timeout, and
it is tried again when it does not succeed in that time.

It asks first: from which backup or snapshot the source could be restored, which
goes to the history, and for the name of the transition. Without a terminal, or to
be asked nothing, pass --yes with --snapshot or --no-snapshot; --yes alone is
refused. Applications go on running, whichever name they use.`,
		Example: `  crossfade contract users-name
  crossfade contract users-name --yes --snapshot "rds:shop-2026-11-25"
  crossfade contract users-name --yes --no-snapshot`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.migrator()
			if err != nil {
				return err
			}
			status, err := one(cmd.Context(), m, args[0], 1)
			if err != nil {
				return err
			}
			what := drops(status.Does, status.Sources, status.Table)
			if status.KeepName {
				what += ", and gives its name to " + names(status.Targets)
			}
			if what != "" && !status.Phase.SourceGone() && !status.Ended && contractable(status) {
				if err := a.confirm(cmd.Context(), args[0], what, &c); err != nil {
					return err
				}
			}
			return a.move(cmd.Context(), func(ctx context.Context, m *migrator.Migrator) (migrator.Position, error) {
				return m.Contract(ctx, args[0], migrator.ContractOptions{Snapshot: c.answer()})
			})
		},
	}
	c.flags(cmd, "")
	a.workFlags(cmd)
	return cmd
}

// contractable tells whether all steps are done that come before a contract; it is
// refused otherwise, and need not ask.
func contractable(status migrator.Status) bool {
	return !slices.ContainsFunc(status.Steps, func(s migrator.StepStatus) bool {
		return s.Act != "contract" && s.State != migrator.StepDone
	})
}
