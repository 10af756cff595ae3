package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newExplain(a *app) *cobra.Command {
	var transition string
	var phase migrator.Phase
	stars := starsFlag(rewrite.StarsSource)
	cmd := &cobra.Command{
		Use:   "explain [STATEMENT...]",
		Short: "Show what statements become in each phase",
		Long: `Shows what the hook makes of statements in each phase, or why it would refuse
them. Statements are arguments, or are read from stdin, separated by semicolons as
in psql. Nothing is executed and nothing is changed.

The transition is a file, so that statements can be checked before anything has
begun, or the name of an active one; without --transition it is the only active
one. The database is asked for the columns of the table and what else bears its
name. The token of a phase, a table whose name says when the phase began, is shown
as crossfade.` + shownToken + `.

The exit code is 3 when a statement would be refused: fit for checking a file of
queries in CI.`,
		Example: `  crossfade explain --transition users-name.yaml 'select * from users where id = $1'
  crossfade explain --transition users-name --phase dualwrite < queries.sql`,
		RunE: func(cmd *cobra.Command, args []string) error {
			statements, err := a.statements(cmd.Context(), args)
			if err != nil {
				return err
			}
			phases := migrator.Phases()
			if phase != "" {
				phases = []migrator.Phase{phase}
			}
			explained, err := a.explain(cmd.Context(), transition, rewrite.Stars(stars), statements, phases)
			if err != nil {
				return err
			}
			err = a.result(explained, func(out *console.Output) error { return printExplained(out, out.Style(), explained, len(phases)) })
			if err != nil {
				return err
			}
			return refusals(explained)
		},
	}
	cmd.Flags().StringVarP(&transition, "transition", "t", "", "a transition file, or the name of an active transition")
	addPhase(cmd, &phase, "phase", "show this phase only", migrator.Phases()...)
	cmd.Flags().Var(&stars, "stars", "which name of the column the application expects in *, and in an\nINSERT without a column list (default source)")
	_ = cmd.RegisterFlagCompletionFunc("stars", cobra.FixedCompletions([]string{"source", "target"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("transition", a.completeNames)
	return cmd
}

// starsFlag is the value of --stars.
type starsFlag rewrite.Stars

func (f *starsFlag) String() string { return string(*f) }
func (f *starsFlag) Type() string   { return "source|target" }
func (f *starsFlag) Set(value string) error {
	switch rewrite.Stars(value) {
	case rewrite.StarsSource, rewrite.StarsTarget:
		*f = starsFlag(value)
		return nil
	}
	return errors.New("it is source or target")
}

// statements are those of the arguments, or of stdin.
func (a *app) statements(ctx context.Context, args []string) ([]string, error) {
	if len(args) == 0 {
		if console.IsTerminal(a.stdin) && !a.quiet {
			fmt.Fprintln(a.stderr, "reading statements from stdin, end with Ctrl-D")
		}
		text, err := interruptible(ctx, func() ([]byte, error) { return io.ReadAll(a.stdin) })
		if err != nil {
			return nil, fmt.Errorf("read statements: %w", err)
		}
		args = []string{string(text)}
	}
	var statements []string
	for _, text := range args {
		statements = append(statements, splitStatements(text)...)
	}
	if len(statements) == 0 {
		return nil, &usageError{cause: errors.New("no statement given, neither as an argument nor on stdin"), command: "crossfade explain"}
	}
	return statements, nil
}

func (a *app) explain(ctx context.Context, transition string, stars rewrite.Stars, statements []string, phases []migrator.Phase) ([]explanation, error) {
	conn, err := a.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	x, err := newExplainer(ctx, conn, transition)
	if err != nil {
		return nil, err
	}
	x.stars = stars
	return x.explain(statements, phases)
}

// printExplained shows each statement once, and once what it becomes in phases
// that make the same of it.
func printExplained(w io.Writer, s console.Style, explained []explanation, phases int) error {
	var b strings.Builder
	for i, e := range explained {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s\n", s.Bold(e.Statement))
		for rest := e.Phases; len(rest) > 0; {
			n := 1
			for n < len(rest) && rest[n].sameAs(rest[0]) {
				n++
			}
			printOutcome(&b, s, rest[:n], e.Statement, n == phases)
			rest = rest[n:]
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p phaseOutcome) sameAs(o phaseOutcome) bool {
	return p.Outcome == o.Outcome && p.SQL == o.SQL && p.Message == o.Message && p.Hint == o.Hint
}

func printOutcome(b *strings.Builder, s console.Style, same []phaseOutcome, statement string, all bool) {
	names := make([]string, len(same))
	for i, p := range same {
		names[i] = string(p.Phase)
	}
	label := strings.Join(names, ", ")
	if all && len(same) > 1 {
		label = "every phase"
	}
	p := same[0]
	switch p.Outcome {
	case rewrite.Refused:
		fmt.Fprintf(b, "  %s: %s\n%s\n", s.Accent(label), s.Bad("refused"), indented(p.Message, "    "))
		if p.Hint != "" {
			fmt.Fprintf(b, "    hint: %s\n", p.Hint)
		}
	case rewrite.Passed:
		fmt.Fprintf(b, "  %s: as it is\n", s.Accent(label))
	default:
		fmt.Fprintf(b, "  %s:\n%s\n", s.Accent(label), indented(highlight(s, statement, p.edits), "    "))
	}
}

// highlight paints what was put into a statement. Without colours it is the
// rewritten text.
func highlight(s console.Style, statement string, edits []rewrite.Edit) string {
	var b strings.Builder
	done := 0
	for _, e := range edits {
		b.WriteString(statement[done:e.Start])
		b.WriteString(s.Good(e.Text))
		done = e.End
	}
	b.WriteString(statement[done:])
	return b.String()
}

func refusals(explained []explanation) error {
	n := 0
	for _, e := range explained {
		if e.refused() {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return &refusal{fmt.Sprintf("%d of %s would be refused", n, plural(len(explained), "statement")), ""}
}
