package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// workFlags adds the flags of commands that move a transition.
func (a *app) workFlags(cmd *cobra.Command) {
	flags, c := cmd.Flags(), &a.tuning
	flags.DurationVar(&c.Grace, "grace", 0, "how long a drain waits before --laggards applies (default 30s)")
	flags.DurationVar(&c.HoldTimeout, "hold-timeout", 0,
		"how long connections that open may be held while a column\ntakes its final name (default 1s)")
	flags.DurationVar(&c.DrainTimeout, "drain-timeout", 0, "give up a drain after this time, with exit code 4 (default: wait for ever)")
	flags.Var((*laggardsFlag)(&c.Laggards), "laggards",
		"sessions that stay in the old phase after --grace: fence the idle ones,\n"+
			"wait for all, or terminate those in a transaction")
	flags.DurationVar(&c.LockTimeout, "lock-timeout", 0, "how long one attempt of a DDL statement waits for its lock (default 50ms)")
	flags.DurationVar(&c.WritersQuiet, "writers-quiet", 0,
		"how long a trigger must have seen nobody write without the hook before contract (default 1h)")
	flags.DurationVar(&c.ReadsQuiet, "reads-quiet", 0,
		"how long no comparison of reads may have found a difference before live (default 1h)")
	flags.IntVar(&c.MinComparisons, "min-comparisons", 0, "how many reads must have been compared in shadow before live")
	flags.DurationVar(&c.StandbyWait, "standby-wait", 0, "how long a flip waits for the standbys to replay what led to it (default 30s)")
	flags.StringSliceVar(&c.IgnoreStandbys, "ignore-standby", nil, "application names of standbys that no flip waits for: delayed or never promoted")
	a.standbyFlag(cmd)
	a.scanFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("laggards", cobra.FixedCompletions(laggardPolicies, cobra.ShellCompDirectiveNoFileComp))
}

// standbyFlag adds the flag of commands that look at the sessions of standbys.
func (a *app) standbyFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&a.standbys, "standby", nil,
		"URL of a standby that applications read from, to look at the\nsessions there (repeatable)")
}

// scanFlags adds the flags of commands that go through whole tables.
func (a *app) scanFlags(cmd *cobra.Command) {
	flags, c := cmd.Flags(), &a.tuning
	flags.IntVar(&c.Workers, "workers", 1, "how many connections share a backfill or verification; see also backfill")
	flags.DurationVar(&c.BatchTarget, "batch-target", 0, "how long a batch of a backfill or verification should take")
	flags.Var((*throttleFlag)(&c.Throttle), "throttle", throttleUsage)
}

// laggardPolicies are the values of --laggards.
var laggardPolicies = []string{
	string(migrator.LaggardsFence), string(migrator.LaggardsWait), string(migrator.LaggardsTerminate),
}

// laggardsFlag is the value of --laggards.
type laggardsFlag migrator.LaggardPolicy

func (l *laggardsFlag) String() string { return string(*l) }
func (l *laggardsFlag) Type() string   { return strings.Join(laggardPolicies, "|") }
func (l *laggardsFlag) Set(value string) error {
	if !slices.Contains(laggardPolicies, value) {
		return fmt.Errorf("it is one of %s", strings.Join(laggardPolicies, ", "))
	}
	*l = laggardsFlag(value)
	return nil
}

// migrator makes a Migrator that tells nobody what it does.
func (a *app) migrator() (*migrator.Migrator, error) {
	config := a.tuning
	config.Logger = a.logger(a.stderr)
	return a.newMigrator(config)
}

func (a *app) newMigrator(config migrator.Config) (*migrator.Migrator, error) {
	conn, err := a.connConfig()
	if err != nil {
		return nil, err
	}
	if config.Standbys, err = a.standbyConfigs(); err != nil {
		return nil, err
	}
	m, err := migrator.New(conn, config)
	if err != nil {
		return nil, &usageError{cause: err}
	}
	return m, nil
}

// work runs something long, and shows on stderr how it comes along.
func (a *app) work(ctx context.Context, do func(context.Context, *migrator.Migrator) error) error {
	config := a.tuning
	if a.output == outputJSON {
		config.Logger = a.logger(a.stderr)
		if !a.quiet {
			config.Observer = newJSONProgress(a.stderr)
		}
		return a.workWith(ctx, config, do)
	}
	progress := newProgress(a.verbose)
	live := console.NewLive(a.err(), progress)
	progress.live = live
	config.Logger = a.logger(lineWriter{live})
	if a.quiet {
		return a.workWith(ctx, config, do)
	}
	config.Observer = progress
	return live.While(func() error { return a.workWith(ctx, config, do) })
}

func (a *app) workWith(ctx context.Context, c migrator.Config, do func(context.Context, *migrator.Migrator) error) error {
	m, err := a.newMigrator(c)
	if err != nil {
		return err
	}
	return do(ctx, m)
}

// logger takes what the library warns of; what else it logs, the progress shows.
func (a *app) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelWarn}
	if a.output == outputJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// lineWriter writes log lines above the block that is redrawn.
type lineWriter struct{ live *console.Live }

func (w lineWriter) Write(p []byte) (int, error) {
	w.live.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}
