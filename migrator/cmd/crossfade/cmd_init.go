package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newInit(a *app) *cobra.Command {
	var o migrator.InitOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Create the ledger, or bring it up to date",
		Long: `Creates the schema crossfade, in which the ledger lives: which transitions there
are, where they stand, and what has happened. Run it once per database, before
the application that embeds the hook is deployed or after it, and again after an
upgrade of this program.

The roles that the application connects as must be able to read what a joining
connection reads. By default everybody may (PUBLIC); --grant-to names roles
instead.`,
		Example: `  crossfade init --database-url postgres://owner@db/shop
  crossfade init --grant-to web --grant-to worker`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := a.migrator()
			if err != nil {
				return err
			}
			if err := m.Init(cmd.Context(), o); err != nil {
				return err
			}
			document := struct {
				Schema  string `json:"schema"`
				Version int    `json:"version"`
			}{ledger.Schema, ledger.LatestVersion()}
			return a.result(document, func(out *console.Output) error {
				_, err := fmt.Fprintf(out, "the ledger is ready (schema %s, version %d)\nnext: crossfade plan FILE\n",
					document.Schema, document.Version)
				return err
			})
		},
	}
	cmd.Flags().StringSliceVar(&o.GrantTo, "grant-to", nil, "roles that applications connect as (default PUBLIC)")
	return cmd
}
