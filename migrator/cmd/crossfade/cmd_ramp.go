package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newRamp(a *app) *cobra.Command {
	guard := false
	cmd := &cobra.Command{
		Use:   "ramp NAME PERCENT",
		Short: "Set how many connections read the target in phase live",
		Long: `Sets how many of 100 connections of the applications read the target in phase live;
the others read the source. Both sides are written and held equal there, so both are
right. It is no new phase: applications follow within a second or two, and only
connections whose side changes are opened anew. Set before live, it is what live
begins with; rampdown wants 100, which it is unless somebody sets it.

With --guard, and while "crossfade follow" runs, the ramp goes back to 0 by itself
when too many reads differ from those of the source, fail, or take too long, by what
the hooks report. It stays there until somebody sets it again; status says why.`,
		Example: `  crossfade ramp users-name 10      # before live, or in it
  crossfade ramp users-name 50 --guard --max-latency 1.5
  crossfade ramp users-name 0       # back to the source, at once`,
		Args:              nameAndPercent,
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			percent, err := parsePercent(args[1])
			if err != nil {
				return &usageError{command: cmd.CommandPath(), cause: err}
			}
			m, err := a.migrator()
			if err != nil {
				return err
			}
			status, err := m.Ramp(cmd.Context(), args[0], percent)
			if err != nil {
				return err
			}
			err = a.result(status, func(out *console.Output) error {
				_, err := fmt.Fprintf(out, "%s: %s\n", out.Style().Bold(status.Name), rampText(status.Percent, status.Phase))
				return err
			})
			if err != nil || !guard {
				return err
			}
			return a.work(cmd.Context(), func(ctx context.Context, m *migrator.Migrator) error {
				return m.GuardReads(ctx, args[0], 0)
			})
		},
	}
	cmd.Flags().BoolVar(&guard, "guard", false, "stay, and go back to 0 when a limit is passed, with exit code 5")
	a.rampFlags(cmd)
	return cmd
}

// rampFlags adds the limits of reads of the target.
func (a *app) rampFlags(cmd *cobra.Command) {
	l := &a.tuning.RampLimits
	cmd.Flags().Float64Var(&l.Mismatches, "max-mismatches", 0, "share of compared reads that may differ; below zero: all (default none)")
	cmd.Flags().Float64Var(&l.Errors, "max-errors", 0.01, "by how much the share of failing statements may be greater on the target; below zero: no limit")
	cmd.Flags().Float64Var(&l.Latency, "max-latency", 2, "how many times as long as the source's the target's reads may take; below zero: no limit")
}

func nameAndPercent(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return errors.New("NAME is missing")
	case 1:
		return errors.New("PERCENT is missing: 0 to 100")
	case 2:
		return nil
	}
	return fmt.Errorf("a name and a percentage are enough, %q is too much", args[2])
}

func parsePercent(text string) (int, error) {
	percent, err := strconv.Atoi(strings.TrimSuffix(text, "%"))
	if err != nil || percent < 0 || percent > migrator.FullRamp {
		return 0, fmt.Errorf("ramp %q is not from 0 to 100", text)
	}
	return percent, nil
}

func rampText(percent int, p migrator.Phase) string {
	text := fmt.Sprintf("%d of 100 connections read the target", percent)
	if p.Before(migrator.Live) {
		text += " once it is live"
	}
	return text
}
