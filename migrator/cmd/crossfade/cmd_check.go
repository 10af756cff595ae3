package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// checkInterval is how often check --wait looks.
const checkInterval = time.Second

func newCheck(a *app) *cobra.Command {
	var phases []string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "check [NAME|FILE...]",
		Short: "Tell a deployment whether it must wait",
		Long: `Ends with exit code 0 when a deployment may begin. Migrate before the rollout,
check, roll out, and contract when the old version is gone.

A transition that is named, by itself or by its file, must be registered and known
to everybody, from when on both names of its column work; with --phase NAME=PHASE
it must have reached that phase. One that moves no column must be through its
steps; the drop of a column is not waited for. None may be draining, and none may
have a step that failed. Without arguments this last sentence is asked of all
active transitions.

Exit codes: 4 while it is to be waited for; 7 when nobody has started a transition;
3 when somebody has to act first, since a step stopped half way and no migrator is
at work, rows stand in the way, or the ledger's transition is not the file's. Of
several the gravest counts: 3, 7, 4. With --wait it looks again until it is 0 or the
time is over.`,
		Example: `  crossfade check migrations/*.yaml
  crossfade check --phase users-name=dualwrite --wait 10m
  crossfade check --output json | jq -r '.[] | select(.readiness != "ready") | .why'`,
		ValidArgsFunction: a.completeNamesAndFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			wants, err := wantsOf(args, phases)
			if err != nil {
				return err
			}
			m, err := a.migrator()
			if err != nil {
				return err
			}
			list, err := readyWithin(cmd.Context(), m, wants, wait)
			if err != nil {
				return err
			}
			if err := a.result(list, func(out *console.Output) error { return printChecked(out, list) }); err != nil {
				return err
			}
			return notReady(list)
		},
	}
	cmd.Flags().StringSliceVar(&phases, "phase", nil, "NAME=PHASE: this transition must have reached this phase; may be repeated")
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait for so long before giving up")
	return cmd
}

// wantsOf reads the arguments and the values of --phase, which may be about the
// same transitions.
func wantsOf(args, phases []string) ([]migrator.Want, error) {
	wants := make([]migrator.Want, 0, len(args)+len(phases))
	for _, argument := range args {
		want := migrator.Want{Name: argument}
		if isFile(argument) {
			t, err := loadTransition(argument)
			if err != nil {
				return nil, err
			}
			want = migrator.Want{Name: t.Name, Transition: &t}
		}
		wants = append(wants, want)
	}
	for _, pair := range phases {
		name, text, found := strings.Cut(pair, "=")
		phase, err := migrator.ParsePhase(text)
		if !found || err != nil {
			return nil, &usageError{cause: fmt.Errorf("--phase %q is not NAME=PHASE, with a phase of %s", pair,
				strings.Join(phaseNames(append(migrator.Phases(), migrator.Named)), ", ")), command: "crossfade check"}
		}
		i := slices.IndexFunc(wants, func(w migrator.Want) bool { return w.Name == name })
		if i < 0 {
			i, wants = len(wants), append(wants, migrator.Want{Name: name})
		}
		wants[i].Phase = phase
	}
	return wants, nil
}

// readyWithin looks until all is ready or the time is over.
func readyWithin(ctx context.Context, m *migrator.Migrator, wants []migrator.Want, wait time.Duration) ([]migrator.Checked, error) {
	for deadline := time.Now().Add(wait); ; {
		list, err := m.Ready(ctx, wants)
		if err != nil || notReady(list) == nil || time.Until(deadline) <= 0 {
			return list, err
		}
		timer := time.NewTimer(min(checkInterval, time.Until(deadline)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return list, ctx.Err()
		case <-timer.C:
		}
	}
}

// unready is what a deployment must wait for.
type unready struct {
	code int
	list []migrator.Checked
}

// notReady is nil when a deployment may begin.
func notReady(list []migrator.Checked) error {
	for _, grave := range []struct {
		readiness migrator.Readiness
		code      int
	}{{migrator.Failing, exitRefused}, {migrator.Missing, exitNotFound}, {migrator.Waiting, exitWaiting}} {
		if slices.ContainsFunc(list, func(c migrator.Checked) bool { return c.Readiness == grave.readiness }) {
			return &unready{grave.code, list}
		}
	}
	return nil
}

func (e *unready) Error() string {
	var errs []error
	for _, c := range e.list {
		if c.Readiness != migrator.Ready {
			errs = append(errs, fmt.Errorf("%s: %s", c.Name, c.Why))
		}
	}
	return "a deployment must wait: " + errors.Join(errs...).Error()
}

// hint names the next command for the gravest.
func (e *unready) hint() string {
	switch e.code {
	case exitRefused:
		return "run it again, or roll it back: crossfade status NAME shows where it stands"
	case exitNotFound:
		return "start it before the rollout: crossfade run FILE, or crossfade start FILE"
	}
	return "wait, or look whom it waits for: crossfade status NAME; --wait 10m waits here"
}

func printChecked(w io.Writer, list []migrator.Checked) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no transitions: nothing to wait for")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range list {
		phase := ""
		if c.Position != nil {
			phase = string(c.Position.Phase)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", c.Name, c.Readiness, dash(phase), c.Why)
	}
	return table.Flush()
}
