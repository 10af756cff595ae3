package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newTail(a *app) *cobra.Command {
	var renew bool
	cmd := &cobra.Command{
		Use:   "tail [NAME]",
		Short: "Follow the server's log for writers without the hook",
		Long: `Follows the server's log for transitions with sync: logical, and puts right the rows
that a writer without the hook has left with one side only. Without a NAME it does so
for all of them, those that begin later too, until it is stopped; one that cannot be
followed is logged and tried again. With a NAME it ends when the transition needs it
no more.

crossfade run does the same while it works. Between two commands the log waits, and
the server keeps it: run one or more of these beside it. One is active, the others
stand by; any of them may be killed at any time. See status for the lag.

--renew makes a new slot in place of one that was lost, and ends. It goes back to the
step sync: the next run does all steps from the backfill on again.`,
		Example: `  crossfade tail
  crossfade tail users-name
  crossfade tail users-name --renew`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("one NAME is enough, %q is too much", args[1])
			}
			return nil
		},
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if renew {
				if len(args) == 0 {
					return &usageError{command: cmd.CommandPath(), cause: errors.New("--renew needs a NAME")}
				}
				return a.move(cmd.Context(), func(ctx context.Context, m *migrator.Migrator) (migrator.Position, error) {
					return m.RenewTail(ctx, args[0])
				})
			}
			m, err := a.migrator()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return m.TailAll(cmd.Context())
			}
			if err := m.Tail(cmd.Context(), args[0]); err != nil {
				return err
			}
			document := struct {
				Transition string `json:"transition"`
				Ended      string `json:"ended"`
			}{args[0], "nothing needs to be followed any more"}
			return a.result(document, func(out *console.Output) error {
				_, err := fmt.Fprintf(out, "%s: %s\n", out.Style().Bold(args[0]), document.Ended)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&renew, "renew", false, "make a new slot in place of a lost one, and have every row looked at again")
	return cmd
}

// tailLines say how a transition is followed in the log, from live on nothing.
func tailLines(t *migrator.TailStatus, s console.Style) []string {
	if t == nil || t.Slot == "" {
		return nil
	}
	slot := fmt.Sprintf("slot %s, %s, keeps %s of the log", t.Slot, t.WALStatus, console.Size(float64(t.Held)))
	if t.Safe != nil {
		slot += ", may be lost after " + console.Size(float64(*t.Safe)) + " more"
	}
	if t.WALStatus == "missing" || t.WALStatus == "lost" {
		slot = s.Bad(fmt.Sprintf("slot %s is %s", t.Slot, t.WALStatus))
	}
	lines := []string{slot}
	if t.Active == nil {
		lines = append(lines, s.Warn("nobody follows it: crossfade tail, or run"))
	} else {
		lines = append(lines, "followed by "+t.Active.String())
	}
	if t.NotedAgo != nil {
		lines = append(lines, fmt.Sprintf("lag %s, %s, by the word of %s %s ago", console.Size(float64(t.LagBytes)), console.Duration(t.Lag), t.Actor, console.Duration(*t.NotedAgo)))
	}
	lines = append(lines, fmt.Sprintf("%s put right since the backfill", console.Plural(int(t.Repaired), "half-written row")))
	if t.BarrierAt != nil {
		lines = append(lines, "barrier crossed at "+t.BarrierAt.Local().Format("2006-01-02 15:04:05"))
	}
	return lines
}
