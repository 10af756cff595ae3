package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

func newRun(a *app) *cobra.Command {
	var o migrator.RunOptions
	var c consent
	cmd := &cobra.Command{
		Use:   "run NAME|FILE",
		Short: "Take a transition all the way to phase complete",
		Long: `Does every step up to phase complete, or up to --until. With a file it starts the
transition first, if that has not been done; an argument with a dot or a slash
in it is a file. What moves no column has no phases: it goes through all of its
steps, but for the drop of a column, which is contract's.

Press Ctrl-C to stop between two batches, and run it again to continue; a second
Ctrl-C kills the program, after which the same holds. --until contracted drops
the source too, and asks as contract does.

A backfill can be paused and made slower from another session: see pause and rate.`,
		Example: `  crossfade run users-name.yaml
  crossfade run users-name --until live
  crossfade run users-name --throttle slot-lag=4GB,active-sessions=40
  crossfade run users-name.yaml --output json 2> progress.jsonl`,
		Args:              exactly("NAME|FILE"),
		ValidArgsFunction: a.completeNamesAndFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			var t migrator.Transition
			if isFile(name) {
				var err error
				if t, err = loadTransition(name); err != nil {
					return err
				}
				name = t.Name
			}
			if o.Until == migrator.Contracted {
				what := "drops the source of " + name
				if t.Name != "" {
					what = drops(t.Does(), t.Sources(), t.Table)
				}
				if what != "" {
					if err := a.confirm(cmd.Context(), name, what, &c); err != nil {
						return err
					}
				}
			}
			return a.move(cmd.Context(), func(ctx context.Context, m *migrator.Migrator) (migrator.Position, error) {
				if t.Name != "" {
					if position, err := startOrContinue(ctx, m, t); err != nil {
						return position, err
					}
				}
				o.Snapshot = c.answer()
				return m.Run(ctx, name, o)
			})
		},
	}
	addPhase(cmd, &o.Until, "until", "stop in this phase (default complete)",
		migrator.Off, migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown, migrator.Complete, migrator.Contracted)
	c.flags(cmd, "with --until contracted: ")
	forceFlags(cmd, &o.Force)
	a.workFlags(cmd)
	return cmd
}

// startOrContinue starts a transition unless it has been started already.
func startOrContinue(ctx context.Context, m *migrator.Migrator, t migrator.Transition) (migrator.Position, error) {
	position, err := m.Start(ctx, t)
	if !errors.Is(err, migrator.ErrActive) {
		return position, err
	}
	status, lookErr := one(ctx, m, t.Name, 1)
	switch {
	case errors.Is(lookErr, migrator.ErrNotFound): // a column is taken, not the name
		return position, err
	case lookErr != nil:
		return position, lookErr
	case isSame(status, t):
		return status.Position, nil
	}
	return position, err
}

// isSame tells whether a file asks for what an active transition does. A file
// may leave the schema out, and may put names in quotes.
func isSame(s migrator.Status, t migrator.Transition) bool {
	bare := func(table string) string { return "." + strings.ReplaceAll(table, `"`, "") }
	was, err := migrator.ParseTransition([]byte(s.File))
	return strings.HasSuffix(bare(s.Table), bare(t.Table)) && err == nil && was.SameOperation(t)
}
