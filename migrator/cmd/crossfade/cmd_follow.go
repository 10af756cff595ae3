package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

func newFollow(a *app) *cobra.Command {
	var o migrator.FollowOptions
	var flags string
	cmd := &cobra.Command{
		Use:   "follow",
		Short: "Lead transitions towards what feature flags ask for",
		Long: `Leads each transition that has been started towards the phase that its flag asks
for, one step at a time, each with its gates and its drain, until it is stopped.
The flag of users-name is crossfade.users-name, and says one of the stages off,
dualwrite, shadow, live, rampdown, complete; live:25 is live with 25 of 100
connections that read the target. What may not be granted yet waits; status shows
what is requested, what is in force, and what holds it.

--flags FILE reads a YAML or JSON file, such as "crossfade.users-name: live", again
at each look. --flags env reads CROSSFADE_FLAG_USERS_NAME. Without it the requests
are those of "crossfade request". Flag services are followed by a program of a few
lines: package migrator/openfeature.

A flag that is missing, unknown, stale or failing moves nothing. No flag contracts.
One follower works in a database, others wait until it ends.`,
		Example: `  crossfade follow --flags flags.yaml
  CROSSFADE_FLAG_USERS_NAME=live crossfade follow --flags env --settle 5m
  crossfade follow --flags flags.yaml --output json 2> progress.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Settle <= 0 || o.Poll <= 0 {
				return &usageError{command: cmd.CommandPath(), cause: errors.New("--settle and --poll are above zero")}
			}
			switch flags {
			case "":
			case "env":
				o.Source = migrator.EnvFlags{}
			default:
				o.Source = migrator.FileFlags{Path: flags}
			}
			return a.work(cmd.Context(), func(ctx context.Context, m *migrator.Migrator) error { return m.Follow(ctx, o) })
		},
	}
	cmd.Flags().StringVar(&flags, "flags", "", "a file of flags, or env for environment variables (default: crossfade request)")
	cmd.Flags().DurationVar(&o.Settle, "settle", 30*time.Second, "how long a flag must say the same before it counts")
	cmd.Flags().DurationVar(&o.Poll, "poll", 5*time.Second, "the time between two looks at the flags")
	_ = cmd.MarkFlagFilename("flags", "yaml", "yml", "json")
	a.rampFlags(cmd)
	a.workFlags(cmd)
	return cmd
}
