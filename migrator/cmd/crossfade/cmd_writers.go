package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
)

func newWriters(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "writers NAME",
		Short: "Show who writes a transition's columns without the hook",
		Long: `Shows who wrote the sources of a transition without the hook, as its trigger has
noted (sync: trigger; at most once in ten minutes for each session), and which
sessions without the hook are connected now. Contract is refused while there are
any. It changes nothing.

With sync: logical it shows the last rows that the tail has put right, by key,
transaction and time; the log does not say who wrote them. Those listed by role are
sessions that held a lock on the table when the tail looked, once a second.`,
		Example: `  crossfade writers users-name
  crossfade writers users-name --output json`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.migrator()
			if err != nil {
				return err
			}
			found, err := m.Writers(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.result(found, func(out *console.Output) error {
				if len(found.Seen)+len(found.Connected) == 0 && (found.Tail == nil || found.Tail.Repaired == 0) {
					_, err := fmt.Fprintf(out, "%s: nobody without the hook has been seen\n", out.Style().Bold(found.Transition))
					return err
				}
				table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
				if len(found.Seen) > 0 {
					last := "LAST WROTE"
					if found.Tail != nil {
						last = "LAST SEEN WITH A LOCK"
					}
					fmt.Fprintln(table, "ROLE\tAPPLICATION\tCLIENT\tSESSIONS\t"+last)
				}
				for _, w := range found.Seen {
					fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s ago\n", w.Role, dash(w.Application), w.Client, w.Sessions, w.Ago.Round(time.Second))
				}
				if err := table.Flush(); err != nil {
					return err
				}
				if t := found.Tail; t != nil && t.Repaired > 0 {
					fmt.Fprintf(out, "%s put right; the last of them:\n", console.Plural(int(t.Repaired), "half-written row"))
					for _, row := range t.Recent {
						fmt.Fprintf(out, "  key (%s), transaction %d, committed at %s\n", strings.Join(row.Key, ", "), row.XID, row.At.Local().Format(time.DateTime))
					}
				}
				for i, s := range found.Connected {
					if i == 0 {
						fmt.Fprintln(out, "connected without the hook:")
					}
					fmt.Fprintf(out, "  %s\n", s)
				}
				return nil
			})
		},
	}
}
