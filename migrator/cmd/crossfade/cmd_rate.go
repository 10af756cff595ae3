package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newRate(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "rate NAME ROWS_PER_SECOND|none",
		Short: "Limit the speed of a backfill, also while it runs",
		Long: `Limits the backfills and verifications of a transition to a number of rows per
second, or ends the limit. One that is at work, in whatever process, follows within
a second. The throttle applies beside it: see run --throttle.`,
		Example: `  crossfade rate users-name 5000
  crossfade rate users-name none`,
		Args:              nameAndRate,
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			rate, err := parseRate(args[1])
			if err != nil {
				return &usageError{command: cmd.CommandPath(), cause: err}
			}
			return a.control(cmd.Context(), args[0], func(ctx context.Context, m *migrator.Migrator) (migrator.Control, error) {
				return m.SetRate(ctx, args[0], rate)
			})
		},
	}
}

func nameAndRate(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return errors.New("NAME is missing")
	case 1:
		return errors.New("ROWS_PER_SECOND is missing: a number, or none")
	case 2:
		return nil
	}
	return fmt.Errorf("a name and a rate are enough, %q is too much", args[2])
}

// parseRate reads a number of rows, with or without separators; none is 0.
func parseRate(text string) (int, error) {
	if strings.EqualFold(text, "none") {
		return 0, nil
	}
	rate, err := strconv.Atoi(strings.NewReplacer(",", "", "_", "").Replace(text))
	if err != nil || rate < 1 || rate > math.MaxInt32 {
		return 0, fmt.Errorf("rate %q is no number of rows per second, at least 1, nor none; to stand still, use pause", text)
	}
	return rate, nil
}

// control changes what is asked of a transition's scans, and prints it.
func (a *app) control(ctx context.Context, name string, change func(context.Context, *migrator.Migrator) (migrator.Control, error)) error {
	m, err := a.migrator()
	if err != nil {
		return err
	}
	c, err := change(ctx, m)
	if err != nil {
		return err
	}
	document := struct {
		Name string `json:"name"`
		migrator.Control
	}{name, c}
	return a.result(document, func(out *console.Output) error {
		s := out.Style()
		text := "scans run " + rateText(c.Rate)
		if c.Paused {
			text = "scans are " + s.Warn("paused") + "; next: crossfade resume " + name
		}
		_, err := io.WriteString(out, s.Bold(name)+": "+text+"\n")
		return err
	})
}

func rateText(rate int) string {
	if rate == 0 {
		return "as fast as the throttle lets them"
	}
	return "at up to " + console.Count(int64(rate)) + " rows per second"
}
