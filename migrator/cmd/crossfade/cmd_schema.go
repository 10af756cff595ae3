package main

import (
	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

func newSchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the transition file",
		Long: `Prints the JSON Schema of the transition file, for editors that complete and check
YAML. With the YAML language server, put this into the first line of a file:

  # yaml-language-server: $schema=./transition.schema.json`,
		Example: `  crossfade schema > transition.schema.json`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(migrator.TransitionSchema)
			return err
		},
	}
}
