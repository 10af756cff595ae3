package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/internal/explain"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/queryplan"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/migrator"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	transition string
	files      []string
	schema     []string
	searchPath string
	phase      migrator.Phase
	stars      starsFlag
	gate       bool
	record     bool
	costFactor float64
}

func newExplain(a *app) *cobra.Command {
	f := explainFlags{stars: starsFlag(rewrite.StarsSource), costFactor: queryplan.DefaultCostFactor}
	cmd := &cobra.Command{
		Use:   "explain [STATEMENT|FILE.sql...]",
		Short: "Show what statements become in each phase, and whose plans get worse",
		Long: `Shows what the hook makes of statements in each phase, or why it would refuse
them. Statements are arguments, or stand in files, query files of sqlc among them,
or are read from stdin, separated by semicolons as in psql. Nothing is executed and
nothing is changed.

The transition is a file, so that statements can be checked before anything has
begun, or the name of an active one; without --transition it is the only active
one. The database is asked for the columns of the table and what else bears its
name; with --schema no database is needed: a throw-away PostgreSQL is started, and
gets the schema. The token of a phase, a table whose name says when the phase
began, is shown as crossfade.` + explain.Token + `.

Where the target and its indexes exist (with --schema, or from step index on), the
plans of statements that come to read the target are compared with what they were.
An index scan of the table that becomes a sequential scan is an error, and a cost
that grows by more than --cost-factor a warning.

With --record the outcome is kept in the ledger: while the last one that was
recorded has a statement with a worse plan, gate plan-regression keeps the
transition out of phase live.

The exit code is 3 when a statement would be refused, and with --gate also when a
plan gets worse (an error, not a warning) or cannot be compared: fit for checking
files of queries in CI.`,
		Example: `  crossfade explain --transition users-name.yaml 'select * from users where id = $1'
  crossfade explain --transition users-name --phase dualwrite < queries.sql
  crossfade explain -t users-name --gate --record queries/*.sql
  crossfade explain -t users-name.yaml --schema schema.sql --gate queries/*.sql`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.explain(cmd.Context(), f, args) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.transition, "transition", "t", "", "a transition file, or the name of an active transition")
	flags.StringArrayVarP(&f.files, "file", "f", nil, "a file of statements, or a directory of such files; may be repeated")
	flags.StringArrayVar(&f.schema, "schema", nil, "use no database but a throw-away one with the schema in this file, or in\n"+
		"the .sql files of this directory by name; may be repeated")
	flags.StringVar(&f.searchPath, "search-path", "", "the search_path of the application, as SET takes it (default that of the role)")
	addPhase(cmd, &f.phase, "phase", "show this phase only", append(migrator.Phases(), migrator.Named)...)
	flags.Var(&f.stars, "stars", "which name of the column the application expects in *, and in an\nINSERT without a column list")
	flags.BoolVar(&f.gate, "gate", false, "fail when a plan gets worse, or cannot be compared")
	flags.BoolVar(&f.record, "record", false, "keep the outcome in the ledger, for the gate before phase live")
	flags.Float64Var(&f.costFactor, "cost-factor", f.costFactor, "by how much the estimated cost may grow without a warning")
	_ = cmd.RegisterFlagCompletionFunc("stars", cobra.FixedCompletions([]string{"source", "target"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("transition", a.completeNamesAndFiles)
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

// explain is the command: it reads the statements before it looks for a database.
func (a *app) explain(ctx context.Context, f explainFlags, args []string) error {
	if f.costFactor < 1 {
		return &usageError{cause: errors.New("--cost-factor is 1 or more"), command: "crossfade explain"}
	}
	if f.record && (isFile(f.transition) || f.phase != "") {
		return &usageError{cause: errors.New("--record is about all phases of an active transition: name it with --transition"), command: "crossfade explain"}
	}
	statements, err := a.statements(ctx, args, f.files)
	if err != nil {
		return err
	}
	e, err := a.openExplained(ctx, f)
	if err != nil {
		return err
	}
	defer e.close()
	e.explainer.Stars = rewrite.Stars(f.stars)
	phases := migrator.Phases()
	if f.phase == "" && e.explainer.Member().Definition.KeepName {
		phases = append(phases, migrator.Named)
	}
	if f.phase != "" {
		phases = []migrator.Phase{f.phase}
	}
	explained, err := e.explainer.Explain(statements, phases)
	if err != nil {
		return err
	}
	if f.phase == "" || f.phase.Behaviour().Read == phase.Target {
		if err := e.plans(ctx, explained, f.costFactor); err != nil {
			return err
		}
	}
	err = a.result(explained, func(out *console.Output) error {
		return printExplained(out, out.Style(), explained, len(phases), e.skip)
	})
	if err != nil {
		return err
	}
	if e.skip != "" && countPlans(explained) > 0 {
		a.note("plans are not compared: " + e.skip)
	}
	if f.record {
		if err := a.recordPlans(ctx, e, explained); err != nil {
			return err
		}
	}
	return explainGate(explained, f.gate, e.skip)
}
