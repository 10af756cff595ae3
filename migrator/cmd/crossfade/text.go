package main

import (
	"fmt"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// drainText says whom a drain waits for, in numbers.
func drainText(d migrator.Drain, s console.Style) string {
	text := d.Name()
	if d.Elapsed > 0 {
		text += ", " + console.Duration(d.Elapsed)
	}
	if n := len(d.Waiting); n > 0 {
		text += s.Warn(", waiting for " + console.Plural(n, "session"))
	}
	if n := len(d.Fenced); n > 0 {
		text += fmt.Sprintf(", %d fenced", n)
	}
	return text
}

// sessionText names a session shortly, for a block of 80 columns; its own String
// says more.
func sessionText(session migrator.Session) string {
	if session.PID == 0 || session.Standby != "" {
		return session.String()
	}
	hook := ""
	if !session.Hooked() {
		hook = ", no hook"
	}
	return fmt.Sprintf("pid %d %s (%s@%s%s) %s for %s: %s", session.PID, session.Application, session.User, session.Client,
		hook, session.State, console.Duration(session.Age), oneLine(session.Query))
}

// findingText is a finding in two or three lines.
func findingText(s console.Style, f migrator.Finding, indent string) string {
	head := fmt.Sprintf("%s [%s] %s", f.Severity, f.Code, f.Object)
	switch {
	case f.Refuses:
		head = s.Bad(head)
	case f.Severity == "warn":
		head = s.Warn(head)
	}
	if f.Accepted {
		head += " (accepted)"
	}
	text := indent + head + "\n" + indented(f.Message, indent+"  ")
	if f.Hint != "" {
		text += "\n" + indented("hint: "+f.Hint, indent+"  ")
	}
	return text
}

func oneLine(sql string) string { return strings.Join(strings.Fields(sql), " ") }

// indented puts every line of a text to the right.
func indented(text, indent string) string {
	return indent + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+indent)
}

// names lists columns.
func names(columns []string) string { return strings.Join(columns, ", ") }

// drops says what contract drops of a table; empty when it drops nothing.
func drops(does string, sources []string, table string) string {
	if column, dropped := strings.CutPrefix(does, "drop_column "); dropped {
		sources = []string{column}
	}
	if len(sources) == 0 {
		return ""
	}
	return "drops " + counted(sources) + " of table " + table
}

// counted is names behind the right word.
func counted(columns []string) string {
	if len(columns) == 1 {
		return "column " + columns[0]
	}
	return "columns " + names(columns)
}

// becomes says what moves, or what else is done.
func becomes(s console.Style, does string, sources, targets []string) string {
	if len(sources) == 0 {
		return s.Accent(does)
	}
	word, verb := "column", "becomes"
	if len(sources) > 1 {
		word, verb = "columns", "become"
	}
	return word + " " + s.Accent(names(sources)) + " " + verb + " " + s.Accent(names(targets))
}

// inTheEnd says what the target is called then, where it keeps the source's name.
func inTheEnd(keepName bool, sources []string) string {
	if !keepName {
		return ""
	}
	return ", in the end called " + names(sources) + " again"
}
