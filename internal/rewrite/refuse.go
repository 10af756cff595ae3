package rewrite

import (
	"errors"
	"fmt"
	"strings"
)

// refuse records the first thing that cannot be rewritten. The walk goes on;
// its edits are not used.
func (w *walker) refuse(offset int, hint, format string, args ...any) {
	if w.refusal == nil {
		w.refusal = &Refusal{Message: "crossfade: " + fmt.Sprintf(format, args...), Hint: hint, Offset: offset}
	}
}

// String names the table and says which of its columns move, for messages.
func (t *table) String() string {
	list := make([]string, len(t.moves))
	for i, m := range t.moves {
		what := "its column "
		if len(m.sources) > 1 {
			what = "its columns "
		}
		if i > 0 {
			what = ""
		}
		verb := " is in transition to "
		if len(m.sources) > 1 {
			verb = " are in transition to "
		}
		list[i] = what + quoteAll("", m.SourceNames()) + verb + quoteAll("", m.TargetNames())
	}
	return fmt.Sprintf("%s.%s (%s)", quote(t.Name.Schema), quote(t.Name.Name), strings.Join(list, ", "))
}

const (
	hintUnhooked = "Run it on a connection without the hook, or after the transition."
	hintColumns  = "Name the columns instead."
	hintQualify  = "Qualify the column with its table's name or alias."
)

// unparsed refuses a text that mentions a table in transition and that the
// parser rejects, with what the parser says.
func unparsed(err error) *Refusal {
	refusal := &Refusal{
		Message: fmt.Sprintf("crossfade: the text cannot be parsed: %v", err),
		Bare:    "crossfade: the text cannot be parsed",
		Hint:    "Correct the syntax; if PostgreSQL accepts the text as it is, please report it.",
		Offset:  -1,
	}
	var e *syntaxError
	if errors.As(err, &e) {
		refusal.Offset = e.offset
	}
	return refusal
}
