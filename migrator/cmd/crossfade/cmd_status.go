package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

func newStatus(a *app) *cobra.Command {
	var events int
	var watch bool
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Show where transitions stand",
		Long: `Lists the transitions; with a name, shows one with its scans and what holds them
back, the drain that it waits for and whom, the sessions of the database by the
epoch they joined in, the statements that hooks have refused within the last day,
and the last lines of its history. It may be run while another migrator is at work.
Sessions of a standby are seen there only: name it with --standby.

With --watch it goes on until it is interrupted: drawn anew every second on a
terminal, a line at most every five seconds elsewhere, and with --output json a
document in a line whenever something has changed.`,
		Example: `  crossfade status
  crossfade status users-name --watch
  crossfade status users-name --events 50
  crossfade status users-name --output json | jq -r .phase`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.migrator()
			if err != nil {
				return err
			}
			if watch {
				return a.watchStatus(cmd.Context(), m, strings.Join(args, ""), events)
			}
			if len(args) == 1 {
				status, err := one(cmd.Context(), m, args[0], events)
				if err != nil {
					return err
				}
				return a.result(status, func(out *console.Output) error { return printStatus(out, out.Style(), status) })
			}
			list, err := m.Status(cmd.Context(), migrator.StatusOptions{Events: events})
			if err != nil {
				return err
			}
			if list == nil {
				list = []migrator.Status{} // [] rather than null
			}
			return a.result(list, func(out *console.Output) error { return printStatusList(out, list) })
		},
	}
	cmd.Flags().IntVar(&events, "events", 10, "how many of the last events to show")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it again and again until interrupted")
	a.standbyFlag(cmd)
	return cmd
}

func printStatusList(w io.Writer, list []migrator.Status) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no transitions; begin one with: crossfade start FILE")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tTABLE\tSOURCE\tTARGET\tPHASE\tLAST STEP\tNOW")
	for _, s := range list {
		source := names(s.Sources)
		if source == "" {
			source = s.Does
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, s.Table, source, dash(names(s.Targets)), dash(string(s.Phase)), dash(s.Step), now(s))
	}
	return table.Flush()
}

// now says in a few words what a transition is at.
func now(s migrator.Status) string {
	switch {
	case s.Drain != nil:
		return drainText(*s.Drain, console.Style{})
	case s.Control.Paused:
		return "scans are paused"
	case s.Underway != "":
		return s.Underway + " under way"
	case s.Removed:
		return "being removed"
	case s.Ended:
		return "all done"
	}
	return "-"
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func printStatus(w io.Writer, s console.Style, status migrator.Status) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: table %s, %s\n", s.Bold(status.Name), status.Table, becomes(s, status.Does, status.Sources, status.Targets)+
		inTheEnd(status.KeepName, status.Sources))
	if status.Phase != "" {
		fmt.Fprintf(&b, "  phase      %s (epoch %d)\n", s.Accent(string(status.Phase)), status.Epoch)
	}
	if status.Request != nil {
		fmt.Fprintf(&b, "  requested  %s\n", requestText(*status.Request, s))
	}
	fmt.Fprintf(&b, "  last step  %s\n", dash(status.Step))
	if status.Underway != "" {
		fmt.Fprintf(&b, "  under way  %s\n", status.Underway)
	}
	if status.Removed {
		b.WriteString("  removed, and not drained yet\n")
	}
	for _, job := range status.Jobs {
		fmt.Fprintf(&b, "  %-9s  %s\n", job.Job, jobText(job))
		if job.Finished && job.Forecast != nil {
			fmt.Fprintf(&b, "             %s\n", outcomeText(job))
		}
		if job.Waiting != "" {
			fmt.Fprintf(&b, "             %s\n", s.Warn("waiting: "+job.Waiting))
		}
		for _, line := range workerLines(job, s) {
			b.WriteString("             " + line + "\n")
		}
		for _, line := range signalLines(job.Signals, s, "             ") {
			b.WriteString(line + "\n")
		}
	}
	var carried []string
	for _, d := range status.Dependents {
		carried = append(carried, d.Object+": "+d.Fate)
	}
	printUnder(&b, "carries", carried)
	printUnder(&b, "tail", tailLines(status.Tail, s))
	if text := plansText(status, s); text != "" {
		fmt.Fprintf(&b, "  plans      %s\n", text)
	}
	printUnder(&b, "reads", readsLines(status, s))
	printUnder(&b, "refused", refusedLines(status, s))
	if c := status.Control; c.Paused {
		fmt.Fprintf(&b, "  scans      %s\n", s.Warn(fmt.Sprintf("paused by %s since %s; crossfade resume %s", c.Actor,
			c.ChangedAt.Local().Format(time.DateTime), status.Name)))
	} else if c.Rate > 0 {
		fmt.Fprintf(&b, "  scans      %s, by %s since %s\n", rateText(c.Rate), c.Actor, c.ChangedAt.Local().Format(time.DateTime))
	}
	if d := status.Drain; d != nil {
		fmt.Fprintf(&b, "  drain      %s\n", drainText(*d, s))
		for _, session := range d.Waiting {
			fmt.Fprintf(&b, "             %s\n", session)
		}
		if len(d.Waiting) > 0 {
			fmt.Fprintf(&b, "             hint: %s\n", d.Hint())
		}
	}
	sessions := status.Sessions
	if status.Phase == "" {
		sessions = nil // it is no business of theirs
	}
	var joined []string
	for _, e := range sessions {
		joined = append(joined, fmt.Sprintf("%d %s", e.Count, epochText(e.Epoch, status.Epoch)))
	}
	printUnder(&b, "sessions", joined)
	printUnder(&b, "standbys", standbyLines(status, s))
	if len(status.History) > 0 {
		b.WriteString("\nhistory:\n")
	}
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, e := range status.History {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", e.At.Local().Format(time.DateTime), e.Event, e.Detail, e.Actor)
	}
	_ = table.Flush() // a strings.Builder takes everything
	_, err := io.WriteString(w, b.String())
	return err
}

