package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newRepair(a *app) *cobra.Command {
	var o migrator.RepairOptions
	cmd := &cobra.Command{
		Use:   "repair NAME",
		Short: "Put right the rows in which source and target differ",
		Long: `Looks at every row and puts right those in which source and target differ, while
the application keeps running. The side that is read in the phase is the authority,
the source until shadow and the target from live on, and the other side is set from
it: from each row as it is at that moment, in small batches, each looked at again
before it is committed. Then all rows are compared again.

Every row is listed by its key; with --show-values also with what stood in it and
what it gets. --dry-run lists, and changes nothing. The history keeps how many rows
were repaired, and the keys of the first of them.

Whatever made the rows differ is still there: find it first, or it does it again.`,
		Example: `  crossfade repair users-name --dry-run --show-values
  crossfade repair users-name`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			var r migrator.Repair
			err := a.work(cmd.Context(), func(ctx context.Context, m *migrator.Migrator) (err error) {
				r, err = m.Repair(ctx, args[0], o)
				return err
			})
			if err != nil && r.Differed == 0 {
				return err
			}
			return errors.Join(a.result(r, func(out *console.Output) error { return printRepair(out, out.Style(), r) }), err)
		},
	}
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "list the rows, and change nothing")
	cmd.Flags().BoolVar(&o.ShowValues, "show-values", false, "show what stands in the rows, not their keys alone")
	cmd.Flags().IntVar(&o.Limit, "limit", 1000, "how many rows to list; all are repaired")
	a.scanFlags(cmd)
	return cmd
}

func printRepair(w io.Writer, s console.Style, r migrator.Repair) error {
	var b strings.Builder
	verb := "is set from"
	if r.DryRun {
		verb = "would be set from"
	}
	fmt.Fprintf(&b, "%s: in phase %s the %s is what is read, so %s %s %s\n", s.Bold(r.Transition), s.Accent(string(r.Phase)),
		r.Authority, names(r.To), verb, names(r.From))
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i, row := range r.Rows {
		if i == 0 {
			header := "  (" + names(r.Key) + ")"
			if row.Becomes != nil {
				header += "\t" + names(r.From) + "\t" + names(r.To) + "\tbecomes"
			}
			fmt.Fprintln(table, header)
		}
		line := "  (" + strings.Join(row.Key, ", ") + ")"
		if row.Becomes != nil {
			line += "\t" + values(row.From) + "\t" + values(row.To) + "\t" + values(row.Becomes)
		}
		fmt.Fprintln(table, line)
	}
	_ = table.Flush() // a strings.Builder takes everything
	if more := r.Differed - int64(len(r.Rows)); more > 0 && len(r.Rows) > 0 {
		fmt.Fprintf(&b, "  and %s more\n", console.Count(more))
	}
	fmt.Fprintf(&b, "%s of %s rows differ", console.Count(r.Differed), console.Count(r.Scanned))
	if !r.DryRun {
		fmt.Fprintf(&b, "ed, %s repaired", console.Count(r.Repaired))
	}
	if v := r.Verification; v != nil && v.Mismatches == 0 {
		fmt.Fprintf(&b, "; then all %s rows were %s", console.Count(v.Rows), s.Good("equal"))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// values writes the values of columns as SQL would, on one line.
func values(list []*string) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = "NULL"
		if v != nil {
			texts[i] = fmt.Sprintf("%q", *v)
		}
	}
	return strings.Join(texts, ", ")
}
