package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newMismatches(a *app) *cobra.Command {
	var forget string
	cmd := &cobra.Command{
		Use:   "mismatches NAME",
		Short: "Show reads that differ between source and target",
		Long: `Lists the statements of applications that read something else from the target than
from the source, in one snapshot, as the hooks found out in the phases shadow and
live (dualwrite.Config.Shadow): how the results differed the last time, how often
they have, when first and last. Constants and parameters are left out, unless the
applications' Config keeps them.

While the last mismatch is not older than --reads-quiet, gate reads-agree keeps the
transition out of phase live. With --forget they are forgotten, for a reason that
the history keeps: when what made them differ has been put right.`,
		Example: `  crossfade mismatches users-name
  crossfade mismatches users-name --output json | jq -r '.mismatches[].statement'
  crossfade mismatches users-name --forget 'release 2026.49 sorts by name'`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.migrator()
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("forget") {
				return a.forget(cmd.Context(), m, args[0], forget)
			}
			list, err := m.Mismatches(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			document := struct {
				Name       string              `json:"name"`
				Mismatches []migrator.Mismatch `json:"mismatches"`
			}{args[0], list}
			return a.result(document, func(out *console.Output) error { return printMismatches(out, args[0], list) })
		},
	}
	cmd.Flags().StringVar(&forget, "forget", "", "forget them, for this reason")
	return cmd
}

func (a *app) forget(ctx context.Context, m *migrator.Migrator, name, reason string) error {
	n, err := m.ForgetMismatches(ctx, name, reason)
	if err != nil {
		return err
	}
	document := struct {
		Name      string `json:"name"`
		Forgotten int    `json:"forgotten"`
	}{name, n}
	return a.result(document, func(out *console.Output) error {
		_, err := fmt.Fprintf(out, "%s: %s forgotten\n", out.Style().Bold(name), console.Plural(n, "statement"))
		return err
	})
}

func printMismatches(out *console.Output, name string, list []migrator.Mismatch) error {
	s := out.Style()
	if len(list) == 0 {
		_, err := fmt.Fprintf(out, "%s: no read is known to differ; status says how many were compared\n", s.Bold(name))
		return err
	}
	for _, m := range list {
		fmt.Fprintf(out, "%s\n", m.Statement)
		for i, p := range m.Parameters {
			fmt.Fprintf(out, "  $%d = %s\n", i+1, p)
		}
		code := ""
		if m.Code != "" {
			code = " (SQLSTATE " + m.Code + ")"
		}
		fmt.Fprintf(out, "  %s%s\n", s.Bad(m.Kind+": "+m.Detail), code)
		_, err := fmt.Fprintf(out, "  %s in %s, since %s, the last one %s ago by %s\n", console.Plural(int(m.Count), "time"), m.Phase,
			m.FirstAt.Local().Format(time.DateTime), m.Ago.Round(time.Second), m.Instance)
		if err != nil {
			return err
		}
	}
	return nil
}
