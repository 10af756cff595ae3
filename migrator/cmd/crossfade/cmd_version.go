package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/internal/ledger"
)

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program and of its ledger",
		Long:    "Prints the version of this program, of Go, and of the ledger that it writes.",
		Example: "  crossfade version --output json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			document := struct {
				Version  string `json:"version"`
				Revision string `json:"revision,omitempty"`
				Go       string `json:"go"`
				Ledger   int    `json:"ledger"`
			}{Version: "(devel)", Go: runtime.Version(), Ledger: ledger.LatestVersion()}
			if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
				document.Version = info.Main.Version
				for _, setting := range info.Settings {
					if setting.Key == "vcs.revision" {
						document.Revision = setting.Value
					}
				}
			}
			return a.result(document, func(out *console.Output) error {
				_, err := fmt.Fprintf(out, "crossfade %s (%s, ledger version %d)\n", document.Version, document.Go, document.Ledger)
				return err
			})
		},
	}
}
