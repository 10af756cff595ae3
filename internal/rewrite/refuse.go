package rewrite

import (
	"errors"
	"fmt"
)

// refuse records the first thing that cannot be rewritten. The walk goes on;
// its edits are not used.
func (w *walker) refuse(offset int, hint, format string, args ...any) {
	if w.refusal == nil {
		w.refusal = &Refusal{Message: "crossfade: " + fmt.Sprintf(format, args...), Hint: hint, Offset: offset}
	}
}

// String names the table and says which of its columns moves, for messages.
func (t *table) String() string {
	return fmt.Sprintf("%s.%s (its column %s is in transition to %s)", t.Table.Schema, t.Table.Name, quote(t.Source), quote(t.Target))
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
		Hint:    "Correct the syntax; if PostgreSQL accepts the text as it is, please report it.",
		Offset:  -1,
	}
	var e *syntaxError
	if errors.As(err, &e) {
		refusal.Offset = e.offset
	}
	return refusal
}
