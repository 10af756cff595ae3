package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// rehearseFlags are the flags of rehearse.
type rehearseFlags struct {
	on          string
	yes         bool
	statements  []string
	connections int
	o           migrator.RehearseOptions
}

func newRehearse(a *app) *cobra.Command {
	var f rehearseFlags
	cmd := &cobra.Command{
		Use:   "rehearse FILE --on URL",
		Short: "Try a transition on a restored copy, all the way, and measure it",
		Long: `Takes the transition all the way on a copy of the database: forward to complete, back
to off, forward again, contract, remove. It measures for each step how long it took, how
long a lock was held that stops writers, the longest stall of a probe that reads the
table and takes the lock of a write every few milliseconds, the WAL of the server, and
the growth of the table with its indexes; and says at the end what was a surprise.

With --statements, statements of the application are sent through the hook meanwhile,
each in a transaction that is rolled back. Those with parameters are left out.

The copy is changed as the transition changes it; restore it before the next
rehearsal. --database-url leads to the original, if it is given: the copy must not be
that. It asks for the name of the copy's database first, unless --yes is given.

The exit code is 3 when there was a surprise.`,
		Example: `  crossfade rehearse users-name.yaml --on postgres://owner@restored/shop
  crossfade rehearse users-name.yaml --on "$COPY" --yes --statements queries.sql -o json`,
		Args:              exactly("FILE"),
		ValidArgsFunction: completeFiles,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.rehearse(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.on, "on", "", "the copy, as a URL or key=value pairs")
	flags.BoolVar(&f.yes, "yes", false, "it is a copy: do not ask")
	flags.StringArrayVar(&f.statements, "statements", nil, "a file of statements, or a directory of such files; may be repeated")
	flags.IntVar(&f.connections, "connections", 4, "how many connections send the statements")
	flags.DurationVar(&f.o.MaxLock, "max-lock", 200*time.Millisecond, "a lock that is held for longer is a surprise")
	flags.DurationVar(&f.o.MaxStall, "max-stall", 500*time.Millisecond, "a probe that takes longer is a surprise")
	a.workFlags(cmd)
	return cmd
}

func (a *app) rehearse(ctx context.Context, file string, f rehearseFlags) error {
	if f.on == "" {
		return &usageError{cause: errors.New("--on is missing: where is the copy?"), command: "crossfade rehearse"}
	}
	if f.connections < 1 {
		return &usageError{cause: errors.New("--connections is 1 or more"), command: "crossfade rehearse"}
	}
	t, err := loadTransition(file)
	if err != nil {
		return err
	}
	copied, err := pgx.ParseConfig(f.on)
	if err != nil {
		return &usageError{cause: withoutPassword(f.on, err)}
	}
	if err := a.confirmCopy(ctx, copied, f.yes); err != nil {
		return err
	}
	if a.connString() != "" {
		if f.o.Production, err = a.connConfig(); err != nil {
			return err
		}
	}
	if len(f.statements) > 0 {
		if f.o.Traffic, err = a.traffic(ctx, copied, f); err != nil {
			return err
		}
	}
	a.databaseURL = f.on
	var r migrator.Rehearsal
	config := a.tuning
	config.Logger = a.logger(a.stderr)
	err = a.workWith(ctx, config, func(ctx context.Context, m *migrator.Migrator) (err error) {
		r, err = m.Rehearse(ctx, t, f.o)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.result(r, func(out *console.Output) error { return printRehearsal(out, out.Style(), r) }); err != nil {
		return err
	}
	if len(r.Surprises) > 0 {
		return &refusal{fmt.Sprintf("the rehearsal of %q met %s", t.Name, console.Plural(len(r.Surprises), "surprise")),
			"look at each before you run it; then restore the copy and rehearse again"}
	}
	return nil
}

// confirmCopy asks for the name of the copy's database.
func (a *app) confirmCopy(ctx context.Context, copied *pgx.ConnConfig, yes bool) error {
	switch {
	case yes:
		return nil
	case !console.IsTerminal(a.stdin):
		return &usageError{cause: fmt.Errorf("the rehearsal changes database %s on %s for good: there is no terminal to ask on whether it is a copy, so say --yes",
			copied.Database, copied.Host)}
	}
	fmt.Fprintf(a.stderr, "The rehearsal changes database %s on %s for good.\n", copied.Database, copied.Host)
	return a.typed(ctx, copied.Database, "If it is a copy, type the name of the database to go on: ")
}

func printRehearsal(w io.Writer, s console.Style, r migrator.Rehearsal) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: rehearsed in %s\n\n", s.Bold(r.Transition), console.Duration(r.Elapsed))
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PASS\tSTEP\tTIME\tLONGEST LOCK\tLONGEST STALL\tWAL\tGROWTH")
	for _, step := range r.Steps {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", step.Pass, stepName(step.Name, step.Undo), console.Duration(step.Elapsed),
			dashed(step.Lock), dashed(step.Stall), console.Size(float64(step.WALBytes)), grown(step.GrowthBytes))
	}
	_ = table.Flush() // a strings.Builder takes everything
	fmt.Fprintf(&b, "\n%s probes; %s statements, %s failed\n", console.Count(int64(r.Traffic.Probes)), console.Count(int64(r.Traffic.Statements)),
		console.Count(int64(r.Traffic.Errors)))
	for _, sample := range r.Traffic.Samples {
		fmt.Fprintf(&b, "  %s\n", oneLine(sample))
	}
	if len(r.Surprises) == 0 {
		fmt.Fprintf(&b, "%s\n", s.Good("no surprise"))
	}
	for _, surprise := range r.Surprises {
		fmt.Fprintf(&b, "%s %s\n", s.Warn("surprise:"), surprise)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func dashed(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return console.Duration(d)
}
