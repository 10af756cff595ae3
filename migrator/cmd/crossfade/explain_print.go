package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/internal/explain"
	"github.com/pgcrossfade/crossfade/internal/queryplan"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
)

// printExplained shows each statement once, and once what it becomes in phases
// that make the same of it, then what its plan comes to. Why no plan at all is
// compared (skip) is not said of each statement.
func printExplained(w io.Writer, s console.Style, explained []explain.Explanation, phases int, skip string) error {
	var b strings.Builder
	for i, e := range explained {
		if i > 0 {
			b.WriteString("\n")
		}
		if head := strings.TrimSpace(e.Place() + " " + e.Name); head != "" {
			fmt.Fprintf(&b, "%s\n", s.Dim(head))
		}
		fmt.Fprintf(&b, "%s\n", s.Bold(e.SQL))
		for rest := e.Phases; len(rest) > 0; {
			n := 1
			for n < len(rest) && rest[n].SameAs(rest[0]) {
				n++
			}
			printOutcome(&b, s, rest[:n], e.SQL, n == phases)
			rest = rest[n:]
		}
		if e.Plan != nil && (skip == "" || e.Plan.Skipped != skip) {
			printPlanChange(&b, s, *e.Plan)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printOutcome(b *strings.Builder, s console.Style, same []explain.Outcome, statement string, all bool) {
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
		place := ""
		if p.At != "" {
			place = " at " + p.At
		}
		fmt.Fprintf(b, "  %s: %s%s\n%s\n", s.Accent(label), s.Bad("refused"), place, indented(p.Message, "    "))
		if p.Hint != "" {
			fmt.Fprintf(b, "    hint: %s\n", p.Hint)
		}
	case rewrite.Passed:
		fmt.Fprintf(b, "  %s: as it is\n", s.Accent(label))
	default:
		fmt.Fprintf(b, "  %s:\n%s\n", s.Accent(label), indented(highlight(s, statement, p.Edits), "    "))
	}
	for _, message := range p.Reported {
		fmt.Fprintf(b, "    %s: %s\n", s.Warn("reported"), message)
	}
}

// printPlanChange shows what gets worse, with the lines of both plans.
func printPlanChange(b *strings.Builder, s console.Style, p explain.Plan) {
	label := s.Accent(fmt.Sprintf("plan, %s -> %s", p.From, p.To))
	switch {
	case p.Skipped != "":
		fmt.Fprintf(b, "  %s: %s\n%s\n", label, s.Warn("not compared"), indented(p.Skipped, "    "))
	case len(p.Findings) == 0:
		fmt.Fprintf(b, "  %s: as good as before\n", label)
	}
	for _, f := range p.Findings {
		severity := s.Bad(string(f.Severity))
		if f.Severity == queryplan.Warning {
			severity = s.Warn(string(f.Severity))
		}
		fmt.Fprintf(b, "  %s: %s [%s]\n%s\n", label, severity, f.Code, indented(f.Message, "    "))
		fmt.Fprintf(b, "    source: %s\n", f.Source)
		if f.Target != "" {
			fmt.Fprintf(b, "    target: %s\n", s.Bad(f.Target))
		}
		fmt.Fprintf(b, "    hint: %s\n", f.Hint)
	}
}

// highlight paints what was put into a statement. Without colours it is the
// rewritten text.
func highlight(s console.Style, statement string, edits []explain.Edit) string {
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
