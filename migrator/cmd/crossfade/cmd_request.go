package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newRequest(a *app) *cobra.Command {
	var r migrator.Request
	ramp := ""
	cmd := &cobra.Command{
		Use:   "request NAME --phase PHASE",
		Short: "Ask for a phase, as a feature flag would",
		Long: `Writes down which phase a transition should be led to. Nothing moves by it: a
"crossfade follow" without --flags grants it, one step at a time, when the gates of
each step hold. Status shows what is requested, what is in force, and what holds it.`,
		Example: `  crossfade request users-name --phase live --reason 'release 2026.48'
  crossfade request users-name --phase live --ramp 25
  crossfade status users-name --output json | jq .request`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.Phase == "" {
				return &usageError{command: cmd.CommandPath(), cause: errors.New("--phase is missing")}
			}
			if ramp != "" {
				percent, err := parsePercent(ramp)
				if err != nil {
					return &usageError{command: cmd.CommandPath(), cause: err}
				}
				r.Ramp = &percent
			}
			m, err := a.migrator()
			if err != nil {
				return err
			}
			status, err := m.Request(cmd.Context(), args[0], r)
			if err != nil {
				return err
			}
			document := struct {
				Name string `json:"name"`
				migrator.RequestStatus
			}{args[0], status}
			return a.result(document, func(out *console.Output) error {
				_, err := fmt.Fprintf(out, "%s: %s\n", out.Style().Bold(args[0]), requestText(status, out.Style()))
				return err
			})
		},
	}
	addPhase(cmd, &r.Phase, "phase", "the phase to ask for", migrator.Off, migrator.DualWrite, migrator.Shadow, migrator.Live, migrator.RampDown, migrator.Complete)
	cmd.Flags().StringVar(&ramp, "ramp", "", "how many of 100 connections are to read the target in phase live (default: as it is set)")
	cmd.Flags().StringVar(&r.Reason, "reason", "", "why; it goes to the history")
	return cmd
}

// requestText says what is requested, and what became of it.
func requestText(r migrator.RequestStatus, s console.Style) string {
	text := "nothing that is known"
	if r.Phase != "" {
		text = s.Accent(r.Stage())
	}
	switch {
	case r.Flag != "":
		text += " by flag " + r.Flag
		if r.Provider != "" {
			text += " of " + r.Provider
		}
	case r.Actor != "" && r.Phase != "":
		text += " by " + r.Actor
	}
	switch {
	case r.HeldBy != "":
		text += ", " + s.Warn("held by "+r.HeldBy+": "+r.Held)
	case r.GrantedAt != nil:
		text += ", granted"
	case r.Phase != "":
		text += ", on its way"
	}
	return text
}
