package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

// Commands are listed in the order in which they are used.
func init() { cobra.EnableCommandSorting = false }

func newRoot(a *app) *cobra.Command {
	a.output = outputText
	a.tuning.Laggards = migrator.LaggardsFence
	root := &cobra.Command{
		Use:   "crossfade",
		Short: "Move a PostgreSQL column to a new home while the application keeps running",
		Long: `Crossfade moves a PostgreSQL column to a new home while the application keeps
running. The application embeds a hook that rewrites its statements by the phase
that the database says is in force; this command adds the new column, fills and
verifies it, moves the phase forward or back, and at the end drops the old
column.

A transition is a file of a few lines; everything else is in the database, in a
schema named crossfade. Every command can be stopped at any time and run again:
it continues from what it finds there.`,
		Example: `  crossfade init                    # once per database: the ledger
  crossfade plan users-name.yaml    # what would happen; changes nothing
  crossfade run users-name.yaml     # all the way to phase complete
  crossfade status users-name
  crossfade contract users-name     # drops the source: the point of no return`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			message := fmt.Sprintf("unknown command %q", args[0])
			if suggestions := cmd.SuggestionsFor(args[0]); len(suggestions) > 0 {
				message += fmt.Sprintf(", did you mean %q?", suggestions[0])
			}
			return errors.New(message)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if a.quiet && a.verbose {
				return errors.New("--quiet and --verbose contradict each other")
			}
			a.ran = true
			return nil
		},
	}
	root.SuggestionsMinimumDistance = 2
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVar(&a.databaseURL, "database-url", "",
		"PostgreSQL, as a URL or key=value pairs; not through a pooler\n"+
			"(default $CROSSFADE_DATABASE_URL, then $DATABASE_URL, then $PGHOST ...)")
	flags.VarP(&a.output, "output", "o", "how results are printed")
	flags.BoolVar(&a.noColor, "no-color", false, "no colours, as with $NO_COLOR")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no progress, only results and errors")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "each statement as it is done, and in a plan what undoes it")
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))

	root.AddGroup(
		&cobra.Group{ID: "prepare", Title: "Preparing:"},
		&cobra.Group{ID: "move", Title: "Moving a column:"},
		&cobra.Group{ID: "look", Title: "Looking:"})
	group := func(id string, commands ...*cobra.Command) {
		for _, command := range commands {
			command.GroupID = id
			root.AddCommand(command)
		}
	}
	group("prepare", newInit(a), newPlan(a), newExplain(a), newRehearse(a), newSchema(a))
	group("move", newStart(a), newAdvance(a), newRun(a), newBackfill(a), newTail(a), newPause(a), newResume(a), newRate(a), newRollback(a), newRequest(a), newFollow(a), newRamp(a), newContract(a), newRemove(a))
	group("look", newStatus(a), newServe(a), newCheck(a), newVerify(a), newRepair(a), newMismatches(a), newWriters(a))
	root.AddCommand(newVersion(a), newExitCodes())
	return root
}

// exactly is for commands that need one argument, as their Use line names it.
func exactly(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return fmt.Errorf("%s is missing", what)
		case 1:
			return nil
		}
		return fmt.Errorf("one %s is enough, %q is too much", what, args[1])
	}
}
