package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newPlan(a *app) *cobra.Command {
	var rollback bool
	cmd := &cobra.Command{
		Use:   "plan FILE|NAME",
		Short: "Show what a transition would do; change nothing",
		Long: `Checks a transition against the database and prints what was found, and each step
with its statements: the lock that a statement takes and on what, how long it may
wait for it and run, and what it may do to the application. --verbose adds what a
rollback would do. Nothing is changed, and no ledger is needed.

With --rollback it shows the way back instead, step by step: of an active
transition from where it stands, or of a file: the statements with their locks, how
long it takes as far as the ledger lets one tell, what is lost, what would stop it,
and the point of no return.

The exit code is 3 when start would refuse the transition.`,
		Example: `  crossfade plan users-name.yaml
  crossfade plan users-name.yaml --output json | jq '.findings[] | select(.refuses)'
  crossfade plan --rollback users-name`,
		Args:              exactly("FILE"),
		ValidArgsFunction: a.completeNamesAndFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			if rollback {
				return a.planRollback(cmd.Context(), args[0])
			}
			if !isFile(args[0]) {
				return &usageError{cause: fmt.Errorf("%q is no file, which has a dot or a slash in its name; the way back of an active transition shows --rollback", args[0]),
					command: "crossfade plan"}
			}
			t, err := loadTransition(args[0])
			if err != nil {
				return err
			}
			m, err := a.migrator()
			if err != nil {
				return err
			}
			p, err := m.Plan(cmd.Context(), t)
			if err != nil {
				return err
			}
			err = a.result(p, func(out *console.Output) error { return printPlan(out, out.Style(), p, a.verbose) })
			if err == nil && p.Refused() {
				err = &refusal{fmt.Sprintf("start would refuse transition %q", t.Name), "take care of the findings that refuse it"}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&rollback, "rollback", false, "show the way back, of a file or of an active transition")
	return cmd
}

// printPlan writes the plan as text. What writes to w fails for good, so only
// the whole is checked.
func printPlan(w io.Writer, s console.Style, p migrator.Plan, undo bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: table %s, %s\n", s.Bold(p.Transition.Name), p.Transition.Table,
		becomes(s, p.Transition.Does(), p.Transition.Sources(), p.Transition.Targets())+
			inTheEnd(p.Transition.KeepsName(), p.Transition.Sources()))
	printFindings(&b, s, p.Findings)
	if f := p.Forecast; f != nil {
		fmt.Fprintf(&b, "\n%s about %s rows; up to %s of WAL and %s more on disk until it is vacuumed; how long, its first batches tell\n",
			s.Bold("backfill:"), console.Count(f.Rows), console.Size(float64(f.WALBytes)), console.Size(float64(f.GrowthBytes)))
	}
	contract := false
	for i, step := range p.Steps {
		if step.Act == "contract" && !contract {
			contract = true
			fmt.Fprintf(&b, "\n%s: contract, an act of its own\n", s.Warn("point of no return"))
		}
		printStep(&b, s, i+1, step, undo)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printFindings(b *strings.Builder, s console.Style, findings []migrator.Finding) {
	if len(findings) == 0 {
		fmt.Fprintf(b, "\n%s nothing stands in the way\n", s.Good("findings:"))
		return
	}
	fmt.Fprintf(b, "\n%s\n", s.Bold("findings:"))
	for _, f := range findings {
		fmt.Fprintf(b, "%s\n", findingText(s, f, "  "))
	}
}

func printStep(b *strings.Builder, s console.Style, number int, step migrator.PlannedStep, undo bool) {
	kind := "in phase " + string(step.Phase)
	switch {
	case step.Flip:
		kind = "to phase " + string(step.Phase)
	case step.Phase == "":
		kind = "no column moves"
	}
	fmt.Fprintf(b, "\n%2d. %s  %s\n", number, s.Bold(step.Name), s.Dim(kind))
	if step.Summary != "" {
		fmt.Fprintf(b, "    %s\n", step.Summary)
	}
	for _, statement := range step.Statements {
		printStatement(b, s, statement)
	}
	if !undo {
		return
	}
	for i, statement := range step.Undo {
		if i == 0 {
			fmt.Fprintf(b, "    %s\n", s.Dim("to undo it:"))
		}
		printStatement(b, s, statement)
	}
}

func printStatement(b *strings.Builder, s console.Style, p migrator.PlannedStatement) {
	fmt.Fprintf(b, "%s\n", indented(p.SQL, "      "))
	var facts []string
	if p.Lock != "" {
		facts = append(facts, "lock "+p.Lock+" on "+p.On)
	}
	if p.LockTimeout > 0 {
		facts = append(facts, "lock timeout "+console.Duration(p.LockTimeout))
	}
	if p.StatementTimeout > 0 {
		facts = append(facts, "statement timeout "+console.Duration(p.StatementTimeout))
	}
	if len(facts) > 0 {
		fmt.Fprintf(b, "        %s\n", s.Dim(strings.Join(facts, ", ")))
	}
	if p.Why != "" {
		fmt.Fprintf(b, "        %s\n", s.Dim(p.Why))
	}
	if p.Hazard != "" {
		fmt.Fprintf(b, "        %s %s\n", s.Warn("hazard:"), p.Hazard)
	}
}