// workerLines list who works at a job that is not finished.
func workerLines(job migrator.JobProgress, s console.Style) []string {
	if job.Finished {
		return nil
	}
	var lines []string
	for _, w := range job.Workers {
		text := fmt.Sprintf("worker %s (pid %d)  %s rows", w.Name, w.PID, console.Count(w.RowsScanned))
		if w.BatchAt != nil {
			text += ", last batch at " + w.BatchAt.Local().Format(time.TimeOnly)
			if w.Position != nil {
				text += " up to key (" + strings.Join(w.Position, ", ") + ")"
			}
			if w.Part != "" {
				text += " of " + w.Part
			}
		}
		if !w.Alive {
			text = s.Dim(text + ", has ended")
		}
		lines = append(lines, text)
	}
	return lines
}

// printUnder prints lines below each other, behind a label that the first one has.
func printUnder(w io.Writer, label string, lines []string) {
	for _, line := range lines {
		fmt.Fprintf(w, "  %-9s  %s\n", label, line)
		label = ""
	}
}

// plansText says what is known of plans, as long as reads have not moved.
func plansText(status migrator.Status, s console.Style) string {
	if !status.Phase.Before(migrator.Live) || status.Removed {
		return ""
	}
	p := status.Plans
	if p == nil {
		return "not compared; before live: crossfade explain -t " + status.Name + " --gate --record FILES"
	}
	text := fmt.Sprintf("%s compared at %s by %s", console.Plural(p.Statements, "statement"), p.At.Local().Format(time.DateTime), p.Actor)
	if p.Worse > 0 {
		return text + ", " + s.Bad(fmt.Sprintf("%d get worse", p.Worse))
	}
	return text + ", none gets worse"
}

func epochText(epoch, current int) string {
	switch {
	case epoch < 0:
		return "without the hook"
	case epoch < current:
		return fmt.Sprintf("joined in epoch %d, an older one", epoch)
	}
	return fmt.Sprintf("joined in epoch %d", epoch)
}

func jobText(j migrator.JobProgress) string {
	text := console.Count(j.RowsScanned) + " rows"
	if !j.Finished {
		text = fmt.Sprintf("%s of about %s rows", console.Count(j.RowsScanned), console.Count(max(j.Estimate, j.RowsScanned)))
	}
	if !j.Compares() {
		text += ", " + console.Count(j.RowsChanged) + " changed"
	}
	if j.Aside > 0 {
		text += ", " + console.Plural(j.Aside, "locked row") + " left for the end"
	}
	if j.Mismatches > 0 {
		text += ", " + console.Count(j.Mismatches) + " differ"
	}
	if j.Finished {
		return text + ", finished in " + console.Duration(j.Elapsed)
	}
	if j.Left > 0 {
		text += ", " + console.Duration(j.Left.Round(time.Second)) + " left"
	}
	return text
}
