package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newRemove(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "End a transition: hooked connections stop rewriting for it",
		Long: `Ends a transition that is over: in phase off, after a rollback, or in phase
contracted, when no application uses the old name any more. It waits until no
connection rewrites for it. The history stays in the ledger, and the name is
free again.`,
		Example:           `  crossfade remove users-name`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			err := a.work(cmd.Context(), func(ctx context.Context, m *migrator.Migrator) error {
				return m.Remove(ctx, name)
			})
			if err != nil {
				return err
			}
			document := struct {
				Name    string `json:"name"`
				Removed bool   `json:"removed"`
			}{name, true}
			return a.result(document, func(out *console.Output) error {
				_, err := fmt.Fprintf(out, "%s is removed\n", out.Style().Bold(name))
				return err
			})
		},
	}
	a.workFlags(cmd)
	return cmd
}
