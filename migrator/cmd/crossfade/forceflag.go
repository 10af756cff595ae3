package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

// forceFlags adds the flags of commands that pass gates.
func forceFlags(cmd *cobra.Command, f *migrator.Force) {
	names := migrator.ForcibleGates()
	cmd.Flags().StringSliceVar(&f.Gates, "force", nil, "pass this gate although it does not hold ("+strings.Join(names, ", ")+");\n"+
		"the history keeps it, with --reason; may be repeated")
	cmd.Flags().StringVar(&f.Reason, "reason", "", "why, for --force")
	_ = cmd.RegisterFlagCompletionFunc("force", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
}
